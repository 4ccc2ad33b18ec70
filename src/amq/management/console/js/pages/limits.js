// Limits of virtual hosts and of users.

import { call, get, getIfAllowed, path } from "../api.js";
import { confirm } from "../dialog.js";
import { h } from "../dom.js";
import { field, form } from "../form.js";
import { whole } from "../format.js";
import { card } from "../parts.js";
import { is } from "../roles.js";
import { table } from "../table.js";

const OF_VHOST = { "max-connections": "Connections", "max-queues": "Queues" };
const OF_USER = { "max-connections": "Connections", "max-channels": "Channels" };

export const limits = {
  title: () => "Limits",
  async load(ctx) {
    const administrator = is(ctx.user, "administrator");
    const vhost = ctx.route.query.vhost;
    const [vhosts, users, names] = await Promise.all([
      get("vhost-limits" + (vhost ? "/" + path(vhost) : ""), ctx.signal),
      administrator ? getIfAllowed("user-limits", ctx.signal, []) : [],
      administrator ? getIfAllowed("users?columns=name", ctx.signal, []) : [],
    ]);
    return { vhosts, users, names: names.map((user) => user.name), administrator };
  },
  view: (ctx, { vhosts, users, names, administrator }) => [
    card(
      "Virtual hosts",
      limitTable(
        ctx,
        "vhost-limits",
        "Virtual host",
        OF_VHOST,
        vhosts.map((one) => ({ name: one.vhost, value: one.value })),
        administrator,
      ),
      administrator && setForm(ctx, "vhost-limits", "Virtual host", OF_VHOST, ctx.app.vhosts),
    ),
    administrator &&
      card(
        "Users",
        limitTable(
          ctx,
          "user-limits",
          "User",
          OF_USER,
          users.map((one) => ({ name: one.user, value: one.value })),
          true,
        ),
        setForm(ctx, "user-limits", "User", OF_USER, names),
      ),
  ],
};

function limitTable(ctx, kind, label, known, all, may) {
  const rows = all.flatMap(({ name, value }) => Object.entries(value).map(([limit, most]) => ({ name, limit, most })));
  return table(ctx, {
    id: kind,
    label: `Limits: ${label}`,
    rows,
    key: (row) => `${row.name}\0${row.limit}`,
    empty: "No limits.",
    fixed: true,
    columns: [
      { name: "name", label, cell: (row) => row.name },
      { name: "limit", label: "Of", cell: (row) => known[row.limit] ?? row.limit },
      { name: "most", label: "At most", end: true, cell: (row) => (row.most < 0 ? "no limit" : whole(row.most)) },
      {
        name: "actions",
        label: "",
        cell: (row) =>
          may &&
          h(
            "button",
            {
              class: "plain",
              "aria-label": `Clear the limit ${row.limit} of ${row.name}`,
              onclick: () => clear(ctx, kind, row),
            },
            "Clear",
          ),
      },
    ],
  });
}

const setForm = (ctx, kind, label, known, names) =>
  form(ctx, {
    id: kind,
    label: `Set a limit: ${label}`,
    verb: "Set limit",
    async submit({ name, limit, most }) {
      await call("PUT", path(kind, name, limit), { body: { value: Number(most) } });
      return `${name}: at most ${whole(Number(most))} ${known[limit].toLowerCase()}.`;
    },
    body: [
      field({ name: "name", label, kind: "select", options: names.map((name) => [name, name]) }),
      field({ name: "limit", label: "Of", kind: "select", options: Object.entries(known) }),
      field({ name: "most", label: "At most", kind: "number", required: true }),
    ],
  });

async function clear(ctx, kind, { name, limit }) {
  if (
    (await confirm({
      title: "Clear this limit?",
      text: `${name} will have no limit ${limit} any more.`,
      verb: "Clear",
    })) === null
  )
    return;
  ctx.act(() => call("DELETE", path(kind, name, limit)), "The limit is gone.");
}
