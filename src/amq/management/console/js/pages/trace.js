// Follow messages live: what is published, delivered and dead-lettered, without taking anything away from anybody.

import { query } from "../api.js";
import { h } from "../dom.js";
import { field } from "../form.js";
import { clock, plural } from "../format.js";
import { argumentList, badge, exchangeLink, facts, hint, queueLink } from "../parts.js";
import { go, link } from "../router.js";
import { condition, follow } from "../stream.js";

const KINDS = {
  published: "good",
  delivered: "policy",
  acknowledged: "good",
  rejected: "bad",
  requeued: "warn",
  "dead-lettered": "bad",
  dropped: "warn",
};
const FILTERS = {
  routing_key: "Routing key or pattern",
  queue: "Queue",
  exchange: "Exchange",
  message_id: "Message id",
  selector: "Selector",
};

export const trace = {
  title: () => "Trace",

  async load(ctx) {
    const { vhost, ...given } = ctx.route.query;
    if (vhost === undefined) return {};
    const filters = Object.fromEntries(Object.keys(FILTERS).map((name) => [name, given[name]]));
    follow(
      ctx,
      `amq/trace/${encodeURIComponent(vhost)}${query({ ...filters, truncate: 2000 })}`,
      Object.keys(KINDS),
      (event, events, kind, serial) => events.push({ ...event, kind, serial }),
    );
    return {};
  },

  view(ctx) {
    const { vhost, ...given } = ctx.route.query;
    return [
      hint(
        "Every step of the messages that pass from now on. Tell which ones: it spares a busy broker work, and you reading.",
      ),
      h(
        "form",
        {
          class: "card stack",
          "aria-label": "Follow messages",
          key: "form",
          onsubmit: (event) => {
            event.preventDefault();
            go(link(["trace"], Object.fromEntries(new FormData(event.currentTarget))));
          },
        },
        h(
          "div",
          { class: "fields" },
          field({
            name: "vhost",
            label: "Virtual host",
            kind: "select",
            value: vhost ?? ctx.app.vhosts[0],
            options: ctx.app.vhosts.map((name) => [name, name]),
          }),
          Object.entries(FILTERS).map(([name, label]) => field({ name, label, value: given[name] })),
        ),
        h(
          "div",
          { class: "row" },
          h("button", { class: "main" }, "Follow"),
          vhost !== undefined &&
            h(
              "span",
              { class: "muted" },
              condition(ctx, `Following: ${plural(ctx.state.entries?.length ?? 0, "event")}`),
            ),
        ),
      ),
      vhost !== undefined &&
        h(
          "div",
          {
            class: "log events",
            role: "log",
            "aria-label": "Events",
            tabindex: "0",
            key: "log",
            ref: (node) => (ctx.state.list = node),
          },
          (ctx.state.entries ?? []).map((event) =>
            h("div", { key: event.serial, class: "event" }, entry(vhost, event)),
          ),
        ),
    ];
  },
};

function entry(vhost, event) {
  if (event.kind === "dropped")
    return [badge("left out", "warn"), `${plural(event.events, "event")} came faster than this browser takes them`];
  return h(
    "details",
    {},
    h(
      "summary",
      {},
      h("time", {}, clock(new Date(event.time))),
      " ",
      badge(event.kind, KINDS[event.kind]),
      " ",
      h("code", {}, event.routing_key),
      ` of ${event.exchange || "(default)"} `,
      event.queues.length > 0 && ["→ ", event.queues.join(", ")],
      event.reason && ` (${event.reason})`,
    ),
    facts({
      Exchange: exchangeLink(vhost, event.exchange),
      Queues: event.queues.length
        ? event.queues.map((name, place) => [place > 0 && ", ", queueLink(vhost, name)])
        : "none: it reached nobody",
      Channel: event.channel,
      User: event.user,
      Redelivered: event.redelivered === undefined ? undefined : event.redelivered ? "yes" : "no",
      Properties: argumentList(event.properties) || "none",
    }),
    h("pre", { tabindex: "0", "aria-label": "Body" }, event.payload),
  );
}
