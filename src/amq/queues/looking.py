"""Looking at what waits in a queue without touching it, and taking single messages out of the middle.

Nothing here changes what consumers get, when, in which order, or with which flags. Positions are those of the backlog:
a message keeps its own for as long as it waits, whatever comes, goes or is removed around it.
"""

from bisect import bisect_left, bisect_right
from collections import deque
from itertools import islice
from typing import Final

from amq.journal.loading import Load, Page
from amq.journal.record import Lsns
from amq.message import Message
from amq.queues.backlog import Fifo
from amq.queues.span import GONE, KeptSpan, PagedSpan, Span, unpacked
from amq.queues.stored import StoredQueue

# So many returned messages are sorted at once. Of more, so many are looked at in a step, and so many are sorted.
FEW: Final = 1000
STEP: Final = 2048
SORTED: Final = 8192
# Behind every place.
BEYOND: Final = 1 << 62


class Seen:
    """A message that waits at `position`; `redelivered` is what a consumer would be told."""

    __slots__ = ("position", "message", "redelivered")

    def __init__(self, position: int, message: Message, redelivered: bool) -> None:
        self.position = position
        self.message = message
        self.redelivered = redelivered


class Look:
    """One step of looking through a queue: messages in the order in which they would be delivered.

    `after` is what to pass to go on, -1 when that was all. With `cold` the next messages are not in memory: a LookLoad
    of it brings them, and whoever looks again from `after` without one gets the same answer. So it is with `unsorted`:
    take all its steps, and look again with it.
    """

    __slots__ = ("seen", "after", "cold", "unsorted")

    def __init__(
        self, seen: list[Seen], after: int, cold: "Cold | None" = None, unsorted: "Sorting | None" = None
    ) -> None:
        self.seen = seen
        self.after = after
        self.cold = cold
        self.unsorted = unsorted


class Sorting:
    """The returned messages of a part that come next behind the place `after`, in order.

    There may be very many, in no order at all, and nobody can wait while they are sorted: so it is done in steps, and
    only for as many as will soon be looked at. `whole`: nothing is returned behind those.
    """

    __slots__ = ("fifo", "after", "whole", "_bound", "_pairs", "_at", "_found")

    def __init__(self, fifo: Fifo, after: int) -> None:
        self.fifo = fifo
        self.after = after
        self.whole: bool = True
        self._bound: int = BEYOND
        self._pairs: list[tuple[int, Message]] = list(fifo.returned)
        self._at: int = 0
        self._found: list[tuple[int, Message]] = []

    def step(self) -> bool:
        """Go on for a moment; True when that was the last step."""
        after, bound, back = self.after, self._bound, self.fifo.back
        stop = self._at + STEP
        # Of those that are gone there may be more than are sorted at once, and then nobody would ever get past them.
        self._found += [pair for pair in self._pairs[self._at : stop] if after < pair[0] < bound and pair[0] in back]
        self._at = stop
        done = stop >= len(self._pairs)
        found = self._found
        if done or len(found) > 2 * SORTED:
            found.sort(key=_place)
            if len(found) > SORTED:
                del found[SORTED:]
                self._bound = found[-1][0] + 1
                self.whole = False
        if done:
            self._pairs = []
        return done

    def covers(self, fifo: Fifo, after: int) -> bool:
        """Whether it says what comes behind that place of that part."""
        return fifo is self.fifo and self.after <= after and (self.whole or after < self._found[-1][0])

    def behind(self, after: int, most: int) -> list[tuple[int, Message]]:
        """The next ones that are still there."""
        found: list[tuple[int, Message]] = []
        back = self.fifo.back
        at = bisect_right(self._found, after, key=_place)
        while len(found) < most and at < len(self._found):
            part = self._found[at : at + most]
            found += [pair for pair in part if pair[0] in back]
            at += len(part)
        return found[:most]


