// Line charts, drawn as SVG that stretches with the page; everything written on them is HTML, so that it does not.
// All charts of a page share one cursor: where the pointer is, or the arrow keys have moved it.

import { clock, minute } from "./format.js";
import { h } from "./dom.js";
import { recall, remember } from "./settings.js";

// Seconds to look back, and between two samples.
const WINDOWS = {
  60: ["1 minute", 5],
  600: ["10 minutes", 5],
  3600: ["1 hour", 60],
  28800: ["8 hours", 600],
  86400: ["1 day", 1800],
};
const TICKS = 4;

const chosenWindow = () => recall("window", 600);

// The query parameters that ask for samples, for any of lengths, msg_rates, data_rates, node_stats.
export function samplesOf(...kinds) {
  const age = chosenWindow();
  return Object.fromEntries(
    kinds.flatMap((kind) => [
      [kind + "_age", age],
      [kind + "_incr", WINDOWS[age][1]],
    ]),
  );
}

export function windowSelect(ctx) {
  return h(
    "label",
    { class: "inline" },
    h("span", {}, "Charts show the last"),
    h(
      "select",
      {
        "aria-label": "Charts show the last",
        value: String(chosenWindow()),
        onchange: (event) => {
          remember("window", Number(event.target.value));
          ctx.refresh();
        },
      },
      Object.entries(WINDOWS).map(([age, [label]]) => h("option", { value: age }, label)),
    ),
  );
}

const sorted = (details) => [...(details?.samples ?? [])].sort((a, b) => a.timestamp - b.timestamp);

// A level, such as a queue's length: [moment, value].
export const levels = (details) => sorted(details).map(({ timestamp, sample }) => [timestamp, sample]);

// A level that is never zero: such samples are from before the broker was started.
export function measured(details) {
  const points = levels(details);
  return points.slice(
    Math.max(
      0,
      points.findIndex(([, value]) => value > 0),
    ),
  );
}

// The speed of a counter between two samples each: [moment, per second].
export function speeds(details) {
  const samples = sorted(details);
  return samples.slice(1).map(({ timestamp, sample }, place) => {
    const before = samples[place];
    return [timestamp, Math.max(0, (sample - before.sample) / ((timestamp - before.timestamp) / 1000 || 1))];
  });
}

