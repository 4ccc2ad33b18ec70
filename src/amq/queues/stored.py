"""A queue whose messages may stand in the journal: what leaves is recorded, what waits need not be in memory."""

from collections.abc import Iterable
from itertools import chain
from typing import Final

from amq.journal.loading import Load, Page
from amq.journal.record import Lsns
from amq.journal.replay import Stretch
from amq.message import Message
from amq.queues.arguments import Options
from amq.queues.backlog import Backlog, Cleared, Fifo
from amq.queues.base import Agenda, Queue
from amq.queues.emptying import Emptying
from amq.queues.priority import Prioritized
from amq.queues.span import KeptSpan, PagedSpan, Span, unpacked
from amq.wire.tables import Table

# What a queue waits with for its first message: nothing is ever put into it, and it is everybody's, because an empty
# backlog of one's own takes more than a kilobyte.
UNUSED: Final = Fifo()


class StoredQueue(Queue):
    """The backlog of a queue, and its part in the journal.

    `fifo` is the same object as `backlog` when that is a plain fifo, for the tight paths. `deadlines` say when messages
    expire (monotonic seconds), by position, from enqueueing until they are settled. `fetching`: part of the backlog may
    not be in memory.
    """

    __slots__ = ("declared", "options", "backlog", "fifo", "deadlines", "fetching")

    def __init__(
        self,
        name: bytes,
        durable: bool,
        owner: object | None,
        auto_delete: bool,
        arguments: Table,
        agenda: Agenda,
        options: Options,
        queue_id: int,
    ) -> None:
        super().__init__(name, durable, owner, auto_delete, arguments, agenda, queue_id)
        # What the arguments say, and what counts: under a policy that is something else.
        self.declared = options
        self.options = options
        self.fifo: Fifo | None = None if options.max_priority else UNUSED
        self.backlog: Backlog = self.fifo or Prioritized(options.max_priority)
        self.deadlines: dict[int, float] = {}
        self.fetching: bool = False

    def furnish(self) -> None:
        """Have a backlog of its own, before anything is put into it."""
        if self.backlog is UNUSED:
            self.fifo = self.backlog = Fifo()

    def enforce_limits(self) -> None:
        """Drop heads until the queue is within its limits."""
        raise NotImplementedError

    def drop_expired(self) -> bool:
        """Drop heads whose time is over, and see to it that the next head is looked after in time. False: it is one of
        those that are yet to be dropped.
        """
        raise NotImplementedError

    def forget(self, message: Message) -> None:
        """A message that stands in the journal is gone from this queue for good."""
        settled = self.settled
        if not settled.lsns:
            self.agenda.journal.settled.append(settled)
        settled.lsns.append(message.lsn)
        settled.octets += len(message.body)

    def forget_all(self, messages: list[Message]) -> None:
        """Forget those that stand in the journal."""
        for message in messages:
            if message.lsn:
                self.forget(message)

    def emptied(self) -> Emptying:
        count = self.backlog.size()
        cleared = self.backlog.clear()
        positions: list[Iterable[int]] = []
        if self.deadlines:
            # Those of messages that are out for delivery stay.
            positions = [self._positions(level, part) for level, part in cleared]
        parts = [part for _, part in cleared]
        emptying = Emptying(self.id, self.agenda.journal, count, parts, self.deadlines, chain.from_iterable(positions))
        self.fetching = False
        self.size = 0
        self.agenda.chores.begin(emptying)
        return emptying

    def _positions(self, level: int, part: Cleared) -> Iterable[int]:
        joined = self.backlog.joined
        back = [joined(level, place) for place in part.back]
        first = joined(level, part.places.start)
        return chain(back, range(first, joined(level, part.places.stop), joined(level, 1) - joined(level, 0)))

    # -- what is not in memory --

    def fetch(self) -> None:
        """Have the next messages read back that will soon be needed."""
        self.fetching = False
        for _, fifo in self.backlog.levels_in_order():
            if not fifo.cold:
                continue
            span = fifo.wanted()
            if span is not None:
                self.agenda.journal.wanted.append(ColdLoad(self, fifo, span))
            self.fetching = bool(fifo.cold) or self.fetching

    def cold_head(self) -> bool:
        return bool(self.backlog.size()) and not self.backlog.at_hand()

    def page_out(self, keep: int, most: int) -> int:
        journal = self.agenda.journal
        safe = journal.safe_lsn if self.keeps else None
        count = 0
        for _, fifo in reversed(self.backlog.levels_in_order()):
            if count < most:
                count += fifo.chill(keep, most - count, safe, journal.pages)
        if count:
            self.fetching = True
            if self.consumer_count():
                self.touch()
        return count

    def in_memory(self) -> tuple[int, int]:
        messages = 0
        octets = 0
        for _, fifo in self.backlog.levels_in_order():
            count = fifo.in_memory()
            messages += count
            octets += count * fifo.average()
        return messages, octets

    def warmed(self) -> None:
        self.enforce_limits()
        self.drop_expired()
        self.touch()

    def patience(self) -> int:
        return self.options.consumer_timeout

    def timed(self) -> bool:
        return self.options.ttl >= 0

    def restore(self, stretches: list[Stretch], delivered: dict[int, int] | None) -> None:
        self.furnish()
        # Deadlines go on from when the messages were published.
        clock = self.agenda.clock
        skew = clock.wall() - clock.now
        for stretch in stretches:
            lsns = range(stretch.first, stretch.first + stretch.count)
            positions, fifo = self.backlog.restore(stretch.priority, lsns, stretch.octets)
            self.size += stretch.octets
            if delivered is None:
                fifo.delivered = lsns[-1]
            deadline = stretch.deadline(self.options.ttl)
            if deadline >= 0:
                for position in positions:
                    self.deadlines[position] = deadline / 1000 - skew
        if delivered is not None:
            for level, fifo in self.backlog.levels_in_order():
                fifo.delivered = delivered.get(level, 0)
        self.fetching = True
        self.enforce_limits()
        self.drop_expired()

    def delivered_bounds(self) -> list[tuple[int, int]]:
        bounds = [(level, fifo.delivered_bound()) for level, fifo in self.backlog.levels_in_order()]
        return [(level, bound) for level, bound in bounds if bound]


class ColdLoad(Load):
    """Messages of a queue that are to come back into memory."""

    __slots__ = ("queue", "fifo", "span")

    def __init__(self, queue: Queue, fifo: Fifo, span: Span) -> None:
        super().__init__()
        self.queue = queue
        self.fifo = fifo
        self.span = span

    def lsns(self) -> Lsns | None:
        return self.span.lsns if isinstance(self.span, KeptSpan) else None

    def page(self) -> Page:
        assert isinstance(self.span, PagedSpan), "the others have numbers"
        return self.span.page

    def unpack(self, octets: bytes) -> list[Message]:
        return unpacked(octets)

    def stale(self) -> bool:
        return self.span is not self.fifo.loading

    def arrived(self, messages: list[Message]) -> None:
        if self.fifo.arrived(self.span, messages):
            self.queue.warmed()


def delivered_before(fifo: Fifo, messages: list[Message]) -> int:
    """How many of these, the first ones, had been delivered before the broker was started."""
    bound = fifo.delivered
    count = 0
    for message in messages:
        if not 0 < message.lsn <= bound:
            # What follows is newer.
            fifo.delivered = 0
            break
        count += 1
    return count
