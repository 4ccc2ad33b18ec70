// All queues: find one, compare them, declare another.

import { call, path } from "../api.js";
import { h } from "../dom.js";
import { argumentsEditor, argumentsOf, field, folded, form } from "../form.js";
import { octets, rate } from "../format.js";
import { list, loadList } from "../list.js";
import { badge, figure, flags, queueLink } from "../parts.js";
import { acknowledged, incoming, outgoing } from "../rates.js";

const COLUMNS = [
  {
    name: "name",
    label: "Name",
    sort: "name",
    cell: (queue) => [queueLink(queue.vhost, queue.name), h("small", { class: "phone" }, queue.vhost)],
  },
  { name: "vhost", minor: true, label: "Virtual host", sort: "vhost", cell: (queue) => queue.vhost },
  {
    name: "features",
    minor: true,
    label: "Features",
    cell: (queue) => h("span", { class: "badges" }, flags(queue.type === "classic" ? { ...queue, type: null } : queue)),
  },
  { name: "state", minor: true, label: "State", sort: "state", cell: (queue) => state(queue) },
  { name: "ready", label: "Ready", sort: "messages_ready", end: true, cell: (queue) => figure(queue.messages_ready) },
  {
    name: "unacked",
    label: "Unacked",
    sort: "messages_unacknowledged",
    end: true,
    cell: (queue) => figure(queue.messages_unacknowledged),
  },
  {
    name: "total",
    label: "Total",
    sort: "messages",
    end: true,
    optional: true,
    cell: (queue) => figure(queue.messages),
  },
  {
    name: "bytes",
    label: "Size",
    sort: "message_bytes",
    end: true,
    optional: true,
    cell: (queue) => figure(queue.message_bytes, octets),
  },
  { name: "consumers", label: "Consumers", sort: "consumers", end: true, cell: (queue) => figure(queue.consumers) },
  {
    name: "in",
    label: "In",
    sort: "message_stats.publish_details.rate",
    end: true,
    cell: (queue) => figure(incoming(queue), rate),
  },
  {
    name: "out",
    label: "Out",
    sort: "message_stats.deliver_get_details.rate",
    end: true,
    cell: (queue) => figure(outgoing(queue), rate),
  },
  {
    name: "ack",
    label: "Ack",
    sort: "message_stats.ack_details.rate",
    end: true,
    cell: (queue) => figure(acknowledged(queue), rate),
  },
];

// What a queue can be declared with: the type of the value, and what it means.
const QUEUE_ARGUMENTS = {
  "x-message-ttl": { kind: "number", hint: "Milliseconds that a message may wait" },
  "x-expires": { kind: "number", hint: "Milliseconds without use after which the queue goes" },
  "x-max-length": { kind: "number", hint: "Most messages that may wait" },
  "x-max-length-bytes": { kind: "number", hint: "Most octets of bodies that may wait" },
  "x-overflow": { kind: "text", hint: "What happens when it is full: drop-head, reject-publish or reject-publish-dlx" },
  "x-dead-letter-exchange": { kind: "text", hint: "Where rejected and expired messages go" },
  "x-dead-letter-routing-key": { kind: "text", hint: "Their routing key, instead of their own" },
  "x-max-priority": { kind: "number", hint: "Priorities 0 to this one (at most 255)" },
  "x-single-active-consumer": { kind: "boolean", hint: "One consumer at a time; the next takes over" },
  "x-consumer-timeout": { kind: "number", hint: "Milliseconds that a delivery may stay unacknowledged" },
  "x-queue-type": { kind: "text", hint: "classic, quorum or stream" },
};

export const queues = {
  title: () => "Queues",
  load: (ctx) => loadList(ctx, ctx.route.query.vhost ? path("queues", ctx.route.query.vhost) : "queues"),
  view: (ctx, data) => [
    list(ctx, data, {
      id: "queues",
      label: "Queues",
      one: "queue",
      many: "queues",
      columns: COLUMNS,
      key: (queue) => `${queue.vhost}\0${queue.name}`,
      empty: "There are no queues yet.",
    }),
    folded("Add a queue", declare(ctx)),
  ],
};

export function state(queue) {
  if (queue.state && queue.state !== "running" && queue.state !== "idle") return badge(queue.state, "bad");
  return queue.idle_since ? h("span", { class: "muted" }, "idle") : badge("running", "good");
}

const declare = (ctx) =>
  form(ctx, {
    id: "declare",
    label: "Add a queue",
    verb: "Add queue",
    async submit({ vhost, name, durable, auto_delete }) {
      await call("PUT", path("queues", vhost, name), {
        body: {
          durable: durable === "true",
          auto_delete: Boolean(auto_delete),
          arguments: argumentsOf(ctx, "declare", "Arguments"),
        },
      });
      return `Queue ${name} is there.`;
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
        name: "durable",
        label: "Durability",
        kind: "select",
        options: [
          ["true", "Durable"],
          ["false", "Transient"],
        ],
      }),
      field({ name: "auto_delete", label: "Delete with its last consumer", kind: "check" }),
      argumentsEditor(ctx, "declare", "Arguments", QUEUE_ARGUMENTS),
    ],
  });
