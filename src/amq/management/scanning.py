"""A walk over the messages that wait in a queue, in slices, without taking any of them.

    while part := await scan.part():
        for seen in part:
            scan.saw(seen)
            ...

Whoever stops in the middle finds in `scan.next` where to go on. What has left the queue since it was read is told by
`take_out` and `remove`.

Messages that are only on disk are read for it and forgotten again.
"""

import time
from typing import Final

import attrs
import trio

from amq.management.node import Node
from amq.management.turns import SLICE
from amq.queues.looking import Cold, Look, LookLoad, Seen, Sorting, look
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


async def sort(sorting: Sorting) -> Sorting:
    """Take all steps, with turns for others in between."""
    while not sorting.step():
        await trio.lowlevel.checkpoint()
    return sorting


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
    _size: int = attrs.field(default=FEW, init=False)
    # Found, and not handed out yet.
    _waiting: list[Seen] = attrs.field(factory=list, init=False)
    # What comes behind them is nothing.
    _last: bool = attrs.field(default=False, init=False)
    # Those that were returned, where there are many.
    _sorting: Sorting | None = attrs.field(default=None, init=False)
    # When the last part was handed out; 0: none was.
    _given: float = attrs.field(default=0.0, init=False)

    def saw(self, seen: Seen) -> None:
        """That one was looked at."""
        self.next = seen.position
        self.scanned += 1

    async def part(self) -> list[Seen]:
        """The next messages in the order in which they would be delivered; none when it is over.

        As many as take about a slice of time, after which others have had their turn.
        """
        if self._given:
            self._size = fitting(self._size, time.perf_counter() - self._given)
            await trio.lowlevel.checkpoint()
        room = self.most - self.scanned
        while not self._waiting and self.next is not None and room:
            await self._look(room)
        found, self._waiting = self._waiting[: self._size], self._waiting[self._size :]
        self._given = time.perf_counter()
        return found[:room]

    async def _look(self, room: int) -> None:
        """Have something in `_waiting`, or go on to where something may be."""
        assert self.next is not None
        if self.queue.deleted or self._last:
            self.next = None
            return
        looked: Look | None = look(self.queue, self.next, min(self._size, room), self._sorting)
        assert looked is not None
        if not looked.seen and looked.unsorted is not None:
            self._sorting = await sort(looked.unsorted)
            return
        if not looked.seen and looked.cold is not None:
            looked = await load(self.node, looked.cold)
            if looked is None:
                return
        self._waiting = looked.seen
        self._last = looked.after < 0
        if not looked.seen and not self._last:
            self.next = looked.after


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
    sorting: Sorting | None = None
    while not queue.deleted:
        looked: Look | None = look(queue, behind(queue, position), 1, sorting)
        assert looked is not None
        if not looked.seen and looked.unsorted is not None:
            sorting = await sort(looked.unsorted)
            continue
        if not looked.seen and looked.cold is not None:
            looked = await load(node, looked.cold)
            if looked is None:
                continue
        return next((seen for seen in looked.seen if seen.position == position), None)
    return None
