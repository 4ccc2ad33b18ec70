// Publish a message from the browser.

import { call, path } from "./api.js";
import { h } from "./dom.js";
import { argumentsEditor, argumentsOf, field, form } from "./form.js";

const TEXTS = {
  content_type: "Content type",
  message_id: "Message id",
  correlation_id: "Correlation id",
  reply_to: "Reply to",
  expiration: "Expiration in ms",
  type: "Type",
  app_id: "Application",
};

// `fixed`: the routing key, where it is not to be chosen.
export const publishForm = (ctx, vhost, exchange, fixed) =>
  form(ctx, {
    id: "publish",
    label: "Publish a message",
    verb: "Publish",
    keep: true,
    async submit(values) {
      const properties = {
        delivery_mode: Number(values.delivery_mode),
        headers: argumentsOf(ctx, "publish", "Headers"),
      };
      for (const name in TEXTS) if (values[name]) properties[name] = values[name];
      if (values.priority) properties.priority = Number(values.priority);
      const answer = await call("POST", path("exchanges", vhost, exchange || "amq.default") + "/publish", {
        body: {
          properties,
          routing_key: fixed ?? values.routing_key,
          payload: values.payload,
          payload_encoding: values.payload_encoding,
        },
      });
      if (!answer.routed) throw new Error("The message was published, but no queue is reached by it: it is gone.");
      return "The message was published.";
    },
    body: [
      fixed === undefined && field({ name: "routing_key", label: "Routing key" }),
      field({
        name: "delivery_mode",
        label: "Delivery mode",
        kind: "select",
        options: [
          ["2", "Persistent"],
          ["1", "Transient"],
        ],
      }),
      field({ name: "payload", label: "Body", kind: "textarea", wide: true }),
      argumentsEditor(ctx, "publish", "Headers"),
      h(
        "details",
        { class: "wide", key: "more" },
        h("summary", {}, "More properties"),
        h(
          "div",
          { class: "fields" },
          field({
            name: "payload_encoding",
            label: "The body is",
            kind: "select",
            options: [
              ["string", "Text"],
              ["base64", "Base64"],
            ],
          }),
          field({ name: "priority", label: "Priority", kind: "number" }),
          Object.entries(TEXTS).map(([name, label]) => field({ name, label })),
        ),
      ),
    ],
  });
