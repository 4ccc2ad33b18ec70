// One queue: how it does, its messages, who feeds it and who takes from it.

import { call, get, path, query } from "../api.js";
import { bindForm, bindingTable } from "../bindings.js";
import { loadMessages } from "../browse.js";
import { chart, levels, samplesOf, windowSelect } from "../chart.js";
import { confirm } from "../dialog.js";
import { h } from "../dom.js";
import { field, folded } from "../form.js";
import { moment, number, octets, plural, rate, whole } from "../format.js";
import { messages } from "../messages.js";
import { argumentList, card, facts, flags, tabOf, tabs } from "../parts.js";
import { publishForm } from "../publish.js";
import { messageRates } from "../rates.js";
import { go, link } from "../router.js";
import { consumerTable } from "./channels.js";
import { state } from "./queues.js";

const TABS = { state: "State", messages: "Messages", bindings: "Bindings", publish: "Publish" };

export const queue = {
  title: (route) => `Queue ${route.parts[2]}`,

  async load(ctx) {
    const [, vhost, name] = ctx.route.parts;
    const where = path("queues", vhost, name);
    const [one, bindings] = await Promise.all([
      get(where + query(samplesOf("lengths", "msg_rates")), ctx.signal),
      tabOf(ctx, TABS) === "bindings" ? get(where + "/bindings", ctx.signal) : null,
    ]);
    const found = tabOf(ctx, TABS) === "messages" ? await loadMessages(ctx, vhost, name) : null;
    return { one, bindings, found, vhost, name };
  },

  view: (ctx, data) => [
    h(
      "div",
      { class: "row", key: "head" },
      state(data.one),
      h("span", { class: "badges" }, flags(data.one)),
      h("span", { class: "muted" }, `in ${data.vhost}`),
      h("span", { class: "gap" }),
      h("button", { class: "second", onclick: () => purge(ctx, data) }, "Purge"),
      h("button", { class: "danger", onclick: () => remove(ctx, data) }, "Delete"),
    ),
    tabs(ctx, TABS),
    VIEWS[tabOf(ctx, TABS)](ctx, data),
  ],
};

const VIEWS = {
  state: (ctx, { one }) => [
    h("div", { class: "row", key: "window" }, h("span", { class: "gap" }), windowSelect(ctx)),
    h(
      "div",
      { class: "charts", key: "charts" },
      chart(ctx, {
        id: "queue-depth",
        title: "Messages",
        show: number,
        series: [
          { label: "ready", color: "c1", points: levels(one.messages_ready_details), now: one.messages_ready },
          {
            label: "unacknowledged",
            color: "c2",
            points: levels(one.messages_unacknowledged_details),
            now: one.messages_unacknowledged,
          },
        ],
      }),
      chart(ctx, {
        id: "queue-rates",
        title: "Message rates",
        show: rate,
        series: messageRates(one.message_stats ?? {}),
      }),
    ),
    h(
      "div",
      { class: "cards", key: "cards" },
      card(
        "Messages",
        facts({
          Ready: whole(one.messages_ready),
          Unacknowledged: whole(one.messages_unacknowledged),
          Total: whole(one.messages),
          "In memory": whole(one.messages_ram),
          Persistent: whole(one.messages_persistent),
          "Size of bodies": octets(one.message_bytes),
          "Size, ready": octets(one.message_bytes_ready),
          "Size, in memory": octets(one.message_bytes_ram),
        }),
      ),
      card(
        "About",
        facts({
          "Queue type": one.type,
          Policy: one.policy || "none",
          "Operator policy": one.operator_policy || "none",
          "Idle since": one.idle_since && moment(one.idle_since),
          "Exclusive owner": one.owner_pid_details?.name,
          "Consumer utilisation":
            one.consumer_utilisation == null ? undefined : `${Math.round(one.consumer_utilisation * 100)} %`,
          "Active consumer": one.single_active_consumer_tag || undefined,
          Arguments: argumentList(one.arguments) || "none",
          "In effect": argumentList(one.effective_policy_definition) || undefined,
        }),
      ),
    ),
    card("Consumers", consumerTable(ctx, one.consumer_details ?? [], "queue")),
  ],

  messages: (ctx, data) => data.found && messages(ctx, data),

  bindings: (ctx, { bindings, vhost, name }) => [
    bindings && card("Bindings to here", bindingTable(ctx, bindings, "destination", "Bindings to this queue")),
    folded(
      "Bind to an exchange",
      bindForm(ctx, vhost, "bind", [field({ name: "source", label: "Exchange", required: true })], ({ source }) => ({
        source,
        destination_type: "q",
        destination: name,
      })),
    ),
  ],

  publish: (ctx, { vhost, name }) => card("Publish to this queue", publishForm(ctx, vhost, "", name)),
};

// Counted now: the figures on the page may be some seconds old.
async function lost(vhost, name) {
  const {
    messages_ready: ready,
    messages_unacknowledged: unacked,
    consumers,
  } = await get(path("queues", vhost, name) + "?columns=messages_ready,messages_unacknowledged,consumers");
  return { ready: ready ?? 0, unacked: unacked ?? 0, consumers: consumers ?? 0 };
}

async function purge(ctx, { vhost, name }) {
  await ctx.act(
    async () => {
      const { ready, unacked } = await lost(vhost, name);
      const text = [
        `${plural(ready, "message")} that wait in ${name} would be lost for good.`,
        unacked > 0 && `${plural(unacked, "message")} that consumers hold are not touched.`,
      ].filter(Boolean);
      if (
        (await confirm({
          title: `Purge ${name}?`,
          text,
          verb: ready ? `Purge ${plural(ready, "message")}` : "Purge",
        })) === null
      )
        return null;
      await call("DELETE", path("queues", vhost, name, "contents"));
      return ready;
    },
    (ready) => ready !== null && `${name} was purged.`,
  );
}

async function remove(ctx, { vhost, name }) {
  await ctx.act(async () => {
    const { ready, unacked, consumers } = await lost(vhost, name);
    const text = [
      `With it ${plural(ready + unacked, "message")} would be lost for good, and its bindings.`,
      consumers > 0 && `${plural(consumers, "consumer")} would be cancelled.`,
    ].filter(Boolean);
    if ((await confirm({ title: `Delete queue ${name}?`, text, verb: "Delete" })) === null) return;
    await call("DELETE", path("queues", vhost, name));
    ctx.say(`Queue ${name} is gone.`);
    go(link(["queues"]));
  });
}
