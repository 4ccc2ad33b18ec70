"""Who is alive in a journal: every pair of message and queue that was published and not settled, counted exactly.

Unlike `amq.journal.log`, which counts as it goes and may rely on a whole journal, this one remembers who is who: in a
damaged journal a message may be settled whose RUN is lost.
"""

from array import array
from itertools import pairwise

from amq.journal.intervals import Intervals, Span
from amq.journal.record import Lsns, Run

# Messages that are alive: from the one LSN on up to, but not with, the other one, in queues by id.
Living = tuple[int, int, tuple[int, ...]]


class Runs:
    """What the RUNs of one segment are like, in their order; `alive` counts messages once `Census.count` was called."""

    __slots__ = ("lsns", "counts", "sizes", "kinds", "times", "copies", "parts", "messages", "octets", "alive")

    def __init__(self) -> None:
        self.lsns: array[int] = array("Q")
        self.counts: array[int] = array("I")
        self.sizes: array[int] = array("I")
        self.kinds: array[int] = array("I")
        self.times: array[int] = array("Q")
        # Which of them stood elsewhere before.
        self.copies: set[int] = set()
        # Where others count for some of its messages: for which it counts itself.
        self.parts: dict[int, list[Span]] = {}
        self.messages: int = 0
        # Of bodies.
        self.octets: int = 0
        self.alive: int = 0


class Pile:
    """What is alive in one queue: messages, octets of bodies, and when the oldest was published, in ms since 1970."""

    __slots__ = ("messages", "octets", "oldest")

    def __init__(self) -> None:
        self.messages: int = 0
        self.octets: int = 0
        self.oldest: int = 0

    def enter(self, count: int, size: int, time: int) -> None:
        """So many messages with bodies of that size."""
        self.messages += count
        self.octets += count * size
        self.oldest = min(self.oldest or time, time)


class Census:
    """`segments` has the RUNs of every segment that was begun; `last_lsn` is the highest LSN of a RUN so far."""

    __slots__ = ("segments", "settled", "kinds", "numbers", "originals", "copied", "last_lsn")

    def __init__(self) -> None:
        self.segments: list[Runs] = []
        # By queue id.
        self.settled: dict[int, Intervals] = {}
        # Combinations of queues, of which there are few.
        self.kinds: list[tuple[int, ...]] = []
        self.numbers: dict[tuple[int, ...], int] = {}
        # LSNs of RUNs that stand where they were new, and of others.
        self.originals = Intervals()
        self.copied = Intervals()
        self.last_lsn: int = 0

    def begin(self) -> Runs:
        """What is noted from now on stands in another segment."""
        runs = Runs()
        self.segments.append(runs)
        return runs

    def note_run(self, run: Run) -> None:
        """Messages were published, or written again."""
        runs = self.segments[-1]
        queues = tuple(run.queues)
        number = self.numbers.get(queues)
        if number is None:
            number = self.numbers[queues] = len(self.kinds)
            self.kinds.append(queues)
        stop = run.lsn + run.count
        if run.lsn <= self.last_lsn:
            runs.copies.add(len(runs.lsns))
            self.copied.add(run.lsn, stop)
        else:
            self.originals.add(run.lsn, stop)
        self.last_lsn = max(self.last_lsn, stop - 1)
        runs.lsns.append(run.lsn)
        runs.counts.append(run.count)
        runs.sizes.append(run.body_size)
        runs.kinds.append(number)
        runs.times.append(run.time)
        runs.messages += run.count
        runs.octets += run.count * run.body_size

    def note_settled(self, queue: int, lsns: Lsns) -> None:
        """Messages have gone from a queue."""
        self.settled.setdefault(queue, Intervals()).add_all(lsns)

    def holder(self, lsn: int) -> int | None:
        """The index of the last segment with a RUN of that message."""
        for index in range(len(self.segments) - 1, -1, -1):
            runs = self.segments[index]
            for first, count in zip(runs.lsns, runs.counts, strict=True):
                if first <= lsn < first + count:
                    return index
        return None

    def resolve(self) -> None:
        """Everything was noted: find out which RUN counts for messages that stand in several. That is the original, and
        else the last copy.
        """
        later = Intervals()
        for runs in reversed(self.segments):
            for index in sorted(runs.copies, reverse=True):
                start = runs.lsns[index]
                stop = start + runs.counts[index]
                parts = [part for span in later.outside(start, stop) for part in self.originals.outside(*span)]
                later.add(start, stop)
                if parts != [(start, stop)]:
                    runs.parts[index] = parts

    def living(self, runs: Runs, index: int) -> list[Living]:
        """What of a RUN is alive, and in which queues; after `resolve`."""
        start = runs.lsns[index]
        found: list[Living] = []
        queues = self.kinds[runs.kinds[index]]
        for first, after in runs.parts.get(index, [(start, start + runs.counts[index])]):
            found += self._living(queues, first, after)
        return found

    def _living(self, queues: tuple[int, ...], start: int, stop: int) -> list[Living]:
        left = {
            queue: self.settled[queue].outside(start, stop) if queue in self.settled else [(start, stop)]
            for queue in queues
        }
        cuts = sorted({edge for spans in left.values() for span in spans for edge in span})
        found: list[Living] = []
        for first, after in pairwise(cuts):
            holders = tuple([queue for queue, spans in left.items() if _within(first, spans)])
            if holders:
                found.append((first, after, holders))
        return found

    def count(self, known: set[int] | None) -> dict[int, Pile]:
        """What is alive by queue id; nothing is in a queue that is not `known`, if that is. After `resolve`."""
        piles: dict[int, Pile] = {}
        for runs in self.segments:
            runs.alive = 0
            for index, size in enumerate(runs.sizes):
                for first, after, queues in self.living(runs, index):
                    holders = [queue for queue in queues if known is None or queue in known]
                    for queue in holders:
                        piles.setdefault(queue, Pile()).enter(after - first, size, runs.times[index])
                    if holders:
                        runs.alive += after - first
        return piles


def _within(number: int, spans: list[Span]) -> bool:
    return any(first <= number < after for first, after in spans)
