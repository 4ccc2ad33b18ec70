// One user: tags, password, permissions, limits.

import { call, get, path } from "../api.js";
import { confirm } from "../dialog.js";
import { h } from "../dom.js";
import { field, form } from "../form.js";
import { plural } from "../format.js";
import { badge, card, hint } from "../parts.js";
import { go, link } from "../router.js";
import { table } from "../table.js";
import { chosenTags, TAGS, tagChecks, tagsOf } from "./users.js";

const code = (text) => h("code", {}, text === "" ? "(nothing)" : text);

export const user = {
  title: (route) => `User ${route.parts[1]}`,
  async load(ctx) {
    const where = path("users", ctx.route.parts[1]);
    const [one, permissions, topics] = await Promise.all([
      get(where, ctx.signal),
      get(where + "/permissions", ctx.signal),
      get(where + "/topic-permissions", ctx.signal),
    ]);
    return { one, permissions, topics };
  },
  view: (ctx, { one, permissions, topics }) => [
    h(
      "div",
      { class: "row", key: "head" },
      h(
        "span",
        { class: "badges" },
        tagsOf(one).map((tag) => badge(tag, "policy", TAGS[tag])),
      ),
      h("span", { class: "gap" }),
      h("button", { class: "danger", onclick: () => remove(ctx, one, permissions) }, "Delete"),
    ),
    card(
      "Permissions",
      hint("Regular expressions over names of queues and exchanges; an empty one allows nothing."),
      table(ctx, {
        id: "permissions",
        label: "Permissions",
        rows: permissions,
        key: (row) => row.vhost,
        empty: "It may enter no virtual host.",
        fixed: true,
        columns: [
          { name: "vhost", label: "Virtual host", cell: (row) => row.vhost },
          { name: "configure", label: "Configure", cell: (row) => code(row.configure) },
          { name: "write", label: "Write", cell: (row) => code(row.write) },
          { name: "read", label: "Read", cell: (row) => code(row.read) },
          {
            name: "actions",
            label: "",
            cell: (row) =>
              clearButton(ctx, path("permissions", row.vhost, one.name), `its permissions in ${row.vhost}`),
          },
        ],
      }),
      permissionForm(ctx, one.name),
    ),
    card(
      "Topic permissions",
      hint("Which keys it may publish and bind with on a topic exchange. {username} and {vhost} stand for themselves."),
      table(ctx, {
        id: "topics",
        label: "Topic permissions",
        rows: topics,
        key: (row) => `${row.vhost}\0${row.exchange}`,
        empty: "None: every key is allowed where permissions allow the exchange.",
        fixed: true,
        columns: [
          { name: "vhost", label: "Virtual host", cell: (row) => row.vhost },
          { name: "exchange", label: "Exchange", cell: (row) => row.exchange || "(default)" },
          { name: "write", label: "Write", cell: (row) => code(row.write) },
          { name: "read", label: "Read", cell: (row) => code(row.read) },
          {
            name: "actions",
            label: "",
            cell: (row) =>
              clearButton(
                ctx,
                path("topic-permissions", row.vhost, one.name, row.exchange),
                `its topic permissions on ${row.exchange}`,
              ),
          },
        ],
      }),
      topicForm(ctx, one.name),
    ),
    h(
      "div",
      { class: "cards", key: "cards" },
      card(
        "Tags",
        form(ctx, {
          id: "tags",
          label: "Tags",
          verb: "Save tags",
          keep: true,
          submit: (values) =>
            put(
              one,
              { password_hash: one.password_hash, hashing_algorithm: one.hashing_algorithm, tags: chosenTags(values) },
              "The tags are saved.",
            ),
          body: [tagChecks(tagsOf(one))],
        }),
      ),
      card(
        "Password",
        form(ctx, {
          id: "password",
          label: "Password",
          verb: "Change password",
          submit: ({ password }) => put(one, { password, tags: tagsOf(one).join(",") }, "The password is changed."),
          body: [field({ name: "password", label: "New password", kind: "password", required: true })],
        }),
      ),
    ),
  ],
};

async function put(one, body, done) {
  await call("PUT", path("users", one.name), { body });
  return done;
}

const vhostField = (ctx) =>
  field({ name: "vhost", label: "Virtual host", kind: "select", options: ctx.app.vhosts.map((name) => [name, name]) });

const permissionForm = (ctx, name) =>
  form(ctx, {
    id: "permission",
    label: "Set permissions",
    verb: "Set permissions",
    async submit({ vhost, configure, write, read }) {
      await call("PUT", path("permissions", vhost, name), { body: { configure, write, read } });
      return `The permissions in ${vhost} are set.`;
    },
    body: [
      vhostField(ctx),
      ["configure", "write", "read"].map((what) =>
        field({ name: what, label: what[0].toUpperCase() + what.slice(1), value: ".*" }),
      ),
    ],
  });

const topicForm = (ctx, name) =>
  form(ctx, {
    id: "topic",
    label: "Set topic permissions",
    verb: "Set topic permissions",
    async submit({ vhost, exchange, write, read }) {
      await call("PUT", path("topic-permissions", vhost, name), { body: { exchange, write, read } });
      return `The topic permissions on ${exchange} are set.`;
    },
    body: [
      vhostField(ctx),
      field({ name: "exchange", label: "Exchange", value: "amq.topic" }),
      ["write", "read"].map((what) => field({ name: what, label: what[0].toUpperCase() + what.slice(1), value: ".*" })),
    ],
  });

const clearButton = (ctx, where, what) =>
  h(
    "button",
    {
      class: "plain",
      "aria-label": `Clear ${what}`,
      onclick: async () => {
        if (
          (await confirm({ title: `Clear ${what}?`, text: "Open connections lose them, too.", verb: "Clear" })) === null
        )
          return;
        ctx.act(() => call("DELETE", where), "They are cleared.");
      },
    },
    "Clear",
  );

async function remove(ctx, one, permissions) {
  const text = [
    `With user ${one.name} go its permissions in ${plural(permissions.length, "virtual host")}.`,
    "Its open connections are closed.",
  ];
  if ((await confirm({ title: `Delete user ${one.name}?`, text, verb: "Delete" })) === null) return;
  if (await ctx.act(() => call("DELETE", path("users", one.name)), `User ${one.name} is gone.`)) go(link(["users"]));
}
