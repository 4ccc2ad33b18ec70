// Runtime parameters, of one virtual host each, and global ones.

import { call, get, getIfAllowed, path } from "../api.js";
import { confirm } from "../dialog.js";
import { h } from "../dom.js";
import { field, form } from "../form.js";
import { value } from "../format.js";
import { card } from "../parts.js";
import { is } from "../roles.js";
import { table } from "../table.js";

export const parameters = {
  title: () => "Parameters",
  async load(ctx) {
    const [scoped, global] = await Promise.all([
      get("parameters", ctx.signal),
      getIfAllowed("global-parameters", ctx.signal),
    ]);
    const vhost = ctx.route.query.vhost;
    return {
      scoped: scoped.filter((one) => !vhost || one.vhost === vhost),
      global,
      administrator: is(ctx.user, "administrator"),
    };
  },
  view: (ctx, { scoped, global, administrator }) => [
    card(
      "Of virtual hosts",
      table(ctx, {
        id: "parameters",
        label: "Parameters",
        rows: scoped,
        key: (one) => [one.vhost, one.component, one.name].join("\0"),
        empty: "None.",
        fixed: true,
        columns: [
          { name: "name", label: "Name", cell: (one) => one.name },
          { name: "component", label: "Component", cell: (one) => one.component },
          { name: "vhost", label: "Virtual host", cell: (one) => one.vhost },
          { name: "value", label: "Value", cell: (one) => h("code", {}, value(one.value)) },
          {
            name: "actions",
            label: "",
            cell: (one) => deleteButton(ctx, one.name, path("parameters", one.component, one.vhost, one.name)),
          },
        ],
      }),
      setForm(ctx, "parameter", true),
    ),
    global &&
      card(
        "Global",
        table(ctx, {
          id: "global",
          label: "Global parameters",
          rows: global,
          key: (one) => one.name,
          empty: "None.",
          fixed: true,
          columns: [
            { name: "name", label: "Name", cell: (one) => one.name },
            { name: "value", label: "Value", cell: (one) => h("code", {}, value(one.value)) },
            {
              name: "actions",
              label: "",
              cell: (one) => administrator && deleteButton(ctx, one.name, path("global-parameters", one.name)),
            },
          ],
        }),
        administrator && setForm(ctx, "global", false),
      ),
  ],
};

const setForm = (ctx, id, scoped) =>
  form(ctx, {
    id,
    label: scoped ? "Set a parameter" : "Set a global parameter",
    verb: "Set",
    async submit({ vhost, component, name, given }) {
      const body = scoped ? { component, vhost, name, value: json(given) } : { name, value: json(given) };
      await call("PUT", scoped ? path("parameters", component, vhost, name) : path("global-parameters", name), {
        body,
      });
      return `Parameter ${name} is set.`;
    },
    body: [
      scoped &&
        field({
          name: "vhost",
          label: "Virtual host",
          kind: "select",
          options: ctx.app.vhosts.map((name) => [name, name]),
        }),
      scoped && field({ name: "component", label: "Component", required: true }),
      field({ name: "name", label: "Name", required: true }),
      field({ name: "given", label: "Value (JSON)", kind: "textarea", rows: 2, required: true, wide: true }),
    ],
  });

function json(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`The value is no JSON: ${error.message}.`);
  }
}

const deleteButton = (ctx, name, where) =>
  h(
    "button",
    {
      class: "plain",
      "aria-label": `Delete ${name}`,
      onclick: async () => {
        if (
          (await confirm({
            title: `Delete parameter ${name}?`,
            text: "What uses it falls back to its defaults.",
            verb: "Delete",
          })) === null
        )
          return;
        ctx.act(() => call("DELETE", where), `Parameter ${name} is gone.`);
      },
    },
    "Delete",
  );
