"""The log by random commands, against a dict that says what must be alive."""

from collections import Counter
from random import Random

import pytest

from amq.journal.log import Log
from amq.journal.record import compact
from amq.journal.salvage import Salvage
from tests.journal.build import Paper, run

QUEUES = (3, 4, 5)
SEEDS = 60
STEPS = 120


class Story:
    """A log on paper, and `alive`: by queue id, what has been published and not settled, with its bodies."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.paper = Paper(self.random.choice((600, 1500, 5000)))
        self.alive: dict[int, dict[int, bytes]] = {queue: {} for queue in QUEUES}
        self.salvage: Salvage | None = None

    def publish(self) -> None:
        random = self.random
        queues = random.sample(QUEUES, random.randint(1, len(QUEUES)))
        size = random.choice((0, 1, 5, 40))
        bodies = [bytes(random.choices(b"abc", k=size)) for _ in range(random.choice((1, 1, 1, 2, 6)))]
        self.paper.batch.next_lsn += random.choice((0, 0, 0, 1))
        first = run(self.paper.batch, bodies, sorted(queues))
        for queue in queues:
            self.alive[queue].update(enumerate(bodies, first))

    def settle(self) -> None:
        random = self.random
        queue = random.choice(QUEUES)
        there = list(self.alive[queue])
        count = random.choice((1, 1, 2, 5, len(there)))
        if there:
            oldest = there[:count] if random.random() < 0.7 else random.sample(there, min(count, len(there)))
            octets = sum([len(self.alive[queue].pop(lsn)) for lsn in oldest])
            self.paper.batch.settle_now(queue, compact(oldest), random.choice((octets, -1)))

    def write(self) -> None:
        """A batch reaches the disk, perhaps with a slice of a salvage; what is dead is dropped."""
        paper = self.paper
        log = paper.log
        if self.salvage is None and len(log.segments) > 1 and self.random.random() < 0.5:
            first = log.segments[0]
            self.salvage = Salvage(log, first, bytes(paper.octets[first.name][: first.used]))
        copied = None
        if self.salvage is not None:
            if log.room() < paper.batch.work.size + 4000:
                paper.roll(paper.batch.work.size + 4000)
            if self.salvage.slice(paper.batch, self.random.randint(1, 3), 2000):
                copied = self.salvage.segment
                self.salvage = None
        paper.write()
        if copied is not None:
            copied.alive.clear()
        if self.salvage is None:
            paper.drop()

    def crash(self) -> None:
        """All that was not written is lost."""
        self.write()
        self.salvage = None
        wanted = {queue: list(there) for queue, there in self.alive.items() if there}
        assert self.paper.restart() == wanted
        assert all(lsn < self.paper.batch.next_lsn for there in self.alive.values() for lsn in there)

    def check(self) -> None:
        """Everything that is alive can be read, and every pair is counted where it stands."""
        log = self.paper.log
        for there in self.alive.values():
            if there:
                lsns = sorted(there)
                assert [message.body for message in self.paper.read(compact(lsns))] == [there[lsn] for lsn in lsns]
                some = sorted(self.random.sample(lsns, min(3, len(lsns))))
                assert [message.lsn for message in self.paper.read(compact(some))] == some
        if self.salvage is None:
            check_counts(log, self.alive)


def check_counts(log: Log, alive: dict[int, dict[int, bytes]]) -> None:
    """No segment counts fewer pairs than it holds; more only after a salvage that a crash has ended."""
    for segment in log.segments:
        assert segment.pairs == sum(segment.alive.values())
        held = Counter(queue for queue, there in alive.items() for lsn in there if log.segment_of(lsn) is segment)
        assert all(segment.alive.get(queue, 0) >= count for queue, count in held.items())


@pytest.mark.parametrize("seed", range(SEEDS))
def test_what_was_published_and_not_settled_is_there(seed: int) -> None:
    story = Story(seed)
    for _ in range(STEPS):
        match story.random.choices(("publish", "settle", "write", "crash"), (6, 5, 5, 0.4))[0]:
            case "publish":
                story.publish()
            case "settle":
                story.settle()
            case "write":
                story.write()
                story.check()
            case _:
                story.crash()
                story.check()
    story.crash()
