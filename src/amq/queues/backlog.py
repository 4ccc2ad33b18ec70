"""The messages of a queue that wait, in order, and the places of those that are out for delivery.

Every message gets a position when it comes in. Positions only grow, and heads leave in their order, so whatever
comes back stands before everything that was never out: one heap for the returned, one deque for the rest, and no
flag or number per message. A returned message has by definition been delivered before.

Of a long backlog only both ends are in memory:

    returned | ready | cold: spans, of which only the numbers are here | tail
"""

from collections import deque
from heapq import heappop, heappush
from typing import Final

from amq.journal.loading import Page
from amq.message import Message
from amq.queues.span import GONE, KeptSpan, PagedSpan, Span

# So many messages or octets of bodies are read back at once, and asked for when no more than that many are left.
SPAN: Final = 2048
SPAN_OCTETS: Final = 1 << 18


class Cleared:
    """What a part of a backlog held when it was cleared, for who frees it in slices; `places` are where it stood."""

    __slots__ = ("returned", "back", "waiting", "spans", "places")

    def __init__(
        self,
        returned: list[tuple[int, Message]],
        back: set[int],
        waiting: list[deque[Message]],
        spans: deque[Span],
        places: range,
    ) -> None:
        self.returned = returned
        self.back = back
        self.waiting = waiting
        self.spans = spans
        self.places = places

    def empty(self) -> bool:
        """Whether nothing is left of it."""
        return not (self.returned or self.waiting or self.spans)

    def take(self, most: int) -> list[Message]:
        """The next messages of those in memory, so many at most, in no particular order; they are let go of."""
        first = max(len(self.returned) - most, 0)
        part = self.returned[first:]
        del self.returned[first:]
        taken = [message for place, message in part if place in self.back]
        self.back.difference_update([place for place, _ in part])
        while self.waiting and len(taken) < most:
            waiting = self.waiting[-1]
            taken += [waiting.pop() for _ in range(min(most - len(taken), len(waiting)))]
            if not waiting:
                self.waiting.pop()
        return taken


class Backlog:
    """What a queue asks of its storage."""

    __slots__ = ()

    def push(self, message: Message) -> int:
        """Append; returns its position."""
        raise NotImplementedError

    def pop(self) -> tuple[int, Message, bool]:
        """Take the head: position, message, delivered before. It must be `at_hand`."""
        raise NotImplementedError

    def at_hand(self) -> bool:
        """Whether there is a head, and in memory."""
        raise NotImplementedError

    def peek(self) -> int:
        """The position of the head, which is left where it is, in memory or not; -1 when there is none."""
        raise NotImplementedError

    def put_back(self, position: int, message: Message) -> None:
        """Return a popped message to its place."""
        raise NotImplementedError

    def size(self) -> int:
        """Messages waiting."""
        raise NotImplementedError

    def clear(self) -> "list[tuple[int, Cleared]]":
        """Forget all that wait; returns what held them, by priority."""
        raise NotImplementedError

    def levels_in_order(self) -> "list[tuple[int, Fifo]]":
        """The parts that it is made of, by the priority that they are for, the one that is emptied first in front."""
        raise NotImplementedError

    def split(self, position: int) -> tuple[int, int]:
        """The part that a position is in, by its priority, and the position there."""
        raise NotImplementedError

    def joined(self, level: int, position: int) -> int:
        """The position among all of what stands at `position` of a part."""
        raise NotImplementedError

    def removed(self) -> None:
        """A message was taken out of one of the parts."""

    def restore(self, priority: int, lsns: range, octets: int) -> tuple[range, "Fifo"]:
        """Append messages of a priority that stand in the journal, with bodies of `octets` together.

        Returns their positions, and the part that they are in.
        """
        raise NotImplementedError


