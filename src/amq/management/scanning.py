"""A walk over the messages that wait in a queue, in slices, without taking any of them.

    async for part in scan.slices():
        for seen in part:
            scan.saw(seen)
            ...

Whoever stops in the middle finds in `scan.next` where to go on. Nothing happens in the queue between the arrival of a
slice and the next `await` of who asked for it; what has left it before is told by `take_out` and `remove`.

Messages that are only on disk are read for it and forgotten again.
"""

import time
from collections.abc import AsyncIterator
from typing import Final

import attrs
import trio

from amq.management.node import Node
from amq.management.turns import SLICE
from amq.queues.looking import Cold, Look, LookLoad, Seen, look
from amq.queues.stored import StoredQueue

# Messages of a slice: so many at first, then as many as fill its time.
FEW: Final = 16
MANY: Final = 512
# Behind every message of a level.
LAST: Final = 1 << 60


class Awaited(LookLoad):
    """Messages from the disk, for a task that waits for them."""

    __slots__ = ("event",)

    def __init__(self, cold: Cold) -> None:
        super().__init__(cold)
        self.event = trio.Event()

    def done(self) -> None:
        self.event.set()


async def load(node: Node, cold: Cold) -> Look | None:
    """What is not in memory, or None when the queue has moved on meanwhile."""
    awaited = Awaited(cold)
    cold.queue.agenda.journal.wanted.append(awaited)
    node.flush()
    await awaited.event.wait()
    return awaited.look


@attrs.define(eq=False)
class Scan:
    """`next` is the position behind which to go on (-1: from the head on; None: all was seen), `most` how many messages
    are looked at at most. `scanned` counts them.
    """

    node: Node
    queue: StoredQueue
    next: int | None
    most: int
    scanned: int = 0
    _size: int = FEW

    def saw(self, seen: Seen) -> None:
        """That one was looked at."""
        self.next = seen.position
        self.scanned += 1

    async def slices(self) -> AsyncIterator[list[Seen]]:
        """Messages in the order in which they would be delivered, some at a time, for about a slice of time each."""
        while self.next is not None and self.scanned < self.most:
            if self.queue.deleted:
                self.next = None
                return
            looked: Look | None = look(self.queue, self.next, min(self._size, self.most - self.scanned))
            assert looked is not None
            if not looked.seen and looked.cold is not None:
                looked = await load(self.node, looked.cold)
                if looked is None:
                    continue
            waiting = looked.seen[: self.most - self.scanned]
            while waiting:
                part, waiting = waiting[: self._size], waiting[self._size :]
                began = time.perf_counter()
                yield part
                self._size = fitting(self._size, time.perf_counter() - began)
                await trio.lowlevel.checkpoint()
            if looked.cold is None and self.scanned < self.most:
                self.next = None if looked.after < 0 else looked.after


def fitting(size: int, seconds: float) -> int:
    """How many messages the next slice shall have, when one of `size` took so long."""
    if seconds > SLICE:
        return max(1, size // 2)
    return min(MANY, 2 * size) if seconds < SLICE / 2 else size


def behind(queue: StoredQueue, position: int) -> int:
    """What to pass to `look` so that it begins with the message at that position."""
    level, place = queue.backlog.split(position)
    if place > 0:
        return queue.backlog.joined(level, place - 1)
    # The first of its level: behind whatever may stand on the level above.
    above = [number for number, _ in queue.backlog.levels_in_order() if number > level]
    return queue.backlog.joined(min(above), LAST) if above else -1


async def standing_at(node: Node, queue: StoredQueue, position: int) -> Seen | None:
    """The message at a position; None when none waits there."""
    while not queue.deleted:
        looked: Look | None = look(queue, behind(queue, position), 1)
        assert looked is not None
        if not looked.seen and looked.cold is not None:
            looked = await load(node, looked.cold)
            if looked is None:
                continue
        return next((seen for seen in looked.seen if seen.position == position), None)
    return None
