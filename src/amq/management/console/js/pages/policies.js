// Policies and operator policies; what one would change is shown while it is being written.

import { call, get, path } from "../api.js";
import { confirm } from "../dialog.js";
import { h } from "../dom.js";
import { argumentsEditor, argumentsOf, field, folded, form, setArguments } from "../form.js";
import { plural } from "../format.js";
import { argumentList, badge, exchangeLink, hint, queueLink, tabOf, tabs } from "../parts.js";
import { is } from "../roles.js";
import { table } from "../table.js";

const TABS = { policies: "Policies", "operator-policies": "Operator policies" };
const KEYS = {
  "message-ttl": { kind: "number", hint: "Milliseconds that a message may wait" },
  expires: { kind: "number", hint: "Milliseconds without use after which a queue goes" },
  "max-length": { kind: "number", hint: "Most messages that may wait" },
  "max-length-bytes": { kind: "number", hint: "Most octets of bodies that may wait" },
  overflow: { kind: "text", hint: "drop-head, reject-publish or reject-publish-dlx" },
  "dead-letter-exchange": { kind: "text", hint: "Where rejected and expired messages go" },
  "dead-letter-routing-key": { kind: "text", hint: "Their routing key, instead of their own" },
  "delivery-limit": { kind: "number", hint: "How often a message may come back" },
  "consumer-timeout": { kind: "number", hint: "Milliseconds that a delivery may stay unacknowledged" },
  "alternate-exchange": { kind: "text", hint: "Exchanges: where messages go that find no binding" },
};
const OPERATOR_KEYS = new Set(["message-ttl", "expires", "max-length", "max-length-bytes", "delivery-limit"]);
const LISTED = 30;
const TARGETS = [
  ["all", "Queues and exchanges"],
  ["queues", "Queues"],
  ["classic_queues", "Classic queues"],
  ["quorum_queues", "Quorum queues"],
  ["streams", "Streams"],
  ["exchanges", "Exchanges"],
];

export const policies = {
  title: () => "Policies",
  load: (ctx) => get(tabOf(ctx, TABS) + (ctx.route.query.vhost ? "/" + path(ctx.route.query.vhost) : ""), ctx.signal),
  view(ctx, all) {
    const kind = tabOf(ctx, TABS);
    const may = is(ctx.user, kind === "policies" ? "policymaker" : "administrator");
    return [
      tabs(ctx, TABS),
      kind === "operator-policies" &&
        hint("Operator policies are merged with the policy of a queue; of two limits the lower one counts."),
      table(ctx, {
        id: kind,
        label: TABS[kind],
        rows: all,
        key: (one) => `${one.vhost}\0${one.name}`,
        empty: "None.",
        fixed: true,
        columns: [
          { name: "name", label: "Name", cell: (one) => one.name },
          { name: "vhost", label: "Virtual host", cell: (one) => one.vhost },
          { name: "pattern", label: "Pattern", cell: (one) => h("code", {}, one.pattern) },
          { name: "to", label: "Applies to", cell: (one) => one["apply-to"] },
          { name: "definition", label: "Definition", cell: (one) => argumentList(one.definition) },
          { name: "priority", label: "Priority", end: true, cell: (one) => one.priority },
          {
            name: "actions",
            label: "",
            cell: (one) =>
              may && [
                h(
                  "button",
                  { class: "plain", "aria-label": `Change ${one.name}`, onclick: () => change(ctx, kind, one) },
                  "Change",
                ),
                h(
                  "button",
                  { class: "plain", "aria-label": `Delete ${one.name}`, onclick: () => remove(ctx, kind, one) },
                  "Delete",
                ),
              ],
          },
        ],
      }),
      may &&
        folded(ctx.state.changing ? `Change ${ctx.state.changing.name}` : "Add a policy", editor(ctx, kind), {
          key: "editor" + kind,
          open: Boolean(ctx.state.changing),
        }),
    ];
  },
};

const idOf = (ctx, kind) => `${kind}-${ctx.state.changing?.name ?? ""}`;

function change(ctx, kind, one) {
  ctx.state.changing = one;
  ctx.state.preview = null;
  setArguments(ctx, idOf(ctx, kind), "Definition", one.definition);
  ctx.redraw();
  document.querySelector("input[name=pattern]")?.focus();
}

