// The messages of a queue: get some, as a client would.

import { call, path } from "./api.js";
import { h } from "./dom.js";
import { field, form } from "./form.js";
import { plural } from "./format.js";
import { argumentList, badge, card, facts } from "./parts.js";

export const messages = (ctx, { vhost, name }) => [card("Get messages", getForm(ctx, vhost, name)), got(ctx)];

const MODES = [
  ["ack_requeue_true", "Look and put back (they count as redelivered)"],
  ["ack_requeue_false", "Take them out"],
  ["reject_requeue_true", "Reject, put back"],
  ["reject_requeue_false", "Reject: drop or dead-letter them"],
];

const getForm = (ctx, vhost, name) => form(ctx, {
  id: "get", label: "Get messages", verb: "Get", keep: true,
  async submit({ count, ackmode }) {
    ctx.state.got = await call("POST", path("queues", vhost, name) + "/get", { body: { count: Number(count), ackmode, encoding: "auto", truncate: 50000 } });
    return ctx.state.got.length ? `Got ${plural(ctx.state.got.length, "message")}.` : "The queue is empty.";
  },
  body: [field({ name: "count", label: "How many", kind: "number", value: "1" }), field({ name: "ackmode", label: "What happens to them", kind: "select", options: MODES })],
});

const got = (ctx) => ctx.state.got?.map((one, place) => h("article", { class: "card message", key: place, "aria-label": `Message ${place + 1}` },
  h("div", { class: "row" }, h("b", {}, `Message ${place + 1}`), one.redelivered && badge("redelivered"), h("span", { class: "muted" }, `${plural(one.message_count, "message")} remain`)),
  facts({ Exchange: one.exchange || "(default)", "Routing key": one.routing_key, Properties: argumentList(one.properties) || "none" }),
  h("pre", { tabindex: "0", "aria-label": "Body" }, one.payload)));
