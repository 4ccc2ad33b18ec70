"""Keeps the messages in memory within their budget: lets go of those in the middle of long backlogs.

Nothing is counted per message. When the process is large enough for it to matter, queues are asked what they hold, and
the largest ones page out, in slices between which everybody else gets a turn.
"""

import logging
from collections.abc import Callable
from functools import partial
from typing import Final

import attrs
import trio

from amq.broker import Broker
from amq.queues.backlog import SPAN, SPAN_OCTETS
from amq.queues.base import Queue
from amq.server.alarms import FASTEST
from amq.server.paging import Paging

LOGGER: Final = logging.getLogger(__name__)

# What a message takes besides its body, in octets, roughly.
OVERHEAD: Final = 180
# Messages that a queue lets go of before others get their turn.
SLICE: Final = 8192
# How often to look, in s: at most, at least.
LEAST_INTERVAL: Final = 0.05
INTERVAL: Final = 1.0
# Paging goes on until so much of the budget is in use.
ENOUGH: Final = 0.8


@attrs.define(eq=False)
class Pager:
    """Sees to it that messages take about `budget` octets of memory at most. `resident` measures the process."""

    broker: Broker
    budget: int
    resident: Callable[[], int]
    paging: Paging
    flush: Callable[[], None]
    _blind: bool = attrs.field(default=False, init=False)

    async def run(self) -> None:
        """Until cancelled."""
        self.broker.journal.pages = []
        while True:
            left = self.budget - self.resident()
            if left < 0:
                left = self.budget - await self._relieve()
            if self.paging.in_use():
                await trio.to_thread.run_sync(self.paging.clear)
            await trio.sleep(min(max(left / FASTEST, LEAST_INTERVAL), INTERVAL))

    async def _relieve(self) -> int:
        """Page out what is too much; returns what messages take now."""
        held = self._held()
        total = sum([octets for octets, _ in held])
        if total <= self.budget:
            return total
        goal = int(self.budget * ENOUGH)
        held.sort(key=_octets, reverse=True)
        # What each of the large ones may keep in front.
        large = [queue for octets, queue in held if octets > SPAN_OCTETS]
        keep = SPAN if len(large) * SPAN_OCTETS * 4 < goal else 0
        total = await self._page_out(held, keep, total, goal)
        # Very many queues, each of them short: together they may be too much all the same.
        return await self._page_out(held, 0, total, goal) if keep else total

    async def _page_out(self, held: list[tuple[int, Queue]], keep: int, total: int, goal: int) -> int:
        """Let queues keep only so many messages in front until `goal` is reached; returns what messages take then."""
        for _, queue in held:
            if total <= goal:
                break
            count, bodies = queue.in_memory()
            each = OVERHEAD + bodies // max(1, count)
            while total > goal and not queue.deleted:
                gone = queue.page_out(keep, SLICE)
                total -= gone * each
                await self._write_pages()
                await trio.sleep(0)
                if not gone:
                    break
        return total

    def _held(self) -> list[tuple[int, Queue]]:
        held = []
        for vhost in self.broker.vhosts.values():
            for queue in vhost.queues.values():
                count, octets = queue.in_memory()
                if count:
                    held.append((count * OVERHEAD + octets, queue))
        return held

    async def _write_pages(self) -> None:
        journal = self.broker.journal
        if not journal.pages:
            return
        pages, journal.pages = journal.pages, []
        try:
            await trio.to_thread.run_sync(partial(self.paging.write, pages))
        except OSError as error:
            # They stay in memory, where they are found again; the memory alarm does the rest.
            if not self._blind:
                LOGGER.error("messages cannot be paged out: %s", error)
            self._blind = True
            return
        self._blind = False
        for page in pages:
            if page.place is not None:
                page.pieces = None


def _octets(held: tuple[int, Queue]) -> int:
    return held[0]
