// One exchange: what goes through it, where it leads, who leads to it.

import { call, get, getIfAllowed, path, query } from "../api.js";
import { bindForm, bindingTable } from "../bindings.js";
import { chart, samplesOf, windowSelect } from "../chart.js";
import { confirm } from "../dialog.js";
import { h } from "../dom.js";
import { field, folded } from "../form.js";
import { plural, rate } from "../format.js";
import { argumentList, card, flags } from "../parts.js";
import { publishForm } from "../publish.js";
import { messageRates } from "../rates.js";
import { go, link } from "../router.js";
import { tryKey } from "../try-key.js";

const RATES = new Set(["publish_in", "publish_out"]);
const called = (route) => (route.parts[2] === "amq.default" ? "" : route.parts[2]);

export const exchange = {
  title: (route) => `Exchange ${called(route) || "(default)"}`,

  async load(ctx) {
    const [, vhost] = ctx.route.parts;
    const where = path("exchanges", vhost, called(ctx.route) || "amq.default");
    const [about, incoming, drawn] = await Promise.all([
      get(where + query(samplesOf("msg_rates")), ctx.signal),
      get(where + "/bindings/destination", ctx.signal),
      getIfAllowed(path("amq", ...where.split("/").map(decodeURIComponent), "graph"), ctx.signal, {
        exchanges: [],
        bindings: [],
        left_out: 0,
      }),
    ]);
    return { about, incoming, drawn, vhost, name: called(ctx.route) };
  },

  view: (ctx, data) => [
    h(
      "div",
      { class: "row", key: "head" },
      h("span", { class: "badges" }, flags(data.about)),
      h("span", { class: "muted" }, `in ${data.vhost}`),
      h("span", { class: "gap" }),
      windowSelect(ctx),
      data.name !== "" &&
        !data.name.startsWith("amq.") &&
        h("button", { class: "danger", onclick: () => remove(ctx, data) }, "Delete"),
    ),
    Object.keys(data.about.arguments ?? {}).length > 0 &&
      h(
        "div",
        { class: "row", key: "arguments" },
        h("span", { class: "muted" }, "Arguments"),
        argumentList(data.about.arguments),
      ),
    h(
      "div",
      { class: "charts", key: "charts" },
      chart(ctx, {
        id: "exchange",
        title: "Message rates",
        show: rate,
        series: messageRates(data.about.message_stats ?? {}, RATES).filter(
          (one) => one.label === "in" || one.label === "out",
        ),
      }),
    ),
    tryKey(ctx, data.vhost, data.name, data.drawn),
    data.name !== "" && card("Bindings from here", outgoing(data, ctx)),
    data.incoming.length > 0 &&
      card("Bindings to here", bindingTable(ctx, data.incoming, "destination", "Bindings to this exchange")),
    data.name !== "" && folded("Bind a queue or an exchange", bind(ctx, data)),
    !data.about.internal && folded("Publish a message", publishForm(ctx, data.vhost, data.name)),
  ],
};

const own = (drawn, name) => drawn.bindings.filter((binding) => binding.source === name && binding.kind === "binding");
const outgoing = ({ drawn, name }, ctx) => bindingTable(ctx, own(drawn, name), "source", "Bindings from this exchange");

const bind = (ctx, { vhost, name }) =>
  bindForm(
    ctx,
    vhost,
    "bind",
    [
      field({
        name: "type",
        label: "To",
        kind: "select",
        options: [
          ["q", "Queue"],
          ["e", "Exchange"],
        ],
      }),
      field({ name: "destination", label: "Its name", required: true }),
    ],
    ({ type, destination }) => ({ source: name, destination_type: type, destination }),
  );

async function remove(ctx, { vhost, name, drawn, incoming }) {
  const bound = own(drawn, name).length + drawn.left_out + incoming.length;
  const text = [
    `With exchange ${name} in ${vhost} go its ${plural(bound, "binding")}.`,
    "Publishers that use it will get an error.",
  ];
  if ((await confirm({ title: `Delete exchange ${name}?`, text, verb: "Delete" })) === null) return;
  if (await ctx.act(() => call("DELETE", path("exchanges", vhost, name)), `Exchange ${name} is gone.`))
    go(link(["exchanges"]));
}
