// Who stands out: most of something, or slowest at it.

import { get, path } from "../api.js";
import { h } from "../dom.js";
import { duration, octets, rate, whole } from "../format.js";
import { badge, exchangeLink, figure, queueLink, tabOf, tabs } from "../parts.js";
import { link } from "../router.js";
import { table } from "../table.js";

const TABS = {
  "queues-by-messages": "Longest queues",
  "queues-by-bytes": "Largest queues",
  "queues-by-memory": "Most memory",
  "slow-consumers": "Slow consumers",
  unroutable: "Unroutable",
};

const VHOST = { name: "vhost", label: "Virtual host", minor: true, cell: (one) => one.vhost };
const QUEUES = [
  { name: "queue", label: "Queue", cell: (one) => queueLink(one.vhost, one.name) },
  VHOST,
  { name: "messages", label: "Messages", end: true, cell: (one) => figure(one.messages) },
  { name: "bytes", label: "Size", end: true, cell: (one) => figure(one.message_bytes, octets) },
  { name: "memory", label: "Memory", end: true, cell: (one) => figure(one.memory, octets) },
  {
    name: "change",
    label: "Change",
    end: true,
    cell: (one) => figure(one.messages_details?.rate, (value) => (value > 0 ? "+" : "−") + rate(Math.abs(value))),
  },
  { name: "consumers", label: "Consumers", end: true, cell: (one) => figure(one.consumers) },
];
const CONSUMERS = [
  { name: "tag", label: "Consumer", cell: (one) => one.consumer_tag ?? badge("basic.get") },
  { name: "queue", label: "Queue", cell: (one) => queueLink(one.vhost, one.queue) },
  VHOST,
  { name: "channel", label: "Channel", cell: (one) => h("a", { href: link(["channels", one.channel]) }, one.channel) },
  { name: "user", label: "User", minor: true, cell: (one) => one.user },
  {
    name: "age",
    label: "Oldest delivery",
    end: true,
    hint: "How long the oldest delivery has been waiting for its acknowledgement",
    cell: (one) => duration(one.oldest_delivery_age),
  },
  { name: "unacked", label: "Unacked", end: true, cell: (one) => whole(one.messages_unacknowledged) },
  { name: "prefetch", label: "Prefetch", end: true, cell: (one) => one.prefetch_count || "unlimited" },
];
const EXCHANGES = [
  { name: "exchange", label: "Exchange", cell: (one) => exchangeLink(one.vhost, one.name) },
  VHOST,
  { name: "unroutable", label: "Unroutable", end: true, cell: (one) => whole(one.unroutable) },
  { name: "rate", label: "Now", end: true, cell: (one) => figure(one.unroutable_details?.rate, rate) },
  { name: "returned", label: "Returned", end: true, cell: (one) => figure(one.return_unroutable) },
  { name: "dropped", label: "Dropped", end: true, cell: (one) => figure(one.drop_unroutable) },
  { name: "in", label: "Published", end: true, cell: (one) => figure(one.publish_in) },
];

export const top = {
  title: () => "Top lists",
  load: (ctx) => get(path("amq", "top", tabOf(ctx, TABS)), ctx.signal),
  view(ctx, rows) {
    const kind = tabOf(ctx, TABS);
    const columns = { "slow-consumers": CONSUMERS, unroutable: EXCHANGES }[kind] ?? QUEUES;
    return [
      tabs(ctx, TABS),
      table(ctx, {
        id: kind,
        label: TABS[kind],
        rows,
        key: (row) => [row.vhost, row.name, row.queue, row.channel, row.consumer_tag].join("\0"),
        empty: "Nothing stands out.",
        fixed: true,
        columns,
      }),
    ];
  },
};
