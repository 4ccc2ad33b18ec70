// The messages of a queue, looked at as they wait: searched, read, deleted, moved, replayed, or taken as a client would.
// The list is of the moment when it was asked for; it does not change under the reader's eyes.

import { call, get, path, query } from "./api.js";
import { confirm } from "./dialog.js";
import { h } from "./dom.js";
import { field, folded, form } from "./form.js";
import { clock, duration, octets, plural, whole } from "./format.js";
import { moveForm, replayForm } from "./moving.js";
import { argumentList, badge, card, exchangeLink, facts } from "./parts.js";
import { change, go } from "./router.js";
import { table } from "./table.js";

const SHOWN = 20;
const PREVIEW = 90;
export const messagesPath = (vhost, name) => path("amq", "queues", vhost, name, "messages");

export async function loadMessages(ctx, vhost, name) {
  const { selector, from } = ctx.route.query;
  const asked = JSON.stringify([selector, from, ctx.state.again]);
  if (ctx.state.asked === asked) return ctx.state.found;
  let found;
  try {
    found = { at: Date.now(), ...(await get(messagesPath(vhost, name) + query({ selector, from, limit: SHOWN, truncate: 4000 }), ctx.signal)) };
  } catch (error) {
    if (error.status === undefined) throw error;
    found = { at: Date.now(), problem: error.message, messages: [] };
  }
  Object.assign(ctx.state, { asked, found, open: null, whole: null });
  return found;
}

export const again = (ctx) => {
  ctx.state.again = (ctx.state.again ?? 0) + 1;
  return ctx.refresh();
};

export function messages(ctx, { vhost, name, found }) {
  const { selector } = ctx.route.query;
  return [
    card("Browse", search(ctx, selector),
      found.problem ? h("p", { class: "note bad", role: "alert" }, found.problem) : [summary(ctx, found, selector), found.messages.length > 0 && listed(ctx, vhost, name, found), pages(ctx, found)]),
    folded(selector ? "Delete what matches" : "Delete what a search finds", deleteMatching(ctx, vhost, name, selector)),
    folded(selector ? "Move what matches" : "Move messages", moveForm(ctx, vhost, name, selector)),
    folded("Replay dead letters", replayForm(ctx, vhost, name, selector)),
    folded("Get messages as a client does", [getForm(ctx, vhost, name), got(ctx)]),
    folded("Delivered, not acknowledged yet", unacked(ctx, vhost, name)),
  ];
}

const search = (ctx, selector) => h("form", { class: "row search", role: "search", key: "search", onsubmit: (event) => {
  event.preventDefault();
  const wanted = new FormData(event.currentTarget).get("selector").trim();
  if (wanted === (selector ?? "") && !ctx.route.query.from) again(ctx);
  else go(change(ctx.route, { selector: wanted, from: "" }));
} },
  h("label", { class: "field grow" }, h("span", {}, "Messages that match"),
    h("input", { type: "search", name: "selector", value: selector ?? "", spellcheck: "false", placeholder: "all of them", "aria-label": "Messages that match", "aria-describedby": "selector-help" }),
    h("small", { id: "selector-help" }, "for instance  ", h("code", {}, "headers.tenant = 'acme' and size > 1000"), "  or  ", h("code", {}, "body like '%refund%'"), "  or  ", h("code", {}, "routing_key = 'order.paid'"))),
  h("button", { class: "main" }, "Search"));

function summary(ctx, found, selector) {
  const what = selector ? `${plural(found.messages.length, "match", "matches")} in ${plural(found.scanned, "message")} looked at` : plural(found.messages.length, "message");
  return h("div", { class: "row", key: "summary" }, h("span", { "aria-live": "polite" }, `${what}, as of ${clock(found.at)}. ${whole(found.messages_ready)} wait in all.`), h("span", { class: "gap" }),
    h("button", { class: "second small", onclick: () => again(ctx) }, "Look again"));
}

