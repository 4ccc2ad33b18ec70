// Which page a route opens. A page is {title(route), load(ctx) -> data, view(ctx, data)}.

import { channels, channel } from "./pages/channels.js";
import { configuration } from "./pages/configuration.js";
import { connection, connections } from "./pages/connections.js";
import { definitions } from "./pages/definitions.js";
import { exchange } from "./pages/exchange.js";
import { exchanges } from "./pages/exchanges.js";
import { features } from "./pages/features.js";
import { limits } from "./pages/limits.js";
import { logs } from "./pages/logs.js";
import { overview } from "./pages/overview.js";
import { parameters } from "./pages/parameters.js";
import { policies } from "./pages/policies.js";
import { queue } from "./pages/queue.js";
import { queues } from "./pages/queues.js";
import { top } from "./pages/top.js";
import { trace } from "./pages/trace.js";
import { user } from "./pages/user.js";
import { users } from "./pages/users.js";
import { vhosts } from "./pages/vhosts.js";
import { link } from "./router.js";
import { h } from "./dom.js";

const LISTS = {
  overview,
  queues,
  exchanges,
  connections,
  channels,
  policies,
  limits,
  parameters,
  users,
  vhosts,
  top,
  trace,
  logs,
  definitions,
  configuration,
  features,
};
const OBJECTS = {
  connections: [connection, 2],
  channels: [channel, 2],
  queues: [queue, 3],
  exchanges: [exchange, 3],
  users: [user, 2],
};

const missing = {
  title: () => "No such page",
  load: async () => ({}),
  view: () => h("p", {}, "There is nothing at this address. ", h("a", { href: link(["overview"]) }, "To the overview")),
};

export function find(parts) {
  if (parts.length === 0) return overview;
  if (parts.length === 1) return LISTS[parts[0]] ?? missing;
  const [page, length] = OBJECTS[parts[0]] ?? [];
  return parts.length === length ? page : missing;
}
