// Long lists: the broker filters, sorts and pages; the address says how, so that a view can be bookmarked.

import { get, query } from "./api.js";
import { h } from "./dom.js";
import { plural, whole } from "./format.js";
import { change, go } from "./router.js";
import { columnChooser, table } from "./table.js";

const SIZES = [25, 50, 100, 250, 500];

// Ask for the part of a list that the route shows.
export async function loadList(ctx, where, more = {}) {
  const { q, re, page, size, sort, desc } = ctx.route.query;
  const answer = await get(
    where +
      query({
        page: page ?? 1,
        page_size: size ?? 50,
        pagination: true,
        name: q,
        use_regex: re ? true : undefined,
        sort,
        sort_reverse: desc ? true : undefined,
        ...more,
      }),
    ctx.signal,
  );
  return Array.isArray(answer)
    ? { items: answer, filtered_count: answer.length, total_count: answer.length, page: 1, page_count: 1 }
    : answer;
}

export function list(ctx, data, { id, label, one, many, columns, key, empty, tools }) {
  const { q } = ctx.route.query;
  return [
    h(
      "div",
      { class: "row narrow", key: "narrow", role: "search" },
      h(
        "label",
        { class: "filter" },
        h("span", { class: "unseen" }, `Filter ${label} by name`),
        h("input", {
          type: "search",
          placeholder: ctx.route.query.re ? "Filter by regular expression" : "Filter by name",
          value: q ?? "",
          spellcheck: "false",
          oninput: (event) => later(ctx, event.target.value),
        }),
      ),
      h(
        "label",
        { class: "check" },
        h("input", {
          type: "checkbox",
          checked: Boolean(ctx.route.query.re),
          onchange: (event) => go(change(ctx.route, { re: event.target.checked ? 1 : "", page: "" }), true),
        }),
        "Regex",
      ),
      h("span", { class: "muted count", "aria-live": "polite" }, counted(data, q, one, many)),
      h("span", { class: "gap" }),
      columnChooser(ctx, id, columns),
      tools,
    ),
    table(ctx, { id, label, columns, rows: data.items, key, empty: q ? `No ${one} matches “${q}”.` : empty }),
    pager(ctx, data),
  ];
}

function counted(data, q, one, many) {
  const all = plural(data.total_count, one, many);
  return q ? `${whole(data.filtered_count)} of ${all}` : all;
}

function later(ctx, text) {
  clearTimeout(ctx.state.typing);
  ctx.state.typing = setTimeout(() => go(change(ctx.route, { q: text, page: "" }), true), 250);
}

function pager(ctx, data) {
  const { page, page_count: pages } = data;
  const to = (target, text, label) =>
    target >= 1 && target <= pages && target !== page
      ? h("a", { href: change(ctx.route, { page: target === 1 ? "" : target }), "aria-label": label }, text)
      : h("span", { class: "muted", "aria-hidden": "true" }, text);
  return h(
    "nav",
    { class: "row pager", "aria-label": "Pages of the list", key: "pager" },
    pages > 1 && [
      to(1, "« First", "First page"),
      to(page - 1, "‹ Previous", "Previous page"),
      h("span", { "aria-current": "page" }, `Page ${whole(page)} of ${whole(pages)}`),
      to(page + 1, "Next ›", "Next page"),
      to(pages, "Last »", "Last page"),
    ],
    h("span", { class: "gap" }),
    h(
      "label",
      { class: "inline" },
      h("span", {}, "Rows"),
      h(
        "select",
        {
          "aria-label": "Rows",
          value: String(ctx.route.query.size ?? 50),
          onchange: (event) => go(change(ctx.route, { size: event.target.value, page: "" })),
        },
        SIZES.map((size) => h("option", { value: String(size) }, String(size))),
      ),
    ),
  );
}
