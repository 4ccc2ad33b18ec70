// Who stands out: most of something, or slowest at it.

import { get, path } from "../api.js";
import { h } from "../dom.js";
import { value } from "../format.js";
import { tabOf, tabs } from "../parts.js";
import { table } from "../table.js";

const TABS = { "slow-consumers": "Slow consumers", unroutable: "Unroutable", memory: "Memory" };

export const top = {
  title: () => "Top lists",
  load: (ctx) => get(path("amq", "top", tabOf(ctx, TABS)), ctx.signal),
  view: (ctx, answer) => [tabs(ctx, TABS), shown(ctx, answer)],
};

function shown(ctx, answer) {
  const rows = Array.isArray(answer) ? answer : answer.items;
  const names = rows.length ? Object.keys(rows[0]) : ["name"];
  return table(ctx, { id: "top", label: "Top list", rows, key: (row) => JSON.stringify(row), empty: "Nothing stands out.", fixed: true,
    columns: names.map((name) => ({ name, label: name.replaceAll("_", " "), end: typeof rows[0]?.[name] === "number", cell: (row) => h("span", {}, value(row[name])) })) });
}

