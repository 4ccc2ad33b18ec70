// Feature flags, and features that go away.

import { call, get, getIfAllowed, path } from "../api.js";
import { h } from "../dom.js";
import { badge, card } from "../parts.js";
import { table } from "../table.js";

const text = (one) => [one.desc, one.doc_url && h("small", {}, one.doc_url)];

export const features = {
  title: () => "Feature flags",
  async load(ctx) {
    const [flags, deprecated] = await Promise.all([
      get("feature-flags", ctx.signal),
      getIfAllowed("deprecated-features", ctx.signal, []),
    ]);
    return { flags, deprecated };
  },
  view: (ctx, { flags, deprecated }) => [
    card(
      "Feature flags",
      table(ctx, {
        id: "flags",
        label: "Feature flags",
        rows: flags,
        key: (flag) => flag.name,
        fixed: true,
        columns: [
          { name: "name", label: "Name", cell: (flag) => flag.name },
          { name: "state", label: "State", cell: (flag) => badge(flag.state, flag.state === "enabled" ? "good" : "") },
          { name: "stability", label: "Stability", cell: (flag) => flag.stability },
          { name: "description", label: "Description", cell: text },
          {
            name: "actions",
            label: "",
            cell: (flag) =>
              flag.state === "disabled" &&
              h(
                "button",
                {
                  class: "plain",
                  "aria-label": `Enable ${flag.name}`,
                  onclick: () =>
                    ctx.act(
                      () => call("PUT", path("feature-flags", flag.name) + "/enable", { body: { name: flag.name } }),
                      `${flag.name} is enabled.`,
                    ),
                },
                "Enable",
              ),
          },
        ],
      }),
    ),
    deprecated.length > 0 &&
      card(
        "Deprecated features",
        table(ctx, {
          id: "deprecated",
          label: "Deprecated features",
          rows: deprecated,
          key: (one) => one.name,
          fixed: true,
          columns: [
            { name: "name", label: "Name", cell: (one) => one.name },
            { name: "phase", label: "Phase", cell: (one) => badge(one.deprecation_phase ?? one.state ?? "") },
            { name: "description", label: "Description", cell: text },
          ],
        }),
      ),
  ],
};
