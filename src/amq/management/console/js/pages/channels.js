// Channels: who publishes and who consumes, with what prefetch.

import { get, path, query } from "../api.js";
import { chart, levels, samplesOf, windowSelect } from "../chart.js";
import { h } from "../dom.js";
import { moment, number, rate, whole } from "../format.js";
import { list, loadList } from "../list.js";
import { argumentList, badge, card, facts, figure, queueLink } from "../parts.js";
import { acknowledged, incoming, messageRates, outgoing } from "../rates.js";
import { link } from "../router.js";
import { table } from "../table.js";

const COLUMNS = [
  {
    name: "name",
    label: "Channel",
    sort: "name",
    cell: (one) => h("a", { href: link(["channels", one.name]) }, one.name),
  },
  { name: "vhost", minor: true, label: "Virtual host", sort: "vhost", cell: (one) => one.vhost },
  { name: "user", label: "User", sort: "user", cell: (one) => one.user },
  {
    name: "mode",
    minor: true,
    label: "Mode",
    cell: (one) =>
      h("span", { class: "badges" }, one.confirm && badge("confirms"), one.transactional && badge("transactions")),
  },
  { name: "state", label: "State", sort: "state", optional: true, cell: (one) => one.state },
  {
    name: "consumers",
    label: "Consumers",
    sort: "consumer_count",
    end: true,
    cell: (one) => figure(one.consumer_count),
  },
  {
    name: "prefetch",
    label: "Prefetch",
    sort: "prefetch_count",
    end: true,
    hint: "For new consumers / for the whole channel",
    cell: (one) => [one.prefetch_count || "–", one.global_prefetch_count ? ` / ${one.global_prefetch_count}` : ""],
  },
  {
    name: "unacked",
    label: "Unacked",
    sort: "messages_unacknowledged",
    end: true,
    cell: (one) => figure(one.messages_unacknowledged),
  },
  {
    name: "unconfirmed",
    label: "Unconfirmed",
    sort: "messages_unconfirmed",
    end: true,
    optional: true,
    cell: (one) => figure(one.messages_unconfirmed),
  },
  {
    name: "in",
    label: "Publish",
    sort: "message_stats.publish_details.rate",
    end: true,
    cell: (one) => figure(incoming(one), rate),
  },
  {
    name: "out",
    label: "Deliver",
    sort: "message_stats.deliver_get_details.rate",
    end: true,
    cell: (one) => figure(outgoing(one), rate),
  },
  {
    name: "ack",
    label: "Ack",
    sort: "message_stats.ack_details.rate",
    end: true,
    cell: (one) => figure(acknowledged(one), rate),
  },
];
const key = (one) => one.name;

export const channels = {
  title: () => "Channels",
  load: (ctx) => loadList(ctx, ctx.route.query.vhost ? path("vhosts", ctx.route.query.vhost, "channels") : "channels"),
  view: (ctx, data) =>
    list(ctx, data, {
      id: "channels",
      label: "Channels",
      one: "channel",
      many: "channels",
      columns: COLUMNS,
      key,
      empty: "There are no channels.",
    }),
};

export const channelTable = (ctx, rows) =>
  table(ctx, {
    id: "channels",
    label: "Channels",
    rows,
    key,
    empty: "It has no channels.",
    columns: COLUMNS.filter((column) => !["vhost", "user"].includes(column.name)).map((column) => ({
      ...column,
      sort: undefined,
    })),
  });

const CONSUMERS = [
  { name: "tag", label: "Consumer tag", cell: (one) => h("code", {}, one.consumer_tag) },
  { name: "queue", label: "Queue", cell: (one) => queueLink(one.queue?.vhost, one.queue?.name) },
  {
    name: "channel",
    label: "Channel",
    cell: (one) => h("a", { href: link(["channels", one.channel_details?.name]) }, one.channel_details?.name),
  },
  { name: "ack", label: "Acknowledges", cell: (one) => (one.ack_required ? "yes" : "no") },
  { name: "exclusive", label: "Exclusive", cell: (one) => (one.exclusive ? "yes" : "no") },
  {
    name: "active",
    label: "Active",
    cell: (one) => (one.active === false ? badge(one.activity_status ?? "waiting") : badge("active", "good")),
  },
  { name: "prefetch", label: "Prefetch", end: true, cell: (one) => one.prefetch_count || "–" },
  { name: "arguments", label: "Arguments", cell: (one) => argumentList(one.arguments) },
];

export const consumerTable = (ctx, rows, without) =>
  table(ctx, {
    id: "consumers",
    label: "Consumers",
    rows,
    key: (one) => `${one.channel_details?.name}\0${one.consumer_tag}`,
    empty: "Nobody consumes.",
    fixed: true,
    columns: CONSUMERS.filter((column) => column.name !== without),
  });

export const channel = {
  title: (route) => `Channel ${route.parts[1]}`,
  load: (ctx) => get(path("channels", ctx.route.parts[1]) + query(samplesOf("msg_rates", "lengths")), ctx.signal),
  view: (ctx, one) => [
    h(
      "div",
      { class: "row", key: "head" },
      badge(one.state ?? "running", "good"),
      h("a", { href: link(["connections", one.connection_details?.name ?? ""]) }, "Its connection"),
      h("span", { class: "gap" }),
      windowSelect(ctx),
    ),
    h(
      "div",
      { class: "charts", key: "charts" },
      chart(ctx, { id: "channel", title: "Message rates", show: rate, series: messageRates(one.message_stats ?? {}) }),
      one.messages_unacknowledged_details &&
        chart(ctx, {
          id: "unacked",
          title: "Unacknowledged",
          show: number,
          series: [
            {
              label: "unacknowledged",
              color: "c2",
              points: levels(one.messages_unacknowledged_details),
              now: one.messages_unacknowledged,
            },
          ],
        }),
    ),
    card(
      "About",
      facts({
        User: one.user,
        "Virtual host": one.vhost,
        "Confirms publishes": one.confirm ? "yes" : "no",
        Transactions: one.transactional ? "yes" : "no",
        "Prefetch of new consumers": one.prefetch_count || "unlimited",
        "Prefetch of the channel": one.global_prefetch_count || "unlimited",
        Unacknowledged: whole(one.messages_unacknowledged),
        Unconfirmed: whole(one.messages_unconfirmed),
        Uncommitted: whole(one.messages_uncommitted),
        "Acks uncommitted": whole(one.acks_uncommitted),
        "Idle since": one.idle_since && moment(one.idle_since),
      }),
    ),
    one.consumer_details && card("Consumers", consumerTable(ctx, one.consumer_details, "channel")),
  ],
};