class Fifo(Backlog):
    """First in, first out. `head` is the position of `ready[0]`.

    `tail` takes what comes in; it is `ready` itself while nothing is `cold`. `cold_count` counts the messages of all
    spans, and `loading` is the span that is being read. Messages with LSNs up to `delivered` had been delivered before
    the broker was started. Of all that are not returned `holes` are GONE; the first of `ready` never is. `back` are the
    positions of the returned ones: some of `returned` may be gone, the first one never is.
    """

    __slots__ = ("ready", "head", "returned", "back", "tail", "cold", "cold_count", "loading", "delivered", "holes")

    def __init__(self) -> None:
        self.ready: deque[Message] = deque()
        self.head: int = 0
        self.returned: list[tuple[int, Message]] = []
        self.back: set[int] = set()
        self.tail: deque[Message] = self.ready
        self.cold: deque[Span] = deque()
        self.cold_count: int = 0
        self.loading: Span | None = None
        self.delivered: int = 0
        self.holes: int = 0

    def push(self, message: Message) -> int:
        self.tail.append(message)
        return self.head + self._waiting() - 1

    def pop(self) -> tuple[int, Message, bool]:
        if self.returned:
            position, message = heappop(self.returned)
            self.back.remove(position)
            self.skip_gone_back()
            return position, message, True
        position = self.head
        self.head = position + 1
        message = self.ready.popleft()
        if self.holes:
            self.skip_gone()
        return position, message, 0 < message.lsn <= self.delivered

    def skip_gone(self) -> None:
        """See to it that the first that is ready is a message."""
        ready = self.ready
        while ready and ready[0] is GONE:
            ready.popleft()
            self.head += 1
            self.holes -= 1

    def skip_gone_back(self) -> None:
        """See to it that the first of the returned is a message."""
        returned = self.returned
        back = self.back
        while len(returned) > len(back) and returned[0][0] not in back:
            heappop(returned)

    def at_hand(self) -> bool:
        return bool(self.returned or self.ready)

    def peek(self) -> int:
        if self.returned:
            return self.returned[0][0]
        return self.head if self._waiting() else -1

    def put_back(self, position: int, message: Message) -> None:
        heappush(self.returned, (position, message))
        self.back.add(position)

    def size(self) -> int:
        return self._waiting() - self.holes + len(self.back)

    def _waiting(self) -> int:
        """The places of those that are not returned."""
        count = len(self.ready) + self.cold_count
        return count if self.tail is self.ready else count + len(self.tail)

    def clear(self) -> "list[tuple[int, Cleared]]":
        head = self.head
        self.head = head + self._waiting()
        waiting = [part for part in (self.ready, self.tail) if part]
        if self.tail is self.ready:
            waiting = waiting[:1]
        for span in self.cold:
            if isinstance(span, PagedSpan):
                span.page.dropped = True
        cleared = Cleared(self.returned, self.back, waiting, self.cold, range(head, self.head))
        self.ready = deque()
        self.tail = self.ready
        self.cold = deque()
        self.cold_count = 0
        self.loading = None
        self.holes = 0
        self.returned = []
        self.back = set()
        return [(0, cleared)]

    def levels_in_order(self) -> "list[tuple[int, Fifo]]":
        return [(0, self)]

    def split(self, position: int) -> tuple[int, int]:
        return 0, position

    def joined(self, level: int, position: int) -> int:
        return position

    # -- what is not in memory --

    def wanted(self) -> Span | None:
        """The span that should be read now, so that it is there in time; None when none should."""
        while self.loading is None and self.cold and len(self.ready) <= self.cold[0].count:
            self.loading = self.cold[0]
            if self.loading.stored():
                return self.loading
            self.arrived(self.loading, [])
        return None

    def arrived(self, span: Span, messages: list[Message]) -> bool:
        """A span was read; False when nobody wants it any more."""
        if span is not self.loading:
            return False
        self.loading = None
        self.cold.popleft()
        self.cold_count -= span.count
        if isinstance(span, PagedSpan):
            span.page.dropped = True
        self.ready.extend(span.filled(messages))
        if not self.cold and self.tail is not self.ready:
            self.ready.extend(self.tail)
            self.tail = self.ready
        if self.holes:
            self.skip_gone()
        return True

    def restore(self, priority: int, lsns: range, octets: int) -> "tuple[range, Fifo]":
        position = self.head + self._waiting()
        if not self.cold:
            assert not self.tail, "recovery comes before the first message"
            self.tail = deque()
        count = len(lsns)
        each = min(SPAN, max(1, SPAN_OCTETS * count // (octets + 1)))
        for start in range(0, count, each):
            part = lsns[start : start + each]
            last = self.cold[-1] if self.cold else None
            if not (isinstance(last, KeptSpan) and last.extend(part, octets * len(part) // count, SPAN, SPAN_OCTETS)):
                self.cold.append(KeptSpan(part, octets * len(part) // count))
        self.cold_count += count
        return range(position, position + count), self

    def in_memory(self) -> int:
        """Messages that wait in memory and could be read back later."""
        return len(self.ready) if self.tail is self.ready else len(self.ready) + len(self.tail)

    def average(self) -> int:
        """Roughly what a message in memory takes, in octets of its body."""
        sample = [each[at] for each in (self.ready, self.tail) if each for at in (0, len(each) // 2, -1)]
        return sum([len(message.body) for message in sample]) // len(sample) if sample else 0

    def chill(self, keep: int, most: int, safe: int | None, pages: list[Page] | None) -> int:
        """Let go of messages in memory but for the first `keep`, or fewer when those are large: `most` of them at most.
        Returns how many.

        Those that stand in the journal, which is safe up to the LSN `safe`, are found there again; the others go to
        `pages`, to be written, and end it when there are none. `safe` is None for a queue that the journal does not
        keep: what it has of the same messages is another queue's, and may go with that.
        """
        if self.tail is self.ready:
            keep = min(keep, SPAN_OCTETS // (self.average() + 1))
            if len(self.ready) <= keep:
                return 0
            self.ready = deque([self.tail.popleft() for _ in range(keep)])
        before = self.cold_count
        while most > self.cold_count - before:
            span = self._next_span(safe, pages)
            if span is None:
                break
            self.cold.append(span)
            self.cold_count += span.count
        if not self.cold:
            self.tail.extendleft(reversed(self.ready))
            self.ready = self.tail
        return self.cold_count - before

    def _next_span(self, safe: int | None, pages: list[Page] | None) -> Span | None:
        """The first messages of the tail, as far as they are found again in one place."""
        tail = self.tail
        first = next((message for message in tail if message is not GONE), None)
        if first is None:
            return None
        kept = safe is not None and first.lsn > 0
        if not kept and pages is None:
            return None
        taken: list[Message] = []
        octets = 0
        while tail and len(taken) < SPAN and octets < SPAN_OCTETS:
            lsn = tail[0].lsn
            if safe is not None and tail[0] is not GONE and (lsn > safe or (lsn > 0) != kept):
                break
            message = tail.popleft()
            taken.append(message)
            octets += len(message.body)
        if all(message is GONE for message in taken):
            tail.extendleft(reversed(taken))
            return None
        if kept:
            return KeptSpan.of(taken, octets)
        span = PagedSpan(taken, octets)
        if pages is not None:
            pages.append(span.page)
        return span

    def delivered_bound(self) -> int:
        """The highest LSN of a message that waits and was delivered before; 0: none was."""
        bound = max([message.lsn for position, message in self.returned if position in self.back], default=0)
        if (self.ready and 0 < self.ready[0].lsn <= self.delivered) or (not self.ready and self.cold):
            bound = max(bound, self.delivered)
        return bound
