"""Who is alive in a journal: every pair of message and queue that was published and not settled, counted exactly.

Unlike `amq.journal.log`, which counts as it goes and may rely on a whole journal, this one remembers who is who: in a
damaged journal a message may be settled whose RUN is lost.
"""

from array import array

from amq.journal.intervals import Intervals
from amq.journal.record import Lsns, Run


class Runs:
    """What the RUNs of one segment are like, in their order; `alive` counts messages once `Census.count` was called."""

    __slots__ = ("lsns", "counts", "sizes", "kinds", "times", "copies", "messages", "octets", "alive")

    def __init__(self) -> None:
        self.lsns: array[int] = array("Q")
        self.counts: array[int] = array("I")
        self.sizes: array[int] = array("I")
        self.kinds: array[int] = array("I")
        self.times: array[int] = array("Q")
        # Which of them stood elsewhere before.
        self.copies: set[int] = set()
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


class Census:
    """`segments` has the RUNs of every segment that was begun; `last_lsn` is the highest LSN of a RUN so far."""

    __slots__ = ("segments", "published", "settled", "kinds", "numbers", "copied", "last_lsn")

    def __init__(self) -> None:
        self.segments: list[Runs] = []
        # Both by queue id.
        self.published: dict[int, Intervals] = {}
        self.settled: dict[int, Intervals] = {}
        # Combinations of queues, of which there are few.
        self.kinds: list[tuple[int, ...]] = []
        self.numbers: dict[tuple[int, ...], int] = {}
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
        self.last_lsn = max(self.last_lsn, stop - 1)
        runs.lsns.append(run.lsn)
        runs.counts.append(run.count)
        runs.sizes.append(run.body_size)
        runs.kinds.append(number)
        runs.times.append(run.time)
        runs.messages += run.count
        runs.octets += run.count * run.body_size
        for queue in queues:
            self.published.setdefault(queue, Intervals()).add(run.lsn, stop)

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

    def count(self, known: set[int] | None) -> dict[int, Pile]:
        """What is alive by queue id; nothing is in a queue that is not `known`, if that is."""
        piles: dict[int, Pile] = {}
        # Of several copies the last one counts.
        later = Intervals()
        for runs in reversed(self.segments):
            runs.alive = 0
            for index in range(len(runs.lsns) - 1, -1, -1):
                start = runs.lsns[index]
                stop = start + runs.counts[index]
                if index in runs.copies:
                    parts = later.outside(start, stop)
                    later.add(start, stop)
                else:
                    parts = self.copied.outside(start, stop)
                for first, after in parts:
                    self.count_part(runs, index, first, after, known, piles)
        return piles

    def count_part(
        self, runs: Runs, index: int, start: int, stop: int, known: set[int] | None, piles: dict[int, Pile]
    ) -> None:
        """Count those of a RUN's messages with LSNs from `start` on before `stop`, which stand nowhere else."""
        alive = Intervals()
        for queue in self.kinds[runs.kinds[index]]:
            if known is not None and queue not in known:
                continue
            gone = self.settled.get(queue)
            left = [(start, stop)] if gone is None else gone.outside(start, stop)
            if not left:
                continue
            count = 0
            for first, after in left:
                alive.add(first, after)
                count += after - first
            pile = piles.setdefault(queue, Pile())
            pile.messages += count
            pile.octets += count * runs.sizes[index]
            time = runs.times[index]
            pile.oldest = min(pile.oldest or time, time)
        runs.alive += alive.count(start, stop)
