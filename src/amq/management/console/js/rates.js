// The rates that charts and lists show, by RabbitMQ's names, each in the same colour everywhere.

import { speeds } from "./chart.js";

const MESSAGES = [
  ["publish", "published", "c1"],
  ["publish_in", "in", "c1"],
  ["publish_out", "out", "c3"],
  ["confirm", "confirmed", "c5"],
  ["deliver", "delivered", "c3"],
  ["deliver_no_ack", "delivered, no ack", "c4"],
  ["get", "got", "c6"],
  ["get_no_ack", "got, no ack", "c6"],
  ["ack", "acknowledged", "c2"],
  ["redeliver", "redelivered", "c7"],
  ["return_unroutable", "returned", "c8"],
  ["drop_unroutable", "dropped", "c8"],
];
// These stand in every legend, the others if they move in the time that is shown.
const ALWAYS = new Set(["publish", "deliver", "ack"]);

export function messageRates(stats, always = ALWAYS) {
  const all = MESSAGES.map(([name, label, color]) => ({ name, ...of(stats, name, label, color) }));
  return all.filter((one) => always.has(one.name) || one.now > 0 || one.points.some(([, value]) => value > 0));
}

export const connectionChurn = (stats) =>
  [
    ["connection_created", "connections opened", "c1"],
    ["connection_closed", "connections closed", "c2"],
    ["channel_created", "channels opened", "c3"],
    ["channel_closed", "channels closed", "c4"],
  ].map(([name, label, color]) => of(stats, name, label, color));

function of(stats, name, label, color) {
  const details = stats[name + "_details"];
  return { label, color, points: speeds(details), now: details?.rate ?? 0 };
}

// What comes in and what goes out, for lists.
export const incoming = (item) => item.message_stats?.publish_details?.rate ?? 0;
export const outgoing = (item) => item.message_stats?.deliver_get_details?.rate ?? 0;
export const acknowledged = (item) => item.message_stats?.ack_details?.rate ?? 0;