const listed = (ctx, vhost, name, found) => table(ctx, {
  id: "messages", label: "Messages", rows: found.messages.flatMap((one) => (ctx.state.open === one.position ? [one, { detail: one }] : [one])), key: (one) => (one.detail ? `detail ${one.detail.position}` : one.position), fixed: true,
  whole: (one) => one.detail && details(ctx, vhost, name, one.detail),
  columns: [
    { name: "position", label: "Message", cell: (one) => h("button", { class: "plain", "aria-expanded": String(ctx.state.open === one.position), "aria-label": `Message at position ${one.position}`, onclick: () => unfold(ctx, one) }, one.properties.message_id ?? `at ${one.position}`) },
    { name: "exchange", minor: true, label: "Exchange", cell: (one) => exchangeLink(vhost, one.exchange) },
    { name: "key", label: "Routing key", cell: (one) => h("code", {}, one.routing_key) },
    { name: "flags", label: "", cell: (one) => h("span", { class: "badges" }, one.redelivered && badge("redelivered", "warn"), one.properties.headers?.["x-death"] && badge("dead letter", "bad"), one.properties.delivery_mode !== 2 && badge("transient")) },
    { name: "size", label: "Size", end: true, cell: (one) => octets(one.payload_bytes) },
    { name: "body", label: "Body", cell: (one) => h("code", { class: "cut" }, one.payload_encoding === "base64" ? "(octets)" : one.payload.slice(0, PREVIEW)) },
  ],
});

function unfold(ctx, one) {
  ctx.state.open = ctx.state.open === one.position ? null : one.position;
  ctx.state.whole = null;
  ctx.redraw();
}

function details(ctx, vhost, name, one) {
  const { headers, ...properties } = one.properties;
  const given = ctx.state.whole ?? one;
  const cut = given.payload_bytes > 4000 && !ctx.state.whole;
  return h("div", { class: "details" },
    facts({ Position: one.position, Properties: argumentList(properties) || "none", Headers: argumentList(headers) || "none" }),
    h("pre", { tabindex: "0", "aria-label": "Body" }, pretty(given)),
    h("div", { class: "row" },
      cut && h("button", { class: "second small", onclick: () => all(ctx, vhost, name, one) }, `Show all ${octets(one.payload_bytes)}`),
      h("button", { class: "second small", onclick: () => moveOne(ctx, vhost, name, one) }, "Move it…"),
      h("button", { class: "danger small", onclick: () => deleteOne(ctx, vhost, name, one) }, "Delete it…")));
}

function pretty(one) {
  if (one.payload_encoding === "base64") return one.payload;
  try {
    return JSON.stringify(JSON.parse(one.payload), null, 2);
  } catch {
    return one.payload;
  }
}

const all = (ctx, vhost, name, one) => ctx.act(async () => {
  ctx.state.whole = await get(messagesPath(vhost, name) + `/${one.position}`);
});

async function deleteOne(ctx, vhost, name, one) {
  const text = `The message at position ${one.position} with the routing key “${one.routing_key}” (${octets(one.payload_bytes)}) would be lost for good.`;
  if ((await confirm({ title: "Delete this message?", text, verb: "Delete 1 message" })) === null) return;
  await ctx.act(() => call("DELETE", messagesPath(vhost, name) + `/${one.position}` + query({ fingerprint: one.fingerprint })), "The message is gone.");
  await again(ctx);
}

async function moveOne(ctx, vhost, name, one) {
  const text = `The message at position ${one.position} with the routing key “${one.routing_key}” leaves ${name}.`;
  const to = await confirm({ title: "Move this message?", text, verb: "Move 1 message", input: { label: "To the queue" } });
  if (!to) return;
  // From behind the message before it, and one at most.
  const body = { to: { queue: to }, from: one.position - 1, limit: 1, scan: 1 };
  await ctx.act(async () => {
    const report = await call("POST", path("amq", "queues", vhost, name, "move"), { body });
    if (report.moved !== 1) throw new Error(report.problems[0]?.reason ?? "The message is not there any more.");
  }, `The message is in ${to} now.`);
  await again(ctx);
}

