// Who may do what.

import { call, get, path } from "../api.js";
import { h } from "../dom.js";
import { field, folded, form } from "../form.js";
import { badge } from "../parts.js";
import { link } from "../router.js";
import { table } from "../table.js";

export const TAGS = {
  administrator: "Everything",
  monitoring: "Sees the whole broker",
  policymaker: "Own virtual hosts, with policies",
  management: "Own virtual hosts",
  impersonator: "May publish in other names",
};
export const tagsOf = (user) =>
  Array.isArray(user.tags)
    ? user.tags
    : String(user.tags ?? "")
        .split(",")
        .filter(Boolean);

export const users = {
  title: () => "Users",
  async load(ctx) {
    const [all, permissions] = await Promise.all([get("users", ctx.signal), get("permissions", ctx.signal)]);
    return { all, permissions };
  },
  view: (ctx, { all, permissions }) => [
    table(ctx, {
      id: "users",
      label: "Users",
      rows: all,
      key: (user) => user.name,
      fixed: true,
      columns: [
        { name: "name", label: "Name", cell: (user) => h("a", { href: link(["users", user.name]) }, user.name) },
        {
          name: "tags",
          label: "Tags",
          cell: (user) =>
            h(
              "span",
              { class: "badges" },
              tagsOf(user).map((tag) => badge(tag, tag === "administrator" ? "policy" : "")),
            ),
        },
        { name: "vhosts", label: "May enter", cell: (user) => entered(permissions, user) },
        {
          name: "password",
          label: "Password",
          cell: (user) =>
            user.password_hash ? user.hashing_algorithm?.replace("rabbit_password_hashing_", "") : badge("none"),
        },
      ],
    }),
    folded(
      "Add a user",
      form(ctx, {
        id: "user",
        label: "Add a user",
        verb: "Add user",
        async submit({ name, password, ...rest }) {
          await call("PUT", path("users", name), {
            body: { ...(password ? { password } : { password_hash: "" }), tags: chosenTags(rest) },
          });
          return `User ${name} is there. It may enter no virtual host yet.`;
        },
        body: [
          field({ name: "name", label: "Name", required: true }),
          field({
            name: "password",
            label: "Password",
            kind: "password",
            hint: "Without one it can sign in by certificate only.",
          }),
          tagChecks([]),
        ],
      }),
    ),
  ],
};

function entered(permissions, user) {
  const vhosts = permissions.filter((one) => one.user === user.name).map((one) => one.vhost);
  return vhosts.length ? vhosts.join(", ") : badge("no virtual host", "warn");
}

export const tagChecks = (given) =>
  h(
    "fieldset",
    { class: "wide", key: "tags" },
    h("legend", {}, "Tags"),
    h(
      "div",
      { class: "row" },
      Object.entries(TAGS).map(([tag, meaning]) =>
        h(
          "label",
          { class: "check", key: tag, title: meaning },
          h("input", { type: "checkbox", name: "tag-" + tag, checked: given.includes(tag) }),
          tag,
        ),
      ),
    ),
  );

export const chosenTags = (values) =>
  Object.keys(TAGS)
    .filter((tag) => values["tag-" + tag])
    .join(",");
