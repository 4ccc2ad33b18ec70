// Looking at what waits in a queue: a part of it, as it was when it was asked for.

import { get, path, query } from "./api.js";

const SHOWN = 20;
// Octets of a body that are fetched before somebody wants all of them.
export const CUT = 4000;

export const messagesPath = (vhost, name) => path("amq", "queues", vhost, name, "messages");

export async function loadMessages(ctx, vhost, name) {
  const { selector, from } = ctx.route.query;
  const asked = JSON.stringify([selector, from, ctx.state.again]);
  if (ctx.state.asked === asked) return ctx.state.found;
  let found;
  try {
    found = {
      at: Date.now(),
      ...(await get(messagesPath(vhost, name) + query({ selector, from, limit: SHOWN, truncate: CUT }), ctx.signal)),
    };
  } catch (error) {
    if (error.status === undefined) throw error;
    found = { at: Date.now(), problem: error.message, messages: [] };
  }
  Object.assign(ctx.state, { asked, found, open: null, whole: null });
  return found;
}

export const again = (ctx) => {
  ctx.state.again = (ctx.state.again ?? 0) + 1;
  return ctx.refresh();
};
