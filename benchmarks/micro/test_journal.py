"""Messages into records, records into frames, and both read back."""

import pytest

from amq.journal import frame, record
from amq.journal.batch import Batch, Work
from amq.journal.log import Log
from benchmarks.micro.conftest import PerItem
from tests.journal import build
from tests.journal.build import Paper

COUNT = 1000
SEGMENT = 1 << 26
QUEUE = 7

sizes = pytest.mark.parametrize("size", [16, 1024])
# Messages that come in a row share a record.
runs = pytest.mark.parametrize("run", [1, 100])


def handed_in(run: int, size: int) -> Batch:
    """A batch of COUNT messages."""
    batch = Batch(keeps=True)
    fill(batch, run, size)
    return batch


def fill(batch: Batch, run: int, size: int) -> None:
    """Hand in COUNT messages, so many at a time."""
    header, properties = build.some_properties()
    bodies = [b"x" * size] * run
    for _ in range(0, COUNT, run):
        batch.run(batch.next_lsn, bodies, build.ADDRESS, header, properties, [QUEUE])
        batch.next_lsn += run


def log() -> Log:
    """A log with a segment that is empty."""
    made = Log()
    made.begin(made.new_segment(1, SEGMENT))
    return made


@runs
@sizes
def test_hand_in(per_item: PerItem, run: int, size: int) -> None:
    per_item(lambda batch: fill(batch, run, size), COUNT, lambda: (Batch(keeps=True),))


@runs
def test_frame(per_item: PerItem, run: int) -> None:
    def write(there: Log, work: Work) -> bytes:
        offset, pieces = there.place(work)
        octets = b"".join(pieces)
        there.wrote(work, offset)
        return octets

    per_item(write, COUNT, lambda: (log(), handed_in(run, 16).take()))


@runs
def test_settle(per_item: PerItem, run: int) -> None:
    lsns = [range(at, at + run) for at in range(1, COUNT + 1, run)]

    def settle(batch: Batch) -> None:
        for each in lsns:
            batch.settle_now(QUEUE, each, 16)

    per_item(settle, COUNT, lambda: (Batch(keeps=True),))


def test_seal_a_record(per_item: PerItem) -> None:
    front, body = b"f" * 60, b"x" * 1024

    def seal() -> None:
        for _ in range(COUNT):
            record.seal(record.RUN, [front, body])

    per_item(seal, COUNT)


@runs
@sizes
def test_replay(per_item: PerItem, run: int, size: int) -> None:
    paper = Paper(SEGMENT >> 4)
    fill(paper.batch, run, size)
    paper.write()
    name, octets = next((name, bytes(octets)) for name, octets in paper.octets.items())
    header = frame.read_segment_header(octets)
    assert header is not None
    assert build.alive(paper.replay()) == {QUEUE: list(range(1, COUNT + 1))}
    replay = build.Replay

    per_item(lambda: replay(Log()).read(name, header, octets, None), COUNT)


@runs
@sizes
def test_read_back(per_item: PerItem, run: int, size: int) -> None:
    paper = Paper(SEGMENT >> 4)
    fill(paper.batch, run, size)
    paper.write()
    per_item(lambda: paper.read(range(1, COUNT + 1)), COUNT)