function pages(ctx, found) {
  const { from } = ctx.route.query;
  const more = found.next !== null && found.next !== undefined;
  return (from || more) && h("nav", { class: "row pager", "aria-label": "Further messages", key: "pages" },
    from && h("a", { href: change(ctx.route, { from: "" }) }, "« From the first"), h("span", { class: "gap" }), more && h("a", { href: change(ctx.route, { from: found.next }) }, "Next ›"));
}

const deleteMatching = (ctx, vhost, name, selector) => form(ctx, {
  id: "delete", label: "Delete matching messages", verb: "Delete…", danger: true, keep: true,
  async submit({ wanted }) {
    const where = (dry) => messagesPath(vhost, name) + query({ selector: wanted, dry_run: dry || undefined });
    const { deleted: count } = await call("DELETE", where(true));
    if (!count) throw new Error("No message matches.");
    if ((await confirm({ title: `Delete from ${name}?`, text: `${plural(count, "message")} that match would be lost for good.`, verb: `Delete ${plural(count, "message")}` })) === null) return null;
    const answer = await call("DELETE", where(false));
    again(ctx);
    return `${plural(answer.deleted, "message")} deleted.`;
  },
  body: [field({ name: "wanted", label: "Messages that match", value: selector, required: true, wide: true })],
});

const MODES = [
  ["ack_requeue_true", "Put them back (they count as redelivered)"],
  ["ack_requeue_false", "Take them out"],
  ["reject_requeue_true", "Reject, and put them back"],
  ["reject_requeue_false", "Reject: drop or dead-letter them"],
];

const getForm = (ctx, vhost, name) => form(ctx, {
  id: "get", label: "Get messages", verb: "Get", keep: true,
  async submit({ count, ackmode }) {
    ctx.state.got = await call("POST", path("queues", vhost, name) + "/get", { body: { count: Number(count), ackmode, encoding: "auto", truncate: 50000 } });
    return ctx.state.got.length ? `Got ${plural(ctx.state.got.length, "message")}.` : "The queue is empty.";
  },
  body: [field({ name: "count", label: "How many", kind: "number", value: "1" }), field({ name: "ackmode", label: "What becomes of them", kind: "select", options: MODES })],
});

const got = (ctx) => ctx.state.got?.map((one, place) => h("article", { class: "message", key: "got" + place, "aria-label": `Message ${place + 1}` },
  h("div", { class: "row" }, h("b", {}, `Message ${place + 1}`), one.redelivered && badge("redelivered", "warn"), h("span", { class: "muted" }, `${plural(one.message_count, "message")} remain`)),
  facts({ Exchange: one.exchange || "(default)", "Routing key": one.routing_key, Properties: argumentList(one.properties) || "none" }),
  h("pre", { tabindex: "0", "aria-label": `Body of message ${place + 1}` }, pretty(one))));

const unacked = (ctx, vhost, name) => [
  h("div", { class: "row", key: "ask" }, h("button", { class: "second", onclick: () => ctx.act(async () => {
    ctx.state.held = await get(path("amq", "queues", vhost, name, "unacked"));
  }) }, ctx.state.held ? "Look again" : "Show who holds them")),
  ctx.state.held && table(ctx, { id: "unacked", label: "Not acknowledged", rows: ctx.state.held.messages, key: (one) => `${one.channel} ${one.delivery_tag}`, empty: "Every delivery is acknowledged.", fixed: true, columns: [
    { name: "channel", label: "Channel", cell: (one) => h("a", { href: `#/channels/${encodeURIComponent(one.channel)}` }, one.channel) },
    { name: "tag", label: "Consumer", cell: (one) => one.consumer_tag ?? "(got)" },
    { name: "held", label: "For", end: true, cell: (one) => duration(one.held_for) },
    { name: "key", label: "Routing key", cell: (one) => h("code", {}, one.routing_key) },
    { name: "size", label: "Size", end: true, cell: (one) => octets(one.payload_bytes) },
    { name: "body", label: "Body", cell: (one) => h("code", { class: "cut" }, one.payload_encoding === "base64" ? "(octets)" : one.payload?.slice(0, PREVIEW)) },
  ] }),
];
