// What the broker runs with, and what of it can be changed while it runs.

import { call, get } from "../api.js";
import { h } from "../dom.js";
import { field, form } from "../form.js";
import { card, hint } from "../parts.js";
import { table } from "../table.js";

const LEVELS = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency", "none"];
const PARTS = { changed: "Changed", needs_restart: "Needs a restart", warnings: "Warning" };

export const configuration = {
  title: () => "Configuration",
  load: (ctx) => get("config/effective", ctx.signal),
  view: (ctx, settings) => [
    h(
      "div",
      { class: "cards", key: "cards" },
      card("Configuration files", reload(ctx)),
      card("Until they are read again", temporary(ctx)),
    ),
    card(
      "In effect",
      hint("Secrets are left out."),
      table(ctx, {
        id: "settings",
        label: "Settings in effect",
        rows: Object.entries(settings),
        key: ([name]) => name,
        fixed: true,
        columns: [
          { name: "key", label: "Key", cell: ([name]) => h("code", {}, name) },
          {
            name: "value",
            label: "Value",
            cell: ([, value]) =>
              h("code", {}, value === null ? "–" : Array.isArray(value) ? value.join(", ") : String(value)),
          },
        ],
      }),
    ),
  ],
};

const reload = (ctx) =>
  form(ctx, {
    id: "reload",
    label: "Reload",
    verb: "Read them again",
    keep: true,
    async submit() {
      ctx.state.outcome = await call("POST", "amq/reload", { body: {} });
      return "The configuration was read again.";
    },
    body: hint("Takes over what can change without a restart, as SIGHUP does."),
    after:
      ctx.state.outcome &&
      h(
        "ul",
        { class: "note", role: "status" },
        Object.entries(PARTS).flatMap(([part, label]) =>
          ctx.state.outcome[part].map((line) => h("li", { key: part + line }, h("b", {}, label), `: ${line}`)),
        ),
        Object.keys(PARTS).every((part) => ctx.state.outcome[part].length === 0) &&
          h("li", { key: "same" }, "Nothing has changed."),
      ),
  });

const temporary = (ctx) => [
  one(
    ctx,
    "level",
    "Log level",
    "amq/logs/level",
    field({
      name: "value",
      label: "Log from level",
      kind: "select",
      value: "info",
      options: LEVELS.map((name) => [name, name]),
    }),
    (value) => ({ level: value }),
  ),
  one(
    ctx,
    "memory",
    "Memory",
    "amq/memory-high-watermark",
    field({ name: "value", label: "Memory alarm above", required: true, placeholder: "0.4 or 2GB" }),
    limit,
  ),
  one(
    ctx,
    "disk",
    "Disk",
    "amq/disk-free-limit",
    field({ name: "value", label: "Disk alarm below", required: true, placeholder: "50MB or 1.0" }),
    limit,
  ),
];

const one = (ctx, id, label, where, body, meant) =>
  form(ctx, {
    id,
    label,
    verb: "Set",
    inline: true,
    body,
    async submit({ value }) {
      await call("PUT", where, { body: meant(value) });
      return "It is in effect.";
    },
  });

// A share such as 0.4, or an amount such as 2GB.
const limit = (text) => (/^\d*\.\d+$/.test(text.trim()) ? { relative: Number(text) } : { absolute: text.trim() });
