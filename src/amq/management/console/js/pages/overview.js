// The state of the whole broker at a glance.

import { get, getIfAllowed, path, query } from "../api.js";
import { chart, levels, measured, samplesOf, windowSelect } from "../chart.js";
import { h } from "../dom.js";
import { duration, millis, octets, number, rate, short, whole } from "../format.js";
import { badge, card, count, facts, tile } from "../parts.js";
import { connectionChurn, messageRates } from "../rates.js";
import { is } from "../roles.js";
import { link } from "../router.js";

export const overview = {
  title: () => "Overview",

  async load(ctx) {
    const main = await get("overview" + query(samplesOf("lengths", "msg_rates", "data_rates")), ctx.signal);
    const node =
      is(ctx.user, "monitoring") && main.node
        ? await getIfAllowed(path("nodes", main.node) + query(samplesOf("node_stats")), ctx.signal)
        : null;
    return { main, node };
  },

  view: (ctx, { main, node }) => [
    alarms(node),
    totals(main),
    h("div", { class: "row", key: "window" }, h("span", { class: "gap" }), windowSelect(ctx)),
    h("div", { class: "charts", key: "charts" }, traffic(ctx, main), node && resources(ctx, node)),
    h(
      "div",
      { class: "cards", key: "cards" },
      node && card("Node", nodeFacts(main, node)),
      main.churn_rates && card("Churn", churn(main.churn_rates)),
      main.listeners && card("Listeners", listeners(main.listeners)),
    ),
  ],
};

function alarms(node) {
  const raised = [
    node?.mem_alarm && `Memory: ${octets(node.mem_used)} are in use, above the limit of ${octets(node.mem_limit)}.`,
    node?.disk_free_alarm &&
      `Disk: ${octets(node.disk_free)} are free, less than the limit of ${octets(node.disk_free_limit)}.`,
  ].filter(Boolean);
  return (
    raised.length > 0 &&
    h(
      "div",
      { class: "note bad", role: "alert", key: "alarms" },
      raised.map((text) => h("p", {}, h("b", {}, "Alarm. "), text, " Publishers are held back until it is over.")),
    )
  );
}

function totals({ queue_totals: depth = {}, object_totals: objects = {} }) {
  return h(
    "div",
    { class: "tiles", key: "tiles" },
    tile(
      "ready",
      short(depth.messages_ready ?? 0),
      link(["queues"], { sort: "messages_ready", desc: 1 }),
      "Messages that wait for a consumer",
    ),
    tile(
      "unacknowledged",
      short(depth.messages_unacknowledged ?? 0),
      link(["queues"], { sort: "messages_unacknowledged", desc: 1 }),
      "Messages that were delivered and are not acknowledged yet",
    ),
    tile("connections", count(objects.connections), link(["connections"])),
    tile("channels", count(objects.channels), link(["channels"])),
    tile("consumers", count(objects.consumers), link(["queues"], { sort: "consumers", desc: 1 })),
    tile("queues", count(objects.queues), link(["queues"])),
    tile("exchanges", count(objects.exchanges), link(["exchanges"])),
  );
}

const traffic = (ctx, { message_stats: stats = {}, queue_totals: depth = {}, churn_rates: churned }) => [
  chart(ctx, { id: "rates", title: "Message rates", show: rate, series: messageRates(stats) }),
  chart(ctx, {
    id: "depth",
    title: "Messages in queues",
    show: number,
    series: [
      { label: "ready", color: "c1", points: levels(depth.messages_ready_details), now: depth.messages_ready },
      {
        label: "unacknowledged",
        color: "c2",
        points: levels(depth.messages_unacknowledged_details),
        now: depth.messages_unacknowledged,
      },
    ],
  }),
  churned &&
    chart(ctx, { id: "churn", title: "Connections and channels", show: rate, series: connectionChurn(churned) }),
];

function resources(ctx, node) {
  const bytes = Object.assign((value) => octets(value), { base: 2, least: 1024 });
  return [
    chart(ctx, {
      id: "memory",
      title: "Memory",
      note: `limit ${octets(node.mem_limit)}`,
      show: bytes,
      limit: { value: node.mem_limit },
      series: [{ label: "in use", color: "c4", points: measured(node.mem_used_details), now: node.mem_used }],
    }),
    chart(ctx, {
      id: "disk",
      title: "Disk",
      note: `limit ${octets(node.disk_free_limit)}`,
      show: bytes,
      series: [{ label: "free", color: "c3", points: measured(node.disk_free_details), now: node.disk_free }],
    }),
    node.io_sync_avg_time_details &&
      chart(ctx, {
        id: "sync",
        title: "Time to sync to disk",
        show: millis,
        series: [
          {
            label: "on average",
            color: "c5",
            points: measured(node.io_sync_avg_time_details),
            now: node.io_sync_avg_time,
          },
        ],
      }),
  ];
}

const nodeFacts = (main, node) =>
  facts({
    Name: node.name,
    Version: `${main.product_name ?? ""} ${main.product_version ?? main.management_version ?? ""}`,
    Runtime: main.erlang_full_version ?? main.erlang_version,
    "Up for": duration(node.uptime / 1000),
    Process: node.os_pid,
    Cores: node.processors,
    Memory: `${octets(node.mem_used)} of ${octets(node.mem_limit)}`,
    "Disk free": `${octets(node.disk_free)} (limit ${octets(node.disk_free_limit)})`,
    "File descriptors": `${whole(node.fd_used)} of ${whole(node.fd_total)}`,
    Sockets: `${whole(node.sockets_used)} of ${whole(node.sockets_total)}`,
    Alarms: node.mem_alarm || node.disk_free_alarm ? badge("raised", "bad") : badge("none", "good"),
  });

const churn = (churned) =>
  facts(
    Object.fromEntries(
      [
        "connection_created",
        "connection_closed",
        "channel_created",
        "channel_closed",
        "queue_declared",
        "queue_created",
        "queue_deleted",
      ].map((name) => [
        name.replace("_", "s ").replace(/^./, (first) => first.toUpperCase()),
        `${whole(churned[name] ?? 0)} (${rate(churned[name + "_details"]?.rate ?? 0)})`,
      ]),
    ),
  );

const listeners = (all) =>
  h(
    "table",
    { class: "small" },
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        ["Protocol", "Address", "Port"].map((text) => h("th", { scope: "col" }, text)),
      ),
    ),
    h(
      "tbody",
      {},
      all.map((one) =>
        h(
          "tr",
          { key: `${one.protocol} ${one.ip_address} ${one.port}` },
          h("td", {}, one.protocol),
          h("td", {}, one.ip_address),
          h("td", {}, one.port),
        ),
      ),
    ),
  );
