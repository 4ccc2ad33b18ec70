// Pages that are told what happens as it happens, by server-sent events: the log, and messages on their way.

import { url } from "./api.js";

// What a page keeps; older entries go. More would slow the page down, and nobody reads it.
const KEPT = 500;

// Follow an address; `kinds` are the names of its events. `take(data, entries, kind)` adds to the entries. Asked for
// another address, it begins anew; it ends with the page.
export function follow(ctx, where, kinds, take) {
  const { state } = ctx;
  if (state.following === where) return state.entries;
  state.source?.close();
  const source = new EventSource(url(where));
  Object.assign(state, { following: where, source, entries: [], broken: false, serial: state.serial ?? 0 });
  ctx.leave.push(() => source.close());
  // After a break the broker tells its last lines once more.
  source.onopen = () => Object.assign(state, { entries: [], broken: false });
  source.onerror = () => {
    state.broken = true;
    ctx.redraw();
  };
  for (const kind of kinds) {
    source.addEventListener(kind, (event) => {
      if (ctx.app.paused || state.source !== source) return;
      take(JSON.parse(event.data), state.entries, kind, (state.serial += 1));
      state.entries.splice(0, state.entries.length - KEPT);
      draw(ctx);
    });
  }
  return state.entries;
}

// At most once per frame, and at the end of the list only if the reader is there.
function draw(ctx) {
  ctx.state.frame ??= requestAnimationFrame(() => {
    ctx.state.frame = undefined;
    const { list } = ctx.state;
    const atEnd = !list || list.scrollHeight - list.scrollTop - list.clientHeight < 40;
    ctx.redraw();
    if (atEnd && ctx.state.list) ctx.state.list.scrollTop = ctx.state.list.scrollHeight;
  });
}

export const condition = (ctx, shown) =>
  ctx.state.broken ? "The connection is lost; trying again…" : ctx.app.paused ? "Paused" : shown;
