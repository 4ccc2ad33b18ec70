"""What is known of one segment while it lives: where its records stand, and for whom.

A pair is a message in a queue. A segment is dead when none of its pairs is alive; what was settled is remembered only
as long as other messages of the same queue are alive here, for salvage to tell which.
"""

from array import array
from bisect import bisect_right
from typing import Final

from amq.journal.batch import Placed
from amq.journal.record import Lsns

# What a message weighs besides its body, in octets.
OVERHEAD: Final = 24


class Segment:
    """`size` is the length of the file, `used` where the next frame begins; both in octets.

    `lsns` and `offsets` say where RUNs stand that were new when they were written, in ascending order. `alive` counts
    pairs by queue id, `pairs` all of them (there may be very many queues); `weight` is what all pairs weigh together,
    dead or alive, and `live` those that are alive. `readers` is how many have been told to read from the file.
    """

    __slots__ = (
        "number",
        "name",
        "salt",
        "size",
        "used",
        "first_sequence",
        "first_lsn",
        "lsns",
        "offsets",
        "alive",
        "pairs",
        "settled",
        "weight",
        "live",
        "readers",
        "sealed",
    )

    def __init__(self, number: int, salt: int, size: int, first_sequence: int, first_lsn: int) -> None:
        self.number = number
        self.name: str = segment_name(number)
        self.salt = salt
        self.size = size
        self.used: int = 0
        self.first_sequence = first_sequence
        self.first_lsn = first_lsn
        self.lsns: array[int] = array("Q")
        self.offsets: array[int] = array("I")
        self.alive: dict[int, int] = {}
        self.pairs: int = 0
        self.settled: dict[int, list[Lsns]] = {}
        self.weight: int = 0
        self.live: int = 0
        self.readers: int = 0
        self.sealed: bool = False

    def enter(self, run: Placed) -> None:
        """A RUN is here; its pairs are alive."""
        alive = self.alive
        count = run.count
        for queue in run.queues:
            alive[queue] = alive.get(queue, 0) + count
        self.pairs += count * len(run.queues)
        weight = (run.body_size + OVERHEAD) * count * len(run.queues)
        self.weight += weight
        self.live += weight

    def settle(self, queue: int, lsns: Lsns, octets: int) -> None:
        """Some messages here are gone from a queue; `octets` of bodies, -1 when nobody knows."""
        left = self.alive.get(queue)
        if left is None:
            return
        count = len(lsns)
        if octets >= 0:
            self.live -= octets + OVERHEAD * count
        else:
            self.live -= self.share(count)
        self.pairs -= min(count, left)
        if count < left:
            self.alive[queue] = left - count
        else:
            del self.alive[queue]
            if self.sealed:
                self.settled.pop(queue, None)
                return
        # Also when nothing is left: more of that queue may come in, and what is settled must not count as alive then.
        self.settled.setdefault(queue, []).append(lsns)

    def seal(self) -> None:
        """Nothing more comes in: of queues of which nothing is alive, it need not be known what was settled."""
        for queue in [queue for queue in self.settled if queue not in self.alive]:
            del self.settled[queue]
        self.sealed = True

    def forget(self, queue: int) -> None:
        """Nothing of a queue is alive here any more."""
        count = self.alive.pop(queue)
        self.live -= self.share(count)
        self.pairs -= count
        self.settled.pop(queue, None)

    def share(self, count: int) -> int:
        """What so many of the living pairs weigh, more or less."""
        return self.live * count // max(1, self.pairs)

    def live_octets(self) -> int:
        """Roughly the part of the file that is still needed."""
        if not self.alive:
            return 0
        return self.used * max(0, min(self.live, self.weight)) // self.weight

    def gone(self, queue: int) -> set[int]:
        """The LSNs that are settled for a queue of which others are alive here."""
        lsns: set[int] = set()
        for part in self.settled.get(queue, ()):
            lsns.update(part)
        return lsns

    def index_of(self, lsn: int) -> int:
        """Which RUN holds a message; -1: none that was new here."""
        return bisect_right(self.lsns, lsn) - 1

    def span_of(self, index: int) -> tuple[int, int]:
        """Where that RUN begins, and where it has ended at the latest."""
        after = index + 1
        return self.offsets[index], self.offsets[after] if after < len(self.offsets) else self.used


def segment_name(number: int) -> str:
    """The name of a segment's file."""
    return f"{number:010}.seg"


def segment_number(name: str) -> int | None:
    """The number in a file's name; None when it is no segment."""
    digits, _, suffix = name.partition(".")
    return int(digits) if suffix == "seg" and len(digits) == 10 and digits.isdigit() else None
