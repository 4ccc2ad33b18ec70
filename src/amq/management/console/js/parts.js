// Small pieces that many pages are made of.

import { h } from "./dom.js";
import { value, whole } from "./format.js";
import { change, link } from "./router.js";

// Names and values; those whose value is undefined are left out.
export const facts = (pairs) =>
  h(
    "dl",
    { class: "facts" },
    Object.entries(pairs)
      .filter(([, shown]) => shown !== undefined && shown !== null)
      .map(([name, shown]) => h("div", { key: name }, h("dt", {}, name), h("dd", {}, shown))),
  );

export const card = (title, ...content) =>
  h("section", { class: "card", key: "card-" + title }, h("h2", {}, title), content);

export const badge = (text, kind = "", title = null) => h("span", { class: `badge ${kind}`, title }, text);

export const tile = (label, shown, to, hint) =>
  h(
    to ? "a" : "div",
    { class: "tile", href: to ?? null, title: hint, key: label },
    h("b", {}, shown),
    h("span", {}, label),
  );

export const hint = (text) => h("p", { class: "muted", key: text }, text);

// An argument table in a line or a few: name = value.
export const argumentList = (table) =>
  Object.keys(table ?? {}).length > 0 &&
  h(
    "ul",
    { class: "pairs" },
    Object.entries(table).map(([name, given]) =>
      h("li", { key: name }, h("code", {}, name), " = ", h("code", {}, value(given))),
    ),
  );

export const flags = (item) => [
  item.type && badge(item.type, "type"),
  item.durable && badge("durable", "", "Is still there after a restart"),
  item.auto_delete && badge("auto-delete", "", "Goes with its last user"),
  item.exclusive && badge("exclusive", "", "Belongs to one connection and goes with it"),
  item.internal && badge("internal", "", "Clients cannot publish to it"),
  item.policy && badge(`policy ${item.policy}`, "policy", item.policy),
  item.operator_policy && badge(`operator policy ${item.operator_policy}`, "policy", item.operator_policy),
];

// Parts of one page, each with an address of its own.
export const tabs = (ctx, names) =>
  h(
    "nav",
    { class: "tabs", "aria-label": "Parts of this page", key: "tabs" },
    h(
      "ul",
      {},
      Object.entries(names).map(([tab, label]) =>
        h(
          "li",
          { key: tab },
          h(
            "a",
            {
              href: change(
                { parts: ctx.route.parts, query: { in: ctx.route.query.in } },
                { tab: tab === Object.keys(names)[0] ? "" : tab },
              ),
              "aria-current": tab === tabOf(ctx, names) ? "page" : null,
            },
            label,
          ),
        ),
      ),
    ),
  );

export const tabOf = (ctx, names) => (ctx.route.query.tab in names ? ctx.route.query.tab : Object.keys(names)[0]);

// Names of entities as links. The default exchange has no name; in paths it is amq.default.
export const exchangeLink = (vhost, name) =>
  h("a", { href: link(["exchanges", vhost, name || "amq.default"]) }, name || "(default)");
export const queueLink = (vhost, name) => h("a", { href: link(["queues", vhost, name]) }, name || "(no name)");

export const count = (number) => whole(number ?? 0);

// A figure in a list; nothing draws the eye where nothing is.
export const figure = (number, show = whole) => (number ? show(number) : h("span", { class: "muted" }, "0"));
