// The broker's log, live.

import { url } from "../api.js";
import { h } from "../dom.js";
import { clock } from "../format.js";
import { field } from "../form.js";
import { badge } from "../parts.js";
import { change, go } from "../router.js";

const KEPT = 1000;
const LEVELS = ["debug", "info", "warning", "error", "critical"];

export const logs = {
  title: () => "Logs",
  async load(ctx) {
    if (!ctx.state.source) follow(ctx);
    return ctx.state.lines;
  },
  view: (ctx, lines) => {
    const { level = "debug", q = "" } = ctx.route.query;
    const least = LEVELS.indexOf(level);
    const shown = lines.filter((line) => LEVELS.indexOf(line.level) >= least && (!q || line.text.toLowerCase().includes(q.toLowerCase())));
    return [
      h("div", { class: "row narrow", key: "narrow" },
        field({ name: "level", label: "From level", kind: "select", value: level, options: LEVELS.map((name) => [name, name]), onchange: (event) => go(change(ctx.route, { level: event.target.value }), true) }),
        field({ name: "q", label: "With the text", value: q, oninput: (event) => go(change(ctx.route, { q: event.target.value }), true) }),
        h("span", { class: "gap" }),
        h("span", { class: "muted" }, ctx.state.broken ? "The connection is lost; trying again…" : ctx.app.paused ? "Paused" : `${shown.length} lines`),
        h("button", { class: "second", onclick: () => { ctx.state.lines.length = 0; ctx.redraw(); } }, "Clear")),
      h("div", { class: "log", role: "log", "aria-label": "Log", tabindex: "0", key: "log", ref: (node) => (ctx.state.list = node) },
        shown.map((line) => h("p", { key: line.id, class: line.level }, h("time", {}, clock(line.at)), badge(line.level, line.level), h("span", {}, line.text)))),
    ];
  },
};

function follow(ctx) {
  ctx.state.lines = [];
  const source = new EventSource(url("amq/logs"));
  ctx.state.source = source;
  ctx.leave.push(() => source.close());
  let serial = 0;
  source.onopen = () => { ctx.state.broken = false; };
  source.onerror = () => { ctx.state.broken = true; ctx.redraw(); };
  source.onmessage = (event) => {
    if (ctx.app.paused) return;
    const record = JSON.parse(event.data);
    ctx.state.lines.push({ id: (serial += 1), at: record.at ?? record.time * 1000, level: record.level?.toLowerCase() ?? "info", text: record.text ?? record.message ?? "" });
    ctx.state.lines.splice(0, ctx.state.lines.length - KEPT);
    draw(ctx);
  };
}

// At most once per frame, and at the end of the list only if the reader is there.
function draw(ctx) {
  ctx.state.frame ??= requestAnimationFrame(() => {
    ctx.state.frame = undefined;
    const { list } = ctx.state;
    const atEnd = !list || list.scrollHeight - list.scrollTop - list.clientHeight < 40;
    ctx.redraw();
    if (atEnd && ctx.state.list) ctx.state.list.scrollTop = ctx.state.list.scrollHeight;
  });
}
