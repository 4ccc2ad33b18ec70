// Clients that are connected, and one of them.

import { call, get, path, query } from "../api.js";
import { chart, samplesOf, speeds, windowSelect } from "../chart.js";
import { confirm } from "../dialog.js";
import { h } from "../dom.js";
import { moment, octets, plural, whole } from "../format.js";
import { list, loadList } from "../list.js";
import { argumentList, badge, card, facts, figure } from "../parts.js";
import { go, link } from "../router.js";
import { channelTable } from "./channels.js";

const product = (one) =>
  [one.client_properties?.product, one.client_properties?.version].filter((text) => typeof text === "string").join(" ");
const given = (one) => one.client_properties?.connection_name ?? one.user_provided_name;
const speed = (value) => `${octets(value)}/s`;

const COLUMNS = [
  {
    name: "name",
    label: "Name",
    sort: "name",
    cell: (one) => [
      h("a", { href: link(["connections", one.name]) }, one.name),
      given(one) && h("small", {}, given(one)),
    ],
  },
  { name: "vhost", minor: true, label: "Virtual host", sort: "vhost", cell: (one) => one.vhost },
  { name: "user", label: "User", sort: "user", cell: (one) => one.user },
  { name: "state", label: "State", sort: "state", cell: (one) => state(one) },
  {
    name: "tls",
    label: "TLS",
    sort: "ssl",
    optional: true,
    cell: (one) => (one.ssl ? (one.ssl_protocol ?? "yes") : "no"),
  },
  { name: "client", label: "Client", optional: true, cell: product },
  { name: "channels", label: "Channels", sort: "channels", end: true, cell: (one) => figure(one.channels) },
  {
    name: "in",
    label: "From client",
    sort: "recv_oct_details.rate",
    end: true,
    cell: (one) => figure(one.recv_oct_details?.rate, speed),
  },
  {
    name: "out",
    label: "To client",
    sort: "send_oct_details.rate",
    end: true,
    cell: (one) => figure(one.send_oct_details?.rate, speed),
  },
  {
    name: "since",
    label: "Connected",
    sort: "connected_at",
    end: true,
    optional: true,
    cell: (one) => moment(one.connected_at),
  },
];

export const connections = {
  title: () => "Connections",
  load: (ctx) =>
    loadList(ctx, ctx.route.query.vhost ? path("vhosts", ctx.route.query.vhost, "connections") : "connections"),
  view: (ctx, data) =>
    list(ctx, data, {
      id: "connections",
      label: "Connections",
      one: "connection",
      many: "connections",
      key: (one) => one.name,
      empty: "Nobody is connected.",
      columns: [
        ...COLUMNS,
        {
          name: "actions",
          label: "",
          cell: (one) =>
            h("button", { class: "plain", "aria-label": `Close ${one.name}`, onclick: () => shut(ctx, one) }, "Close"),
        },
      ],
    }),
};

const state = (one) =>
  badge(
    one.state ?? "running",
    one.state === "running" ? "good" : one.state?.startsWith("block") || one.state === "flow" ? "bad" : "",
  );

async function shut(ctx, one) {
  const text = `It has ${plural(one.channels ?? 0, "channel")}. What it has not acknowledged goes back to the queues.`;
  const reason = await confirm({
    title: `Close the connection of ${one.user}?`,
    text: [one.name, text],
    verb: "Close it",
    input: { label: "Reason, told to the client", value: "Closed via management plugin" },
  });
  if (reason === null) return false;
  return ctx.act(
    () =>
      call("DELETE", path("connections", one.name), {
        headers: reason ? { "x-reason": reason.replace(/[^\x20-\x7e]/g, "?") } : {},
      }),
    "The connection is closed.",
  );
}

export const connection = {
  title: (route) => `Connection ${route.parts[1]}`,
  async load(ctx) {
    const where = path("connections", ctx.route.parts[1]);
    const [one, channels] = await Promise.all([
      get(where + query(samplesOf("data_rates")), ctx.signal),
      get(where + "/channels", ctx.signal),
    ]);
    return { one, channels };
  },
  view: (ctx, { one, channels }) => [
    h(
      "div",
      { class: "row", key: "head" },
      state(one),
      h("span", { class: "muted" }, given(one)),
      h("span", { class: "gap" }),
      windowSelect(ctx),
      h(
        "button",
        { class: "danger", onclick: async () => (await shut(ctx, one)) && go(link(["connections"])) },
        "Close",
      ),
    ),
    h(
      "div",
      { class: "charts", key: "charts" },
      chart(ctx, {
        id: "octets",
        title: "Octets",
        show: Object.assign(speed, { base: 2 }),
        series: [
          { label: "from client", color: "c1", points: speeds(one.recv_oct_details), now: one.recv_oct_details?.rate },
          { label: "to client", color: "c3", points: speeds(one.send_oct_details), now: one.send_oct_details?.rate },
        ],
      }),
    ),
    h(
      "div",
      { class: "cards", key: "cards" },
      card(
        "About",
        facts({
          User: one.user,
          "Virtual host": one.vhost,
          Protocol: one.protocol,
          Login: one.auth_mechanism,
          Client: product(one),
          Connected: moment(one.connected_at),
          TLS: one.ssl ? [one.ssl_protocol, one.ssl_cipher].filter(Boolean).join(" ") || "yes" : "no",
          "Certificate of": one.peer_cert_subject || undefined,
          Heartbeat: one.timeout === 0 ? "off" : `${one.timeout} s`,
          "Largest frame": octets(one.frame_max),
          "Most channels": whole(one.channel_max),
          "From client": octets(one.recv_oct),
          "To client": octets(one.send_oct),
        }),
      ),
      card("What the client says of itself", argumentList(one.client_properties)),
    ),
    card("Channels", channelTable(ctx, channels)),
  ],
};
