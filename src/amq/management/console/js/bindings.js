// Bindings: shown, made and taken away, from the side of a queue as from that of an exchange.

import { call, path } from "./api.js";
import { confirm } from "./dialog.js";
import { h } from "./dom.js";
import { argumentsEditor, argumentsOf, field, form } from "./form.js";
import { argumentList, exchangeLink, queueLink } from "./parts.js";
import { table } from "./table.js";

const kind = (binding) => (binding.destination_type === "queue" ? "q" : "e");
const bindingKey = (binding) =>
  [binding.source, binding.destination_type, binding.destination, binding.properties_key].join("\0");

// `side`: what to leave out because the page is about it, "source" or "destination".
export function bindingTable(ctx, bindings, side, label) {
  const columns = [
    side === "destination"
      ? { name: "source", label: "From", cell: (binding) => exchangeLink(binding.vhost, binding.source) }
      : {
          name: "destination",
          label: "To",
          cell: (binding) => [
            binding.destination_type,
            " ",
            binding.destination_type === "queue"
              ? queueLink(binding.vhost, binding.destination)
              : exchangeLink(binding.vhost, binding.destination),
          ],
        },
    { name: "key", label: "Routing key", cell: (binding) => h("code", {}, binding.routing_key) },
    { name: "arguments", label: "Arguments", cell: (binding) => argumentList(binding.arguments) },
    {
      name: "actions",
      label: "",
      cell: (binding) =>
        binding.source !== "" &&
        h(
          "button",
          {
            class: "plain",
            "aria-label": `Unbind ${binding.destination} from ${binding.source}`,
            onclick: () => unbind(ctx, binding),
          },
          "Unbind",
        ),
    },
  ];
  return table(ctx, {
    id: "bindings-" + side,
    label,
    columns,
    rows: bindings,
    key: bindingKey,
    empty: "No bindings.",
    fixed: true,
  });
}

async function unbind(ctx, binding) {
  const to = `${binding.destination_type} ${binding.destination}`;
  const text = `Messages with the key “${binding.routing_key}” will not go from ${binding.source} to ${to} any more.`;
  if ((await confirm({ title: "Take this binding away?", text, verb: "Unbind" })) === null) return;
  ctx.act(
    () =>
      call(
        "DELETE",
        path(
          "bindings",
          binding.vhost,
          "e",
          binding.source,
          kind(binding),
          binding.destination,
          binding.properties_key,
        ),
      ),
    "The binding is gone.",
  );
}

// `ends` answers {source, destination_type, destination} from the form's values.
export const bindForm = (ctx, vhost, id, fields, ends) =>
  form(ctx, {
    id,
    label: "Add a binding",
    verb: "Bind",
    async submit(values) {
      const { source, destination_type: type, destination } = ends(values);
      await call("POST", path("bindings", vhost, "e", source, type, destination), {
        body: { routing_key: values.routing_key, arguments: argumentsOf(ctx, id, "Arguments") },
      });
      return "The binding is there.";
    },
    body: [
      fields,
      field({ name: "routing_key", label: "Routing key" }),
      argumentsEditor(ctx, id, "Arguments", {
        "x-match": { kind: "text", hint: "Headers exchanges: all, any, all-with-x or any-with-x" },
      }),
    ],
  });
