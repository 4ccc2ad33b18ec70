// Virtual hosts: separate worlds of exchanges, queues and permissions.

import { call, get, path } from "../api.js";
import { confirm } from "../dialog.js";
import { h } from "../dom.js";
import { field, folded, form } from "../form.js";
import { plural, rate } from "../format.js";
import { badge, figure } from "../parts.js";
import { acknowledged, incoming, outgoing } from "../rates.js";
import { is } from "../roles.js";
import { link } from "../router.js";
import { table } from "../table.js";

export const vhosts = {
  title: () => "Virtual hosts",
  async load(ctx) {
    const all = await get("vhosts", ctx.signal);
    ctx.app.vhosts = all.map((vhost) => vhost.name);
    return all;
  },
  view(ctx, all) {
    const administrator = is(ctx.user, "administrator");
    return [
      table(ctx, {
        id: "vhosts",
        label: "Virtual hosts",
        rows: all,
        key: (vhost) => vhost.name,
        fixed: true,
        columns: [
          {
            name: "name",
            label: "Name",
            cell: (vhost) => [
              h("a", { href: link(["queues"], { vhost: vhost.name }) }, vhost.name),
              vhost.description && h("small", {}, vhost.description),
            ],
          },
          {
            name: "tags",
            label: "Tags",
            cell: (vhost) =>
              h(
                "span",
                { class: "badges" },
                [vhost.tags ?? []].flat().map((tag) => badge(tag)),
                vhost.tracing && badge("tracing", "warn"),
              ),
          },
          {
            name: "type",
            label: "Default queue type",
            cell: (vhost) => (vhost.default_queue_type === "undefined" ? "" : vhost.default_queue_type),
          },
          { name: "ready", label: "Ready", end: true, cell: (vhost) => figure(vhost.messages_ready) },
          { name: "unacked", label: "Unacked", end: true, cell: (vhost) => figure(vhost.messages_unacknowledged) },
          { name: "in", label: "In", end: true, cell: (vhost) => figure(incoming(vhost), rate) },
          { name: "out", label: "Out", end: true, cell: (vhost) => figure(outgoing(vhost), rate) },
          { name: "ack", label: "Ack", end: true, cell: (vhost) => figure(acknowledged(vhost), rate) },
          {
            name: "actions",
            label: "",
            cell: (vhost) =>
              administrator && [
                h(
                  "button",
                  {
                    class: "plain",
                    "aria-label": `Tracing in ${vhost.name}`,
                    "aria-pressed": String(Boolean(vhost.tracing)),
                    title: "Send a copy of every message to amq.rabbitmq.trace",
                    onclick: () => trace(ctx, vhost),
                  },
                  vhost.tracing ? "Stop tracing" : "Trace",
                ),
                h(
                  "button",
                  { class: "plain", "aria-label": `Delete ${vhost.name}`, onclick: () => remove(ctx, vhost) },
                  "Delete",
                ),
              ],
          },
        ],
      }),
      administrator &&
        folded(
          "Add a virtual host",
          form(ctx, {
            id: "vhost",
            label: "Add a virtual host",
            verb: "Add virtual host",
            async submit({ name, description, tags, type }) {
              await call("PUT", path("vhosts", name), {
                body: { description, tags, ...(type ? { default_queue_type: type } : {}) },
              });
              await call("PUT", path("permissions", name, ctx.user.name), {
                body: { configure: ".*", write: ".*", read: ".*" },
              });
              return `Virtual host ${name} is there, and you may do everything in it.`;
            },
            body: [
              field({ name: "name", label: "Name", required: true }),
              field({ name: "description", label: "Description" }),
              field({ name: "tags", label: "Tags", hint: "With commas between them" }),
              field({
                name: "type",
                label: "Default queue type",
                kind: "select",
                options: [
                  ["", "Classic"],
                  ["quorum", "Quorum"],
                  ["stream", "Stream"],
                ],
              }),
            ],
          }),
        ),
    ];
  },
};

const trace = (ctx, vhost) =>
  ctx.act(
    () => call("PUT", path("vhosts", vhost.name), { body: { tracing: !vhost.tracing } }),
    vhost.tracing ? "Tracing is off." : "Every message is traced now.",
  );

async function remove(ctx, { name }) {
  await ctx.act(
    async () => {
      const queues = await get(
        path("queues", name) + "?columns=name,messages&disable_stats=true&enable_queue_totals=true",
      );
      const messages = queues.reduce((sum, queue) => sum + (queue.messages ?? 0), 0);
      const text = [
        `With it ${plural(queues.length, "queue")} and ${plural(messages, "message")} would be lost for good.`,
        "All its exchanges, bindings, policies and permissions go, too. Its connections are closed.",
      ];
      if ((await confirm({ title: `Delete virtual host ${name}?`, text, verb: "Delete" })) === null) return null;
      return call("DELETE", path("vhosts", name)).then(() => name);
    },
    (done) => done && `Virtual host ${name} is gone.`,
  );
}