class Cold:
    """A span on one of a queue's levels, of which what stands behind the place `after` (of that level) is wanted."""

    __slots__ = ("queue", "level", "fifo", "span", "after")

    def __init__(self, queue: StoredQueue, level: int, fifo: Fifo, span: Span, after: int) -> None:
        self.queue = queue
        self.level = level
        self.fifo = fifo
        self.span = span
        self.after = after


class LookLoad(Load):
    """Reads a span for somebody who looks: append it to the journal's `wanted`, and wait for `done`.

    `look` is then what stands in the span, or None when the queue has moved on meanwhile: look again from where you
    were.
    """

    __slots__ = ("cold", "look")

    def __init__(self, cold: Cold) -> None:
        super().__init__()
        self.cold = cold
        self.look: Look | None = None

    def done(self) -> None:
        """The answer is there."""
        raise NotImplementedError

    def lsns(self) -> Lsns | None:
        span = self.cold.span
        return span.lsns if isinstance(span, KeptSpan) else None

    def page(self) -> Page:
        assert isinstance(self.cold.span, PagedSpan), "the others have numbers"
        return self.cold.span.page

    def unpack(self, octets: bytes) -> list[Message]:
        return unpacked(octets)

    def stale(self) -> bool:
        # What has left the span may have left the journal, too.
        cold = self.cold
        return cold.queue.deleted or cold.span not in cold.fifo.cold or not cold.span.stored()

    def arrived(self, messages: list[Message]) -> None:
        if not self.stale():
            self.look = _in_span(self.cold, messages)
        self.done()


def look(queue: StoredQueue, after: int, most: int, sorting: Sorting | None = None) -> Look:
    """The next messages behind the position `after` (-1: from the head on), `most` of them at most.

    `sorting` is what the look before asked for, if it did.
    """
    backlog = queue.backlog
    level, place = backlog.split(after) if after >= 0 else (-1, -1)
    parts = backlog.levels_in_order()
    if level >= 0:
        parts = [part for part in parts if part[0] <= level]
    seen: list[Seen] = []
    for number, fifo in parts:
        start = place if number == level else -1
        found, span, unsorted = _ahead(fifo, start, most - len(seen), sorting)
        seen += [Seen(backlog.joined(number, at), message, again) for at, message, again in found]
        cursor = seen[-1].position if seen else after
        if unsorted is not None:
            return Look(seen, cursor, None, unsorted)
        if span is not None:
            last = found[-1][0] if found else start
            return Look(seen, cursor, Cold(queue, number, fifo, span, last))
        if len(seen) >= most:
            return Look(seen, seen[-1].position)
    return Look(seen, -1)


def take_out(queue: StoredQueue, position: int, message: Message) -> bool:
    """Take a message that waits out of its queue, as `look` has found it; False when it does not wait there any more.

    What the journal is to know of it is left to the caller, as it may go somewhere else.
    """
    backlog = queue.backlog
    level, place = backlog.split(position)
    fifo = dict(backlog.levels_in_order()).get(level)
    if fifo is None or not _strike(fifo, place, message):
        return False
    backlog.removed()
    queue.size -= len(message.body)
    queue.deadlines.pop(position, None)
    return True


def remove(queue: StoredQueue, position: int, message: Message) -> bool:
    """Delete a message that waits, as `look` has found it; False when it does not wait there any more."""
    if not take_out(queue, position, message):
        return False
    if queue.keeps and message.lsn:
        queue.forget(message)
    if queue.deadlines:
        # Another head, perhaps.
        queue.drop_expired()
    return True


