// Sign in by name and password; the broker answers with a cookie that scripts cannot read.

import { call } from "./api.js";
import { h } from "./dom.js";

let busy = false;

export function signIn(app, enter) {
  async function submit(event) {
    event.preventDefault();
    const given = new FormData(event.target);
    busy = true;
    app.why = "";
    app.redraw();
    try {
      await call("POST", "login", { body: { username: given.get("username"), password: given.get("password") } });
      await enter();
      if (!app.user) app.why = "The broker took the password but keeps no session. Does the browser refuse cookies?";
    } catch (error) {
      app.why =
        error.status === 401 ? "Name or password is wrong, or this user may not use the console." : error.message;
    }
    busy = false;
    app.redraw();
  }
  return h(
    "main",
    { class: "sign-in", key: "sign-in" },
    h(
      "form",
      { onsubmit: submit, class: "card", "aria-labelledby": "sign-in-title" },
      h("h1", { id: "sign-in-title" }, h("span", { class: "mark", "aria-hidden": "true" }, "amq"), "Sign in"),
      app.why && h("p", { class: "note", role: "alert" }, app.why),
      h(
        "label",
        { class: "field" },
        h("span", {}, "User name"),
        h("input", {
          name: "username",
          autocomplete: "username",
          required: true,
          autocapitalize: "none",
          spellcheck: "false",
          ref: (node) => node.focus(),
        }),
      ),
      h(
        "label",
        { class: "field" },
        h("span", {}, "Password"),
        h("input", { name: "password", type: "password", autocomplete: "current-password", required: true }),
      ),
      h("button", { class: "main", disabled: busy }, busy ? "Signing in…" : "Sign in"),
    ),
  );
}
