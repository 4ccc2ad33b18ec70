// The messages of a queue, looked at as they wait: searched, read, deleted, moved, replayed, or got as a client would.
// The list is of the moment when it was asked for; it does not change under the reader's eyes.

import { call, query } from "./api.js";
import { again, messagesPath } from "./browse.js";
import { confirm } from "./dialog.js";
import { h } from "./dom.js";
import { field, folded, form } from "./form.js";
import { clock, octets, plural, whole } from "./format.js";
import { getForm, got, unacked } from "./getting.js";
import { details, preview } from "./message.js";
import { moveForm, replayForm } from "./moving.js";
import { badge, card, exchangeLink } from "./parts.js";
import { change, go } from "./router.js";
import { table } from "./table.js";

export function messages(ctx, { vhost, name, found }) {
  const { selector } = ctx.route.query;
  return [
    card(
      "Browse",
      search(ctx, selector),
      found.problem
        ? h("p", { class: "note bad", role: "alert" }, found.problem)
        : [
            summary(ctx, found, selector),
            found.messages.length > 0 && listed(ctx, vhost, name, found),
            pages(ctx, found),
          ],
    ),
    folded(selector ? "Delete what matches" : "Delete what a search finds", deleteMatching(ctx, vhost, name, selector)),
    folded(selector ? "Move what matches" : "Move messages", moveForm(ctx, vhost, name, selector)),
    folded("Replay dead letters", replayForm(ctx, vhost, name, selector)),
    folded("Get messages as a client does", [getForm(ctx, vhost, name), got(ctx)]),
    folded("Delivered, not acknowledged yet", unacked(ctx, vhost, name)),
  ];
}

const search = (ctx, selector) =>
  h(
    "form",
    {
      class: "row search",
      role: "search",
      key: "search",
      onsubmit: (event) => {
        event.preventDefault();
        const wanted = new FormData(event.currentTarget).get("selector").trim();
        if (wanted === (selector ?? "") && !ctx.route.query.from) again(ctx);
        else go(change(ctx.route, { selector: wanted, from: "" }));
      },
    },
    h(
      "label",
      { class: "field grow" },
      h("span", {}, "Messages that match"),
      h("input", {
        type: "search",
        name: "selector",
        value: selector ?? "",
        spellcheck: "false",
        placeholder: "all of them",
        "aria-label": "Messages that match",
        "aria-describedby": "selector-help",
      }),
      h(
        "small",
        { id: "selector-help" },
        "for instance  ",
        h("code", {}, "headers.tenant = 'acme' and size > 1000"),
        "  or  ",
        h("code", {}, "body like '%refund%'"),
        "  or  ",
        h("code", {}, "routing_key = 'order.paid'"),
      ),
    ),
    h("button", { class: "main" }, "Search"),
  );

function summary(ctx, found, selector) {
  const what = selector
    ? `${plural(found.messages.length, "match", "matches")} in ${plural(found.scanned, "message")} looked at`
    : plural(found.messages.length, "message");
  return h(
    "div",
    { class: "row", key: "summary" },
    h(
      "span",
      { "aria-live": "polite" },
      `${what}, as of ${clock(found.at)}. ${whole(found.messages_ready)} wait in all.`,
    ),
    h("span", { class: "gap" }),
    h("button", { class: "second small", onclick: () => again(ctx) }, "Look again"),
  );
}

const listed = (ctx, vhost, name, found) =>
  table(ctx, {
    id: "messages",
    label: "Messages",
    rows: found.messages.flatMap((one) => (ctx.state.open === one.position ? [one, { detail: one }] : [one])),
    key: (one) => (one.detail ? `detail ${one.detail.position}` : one.position),
    fixed: true,
    whole: (one) => one.detail && details(ctx, vhost, name, one.detail),
    columns: [
      {
        name: "position",
        label: "Message",
        cell: (one) =>
          h(
            "button",
            {
              class: "plain",
              "aria-expanded": String(ctx.state.open === one.position),
              "aria-label": `Message at position ${one.position}`,
              onclick: () => unfold(ctx, one),
            },
            one.properties.message_id ?? `at ${one.position}`,
          ),
      },
      { name: "exchange", minor: true, label: "Exchange", cell: (one) => exchangeLink(vhost, one.exchange) },
      { name: "key", label: "Routing key", cell: (one) => h("code", {}, one.routing_key) },
      {
        name: "flags",
        label: "",
        cell: (one) =>
          h(
            "span",
            { class: "badges" },
            one.redelivered && badge("redelivered", "warn"),
            one.properties.headers?.["x-death"] && badge("dead letter", "bad"),
            one.properties.delivery_mode !== 2 && badge("transient"),
          ),
      },
      { name: "size", label: "Size", end: true, cell: (one) => octets(one.payload_bytes) },
      {
        name: "body",
        label: "Body",
        cell: (one) => preview(one),
      },
    ],
  });

function unfold(ctx, one) {
  ctx.state.open = ctx.state.open === one.position ? null : one.position;
  ctx.state.whole = null;
  ctx.redraw();
}

function pages(ctx, found) {
  const { from } = ctx.route.query;
  const more = found.next !== null && found.next !== undefined;
  return (
    (from || more) &&
    h(
      "nav",
      { class: "row pager", "aria-label": "Further messages", key: "pages" },
      from && h("a", { href: change(ctx.route, { from: "" }) }, "« From the first"),
      h("span", { class: "gap" }),
      more && h("a", { href: change(ctx.route, { from: found.next }) }, "Next ›"),
    )
  );
}

const deleteMatching = (ctx, vhost, name, selector) =>
  form(ctx, {
    id: "delete",
    label: "Delete matching messages",
    verb: "Delete…",
    danger: true,
    keep: true,
    async submit({ wanted }) {
      const where = (dry) => messagesPath(vhost, name) + query({ selector: wanted, dry_run: dry || undefined });
      const { deleted: count } = await call("DELETE", where(true));
      if (!count) throw new Error("No message matches.");
      if (
        (await confirm({
          title: `Delete from ${name}?`,
          text: `${plural(count, "message")} that match would be lost for good.`,
          verb: `Delete ${plural(count, "message")}`,
        })) === null
      )
        return null;
      const answer = await call("DELETE", where(false));
      again(ctx);
      return `${plural(answer.deleted, "message")} deleted.`;
    },
    body: [field({ name: "wanted", label: "Messages that match", value: selector, required: true, wide: true })],
  });
