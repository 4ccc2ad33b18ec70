// Take what exists out as a file, and put it in somewhere else.

import { call, path, query } from "../api.js";
import { confirm } from "../dialog.js";
import { h } from "../dom.js";
import { field, form } from "../form.js";
import { plural } from "../format.js";
import { card, hint } from "../parts.js";

const PARTS = {
  users: "user",
  vhosts: "virtual host",
  permissions: "permission",
  topic_permissions: "topic permission",
  parameters: "parameter",
  global_parameters: "global parameter",
  policies: "policy",
  operator_policies: "operator policy",
  limits: "limit",
  queues: "queue",
  exchanges: "exchange",
  bindings: "binding",
};
const SHOWN = 20;

export const definitions = {
  title: () => "Definitions",
  load: async () => ({}),
  view: (ctx) => [
    hint(
      "Definitions are users, virtual hosts, permissions, policies, queues, exchanges and bindings: everything but the " +
        "messages. RabbitMQ's files are read as they are.",
    ),
    h(
      "div",
      { class: "cards", key: "cards" },
      card("Export", exportForm(ctx)),
      card("Import", importForm(ctx), imported(ctx)),
    ),
  ],
};

const choice = (ctx) =>
  field({
    name: "vhost",
    label: "Virtual host",
    kind: "select",
    options: [["", "All, with users"], ...ctx.app.vhosts.map((name) => [name, name])],
  });
const where = (vhost) => (vhost ? path("definitions", vhost) : "definitions");

const exportForm = (ctx) =>
  form(ctx, {
    id: "export",
    label: "Export definitions",
    verb: "Download",
    keep: true,
    async submit({ vhost }) {
      const exported = await call("GET", where(vhost));
      save(JSON.stringify(exported, null, 2), fileName(vhost));
      return `Exported: ${counted(Object.fromEntries(Object.keys(PARTS).map((part) => [part, exported[part]?.length])))}.`;
    },
    body: [choice(ctx)],
  });

const fileName = (vhost) =>
  ["definitions", vhost.replace(/[^\w.-]+/g, "_"), new Date().toISOString().slice(0, 10)].filter(Boolean).join("-") +
  ".json";

function save(text, name) {
  const anchor = document.createElement("a");
  anchor.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  anchor.download = name;
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(anchor.href), 10_000);
}

const counted = (counts) =>
  Object.entries(PARTS)
    .filter(([part]) => counts[part])
    .map(([part, one]) => plural(counts[part], one, one.replace(/y$/, "ie") + "s"))
    .join(", ") || "nothing";

const importForm = (ctx) =>
  form(ctx, {
    id: "import",
    label: "Import definitions",
    verb: "Import…",
    async submit({ vhost, file }) {
      const body = await read(file);
      const { found, new: fresh, warnings } = await call("POST", "amq/definitions/check" + query({ vhost }), { body });
      const text = [
        `The file has ${counted(found)}. New are ${counted(fresh)}.`,
        "Users, policies and the like are replaced by what the file says.",
        "Queues and exchanges that are there stay as they are.",
        ...told(warnings),
      ];
      if ((await confirm({ title: `Import ${file.name}?`, text, verb: "Import" })) === null) return null;
      await call("POST", where(vhost), { body });
      ctx.state.imported = { name: file.name, warnings };
      return `${file.name} is imported.`;
    },
    body: [
      choice(ctx),
      h(
        "label",
        { class: "field", key: "file" },
        h("span", {}, "File"),
        h("input", { type: "file", name: "file", accept: ".json,application/json", required: true }),
      ),
    ],
  });

const told = (warnings) => [
  ...warnings.slice(0, SHOWN).map((warning) => `Warning: ${warning}`),
  ...(warnings.length > SHOWN ? [`and ${plural(warnings.length - SHOWN, "more warning")}, see the log`] : []),
];

async function read(file) {
  try {
    return JSON.parse(await file.text());
  } catch (error) {
    throw new Error(`${file.name} is no JSON: ${error.message}.`);
  }
}

const imported = (ctx) =>
  ctx.state.imported &&
  h(
    "div",
    { class: ctx.state.imported.warnings.length ? "note warn" : "note good", role: "status", key: "imported" },
    h(
      "p",
      {},
      `${ctx.state.imported.name} is imported, with ${plural(ctx.state.imported.warnings.length, "warning")}.`,
    ),
    h(
      "ul",
      {},
      told(ctx.state.imported.warnings).map((warning) => h("li", { key: warning }, warning)),
    ),
  );
