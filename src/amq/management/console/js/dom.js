// What a page draws: `h` describes an element, `render` brings the document in line with the description.
// Text becomes text nodes and attributes are set as attributes: nothing here, or anywhere else, parses markup, so that
// whatever stands in a queue's name or a message's body stays text. Elements that are still there are kept, with what
// the reader typed, selected or focused in them.

const SVG = "http://www.w3.org/2000/svg";
// Set as properties, and only when the description of them changes: the reader may have changed the element since.
const PROPERTIES = new Set(["value", "checked", "selected", "open", "indeterminate"]);
const FORBIDDEN = new Set(["style", "srcdoc", "innerhtml", "src", "formaction"]);

export function h(tag, props, ...children) {
  return {
    tag,
    props: props ?? {},
    children: children.flat(Infinity).filter((child) => child != null && child !== false && child !== true),
  };
}

export function render(parent, ...views) {
  const focused = document.activeElement;
  patchChildren(
    parent,
    views.flat(Infinity).filter((view) => view != null && view !== false),
  );
  if (focused !== document.activeElement && focused?.isConnected) focused.focus({ preventScroll: true });
}

function patchChildren(parent, views) {
  const keyed = new Map();
  const free = [];
  for (const node of parent.childNodes) {
    if (node.view?.props?.key === undefined) free.push(node);
    else keyed.set(node.view.props.key, node);
  }
  const nodes = views.map((view) => {
    const key = view.props?.key;
    let node;
    if (key !== undefined) {
      node = keyed.get(key);
      if (node?.view.tag === view.tag) keyed.delete(key);
      else node = undefined;
    } else {
      const at = free.findIndex((other) => fits(other, view));
      if (at >= 0) node = free.splice(at, 1)[0];
    }
    return node ? patch(node, view) : create(view, parent);
  });
  for (const node of [...free, ...keyed.values()]) node.remove();
  let place = parent.firstChild;
  for (const node of nodes) {
    if (node === place) place = place.nextSibling;
    else parent.insertBefore(node, place);
  }
}

function fits(node, view) {
  return typeof view === "object" ? node.view?.tag === view.tag : node.nodeType === Node.TEXT_NODE;
}

function create(view, parent) {
  if (typeof view !== "object") return document.createTextNode(String(view));
  const svg = view.tag === "svg" || (parent.namespaceURI === SVG && parent.localName !== "foreignObject");
  const node = svg ? document.createElementNS(SVG, view.tag) : document.createElement(view.tag);
  node.view = { tag: view.tag, props: { key: view.props.key }, children: [] };
  patch(node, view);
  view.props.ref?.(node);
  return node;
}

function patch(node, view) {
  if (typeof view !== "object") {
    const text = String(view);
    if (node.data !== text) node.data = text;
    return node;
  }
  const before = node.view.props;
  // A select takes its value from options that must be there.
  patchChildren(node, view.children);
  for (const name in before) if (!(name in view.props)) set(node, name, undefined);
  for (const name in view.props) if (view.props[name] !== before[name]) set(node, name, view.props[name]);
  node.view = view;
  return node;
}

function set(node, name, value) {
  if (name === "key" || name === "ref") return;
  if (name.startsWith("on")) {
    if (value != null && typeof value !== "function") throw new TypeError(`${name} must be a function`);
    node[name] = value ?? null;
  } else if (FORBIDDEN.has(name.toLowerCase())) {
    throw new TypeError(`${name} is not for pages to set`);
  } else if (PROPERTIES.has(name) && node.namespaceURI !== SVG) {
    node[name] = value ?? (name === "value" ? "" : false);
  } else if (value == null || value === false) {
    node.removeAttribute(name);
  } else {
    node.setAttribute(name, value === true ? "" : checked(name, value));
  }
}

// Links lead to pages of the console, to its own API, or to a file that the page itself made.
function checked(name, value) {
  const text = String(value);
  if (name === "href" && !/^(#|api\/|blob:)/.test(text)) throw new TypeError("a link must stay in the console");
  return text;
}
