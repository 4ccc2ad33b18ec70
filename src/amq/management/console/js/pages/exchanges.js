// All exchanges, and another one.

import { call, getIfAllowed, path } from "../api.js";
import { h } from "../dom.js";
import { argumentsEditor, argumentsOf, field, folded, form } from "../form.js";
import { rate } from "../format.js";
import { list, loadList } from "../list.js";
import { badge, exchangeLink, figure, flags } from "../parts.js";

const COLUMNS = [
  {
    name: "name",
    label: "Name",
    sort: "name",
    cell: (one) => [exchangeLink(one.vhost, one.name), h("small", { class: "phone" }, one.vhost)],
  },
  { name: "vhost", minor: true, label: "Virtual host", sort: "vhost", cell: (one) => one.vhost },
  { name: "type", label: "Type", sort: "type", cell: (one) => badge(one.type, "type") },
  {
    name: "features",
    minor: true,
    label: "Features",
    cell: (one) => h("span", { class: "badges" }, flags({ ...one, type: null })),
  },
  {
    name: "in",
    label: "In",
    sort: "message_stats.publish_in_details.rate",
    end: true,
    cell: (one) => figure(one.message_stats?.publish_in_details?.rate, rate),
  },
  {
    name: "out",
    label: "Out",
    sort: "message_stats.publish_out_details.rate",
    end: true,
    cell: (one) => figure(one.message_stats?.publish_out_details?.rate, rate),
  },
  {
    name: "published",
    label: "Published",
    sort: "message_stats.publish_in",
    end: true,
    optional: true,
    cell: (one) => figure(one.message_stats?.publish_in),
  },
];
const EXCHANGE_ARGUMENTS = {
  "alternate-exchange": { kind: "text", hint: "Where messages go that find no binding here" },
  "x-delayed-type": { kind: "text", hint: "x-delayed-message: the type to route by" },
  "hash-header": { kind: "text", hint: "x-consistent-hash: the header to hash instead of the routing key" },
  "hash-property": { kind: "text", hint: "x-consistent-hash: the property to hash instead of the routing key" },
  "x-recent-history-length": { kind: "number", hint: "x-recent-history: how many messages it remembers" },
};
const STANDARD = ["direct", "fanout", "topic", "headers"];

export const exchanges = {
  title: () => "Exchanges",
  async load(ctx) {
    ctx.state.types ??=
      (await getIfAllowed("overview?columns=exchange_types", ctx.signal))?.exchange_types?.map((type) => type.name) ??
      STANDARD;
    return loadList(ctx, ctx.route.query.vhost ? path("exchanges", ctx.route.query.vhost) : "exchanges");
  },
  view: (ctx, data) => [
    list(ctx, data, {
      id: "exchanges",
      label: "Exchanges",
      one: "exchange",
      many: "exchanges",
      columns: COLUMNS,
      key: (one) => `${one.vhost}\0${one.name}`,
      empty: "There are no exchanges.",
    }),
    folded("Add an exchange", declare(ctx)),
  ],
};

const declare = (ctx) =>
  form(ctx, {
    id: "declare",
    label: "Add an exchange",
    verb: "Add exchange",
    async submit({ vhost, name, type, durable, auto_delete, internal }) {
      await call("PUT", path("exchanges", vhost, name), {
        body: {
          type,
          durable: durable === "true",
          auto_delete: Boolean(auto_delete),
          internal: Boolean(internal),
          arguments: argumentsOf(ctx, "declare", "Arguments"),
        },
      });
      return `Exchange ${name} is there.`;
    },
    body: [
      field({
        name: "vhost",
        minor: true,
        label: "Virtual host",
        kind: "select",
        value: ctx.route.query.vhost || ctx.app.vhosts[0],
        options: ctx.app.vhosts.map((name) => [name, name]),
      }),
      field({ name: "name", label: "Name", required: true }),
      field({
        name: "type",
        label: "Type",
        kind: "select",
        options: [...ctx.state.types]
          .sort((a, b) => STANDARD.includes(b) - STANDARD.includes(a))
          .map((name) => [name, name]),
      }),
      field({
        name: "durable",
        label: "Durability",
        kind: "select",
        options: [
          ["true", "Durable"],
          ["false", "Transient"],
        ],
      }),
      field({ name: "auto_delete", label: "Delete with its last binding", kind: "check" }),
      field({ name: "internal", label: "Internal (clients cannot publish to it)", kind: "check" }),
      argumentsEditor(ctx, "declare", "Arguments", EXCHANGE_ARGUMENTS),
    ],
  });
