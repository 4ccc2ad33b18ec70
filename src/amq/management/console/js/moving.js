// Move messages to another place, and dead letters back to where they came from: always as a dry run first.

import { call, path } from "./api.js";
import { again } from "./browse.js";
import { confirm } from "./dialog.js";
import { h } from "./dom.js";
import { field, form } from "./form.js";
import { plural } from "./format.js";
import { exchangeLink, queueLink } from "./parts.js";

const VERBS = { move: { now: "Move", done: "moved" }, replay: { now: "Replay", done: "replayed" } };

// How many a dry run has found; of a very long queue it has seen a part only.
const planned = ({ report }) => plural(report.moved, "message") + (report.next === null ? "" : " or more");

const selectorField = (selector) =>
  field({ name: "selector", label: "Messages that match", value: selector, hint: "Empty: all of them.", wide: true });

export const moveForm = (ctx, vhost, name, selector) =>
  transfer(
    ctx,
    vhost,
    name,
    "move",
    "Move messages",
    [
      selectorField(selector),
      field({
        name: "kind",
        label: "To",
        kind: "select",
        options: [
          ["queue", "Queue"],
          ["exchange", "Exchange, as if published again"],
        ],
      }),
      field({ name: "to", label: "Its name", required: true }),
      field({ name: "routing_key", label: "Routing key", hint: "For exchanges; empty: each its own." }),
      field({ name: "limit", label: "At most", kind: "number", hint: "Empty: no limit." }),
    ],
    ({ kind, to, routing_key }) => ({
      to: kind === "queue" ? { queue: to } : { exchange: to, ...(routing_key ? { routing_key } : {}) },
    }),
  );

export const replayForm = (ctx, vhost, name, selector) =>
  transfer(
    ctx,
    vhost,
    name,
    "replay",
    "Replay dead letters",
    [
      selectorField(selector),
      field({
        name: "to",
        label: "Back to",
        kind: "select",
        options: [
          ["queue", "The queue that they died in"],
          ["exchange", "The exchange that they were published to"],
        ],
      }),
      field({
        name: "death",
        label: "If they died several times",
        kind: "select",
        options: [
          ["last", "Undo the last death"],
          ["first", "Back to the very start"],
        ],
      }),
      field({
        name: "history",
        label: "Their history (x-death)",
        kind: "select",
        options: [
          ["keep", "Stays in the headers"],
          ["strip", "Is taken away"],
        ],
      }),
      field({ name: "limit", label: "At most", kind: "number", hint: "Empty: no limit." }),
    ],
    ({ to, death, history }) => ({ to, death, history }),
  );

function transfer(ctx, vhost, name, kind, label, body, meant) {
  const where = path("amq", "queues", vhost, name, kind);
  const plan = ctx.state.plans?.[kind];
  return [
    form(ctx, {
      id: kind,
      label,
      verb: "Show what would happen",
      keep: true,
      async submit(values) {
        const asked = {
          ...meant(values),
          ...(values.selector.trim() ? { selector: values.selector } : {}),
          ...(values.limit ? { limit: Number(values.limit) } : {}),
        };
        (ctx.state.plans ??= {})[kind] = {
          asked,
          report: await call("POST", where, { body: { ...asked, dry_run: true } }),
        };
      },
      body,
    }),
    h(
      "div",
      { "aria-live": "polite", key: "plan" },
      plan && [
        shown(vhost, plan.report, "would go"),
        plan.done
          ? shown(vhost, plan.done, "went", true)
          : plan.report.moved > 0 &&
            h(
              "button",
              { class: "danger", key: "do", disabled: plan.busy, onclick: () => really(ctx, name, kind, where, plan) },
              plan.busy ? "Under way…" : `${VERBS[kind].now} ${planned(plan)}`,
            ),
      ],
    ),
  ];
}

async function really(ctx, name, kind, where, plan) {
  const count = plural(plan.report.moved, "message");
  const text = [
    `${planned(plan)} leave ${name}.`,
    "Each is in its new place, on disk if it is to be, before it is gone from here.",
  ];
  if (
    (await confirm({
      title: kind === "move" ? "Move these messages?" : "Replay these messages?",
      text,
      verb: kind === "move" ? `Move ${count}` : `Replay ${count}`,
    })) === null
  )
    return;
  plan.busy = true;
  ctx.redraw();
  await ctx.act(
    async () => {
      plan.done = await throughout(where, plan.asked);
    },
    () => `${plural(plan.done.moved, "message")} ${plan.done.moved === 1 ? "was" : "were"} ${VERBS[kind].done}.`,
  );
  plan.busy = false;
  await again(ctx);
}

// One request looks at so many messages; a long queue takes several.
async function throughout(where, asked) {
  const total = { moved: 0, left: 0, scanned: 0, next: null, routes: [], problems: [] };
  let from = asked.from;
  do {
    const rest = asked.limit ? { limit: asked.limit - total.moved } : {};
    const report = await call("POST", where, {
      body: { ...asked, ...rest, ...(from === undefined ? {} : { from }), dry_run: false },
    });
    for (const one of ["moved", "left", "scanned"]) total[one] += report[one];
    add(total.routes, report.routes, (route) => JSON.stringify([route.exchange, route.routing_key, route.queues]));
    add(total.problems, report.problems, (problem) => problem.reason);
    from = report.next ?? undefined;
  } while (from !== undefined && !(asked.limit && total.moved >= asked.limit));
  return total;
}

function add(all, more, key) {
  for (const one of more) {
    const there = all.find((other) => key(other) === key(one));
    if (there) there.messages += one.messages;
    else all.push(one);
  }
}

const shown = (vhost, report, went, done = false) =>
  h(
    "div",
    { class: `note ${done ? "good" : ""}`, key: went },
    h(
      "p",
      {},
      h("b", {}, `${plural(report.moved, "message")} ${went}`),
      report.left > 0 && `, ${plural(report.left, "message")} ${done ? "stayed" : "would stay"}`,
      `. ${plural(report.scanned, "message")} looked at${report.next !== null && !done ? "; there are more" : ""}.`,
    ),
    h(
      "ul",
      {},
      report.routes.map((route) =>
        h(
          "li",
          { key: `r${route.exchange} ${route.routing_key} ${route.queues}` },
          `${plural(route.messages, "message")} as `,
          h("code", {}, route.routing_key || "(no key)"),
          " of ",
          exchangeLink(vhost, route.exchange),
          " to ",
          route.queues.map((queue, place) => [place > 0 && ", ", queueLink(vhost, queue)]),
        ),
      ),
      report.problems.map((problem) =>
        h("li", { key: "p" + problem.reason }, `${plural(problem.messages, "message")}: ${problem.reason}`),
      ),
    ),
  );