// `show.base` 2 makes round numbers of octets; `show.least` is the least that the scale reaches to.
// series: [{label, color, points, now?}]; `show` writes a value; `limit`: {label, value} draws a line across.
export function chart(ctx, { id, title, series, show, limit, note }) {
  const hidden = new Set(recall("hidden." + id, []));
  const drawn = series.filter((one) => !hidden.has(one.label));
  const moments = [...new Set(drawn.flatMap((one) => one.points.map(([at]) => at)))].sort((a, b) => a - b);
  const [start, stop] = [moments[0], moments.at(-1)];
  const most = Math.max(0, ...drawn.flatMap((one) => one.points.map(([, value]) => value)));
  const top = ceiling(
    limit && most > limit.value / 2 ? Math.max(most, limit.value) : most,
    show.base ?? 10,
    show.least ?? 1,
  );
  const x = (at) => (stop > start ? ((at - start) / (stop - start)) * 1000 : 1000);
  const y = (value) => 100 - (value / top) * 100;
  const cursor = nearest(moments, ctx.state.cursor);
  const seen = (one) =>
    cursor === undefined ? (one.now ?? one.points.at(-1)?.[1]) : one.points.find(([at]) => at === cursor)?.[1];
  return h(
    "figure",
    { class: "chart", key: "chart-" + id },
    h(
      "figcaption",
      {},
      h("span", { class: "title" }, title),
      h("span", { class: "muted" }, cursor === undefined ? note : clock(cursor)),
    ),
    h(
      "div",
      { class: "plot" },
      h(
        "div",
        { class: "scale", "aria-hidden": "true" },
        ticks(top).map((value) => h("span", {}, show(value))),
      ),
      h(
        "svg",
        {
          viewBox: "0 0 1000 100",
          preserveAspectRatio: "none",
          role: "img",
          tabindex: "0",
          "aria-label": summary(title, drawn, seen, show, cursor),
          onpointermove: (event) => point(ctx, event, start, stop),
          onpointerleave: () => steer(ctx, undefined),
          onkeydown: (event) => step(ctx, event, moments, cursor),
          onblur: () => steer(ctx, undefined),
        },
        ticks(top).map((value) => h("line", { class: "grid", x1: 0, x2: 1000, y1: y(value), y2: y(value) })),
        limit &&
          limit.value <= top &&
          h("line", { class: "limit", x1: 0, x2: 1000, y1: y(limit.value), y2: y(limit.value) }),
        drawn.map(
          (one) =>
            one.points.length > 1 &&
            h("path", { key: one.label, class: `line ${one.color}`, d: line(one.points, x, y) }),
        ),
        cursor !== undefined &&
          h("line", { class: "cursor", key: "cursor", x1: x(cursor), x2: x(cursor), y1: 0, y2: 100 }),
      ),
      h(
        "div",
        { class: "moments", "aria-hidden": "true" },
        moments.length > 1
          ? [start, (start + stop) / 2, stop].map((at) =>
              h("span", {}, stop - start < 240_000 ? clock(at) : minute(at)),
            )
          : h("span", {}, "no samples yet"),
      ),
    ),
    h(
      "ul",
      { class: "legend" },
      series.map((one) =>
        h(
          "li",
          { key: one.label },
          h(
            "button",
            {
              class: `plain ${one.color}`,
              "aria-pressed": String(!hidden.has(one.label)),
              title: `Show or hide ${one.label}`,
              onclick: () => toggle(ctx, id, hidden, one.label),
            },
            h("i", { "aria-hidden": "true" }),
            h("span", {}, one.label),
            h("b", {}, show(seen(one))),
          ),
        ),
      ),
    ),
  );
}

function line(points, x, y) {
  return points.map(([at, value], place) => `${place ? "L" : "M"}${x(at).toFixed(1)} ${y(value).toFixed(2)}`).join("");
}

// The next round number, so that the scale does not move with every sample.
function ceiling(value, base, least) {
  if (!(value > least)) return least;
  const power = base ** Math.floor(Math.log(value) / Math.log(base));
  const steps = base === 10 ? [1, 2, 4, 5, 8, 10] : [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];
  return power * steps.find((factor) => factor * power >= value * 0.999);
}

const ticks = (top) => Array.from({ length: TICKS + 1 }, (_, place) => (top * (TICKS - place)) / TICKS);

function nearest(moments, wanted) {
  if (wanted === undefined || !moments.length) return undefined;
  return moments.reduce((best, at) => (Math.abs(at - wanted) < Math.abs(best - wanted) ? at : best));
}

function point(ctx, event, start, stop) {
  const box = event.currentTarget.getBoundingClientRect();
  if (stop > start) steer(ctx, start + ((event.clientX - box.left) / box.width) * (stop - start));
}

function step(ctx, event, moments, cursor) {
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (event.key === "Escape") steer(ctx, undefined);
  if (!by || !moments.length) return;
  event.preventDefault();
  const at = cursor === undefined ? moments.length - 1 : moments.indexOf(cursor) + by;
  steer(ctx, moments[Math.min(Math.max(at, 0), moments.length - 1)]);
}

function steer(ctx, moment) {
  if (ctx.state.cursor === moment) return;
  ctx.state.cursor = moment;
  ctx.state.frame ??= requestAnimationFrame(() => {
    ctx.state.frame = undefined;
    ctx.redraw();
  });
}

function toggle(ctx, id, hidden, label) {
  if (!hidden.delete(label)) hidden.add(label);
  remember("hidden." + id, [...hidden]);
  ctx.redraw();
}

function summary(title, drawn, seen, show, cursor) {
  const values = drawn.map((one) => `${one.label} ${show(seen(one))}`).join(", ");
  const when = cursor === undefined ? ", now" : ` at ${clock(cursor)}`;
  return `${title}${when}: ${values || "nothing"}. Arrow keys go back and forth in time.`;
}