def _ahead(
    fifo: Fifo, after: int, most: int, sorting: Sorting | None
) -> tuple[list[tuple[int, Message, bool]], Span | None, Sorting | None]:
    """What stands behind a place in memory, and the span that comes next if one does; or what must be sorted first."""
    found: list[tuple[int, Message, bool]] = []
    if after < fifo.head and fifo.returned:
        many = len(fifo.returned) > FEW
        if not many:
            waiting = [pair for pair in fifo.returned if pair[0] > after and pair[0] in fifo.back]
            waiting.sort(key=_place)
        elif sorting is None or not sorting.covers(fifo, after):
            return found, None, Sorting(fifo, after)
        else:
            waiting = sorting.behind(after, most)
        found = [(place, message, True) for place, message in waiting[:most]]
        if many and sorting is not None and not sorting.whole and len(found) < most:
            return found, None, Sorting(fifo, found[-1][0] if found else after)
    place = max(after + 1, fifo.head)
    # Fewer than asked for where messages are gone, and then there is more to come.
    while len(found) < most:
        at = place - fifo.head
        if at < len(fifo.ready):
            stop = min(len(fifo.ready), at + most - len(found))
            found += _some(fifo, fifo.ready, fifo.head, at, stop)
            place = fifo.head + stop
            continue
        base = fifo.head + len(fifo.ready)
        for span in fifo.cold:
            if place < base + span.count and span.stored():
                return found, span, None
            base += span.count
        at = max(place - base, 0)
        if fifo.tail is fifo.ready or at >= len(fifo.tail):
            break
        stop = min(len(fifo.tail), at + most - len(found))
        found += _some(fifo, fifo.tail, base, at, stop)
        place = base + stop
    return found, None, None


def _some(fifo: Fifo, part: deque[Message], base: int, start: int, stop: int) -> list[tuple[int, Message, bool]]:
    return [
        (base + at, message, 0 < message.lsn <= fifo.delivered)
        for at, message in enumerate(islice(part, start, stop), start)
        if message is not GONE
    ]


def _in_span(cold: Cold, messages: list[Message]) -> Look:
    """What stands in a span that was read."""
    fifo = cold.fifo
    base = _base(fifo, cold.span)
    backlog = cold.queue.backlog
    seen = [
        Seen(backlog.joined(cold.level, base + at), message, 0 < message.lsn <= fifo.delivered)
        for at, message in enumerate(cold.span.filled(list(messages)))
        if message is not GONE and base + at > cold.after
    ]
    return Look(seen, backlog.joined(cold.level, base + cold.span.count - 1))


def _base(fifo: Fifo, wanted: Span) -> int:
    """The place of the first message of a span."""
    base = fifo.head + len(fifo.ready)
    for span in fifo.cold:
        if span is wanted:
            break
        base += span.count
    return base


def _strike(fifo: Fifo, place: int, message: Message) -> bool:
    """Put GONE into the place of a message, if it is there."""
    if place < fifo.head:
        return _strike_returned(fifo, place)
    at = place - fifo.head
    if at < len(fifo.ready):
        return _strike_waiting(fifo, fifo.ready, at)
    at -= len(fifo.ready)
    for span in fifo.cold:
        if at < span.count:
            return _strike_cold(fifo, span, at, message)
        at -= span.count
    if fifo.tail is fifo.ready or at >= len(fifo.tail):
        return False
    return _strike_waiting(fifo, fifo.tail, at)


def _strike_returned(fifo: Fifo, place: int) -> bool:
    if place not in fifo.back:
        return False
    fifo.back.remove(place)
    fifo.skip_gone_back()
    return True


def _strike_waiting(fifo: Fifo, part: deque[Message], at: int) -> bool:
    if part[at] is GONE:
        return False
    part[at] = GONE
    fifo.holes += 1
    fifo.skip_gone()
    return True


def _strike_cold(fifo: Fifo, span: Span, at: int, message: Message) -> bool:
    if at in span.missing or at in span.struck:
        return False
    if isinstance(span, KeptSpan) and span is not fifo.loading:
        found = bisect_left(span.lsns, message.lsn)
        assert span.lsns[found] == message.lsn, "positions do not change"
        span.remove(message.lsn)
    else:
        span.struck.append(at)
    fifo.holes += 1
    return True


def _place(waiting: tuple[int, Message]) -> int:
    return waiting[0]
