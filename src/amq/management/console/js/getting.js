// Get messages as a client does, and see who holds those that are not acknowledged.

import { call, get, path } from "./api.js";
import { h } from "./dom.js";
import { field, form } from "./form.js";
import { duration, octets, plural } from "./format.js";
import { pretty, preview } from "./message.js";
import { argumentList, badge, facts } from "./parts.js";
import { link } from "./router.js";
import { table } from "./table.js";

const MODES = [
  ["ack_requeue_true", "Put them back (they count as redelivered)"],
  ["ack_requeue_false", "Take them out"],
  ["reject_requeue_true", "Reject, and put them back"],
  ["reject_requeue_false", "Reject: drop or dead-letter them"],
];

export const getForm = (ctx, vhost, name) =>
  form(ctx, {
    id: "get",
    label: "Get messages",
    verb: "Get",
    keep: true,
    async submit({ count, ackmode }) {
      ctx.state.got = await call("POST", path("queues", vhost, name) + "/get", {
        body: { count: Number(count), ackmode, encoding: "auto", truncate: 50000 },
      });
      return ctx.state.got.length ? `Got ${plural(ctx.state.got.length, "message")}.` : "The queue is empty.";
    },
    body: [
      field({ name: "count", label: "How many", kind: "number", value: "1" }),
      field({ name: "ackmode", label: "What becomes of them", kind: "select", options: MODES }),
    ],
  });

export const got = (ctx) =>
  ctx.state.got?.map((one, place) =>
    h(
      "article",
      { class: "message", key: "got" + place, "aria-label": `Message ${place + 1}` },
      h(
        "div",
        { class: "row" },
        h("b", {}, `Message ${place + 1}`),
        one.redelivered && badge("redelivered", "warn"),
        h("span", { class: "muted" }, `${plural(one.message_count, "message")} remain`),
      ),
      facts({
        Exchange: one.exchange || "(default)",
        "Routing key": one.routing_key,
        Properties: argumentList(one.properties) || "none",
      }),
      h("pre", { tabindex: "0", "aria-label": `Body of message ${place + 1}` }, pretty(one)),
    ),
  );

export const unacked = (ctx, vhost, name) => [
  h(
    "div",
    { class: "row", key: "ask" },
    h(
      "button",
      {
        class: "second",
        onclick: () =>
          ctx.act(async () => {
            ctx.state.held = await get(path("amq", "queues", vhost, name, "unacked"));
          }),
      },
      ctx.state.held ? "Look again" : "Show who holds them",
    ),
  ),
  ctx.state.held &&
    table(ctx, {
      id: "unacked",
      label: "Not acknowledged",
      rows: ctx.state.held.messages,
      key: (one) => `${one.channel} ${one.delivery_tag}`,
      empty: "Every delivery is acknowledged.",
      fixed: true,
      columns: [
        {
          name: "channel",
          label: "Channel",
          cell: (one) => h("a", { href: link(["channels", one.channel]) }, one.channel),
        },
        { name: "tag", label: "Consumer", cell: (one) => one.consumer_tag ?? "(got)" },
        { name: "held", label: "For", end: true, cell: (one) => duration(one.held_for) },
        { name: "key", label: "Routing key", cell: (one) => h("code", {}, one.routing_key) },
        { name: "size", label: "Size", end: true, cell: (one) => octets(one.payload_bytes) },
        {
          name: "body",
          label: "Body",
          cell: (one) => preview(one),
        },
      ],
    }),
];
