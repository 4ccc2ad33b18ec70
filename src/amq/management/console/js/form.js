// Forms: labelled fields, what went wrong next to them, and an editor for argument tables.

import { h } from "./dom.js";

// kinds: text (default), number, password, textarea, select (options: [[value, label]]), check.
export function field({
  label,
  name,
  kind = "text",
  value,
  hint,
  options,
  required,
  wide,
  placeholder,
  onchange,
  oninput,
  rows,
  list,
}) {
  const same = { name, required, "aria-label": label, "aria-description": hint, onchange, oninput };
  if (kind === "check") {
    return h(
      "label",
      { class: "check field", key: name },
      h("input", { ...same, type: "checkbox", checked: Boolean(value) }),
      h("span", {}, label),
      hint && h("small", { "aria-hidden": "true" }, hint),
    );
  }
  let control;
  if (kind === "select")
    control = h(
      "select",
      { ...same, value: value ?? options[0]?.[0] },
      options.map(([given, text]) => h("option", { value: given }, text)),
    );
  else if (kind === "textarea")
    control = h("textarea", { ...same, rows: rows ?? 5, value, placeholder, spellcheck: "false" });
  else
    control = h("input", {
      ...same,
      type: kind,
      value,
      placeholder,
      spellcheck: "false",
      autocomplete: kind === "password" ? "new-password" : "off",
      list,
      step: kind === "number" ? "any" : null,
    });
  return h(
    "label",
    { class: wide ? "field wide" : "field", key: name },
    h("span", {}, label),
    control,
    hint && h("small", { "aria-hidden": "true" }, hint),
  );
}

// `submit(values, form)` does the work; it may return what to say when it is done. Then the form is emptied, unless
// `keep`.
export function form(ctx, { id, label, verb, submit, keep, danger, inline, body, more, after }) {
  const mine = ((ctx.state.forms ??= {})[id] ??= { busy: false, error: "", turn: 0 });
  async function onsubmit(event) {
    event.preventDefault();
    const element = event.currentTarget;
    Object.assign(mine, { busy: true, error: "" });
    ctx.redraw();
    try {
      const done = await submit(Object.fromEntries(new FormData(element)), element);
      if (typeof done === "string") ctx.say(done);
      if (!keep) {
        mine.turn += 1;
        delete ctx.state.tables_of?.[id];
      }
      await ctx.refresh();
    } catch (error) {
      mine.error = error.message;
    }
    mine.busy = false;
    ctx.redraw();
  }
  return h(
    "form",
    { key: `form-${id}-${mine.turn}`, "aria-label": label, onsubmit, class: inline ? "stack inline-form" : "stack" },
    h("div", { class: "fields" }, body),
    mine.error && h("p", { class: "note bad", role: "alert" }, mine.error),
    h(
      "div",
      { class: "row" },
      h("button", { class: danger ? "danger" : "main", disabled: mine.busy }, mine.busy ? "Please wait…" : verb),
      more,
    ),
    after,
  );
}

// A form behind a summary, so that pages show what is there first.
export function folded(summary, content, props = {}) {
  return h("details", { class: "card fold", key: "fold-" + summary, ...props }, h("summary", {}, summary), content);
}

const KINDS = { text: "Text", number: "Number", boolean: "Boolean", json: "List or table (JSON)" };

// Rows of name, value and type. `known`: {name: {kind, hint}} are offered as buttons. Read with `argumentsOf`.
export function argumentsEditor(ctx, id, label, known = {}) {
  const rows = (((ctx.state.tables_of ??= {})[id] ??= {})[label] ??= []);
  const add = (name, kind) => {
    rows.push({
      id: (ctx.state.serial = (ctx.state.serial ?? 0) + 1),
      name,
      value: kind === "boolean" ? "true" : "",
      kind,
    });
    ctx.redraw();
  };
  return h(
    "fieldset",
    { class: "arguments wide", key: "arguments-" + label },
    h("legend", {}, label),
    rows.map((row) =>
      h(
        "div",
        { class: "row", key: row.id },
        h("input", {
          "aria-label": "Name",
          placeholder: "name",
          value: row.name,
          spellcheck: "false",
          oninput: (event) => (row.name = event.target.value),
          ref: (node) => !row.name && node.focus(),
        }),
        h("input", {
          "aria-label": `Value of ${row.name || "the new entry"}`,
          placeholder: "value",
          value: row.value,
          spellcheck: "false",
          oninput: (event) => (row.value = event.target.value),
          ref: (node) => row.name && node.focus(),
        }),
        h(
          "select",
          {
            "aria-label": `Type of ${row.name || "the new entry"}`,
            value: row.kind,
            onchange: (event) => (row.kind = event.target.value),
          },
          Object.entries(KINDS).map(([kind, text]) => h("option", { value: kind }, text)),
        ),
        h(
          "button",
          {
            type: "button",
            class: "plain",
            "aria-label": `Remove ${row.name || "this entry"}`,
            onclick: () => {
              rows.splice(rows.indexOf(row), 1);
              ctx.redraw();
            },
          },
          "Remove",
        ),
      ),
    ),
    h(
      "div",
      { class: "row offers" },
      h("button", { type: "button", class: "second small", onclick: () => add("", "text") }, "Add"),
      Object.entries(known).map(([name, { kind, hint }]) =>
        h("button", { type: "button", class: "offer", title: hint, key: name, onclick: () => add(name, kind) }, name),
      ),
    ),
  );
}

// Throws Error with words for what cannot be meant.
export function argumentsOf(ctx, id, label) {
  const rows = ctx.state.tables_of?.[id]?.[label] ?? [];
  return Object.fromEntries(rows.filter((row) => row.name).map((row) => [row.name, meant(row)]));
}

// Fill the editor with what is there already.
export function setArguments(ctx, id, label, table) {
  ((ctx.state.tables_of ??= {})[id] ??= {})[label] = Object.entries(table).map(([name, value]) => {
    const kind = typeof value === "object" ? "json" : typeof value === "string" ? "text" : typeof value;
    return {
      id: (ctx.state.serial = (ctx.state.serial ?? 0) + 1),
      name,
      kind,
      value: kind === "json" ? JSON.stringify(value) : String(value),
    };
  });
}

function meant({ name, value, kind }) {
  if (kind === "text") return value;
  if (kind === "number") {
    const number = Number(value);
    if (value.trim() === "" || !Number.isFinite(number)) throw new Error(`${name}: “${value}” is not a number.`);
    return number;
  }
  if (kind === "boolean") {
    const word = value.trim().toLowerCase();
    if (word !== "true" && word !== "false") throw new Error(`${name}: a boolean is true or false, not “${value}”.`);
    return word === "true";
  }
  try {
    return JSON.parse(value);
  } catch (error) {
    throw new Error(`${name}: that is no JSON (${error.message}).`);
  }
}
