"""A small journal of three segments, written as a broker writes it, whose files can then be damaged."""

from random import Random

import attrs

from amq.clock import Clock
from amq.journal import frame
from amq.journal.batch import Batch
from amq.journal.census import Pile
from amq.journal.mending import Mender
from amq.journal.replay import Stretch
from amq.journal.salvageable import Part
from amq.journal.segment import segment_name, segment_number
from amq.journal.survey import Survey
from amq.message import address
from amq.server.journal_files import JournalFiles
from amq.wire import properties as props
from tests.faults.fake_disk import FakeDisk
from tests.journal.build import header

NOW = 1_700_000_000.0
HEADER = header(DELIVERY_MODE=b"\2")
QUEUES = (7, 8)

# By file name.
Files = dict[str, bytes]


@attrs.define(eq=False)
class Writer:
    """A broker's journal on a disk in memory."""

    disk: FakeDisk = attrs.field(factory=FakeDisk)
    files: JournalFiles = attrs.field(init=False)
    batch: Batch = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.files = JournalFiles(self.disk, 1 << 20)
        replay = self.files.recover()
        self.batch = Batch(keeps=True, clock=Clock(0.0, NOW))
        self.batch.next_lsn = replay.next_lsn

    def publish(self, bodies: list[bytes], *queues: int) -> None:
        """Hand in messages of one size for queues."""
        lsn = self.batch.next_lsn
        self.batch.next_lsn += len(bodies)
        self.batch.run(lsn, bodies, address(b"logs", b"a.b"), HEADER, props.read(HEADER), list(queues))

    def settle(self, queue: int, *lsns: int) -> None:
        """Hand in that messages have gone."""
        self.batch.settle_now(queue, list(lsns), 0)

    def write(self) -> None:
        """Make what was handed in safe."""
        log = self.files.log
        work = self.batch.take()
        if log.room() < frame.frame_size(work.size):
            self.roll()
        offset, pieces = log.place(work)
        self.files.append(offset, pieces)
        log.wrote(work, offset)
        self.batch.landed(work)

    def mark(self) -> None:
        """Vouch for the last frame."""
        self.files.put(*self.files.log.place_mark())

    def roll(self) -> None:
        """Begin a segment."""
        self.files.log.begin(self.files.roll(100, True))

    def contents(self) -> Files:
        """The segments' files, each to a little behind what is in it: a journal without much emptiness."""
        return {segment.name: self.disk.read(segment.name, 0, segment.used + 64) for segment in self.files.log.segments}


def small_journal() -> Files:
    """Three segments with messages 1 to 17 for two queues, some of them settled in a later segment."""
    writer = Writer()
    writer.publish([b"one", b"two", b"333"], 7)
    writer.write()
    writer.publish([b"4" * 20], 7, 8)
    writer.publish([b"5", b"6"], 8)
    writer.settle(7, 1)
    writer.write()
    writer.mark()
    writer.roll()
    writer.publish([b"7", b"8", b"9"], 7)
    writer.write()
    writer.settle(7, 2, 3, 8)
    writer.write()
    writer.publish([b"10", b"11"], 7)
    writer.publish([b"12"], 8)
    writer.publish([b"13"], 7)
    writer.write()
    writer.roll()
    writer.settle(8, 5)
    writer.settle(7, 10)
    writer.write()
    writer.publish([b"14", b"15", b"16"], 8)
    writer.write()
    writer.publish([b"17"], 7)
    writer.write()
    writer.mark()
    return writer.contents()


# What is alive in it, by queue.
ALIVE = {7: {4, 7, 9, 11, 13, 17}, 8: {4, 6, 12, 14, 15, 16}}


def flipped(files: Files, name: str, bit: int) -> Files:
    """The same with one bit the other way round."""
    octets = bytearray(files[name])
    octets[bit // 8] ^= 1 << bit % 8
    return {**files, name: bytes(octets)}


def on_disk(files: Files) -> FakeDisk:
    """A disk that holds them."""
    disk = FakeDisk()
    for name, octets in files.items():
        disk.create(name)
        disk.write(name, 0, [octets])
        disk.sync(name)
    disk.sync_folder()
    return disk


def surveyed(files: Files) -> Survey:
    """A survey of all of them."""
    survey = Survey([part(files, name) for name in sorted(files) if segment_number(name) is not None])
    for index, each in enumerate(survey.parts):
        survey.read(index, files[each.name])
    survey.finish()
    return survey


def part(files: Files, name: str) -> Part:
    """One of the files."""
    found = Part(name, len(files[name]), files[name][: frame.SEGMENT_HEADER])
    found.guess(files[name])
    return found


def alive(survey: Survey) -> dict[int, set[int]]:
    """LSNs by queue."""
    census = survey.census
    # Of several RUNs for a message the original counts, else the last one.
    holders: dict[int, tuple[int, ...]] = {}
    for copies in (True, False):
        for runs in census.segments:
            for index, first in enumerate(runs.lsns):
                if (index in runs.copies) is copies:
                    lsns = range(first, first + runs.counts[index])
                    holders.update(dict.fromkeys(lsns, census.kinds[runs.kinds[index]]))
    found: dict[int, set[int]] = {}
    for lsn, queues in holders.items():
        for queue in queues:
            gone = census.settled.get(queue)
            if gone is None or not gone.has(lsn):
                found.setdefault(queue, set()).add(lsn)
    counted: dict[int, Pile] = census.count(None)
    assert {queue: pile.messages for queue, pile in counted.items()} == {
        queue: len(lsns) for queue, lsns in found.items()
    }
    return found


def mended(files: Files, survey: Survey) -> Files:
    """What a salvage makes of them."""
    mender = Mender(survey)
    again = Survey(survey.parts)
    written = {}
    for index, each in enumerate(survey.parts):
        scan = again.read(index, files[each.name])
        if scan is not None:
            name = segment_name(mender.number)
            pieces = mender.mend(scan, index, files[each.name], Random(index).getrandbits(32), 0)
            if pieces:
                written[name] = b"".join(pieces)
    return written


def recovered(files: Files) -> dict[int, set[int]]:
    """What a broker finds alive, by queue. Raises Corrupt."""
    replay = JournalFiles(on_disk(files), 1 << 20).recover()
    return {queue: lsns_of(stretches) for queue, stretches in replay.alive(set(), set(QUEUES)).items()}


def lsns_of(stretches: list[Stretch]) -> set[int]:
    """The messages in them."""
    return {lsn for stretch in stretches for lsn in range(stretch.first, stretch.first + stretch.count)}
