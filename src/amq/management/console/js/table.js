// Tables. Rows keep their places while the reader points at them or has marked text, whatever the order says meanwhile.

import { h } from "./dom.js";
import { change } from "./router.js";
import { recall, remember } from "./settings.js";

// columns: [{name, label, cell(row), sort?, end?, optional?, hint?}]. `sort` is what the API calls it; without it the
// column's head is no link. `optional` columns are shown when they were chosen, `minor` ones not on a phone.
// `whole(row)` may answer what is to stand across a whole row; the order of such a table is the page's own business.
export function table(ctx, { id, label, columns, rows, key, empty = "Nothing here.", fixed = false, whole }) {
  const shown = columns.filter((column) => fixed || visible(id, column));
  const kept = whole ? rows : hold(ctx, id, rows, key);
  return h(
    "div",
    { class: "table", key: "table-" + id, role: "group", "aria-label": label, tabindex: "0" },
    h(
      "table",
      { onpointerenter: () => (memory(ctx, id).held = true), onpointerleave: () => (memory(ctx, id).held = false) },
      h("caption", { class: "unseen" }, label),
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          shown.map((column) => head(ctx, column)),
        ),
      ),
      h(
        "tbody",
        {},
        kept.map((row) =>
          h(
            "tr",
            { key: key(row) },
            whole?.(row)
              ? h("td", { colspan: shown.length }, whole(row))
              : shown.map((column, place) => cell(column, row, place)),
          ),
        ),
        kept.length === 0 && h("tr", { key: "\0empty" }, h("td", { class: "empty", colspan: shown.length }, empty)),
      ),
    ),
  );
}

const cell = (column, row, place) =>
  h(place ? "td" : "th", { key: column.name, class: classes(column), scope: place ? null : "row" }, column.cell(row));
const classes = (column) => [column.end && "end", column.minor && "minor"].filter(Boolean).join(" ") || null;

function head(ctx, column) {
  const { sort, desc } = ctx.route.query;
  const sorted = column.sort !== undefined && sort === column.sort;
  const direction = desc ? "descending" : "ascending";
  // Numbers are asked for from the top, names from the start.
  const next = sorted ? (desc ? "" : "1") : column.end ? "1" : "";
  return h(
    "th",
    {
      scope: "col",
      key: column.name,
      class: classes(column),
      title: column.hint,
      "aria-sort": sorted ? direction : column.sort ? "none" : null,
    },
    column.sort === undefined
      ? column.label || h("span", { class: "unseen" }, column.name)
      : h(
          "a",
          { href: change(ctx.route, { sort: column.sort, desc: next, page: "" }) },
          column.label,
          h("span", { class: "arrow", "aria-hidden": "true" }, sorted ? (desc ? "↓" : "↑") : ""),
        ),
  );
}

const chosen = (id) => recall("columns." + id, {});
const visible = (id, column) => chosen(id)[column.name] ?? !column.optional;

export function columnChooser(ctx, id, columns) {
  return h(
    "details",
    { class: "chooser", key: "chooser" },
    h("summary", {}, "Columns"),
    h(
      "fieldset",
      {},
      h("legend", { class: "unseen" }, "Columns to show"),
      columns
        .slice(1)
        .filter((column) => column.label)
        .map((column) =>
          h(
            "label",
            { class: "check", key: column.name },
            h("input", {
              type: "checkbox",
              checked: visible(id, column),
              onchange: (event) => {
                remember("columns." + id, { ...chosen(id), [column.name]: event.target.checked });
                ctx.redraw();
              },
            }),
            column.label,
          ),
        ),
    ),
  );
}

const memory = (ctx, id) => ((ctx.state.tables ??= {})[id] ??= { held: false, order: [], asked: "" });

function hold(ctx, id, rows, key) {
  const mine = memory(ctx, id);
  const asked = JSON.stringify(ctx.route.query);
  let kept = rows;
  if (asked === mine.asked && (mine.held || marking())) {
    const place = new Map(mine.order.map((known, at) => [known, at]));
    kept = [...rows].sort((a, b) => (place.get(key(a)) ?? Infinity) - (place.get(key(b)) ?? Infinity) || 0);
  }
  mine.asked = asked;
  mine.order = kept.map(key);
  return kept;
}

const marking = () => document.getSelection()?.type === "Range";
