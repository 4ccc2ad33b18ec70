// What stands around every page: navigation, vhost, pace of updates, colours, and what went wrong.

import { clock } from "./format.js";
import { h } from "./dom.js";
import { is } from "./roles.js";
import { change, go, link } from "./router.js";
import { recall, setTheme, THEMES } from "./settings.js";

const PACES = [1, 2, 5, 10, 30, 60];
const SECTIONS = [
  ["", [["overview", "Overview", "management"]]],
  [
    "Messages",
    [
      ["queues", "Queues", "management"],
      ["exchanges", "Exchanges", "management"],
      ["connections", "Connections", "management"],
      ["channels", "Channels", "management"],
    ],
  ],
  [
    "Rules",
    [
      ["policies", "Policies", "management"],
      ["limits", "Limits", "management"],
      ["parameters", "Parameters", "policymaker"],
    ],
  ],
  [
    "Access",
    [
      ["users", "Users", "administrator"],
      ["vhosts", "Virtual hosts", "management"],
    ],
  ],
  [
    "Node",
    [
      ["top", "Top lists", "monitoring"],
      ["trace", "Trace", "administrator"],
      ["logs", "Logs", "monitoring"],
      ["definitions", "Definitions", "administrator"],
      ["configuration", "Configuration", "administrator"],
      ["features", "Feature flags", "administrator"],
    ],
  ],
];
// Lists that can be narrowed to one virtual host; the choice goes along from one to the other.
const BY_VHOST = new Set(["queues", "exchanges", "connections", "channels", "policies", "limits", "parameters"]);

export function shell(app, page) {
  const here = page.route.parts[0] ?? "overview";
  return [
    h(
      "a",
      {
        class: "skip",
        href: "#content",
        onclick: (event) => {
          event.preventDefault();
          document.querySelector("h1")?.focus();
        },
      },
      "Skip to the page",
    ),
    h(
      "header",
      { class: "bar" },
      h(
        "button",
        {
          class: "plain menu",
          "aria-expanded": String(Boolean(app.menu)),
          "aria-controls": "navigation",
          onclick: () => toggle(app, !app.menu),
        },
        "Menu",
      ),
      h("a", { class: "mark", href: "#/overview", "aria-label": "amq, to the overview" }, "amq"),
      h("span", { class: "cluster", title: "Name of the cluster" }, app.cluster),
      BY_VHOST.has(here) && page.route.parts.length < 2 && vhostSelect(app, page),
      h(
        "div",
        { class: "tools" },
        updates(app, page),
        themeSelect(),
        h("span", { class: "who", title: `Tags: ${tags(app.user)}` }, app.user.name),
        h("button", { class: "plain", onclick: app.signOut }, "Sign out"),
      ),
    ),
    h(
      "nav",
      {
        id: "navigation",
        "aria-label": "Pages",
        class: app.menu ? "side open" : "side",
        onclick: (event) => event.target.closest("a") && toggle(app, false),
      },
      SECTIONS.map(([title, links]) => section(app, page, here, title, links)),
    ),
    h(
      "main",
      { id: "content", "aria-busy": String(!page.loaded && !page.error), key: link(page.route.parts) },
      h("h1", { tabindex: "-1" }, page.definition.title(page.route)),
      page.error && h("p", { class: "note bad", role: "alert" }, failure(page)),
      page.problem &&
        h(
          "p",
          { class: "note bad", role: "alert" },
          page.problem,
          " ",
          h(
            "button",
            {
              class: "plain",
              onclick: () => {
                page.problem = null;
                page.redraw();
              },
            },
            "Dismiss",
          ),
        ),
      page.loaded
        ? h("div", { class: "page" }, page.definition.view(page, page.data))
        : !page.error && h("p", { class: "muted" }, "Loading…"),
    ),
  ];
}

function toggle(app, open) {
  app.menu = open;
  app.redraw();
}

function section(app, page, here, title, links) {
  const seen = links.filter(([, , role]) => is(app.user, role));
  return (
    seen.length > 0 &&
    h(
      "div",
      { key: title },
      title && h("h2", {}, title),
      h(
        "ul",
        {},
        seen.map(([name, label]) =>
          h(
            "li",
            {},
            h(
              "a",
              {
                href: link([name], BY_VHOST.has(name) ? { vhost: page.route.query.vhost ?? vhostOf(page.route) } : {}),
                "aria-current": name === here ? "page" : null,
              },
              label,
            ),
          ),
        ),
      ),
    )
  );
}

// On the page of one queue or exchange the lists keep to its virtual host only if one was chosen before.
const vhostOf = (route) => route.query.in;

function failure(page) {
  const at = page.loaded ? ` What you see is from ${clock(page.loaded)}.` : "";
  return page.error.message + at;
}

function vhostSelect(app, page) {
  const chosen = page.route.query.vhost ?? "";
  return h(
    "label",
    { class: "vhost" },
    h("span", {}, "Virtual host"),
    h(
      "select",
      {
        "aria-label": "Virtual host",
        value: chosen,
        onchange: (event) => go(change(page.route, { vhost: event.target.value, page: "" })),
      },
      h("option", { value: "" }, "All"),
      app.vhosts.map((name) => h("option", { value: name, key: name }, name)),
    ),
  );
}

function updates(app, page) {
  return h(
    "div",
    { class: "updates", role: "group", "aria-label": "Updates" },
    h(
      "span",
      { class: "muted loaded", title: "When this page was last brought up to date" },
      page.loaded ? clock(page.loaded) : "",
    ),
    h(
      "select",
      {
        "aria-label": "Update every",
        value: String(app.pace),
        onchange: (event) => app.setPace(Number(event.target.value)),
      },
      PACES.map((seconds) => h("option", { value: String(seconds) }, `${seconds} s`)),
    ),
    h(
      "button",
      { class: "plain", "aria-pressed": String(app.paused), onclick: () => app.pause(!app.paused) },
      app.paused ? "Resume" : "Pause",
    ),
  );
}

function themeSelect() {
  return h(
    "select",
    {
      class: "theme",
      "aria-label": "Colours",
      title: "Colours",
      value: recall("theme", "system"),
      onchange: (event) => setTheme(event.target.value),
    },
    Object.entries(THEMES).map(([theme, label]) => h("option", { value: theme }, label)),
  );
}

const tags = (user) => (Array.isArray(user.tags) ? user.tags.join(", ") : user.tags) || "none";
