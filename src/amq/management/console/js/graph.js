// A picture of where messages go from an exchange: exchanges and queues, and between them every binding with its key.
// Columns go from left to right in the order in which messages reach them. Lit is the way of the key that was tried.

import { h } from "./dom.js";
import { value } from "./format.js";
import { link } from "./router.js";

// Sizes; `step` is from one to the next below it. The y of everything is its middle.
const BOX = { width: 156, height: 30, step: 40 };
const CHIP = { width: 128, height: 24, step: 34 };
const GAP = 34;
const LETTERS = 7.1;

export const edgeKey = (edge) =>
  [
    edge.kind === "binding" || edge.kind === undefined ? "binding" : edge.kind,
    edge.source,
    edge.destination_type,
    edge.destination,
    edge.properties_key ?? "",
  ].join("\0");
const nodeKey = (type, name) => `${type}\0${name}`;

// edges: bindings and hops ({source, destination_type, destination, routing_key, arguments, kind}).
// lit: those that the tried key takes, a Map of edgeKey -> hop.
export function graph(vhost, start, types, edges, lit) {
  const { nodes, chips, width, height } = layout(start, edges);
  const reached = new Set([nodeKey("exchange", start)]);
  for (const edge of edges) if (lit.has(edgeKey(edge))) reached.add(nodeKey(edge.destination_type, edge.destination));
  return h(
    "div",
    { class: "graph", role: "group", "aria-label": "Bindings graph", tabindex: "0" },
    h(
      "svg",
      {
        width,
        height,
        viewBox: `0 0 ${width} ${height}`,
        role: "group",
        "aria-label": "Where messages go from here; the table below says the same in words",
        class: lit.size ? "tried" : null,
      },
      chips.map((chip) => wires(chip, lit.has(edgeKey(chip.edge)))),
      chips.map((chip) => chipBox(chip, lit.get(edgeKey(chip.edge)))),
      nodes.map((node) => nodeBox(vhost, node, types, reached.has(nodeKey(node.type, node.name)))),
    ),
  );
}

function layout(start, edges) {
  const first = { type: "exchange", name: start, depth: 0, y: 0 };
  const nodes = new Map([[nodeKey("exchange", start), first]]);
  const chips = [];
  // Breadth first, so that every node stands as far to the left as a message can come to it.
  const pending = [first];
  for (const node of pending) {
    if (node.type !== "exchange") continue;
    for (const edge of edges.filter((one) => one.source === node.name)) {
      const key = nodeKey(edge.destination_type, edge.destination);
      let target = nodes.get(key);
      if (!target) {
        target = { type: edge.destination_type, name: edge.destination, depth: node.depth + 1 };
        nodes.set(key, target);
        pending.push(target);
      }
      chips.push({ edge, from: node, to: target });
    }
  }
  const deepest = pending.at(-1).depth;
  for (let depth = 0; depth <= deepest; depth += 1) {
    const column = chips.filter((chip) => chip.from.depth === depth);
    for (const chip of column) {
      const siblings = column.filter((other) => other.from === chip.from);
      chip.y = chip.from.y + (siblings.indexOf(chip) - (siblings.length - 1) / 2) * CHIP.step;
    }
    apart(column, CHIP.step);
    const targets = pending.filter((node) => node.depth === depth + 1);
    for (const node of targets) node.y = mean(column.filter((chip) => chip.to === node).map((chip) => chip.y));
    apart(targets, BOX.step);
  }
  const all = [...pending, ...chips];
  const top = Math.min(...all.map((one) => one.y)) - BOX.step / 2;
  const step = BOX.width + CHIP.width + 2 * GAP;
  for (const one of all) one.y -= top;
  for (const node of pending) node.x = node.depth * step + 1;
  for (const chip of chips) chip.x = chip.from.x + BOX.width + GAP;
  return {
    nodes: pending,
    chips,
    width: deepest * step + BOX.width + 2,
    height: Math.max(...all.map((one) => one.y)) + BOX.step / 2,
  };
}

const mean = (numbers) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;

// Move what is closer together than `step` apart, and the whole back to where its middle was.
function apart(column, step) {
  if (!column.length) return;
  const middle = mean(column.map((one) => one.y));
  column
    .sort((a, b) => a.y - b.y)
    .forEach((one, place) => (one.y = place ? Math.max(one.y, column[place - 1].y + step) : one.y));
  const moved = middle - mean(column.map((one) => one.y));
  for (const one of column) one.y += moved;
}

function wires(chip, on) {
  const { from, to } = chip;
  const back = to.x <= chip.x;
  const target = back ? to.x + BOX.width : to.x;
  return h(
    "g",
    { key: "wire" + edgeKey(chip.edge), class: on ? "wire on" : "wire" },
    h("path", { d: curve(from.x + BOX.width, from.y, chip.x, chip.y) }),
    h("path", { d: curve(chip.x + CHIP.width, chip.y, target, to.y) }),
    h("circle", { cx: target, cy: to.y, r: 3 }),
  );
}

function curve(x1, y1, x2, y2) {
  const bend = Math.max(20, Math.abs(x2 - x1) / 2);
  return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
}

function chipBox({ edge, x, y }, hop) {
  const text = chipText(edge);
  return h(
    "g",
    {
      key: "chip" + edgeKey(edge),
      class: `chip ${hop ? "on" : ""} ${edge.kind ?? "binding"}`,
      transform: `translate(${x} ${y - CHIP.height / 2})`,
    },
    h("title", {}, hop?.reason ? `${text}: ${hop.reason}` : text),
    h("rect", { width: CHIP.width, height: CHIP.height, rx: 12 }),
    h("text", { x: CHIP.width / 2, y: 16, "text-anchor": "middle" }, cut(text, CHIP.width - 16)),
  );
}

function chipText(edge) {
  if (edge.kind === "alternate") return "alternate";
  if (edge.kind === "default") return "by its name";
  const wanted = Object.entries(edge.arguments ?? {}).map(([name, given]) => `${name}=${value(given)}`);
  return [edge.routing_key, ...wanted].filter(Boolean).join(" ") || "(no key)";
}

function nodeBox(vhost, node, types, on) {
  const label = node.name || (node.type === "exchange" ? "(default)" : "(no name)");
  const kind = node.type === "exchange" ? (types.get(node.name) ?? "exchange") : "queue";
  const parts =
    node.type === "exchange" ? ["exchanges", vhost, node.name || "amq.default"] : ["queues", vhost, node.name];
  return h(
    "a",
    {
      key: "node" + nodeKey(node.type, node.name),
      href: link(parts),
      "aria-label": `${node.type} ${label}`,
      class: `node ${node.type} ${on ? "on" : ""}`,
    },
    h(
      "g",
      { transform: `translate(${node.x} ${node.y - BOX.height / 2})` },
      h("title", {}, `${label} (${kind})`),
      h("rect", { width: BOX.width, height: BOX.height, rx: node.type === "exchange" ? 4 : 15 }),
      h("text", { x: 12, y: 19 }, cut(label, BOX.width - 24 - kind.length * 5.6)),
      h("text", { x: BOX.width - 12, y: 19, "text-anchor": "end", class: "kind" }, kind),
    ),
  );
}

const cut = (text, room) =>
  text.length * LETTERS > room ? text.slice(0, Math.max(3, Math.floor(room / LETTERS) - 1)) + "…" : text;
