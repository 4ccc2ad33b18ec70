// One message: what is in it, and what can be done with it alone.

import { call, get, path, query } from "./api.js";
import { again, CUT, messagesPath } from "./browse.js";
import { confirm } from "./dialog.js";
import { h } from "./dom.js";
import { moment, octets, plural } from "./format.js";
import { argumentList, facts } from "./parts.js";

export function details(ctx, vhost, name, one) {
  const { headers, ...properties } = one.properties;
  const given = ctx.state.whole ?? one;
  const cut = given.payload_bytes > CUT && !ctx.state.whole;
  return h(
    "div",
    { class: "details" },
    facts({
      Position: one.position,
      Deaths: deaths(headers) || undefined,
      Properties: argumentList(properties) || "none",
      Headers: argumentList(headers) || "none",
    }),
    h("pre", { tabindex: "0", "aria-label": "Body" }, pretty(given)),
    h(
      "div",
      { class: "row" },
      cut &&
        h(
          "button",
          { class: "second small", onclick: () => all(ctx, vhost, name, one) },
          `Show all ${octets(one.payload_bytes)}`,
        ),
      h("button", { class: "second small", onclick: () => moveOne(ctx, vhost, name, one) }, "Move it…"),
      h("button", { class: "danger small", onclick: () => deleteOne(ctx, vhost, name, one) }, "Delete it…"),
    ),
  );
}

// The beginning of a body, in one line.
export const preview = (one) =>
  h("code", { class: "cut" }, one.payload_encoding === "base64" ? "(octets)" : one.payload.slice(0, 90));

// JSON is easier to read with a line for each of its parts. Only spaces change: numbers stay as they were written,
// which parsing and writing them anew would not promise.
export function pretty(one) {
  if (one.payload_encoding === "base64") return one.payload;
  try {
    JSON.parse(one.payload);
  } catch {
    return one.payload;
  }
  const tokens = one.payload.match(/"(?:[^"\\]|\\.)*"|[[\]{},:]|[^\s[\]{},:"]+/g);
  const lines = [""];
  tokens.forEach((token, place) => {
    const depth = lines.at(-1).search(/\S|$/);
    const closes = "]}".includes(token);
    if (closes && !"[{".includes(tokens[place - 1])) lines.push(" ".repeat(Math.max(0, depth - 2)));
    lines[lines.length - 1] += token === ":" ? ": " : token;
    if (token === ",") lines.push(" ".repeat(depth));
    else if ("[{".includes(token) && !"]}".includes(tokens[place + 1])) lines.push(" ".repeat(depth + 2));
  });
  return lines.join("\n");
}

// Why and where it died, the last time first.
const deaths = (headers) =>
  Array.isArray(headers?.["x-death"]) &&
  h(
    "ul",
    { class: "pairs" },
    headers["x-death"].map((death, place) =>
      h(
        "li",
        { key: place },
        `${death.reason} in ${death.queue}, ${plural(death.count, "time")}, first ${moment(death.time * 1000)}; was published to ` +
          `${death.exchange || "(default)"} with “${(death["routing-keys"] ?? []).join("”, “")}”`,
      ),
    ),
  );

const all = (ctx, vhost, name, one) =>
  ctx.act(async () => {
    ctx.state.whole = await get(messagesPath(vhost, name) + `/${one.position}`);
  });

async function deleteOne(ctx, vhost, name, one) {
  const text = [
    `The message at position ${one.position} with the routing key “${one.routing_key}”, ${octets(one.payload_bytes)}.`,
    "It would be lost for good.",
  ];
  if ((await confirm({ title: "Delete this message?", text, verb: "Delete 1 message" })) === null) return;
  await ctx.act(
    () => call("DELETE", messagesPath(vhost, name) + `/${one.position}` + query({ fingerprint: one.fingerprint })),
    "The message is gone.",
  );
  await again(ctx);
}

async function moveOne(ctx, vhost, name, one) {
  const text = `The message at position ${one.position} with the routing key “${one.routing_key}” leaves ${name}.`;
  const to = await confirm({
    title: "Move this message?",
    text,
    verb: "Move 1 message",
    input: { label: "To the queue" },
  });
  if (!to) return;
  // From behind the message before it, and one at most.
  const body = { to: { queue: to }, from: one.position - 1, limit: 1, scan: 1 };
  await ctx.act(async () => {
    const report = await call("POST", path("amq", "queues", vhost, name, "move"), { body });
    if (report.moved !== 1) throw new Error(report.problems[0]?.reason ?? "The message is not there any more.");
  }, `The message is in ${to} now.`);
  await again(ctx);
}
