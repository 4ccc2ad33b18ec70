// The broker's log, live.

import { h } from "../dom.js";
import { field } from "../form.js";
import { clock, plural } from "../format.js";
import { badge } from "../parts.js";
import { change, go } from "../router.js";
import { condition, follow } from "../stream.js";

const LEVELS = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

export const logs = {
  title: () => "Logs",

  async load(ctx) {
    const level = LEVELS.includes(ctx.route.query.level) ? ctx.route.query.level : "debug";
    follow(ctx, `amq/logs?follow=true&level=${level}`, ["message"], (line, lines) => lines.push(line));
    return {};
  },

  view(ctx) {
    const { level = "debug", q = "" } = ctx.route.query;
    const shown = ctx.state.entries.filter((line) => !q || line.text.toLowerCase().includes(q.toLowerCase()));
    const to = (query) => (event) => go(change(ctx.route, { [query]: event.target.value }), true);
    return [
      h(
        "div",
        { class: "row narrow", key: "narrow" },
        field({
          name: "level",
          label: "From level",
          kind: "select",
          value: level,
          options: LEVELS.map((name) => [name, name]),
          onchange: to("level"),
        }),
        field({ name: "q", label: "With the text", value: q, oninput: to("q") }),
        h("span", { class: "gap" }),
        h("span", { class: "muted" }, condition(ctx, plural(shown.length, "line"))),
        h(
          "button",
          {
            class: "second",
            onclick: () => {
              ctx.state.entries.length = 0;
              ctx.redraw();
            },
          },
          "Clear",
        ),
      ),
      h(
        "div",
        {
          class: "log",
          role: "log",
          "aria-label": "Log",
          tabindex: "0",
          key: "log",
          ref: (node) => (ctx.state.list = node),
        },
        shown.map((line) =>
          h(
            "p",
            { key: line.number },
            h("time", {}, clock(line.time * 1000)),
            badge(line.level, line.level),
            h("span", {}, line.text),
          ),
        ),
      ),
    ];
  },
};
