// Where the console starts: who is here, which page is open, and when it is asked for again.

import { call, getIfAllowed } from "./api.js";
import { render } from "./dom.js";
import { find } from "./pages.js";
import { link, parse } from "./router.js";
import { recall, remember, setTheme } from "./settings.js";
import { shell } from "./shell.js";
import { signIn } from "./sign-in.js";

const root = document.getElementById("app");
const said = document.getElementById("said");

const app = {
  user: null,
  cluster: "",
  vhosts: [],
  paused: false,
  pace: recall("pace", 5),
  setPace,
  pause,
  refresh,
  redraw,
  signOut,
};
let page = null;
let timer = 0;
let hush = 0;

class Context {
  constructor(definition, route) {
    this.definition = definition;
    this.route = route;
    this.app = app;
    this.user = app.user;
    // What the page itself remembers while it is open: what is unfolded, half-filled forms, marked rows.
    this.state = {};
    this.data = null;
    this.error = null;
    this.problem = null;
    this.loaded = 0;
    this.abort = new AbortController();
    this.leave = [];
  }

  get signal() {
    return this.abort.signal;
  }

  redraw = () => this === page && redraw();
  refresh = () => (this === page ? refresh() : Promise.resolve());
  say = say;

  // Change something, say that it was done, and show how things are now. Answers whether it worked.
  async act(action, done) {
    this.problem = null;
    try {
      const answer = await action();
      const text = typeof done === "function" ? done(answer) : done;
      if (text) say(text);
      await this.refresh();
      return true;
    } catch (error) {
      this.problem = error.message;
      this.redraw();
      return false;
    }
  }
}

function say(text) {
  clearTimeout(hush);
  said.textContent = text;
  hush = setTimeout(() => (said.textContent = ""), 8000);
}

function redraw() {
  if (!app.user) return render(root, signIn(app, enter));
  document.title = `${page.definition.title(page.route)} – ${app.cluster || "amq"}`;
  render(root, shell(app, page));
}

async function refresh() {
  clearTimeout(timer);
  const asked = page;
  asked.abort.abort();
  asked.abort = new AbortController();
  const { signal } = asked;
  try {
    // A page that is opened anew offers the virtual hosts that there are by now.
    const [data] = await Promise.all([asked.definition.load(asked), asked.loaded ? null : loadVhosts(signal)]);
    if (signal.aborted) return;
    asked.data = data;
    asked.error = null;
    asked.loaded = Date.now();
  } catch (error) {
    if (signal.aborted) return;
    if (error.status === undefined) console.error(error);
    if (error.status === 401 && !(await who())) return signedOut("Your session has ended. Sign in again to go on.");
    asked.error = error;
  }
  if (asked !== page) return;
  redraw();
  schedule();
}

function schedule() {
  clearTimeout(timer);
  if (!app.paused && app.user && !document.hidden) timer = setTimeout(refresh, app.pace * 1000);
}

function setPace(seconds) {
  app.pace = seconds;
  remember("pace", seconds);
  app.paused = false;
  refresh();
}

function pause(paused) {
  app.paused = paused;
  say(paused ? "Updates are paused." : "Updates go on.");
  redraw();
  if (paused) clearTimeout(timer);
  else refresh();
}

function close(which) {
  which?.abort.abort();
  which?.leave.forEach((leave) => leave());
}

function arrive() {
  if (!app.user) return;
  const route = parse();
  const definition = find(route.parts);
  const same = page && page.definition === definition && link(page.route.parts) === link(route.parts);
  if (same) {
    page.route = route;
    return void refresh();
  }
  const first = page === null;
  close(page);
  page = new Context(definition, route);
  redraw();
  if (!first) {
    window.scrollTo(0, 0);
    document.querySelector("h1")?.focus();
  }
  refresh();
}

const who = () => getIfAllowed("whoami");

async function loadVhosts(signal) {
  app.vhosts = (await getIfAllowed("vhosts?columns=name&disable_stats=true", signal, [])).map((vhost) => vhost.name);
}

async function enter() {
  app.user = await who();
  if (!app.user) return redraw();
  app.cluster = (await getIfAllowed("cluster-name"))?.name ?? "";
  page = null;
  arrive();
}

function signedOut(why) {
  clearTimeout(timer);
  close(page);
  page = null;
  app.user = null;
  app.why = why;
  redraw();
}

async function signOut() {
  await call("DELETE", "login").catch(() => null);
  signedOut("You are signed out.");
}

window.addEventListener("hashchange", arrive);
window.addEventListener("popstate", arrive);
document.addEventListener("visibilitychange", () =>
  document.hidden ? clearTimeout(timer) : app.user && !app.paused && refresh(),
);
setTheme(recall("theme", "system"));
enter().catch((error) => {
  app.why = error.message;
  redraw();
});
