// Try a key: ask the broker where a message would go, without sending one, and show which bindings take it there.

import { call, path } from "./api.js";
import { h } from "./dom.js";
import { argumentsEditor, argumentsOf, form, field } from "./form.js";
import { plural } from "./format.js";
import { edgeKey, graph } from "./graph.js";
import { exchangeLink, queueLink } from "./parts.js";

// `drawn`: {exchanges, bindings, left_out} as the broker says what can be reached from this exchange.
export function tryKey(ctx, vhost, name, drawn) {
  const answer = ctx.state.tried;
  const hops = answer?.hops ?? [];
  const lit = new Map(hops.map((hop) => [edgeKey(hop), hop]));
  const known = new Set(drawn.bindings.map(edgeKey));
  const edges = [...hops.filter((hop) => !known.has(edgeKey(hop))), ...drawn.bindings];
  const types = new Map(drawn.exchanges.map((one) => [one.name, one.type]));
  return h(
    "section",
    { class: "card", key: "try" },
    h("h2", {}, "Where would it go?"),
    form(ctx, {
      id: "try",
      label: "Try a routing key",
      verb: "Try",
      keep: true,
      inline: true,
      async submit({ routing_key }) {
        ctx.state.tried = null;
        const headers = argumentsOf(ctx, "try", "Headers");
        ctx.state.tried = {
          routing_key,
          ...(await call("POST", path("amq", "exchanges", vhost, name || "amq.default", "route"), {
            body: { routing_key, headers },
          })),
        };
      },
      body: [
        field({ name: "routing_key", label: "Routing key", value: ctx.route.query.key, hint: "Nothing is published." }),
      ],
      more:
        answer &&
        h(
          "button",
          {
            type: "button",
            class: "plain",
            onclick: () => {
              ctx.state.tried = null;
              ctx.redraw();
            },
          },
          "Clear",
        ),
      after: argumentsEditor(ctx, "try", "Headers"),
    }),
    h("div", { "aria-live": "polite" }, answer && verdict(vhost, answer)),
    edges.length > 0
      ? graph(vhost, name, types, edges, lit)
      : !answer &&
          h(
            "p",
            { class: "muted" },
            name === "" ? "Every queue is reached by its own name here." : "Nothing is bound here yet.",
          ),
    drawn.left_out > 0 &&
      h(
        "p",
        { class: "muted" },
        `${plural(drawn.left_out, "more binding")} are not drawn; those that a tried key takes always are.`,
      ),
    answer && words(vhost, answer),
  );
}

function verdict(vhost, answer) {
  const key = answer.routing_key === "" ? "the empty key" : `“${answer.routing_key}”`;
  return [
    h(
      "p",
      { class: answer.routed ? "note good" : "note" },
      answer.routed
        ? [
            "A message with ",
            key,
            " reaches ",
            plural(answer.queues.length, "queue"),
            ": ",
            answer.queues.map((queue, place) => [place > 0 && ", ", queueLink(vhost, queue)]),
            ".",
          ]
        : ["A message with ", key, " reaches no queue: it is returned if it is mandatory, else dropped."],
    ),
    answer.notes.map((note) => h("p", { class: "muted" }, note)),
  ];
}

const end = (vhost, type, name) =>
  type === "queue" ? ["queue ", queueLink(vhost, name)] : ["exchange ", exchangeLink(vhost, name)];

const words = (vhost, answer) => [
  answer.hops.length > 0 && h("h3", { key: "took" }, "Why"),
  h(
    "ol",
    { class: "hops", key: "hops" },
    answer.hops.map((hop) =>
      h(
        "li",
        { key: edgeKey(hop) },
        exchangeLink(vhost, hop.source),
        " → ",
        end(vhost, hop.destination_type, hop.destination),
        h("span", { class: "muted" }, hop.reason),
      ),
    ),
  ),
  answer.misses.length > 0 &&
    h(
      "details",
      { key: "misses" },
      h("summary", {}, `Why not: ${plural(answer.misses.length + answer.misses_left_out, "binding")} did not match`),
      h(
        "ul",
        { class: "hops" },
        answer.misses.map((miss) =>
          h(
            "li",
            { key: edgeKey(miss) },
            exchangeLink(vhost, miss.source),
            " → ",
            end(vhost, miss.destination_type, miss.destination),
            h("span", { class: "muted" }, miss.reason),
          ),
        ),
      ),
      answer.misses_left_out > 0 && h("p", { class: "muted" }, `and ${plural(answer.misses_left_out, "more")}`),
    ),
];