function editor(ctx, kind) {
  const old = ctx.state.changing;
  const id = idOf(ctx, kind);
  const known =
    kind === "policies" ? KEYS : Object.fromEntries(Object.entries(KEYS).filter(([name]) => OPERATOR_KEYS.has(name)));
  const preview = () => later(ctx, kind, id);
  return [
    form(ctx, {
      id,
      label: "Policy",
      verb: old ? "Save" : "Add policy",
      async submit(values) {
        const { vhost, name, body } = meant(values, argumentsOf(ctx, id, "Definition"));
        await call("PUT", path(kind, vhost, name), { body });
        Object.assign(ctx.state, { changing: null, preview: null });
        return `Policy ${name} is in effect.`;
      },
      body: [
        field({
          name: "vhost",
          label: "Virtual host",
          kind: "select",
          value: old?.vhost ?? ctx.route.query.vhost ?? ctx.app.vhosts[0],
          options: ctx.app.vhosts.map((name) => [name, name]),
          onchange: preview,
        }),
        field({ name: "name", label: "Name", required: true, value: old?.name, oninput: preview }),
        field({
          name: "pattern",
          label: "Pattern",
          required: true,
          value: old?.pattern,
          hint: "A regular expression that names are searched with: ^orders\\. takes all that begin so.",
          oninput: preview,
        }),
        field({
          name: "apply-to",
          label: "Applies to",
          kind: "select",
          value: old?.["apply-to"],
          options: kind === "policies" ? TARGETS : TARGETS.filter(([name]) => name.includes("queue")),
          onchange: preview,
        }),
        field({
          name: "priority",
          label: "Priority",
          kind: "number",
          value: String(old?.priority ?? 0),
          hint: "Of several that match, the highest counts.",
          oninput: preview,
        }),
        h(
          "div",
          { class: "wide", key: "definition", oninput: preview, onchange: preview },
          argumentsEditor(ctx, id, "Definition", known),
        ),
      ],
      more:
        old &&
        h(
          "button",
          {
            type: "button",
            class: "second",
            onclick: () => {
              Object.assign(ctx.state, { changing: null, preview: null });
              ctx.redraw();
            },
          },
          "Leave as it is",
        ),
    }),
    h("div", { class: "preview", "aria-live": "polite", key: "preview" }, previewed(ctx.state.preview)),
  ];
}

const meant = ({ vhost, name, pattern, priority, "apply-to": to }, definition) => ({
  vhost,
  name,
  body: { pattern, "apply-to": to, priority: Number(priority || 0), definition },
});

// Half-written entries are no reason to show nothing.
function definitionSoFar(ctx, id) {
  try {
    return argumentsOf(ctx, id, "Definition");
  } catch {
    return {};
  }
}

// A moment after the last key, so that the broker is not asked for every letter. It takes no policy without a
// definition; what the pattern matches is worth knowing before there is one, and any definition will do for that.
function later(ctx, kind, id) {
  clearTimeout(ctx.state.timer);
  ctx.state.timer = setTimeout(async () => {
    const element = document.querySelector("form[aria-label=Policy]");
    if (!element) return;
    const { vhost, name, body } = meant(Object.fromEntries(new FormData(element)), definitionSoFar(ctx, id));
    const empty = Object.keys(body.definition).length === 0;
    if (empty) body.definition = body["apply-to"] === "exchanges" ? { "alternate-exchange": "-" } : { "max-length": 1 };
    ctx.state.preview = body.pattern
      ? { empty, ...(await ask(kind, vhost, { ...body, ...(name ? { name } : {}) })) }
      : null;
    ctx.redraw();
  }, 300);
}

async function ask(kind, vhost, body) {
  try {
    return { vhost, ...(await call("POST", path("amq", kind, vhost, "preview"), { body })) };
  } catch (error) {
    return { problem: error.message };
  }
}

function previewed(preview) {
  if (!preview) return null;
  if (preview.problem) return h("p", { class: "note bad" }, preview.problem);
  const { vhost, empty, matched, won, queues, exchanges } = preview;
  const outcome = (one) =>
    one.wins ? !empty && argumentList(one.would_be) : h("small", {}, ` keeps to ${one.policy}`);
  const beaten = matched.queues + matched.exchanges - won.queues - won.exchanges;
  return h(
    "div",
    { class: "note" },
    h(
      "p",
      {},
      h("b", {}, `Saved like this, it is the policy of ${counted(won)}.`),
      beaten > 0 &&
        ` ${plural(beaten, "more", "more")} that its pattern matches would keep to a policy of higher priority.`,
    ),
    h(
      "ul",
      { class: "names" },
      queues.slice(0, LISTED).map((one) => h("li", { key: "q" + one.name }, queueLink(vhost, one.name), outcome(one))),
      exchanges
        .slice(0, LISTED)
        .map((one) => h("li", { key: "e" + one.name }, exchangeLink(vhost, one.name), badge("exchange"), outcome(one))),
    ),
    matched.queues + matched.exchanges > Math.min(queues.length, LISTED) + Math.min(exchanges.length, LISTED) &&
      h("p", { class: "muted" }, "Not all are listed."),
  );
}

const counted = ({ queues, exchanges }) => `${plural(queues, "queue")} and ${plural(exchanges, "exchange")}`;

async function remove(ctx, kind, one) {
  const { pattern, definition, priority, name } = one;
  const preview = await ask(kind, one.vhost, { name, pattern, definition, priority, "apply-to": one["apply-to"] });
  const text = [
    `It is the policy of ${preview.won ? counted(preview.won) : "some queues"} now.`,
    "They keep to their next policy, or to their own arguments.",
  ];
  if ((await confirm({ title: `Delete policy ${one.name}?`, text, verb: "Delete" })) === null) return;
  ctx.act(() => call("DELETE", path(kind, one.vhost, one.name)), `Policy ${one.name} is gone.`);
}
