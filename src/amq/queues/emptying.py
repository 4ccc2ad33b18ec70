"""What a purge leaves to do: to record what is gone, and to free it, bit by bit.

The queue is empty at once; what it held is here until then. A purge is safe when all of that is recorded.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Final

from amq.chores import SLICE, Chore
from amq.journal.batch import Batch
from amq.journal.record import compact
from amq.queues.backlog import Cleared
from amq.queues.span import KeptSpan

# A span that is not in memory counts as so many messages.
SPAN_COST: Final = 128


class Emptying(Chore):
    """The rest of a purge of `count` messages. Once it is `done`, everything is safe as soon as `ticket` is (0: it is).

    `queue` is the id of a queue that the journal keeps, else 0. The deadlines of what stood at `positions` go, too.
    """

    __slots__ = ("queue", "journal", "count", "cleared", "deadlines", "positions", "ticket", "done")

    def __init__(
        self,
        queue: int,
        journal: Batch,
        count: int,
        cleared: list[Cleared],
        deadlines: dict[int, float],
        positions: Iterator[int],
    ) -> None:
        self.queue = queue
        self.journal = journal
        self.count = count
        self.cleared = cleared
        self.deadlines = deadlines
        self.positions = positions
        self.ticket: int = 0
        # Whether all is recorded that is to be.
        self.done: bool = not queue
        if queue:
            journal.owing += 1

    def slice(self) -> bool:
        if not (self._gone() and self._undated()):
            return False
        if not self.done:
            self.done = True
            self.journal.owing -= 1
            self.journal.emptied = True
        return True

    def _gone(self) -> bool:
        """Record and free a slice of the messages; True when none are left."""
        left = SLICE
        while self.cleared and left > 0:
            part = self.cleared[-1]
            left -= self._spans(part, left // SPAN_COST) * SPAN_COST
            taken = part.take(left) if left > 0 else []
            left -= len(taken)
            lsns = [message.lsn for message in taken if message.lsn]
            if lsns and self.queue:
                lsns.sort()
                self.ticket = self.journal.purge(self.queue, compact(lsns))
            if part.empty():
                self.cleared.pop()
        return not self.cleared

    def _spans(self, part: Cleared, most: int) -> int:
        """Record some of what is not in memory; returns how many spans."""
        count = min(max(most, 1), len(part.spans))
        for _ in range(count):
            span = part.spans.popleft()
            if isinstance(span, KeptSpan) and span.lsns and self.queue:
                self.ticket = self.journal.purge(self.queue, span.lsns)
        return count

    def _undated(self) -> bool:
        """Drop a slice of the deadlines; True when there are no more."""
        deadlines = self.deadlines
        left = SLICE
        for position in islice(self.positions, SLICE):
            deadlines.pop(position, None)
            left -= 1
        return left > 0
