// Where the reader is, kept in the fragment of the address: #/queues/%2F/orders?tab=messages can be bookmarked.

export function parse(fragment = location.hash) {
  const [before, after = ""] = fragment.replace(/^#\/?/, "").split(/\?(.*)/s);
  return {
    parts: before
      .split("/")
      .map(decode)
      .filter((part, place) => place > 0 || part),
    query: Object.fromEntries(new URLSearchParams(after)),
  };
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

// link(["queues", "/", "a b"], {tab: "x"}) -> "#/queues/%2F/a%20b?tab=x". Empty parameters are left out.
export function link(parts, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  return "#/" + parts.map(encodeURIComponent).join("/") + (given.length ? "?" + new URLSearchParams(given) : "");
}

// The same page with some parameters changed (an empty one is taken away).
export const change = (route, query) => link(route.parts, { ...route.query, ...query });

// With `replace` the step does not show in the browser's history.
export function go(to, replace = false) {
  if (to === location.hash) return;
  if (replace) history.replaceState(null, "", to);
  else history.pushState(null, "", to);
  window.dispatchEvent(new Event("hashchange"));
}
