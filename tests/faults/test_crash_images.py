"""Whatever a crash leaves of the journal's files, recovery finds all that was safe, and nothing that never was."""

import contextlib
import copy
import itertools
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from random import Random

import pytest
import trio
import trio.testing

from amq.definitions.entry import Compare, Result
from amq.definitions.store import StoreError
from amq.journal import change, frame
from amq.journal.change import Change
from amq.journal.replay import Corrupt
from amq.journal.salvage import Salvage
from amq.server import journal_files, journal_room, journal_writer
from amq.server.errors import StorageFailed
from amq.server.journal_files import JournalFiles, NoRoom
from tests.faults.crash_images import History, Rot
from tests.faults.crash_images_book import Book
from tests.faults.crash_images_life import SEGMENT, Life, UnusedStore
from tests.faults.fake_disk import ALL, NONE, PREFIX, TORN, FakeDisk, PowerLoss

IMAGES = int(os.environ.get("AMQ_CRASH_IMAGES", "20000"))
FROM = int(os.environ.get("AMQ_CRASH_FROM", "1000000"))
FLIPS = 20


async def inline(action: Callable[[], object]) -> object:
    """A thread that is done at once."""
    return action()


class TrioTime:
    """The clock that salvage paces itself by, where time is fake."""

    monotonic = staticmethod(trio.current_time)
    perf_counter = staticmethod(trio.current_time)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Segments of a few frames and salvage of a few messages at a time, so that a short history has many of both.

    No thread and no real time, so that a seed says all that happens.
    """
    monkeypatch.setattr(journal_writer, "time", TrioTime)
    monkeypatch.setattr(journal_room, "time", TrioTime)
    monkeypatch.setattr(trio.to_thread, "run_sync", inline)
    for name, value in (("LEAST_BYTES", 2048), ("FIRST_BYTES", 4096), ("PART", 1)):
        monkeypatch.setattr(journal_files, name, value)
    for name, value in (("SPARE", 4096), ("SLICE_RECORDS", 4), ("SLICE_OCTETS", 1000), ("ACKS_OCTETS", 1024)):
        monkeypatch.setattr(journal_room, name, value)


def histories(start: int, images: int) -> Iterator[History]:
    """Histories played through from that seed on, until there were so many crash images."""
    while images > 0:
        history = History(start)
        history.play(lives=4)
        yield history
        images -= history.images
        start += 1


def flips(start: int, lives: int) -> Counter[str]:
    """What came of bits that turned over in so many lives from that seed on."""
    outcomes: Counter[str] = Counter()
    for seed in range(start, start + lives):
        outcomes += Rot(seed).flip(FLIPS)
    return outcomes


def new_life(disk: FakeDisk, seed: int = 1) -> Life:
    """A broker that has recovered; it has the queues 1 and 2."""
    life = Life(disk, Book({1, 2}), Random(seed), hasty=False)
    life.recover()
    return life


def serve(life: Life, *steps: Callable[[Life], None], clean: bool = False) -> None:
    """Let the broker do that, and have all of it written."""
    trio.run(life.serve, steps, clean, clock=trio.testing.MockClock(autojump_threshold=0))


def publish_one(life: Life) -> None:
    life.publish_to([1], [b"body"])


def publish_large(life: Life) -> None:
    life.publish_to([1], [bytes(1500)])


def test_every_crash_leaves_all_safe_batches_whole_and_no_other_in_part() -> None:
    operations: Counter[str] = Counter()
    events: Counter[str] = Counter()
    for history in histories(0, 1000):
        operations += history.operations
        events += history.events
    # Histories that never did these prove nothing of them.
    assert {"create", "write", "sync", "sync_folder", "rename", "unlink", "truncate"} <= operations.keys()
    assert {"killed", "clean", "power", "failed", "starved", "salvaged"} <= events.keys()


@pytest.mark.campaign
def test_every_crash_of_a_campaign_leaves_all_safe_batches_whole_and_no_other_in_part() -> None:
    assert sum(history.images for history in histories(FROM, IMAGES)) >= IMAGES


def test_a_flipped_bit_in_what_was_safe_is_detected_or_harmless() -> None:
    outcomes = flips(0, 40)
    assert min(outcomes["detected"], outcomes["harmless"]) > 100


@pytest.mark.campaign
def test_a_flipped_bit_of_a_campaign_is_detected_or_harmless() -> None:
    assert flips(FROM, IMAGES // FLIPS).total() == IMAGES // FLIPS * FLIPS


def test_every_bit_of_a_header_counts() -> None:
    disk = FakeDisk()
    serve(new_life(disk), publish_one, publish_one)
    name = disk.names()[0]
    for bit in range((frame.SEGMENT_HEADER + frame.FRAME_HEADER) * 8):
        image = disk.crash(Random(1), ALL)
        image.flip(name, bit)
        with pytest.raises(Corrupt) as caught:
            new_life(image)
        assert caught.value.name == name


def test_frames_of_an_earlier_life_of_the_file_do_not_count() -> None:
    disk, other = FakeDisk(), FakeDisk()
    serve(new_life(disk), publish_one)
    new_life(other)
    name = disk.names()[0]
    assert new_life(disk.crash(Random(1), NONE)).alive[1] == [1]
    # The same number and the same first sequence: only the salt tells that the frames belong to another segment.
    disk.write(name, 0, [other.read(name, 0, frame.SEGMENT_HEADER)])
    assert new_life(disk).alive[1] == []


def test_every_use_of_a_file_has_a_salt_of_its_own() -> None:
    disk = FakeDisk()
    files = JournalFiles(disk, SEGMENT)
    files.recover()
    salts = set()
    for _ in range(20):
        files.log.begin(files.roll(100, False))
        salts.add(files.log.segments[-1].salt)
        files.release(files.log.drop())
    assert len(salts) == 20
    assert len(disk.names()) < 5


def test_records_of_another_frame_do_not_fit_even_if_they_are_whole() -> None:
    disk = FakeDisk()
    life = new_life(disk)
    serve(life, publish_one)
    other = FakeDisk()
    serve(new_life(other), lambda life: life.publish_to([1], [b"ydob"]))
    name = disk.names()[0]
    mine, its = (each.read(name, 0, each.size(name)) for each in (disk, other))
    at = mine.index(frame.MAGIC) + frame.FRAME_HEADER
    disk.write(name, at, [its[at : its.index(b"ydob") + 4]])
    with pytest.raises(Corrupt):
        new_life(disk)


def test_a_failed_fsync_ends_the_writer_and_nothing_is_tried_again() -> None:
    for kind in ("sync", "write"):
        disk = FakeDisk()
        life = new_life(disk)
        disk.fail(kind)
        with pytest.raises(ExceptionGroup) as caught:
            serve(life, publish_one)
        assert caught.value.split(StorageFailed)[1] is None
        assert disk.operations[-1].kind == kind
        assert life.batch.durable == 0
        assert new_life(disk.crash(Random(1), NONE)).alive[1] == []


class FailingStore(UnusedStore):
    """Can keep nothing."""

    async def txn(
        self,
        compares: Sequence[Compare] = (),
        puts: Sequence[tuple[bytes, bytes]] = (),
        deletes: Sequence[bytes] = (),
        prefixes: Sequence[bytes] = (),
    ) -> Result:
        raise StoreError("the disk is broken")


def test_messages_are_safe_only_after_the_definitions_that_came_before_them() -> None:
    disk = FakeDisk()
    life = new_life(disk)
    life.store = FailingStore()
    life.batch.define(Change(change.QUEUE, "/", (b"q",), None, True))
    with pytest.raises(ExceptionGroup) as caught:
        serve(life, publish_one)
    assert caught.value.split(StorageFailed)[1] is None
    assert life.batch.durable == 0
    assert new_life(disk.crash(Random(1), ALL)).alive[1] == []


def test_a_stop_in_good_order_says_what_was_delivered_and_nothing_else_does() -> None:
    disk = FakeDisk()
    life = new_life(disk)
    life.bounds = [(1, 0, 1), (2, 5, 7), (2, 0, 3)]
    serve(life, publish_one, clean=True)
    after = new_life(disk.crash(Random(1)))
    assert after.replay.delivered == {1: {0: 1}, 2: {5: 7, 0: 3}}
    assert after.alive[1] == [1]
    serve(after, publish_one)
    for mode in (NONE, ALL):
        assert new_life(after.disk.crash(Random(1), mode)).replay.delivered is None


def test_a_full_disk_takes_messages_again_once_the_old_ones_are_consumed() -> None:
    for size in range(500, 2000, 150):
        disk = FakeDisk(capacity=8 * SEGMENT)
        life = new_life(disk)
        serve(life, *[lambda life, size=size: life.publish_to([1], [bytes(size)])] * 80)
        assert life.starvations > 0
        assert not life.starved
        assert Life(disk.crash(Random(1), NONE), life.book, Random(1)).recover() == life.book.safe


def test_a_spare_is_used_only_when_the_name_that_it_had_is_gone_for_good() -> None:
    disk = FakeDisk()
    life = new_life(disk)
    for _ in range(3):
        life.files.log.begin(life.files.roll(100, True))
    # The second segment that is dropped becomes a spare; the broker is killed before that is safe.
    disk.cut_power(2, "sync_folder")
    with contextlib.suppress(BaseExceptionGroup):
        serve(life, publish_one)
    disk.revive()
    assert disk.operations[-2].kind == "rename"
    for lost in range(1, 12):
        again = copy.deepcopy(disk)
        again.cut_power(lost)
        with contextlib.suppress(PowerLoss):
            Life(again, life.book, Random(1)).recover()
        for mode in (NONE, PREFIX, TORN):
            life.book.check(Life(again.crash(Random(lost), mode), life.book, Random(1)).recover())


def test_a_spare_gets_a_new_name_only_when_the_old_one_is_gone_for_good() -> None:
    for lost in range(1, 8):
        disk = FakeDisk()
        life = new_life(disk)
        for _ in range(3):
            life.files.log.begin(life.files.roll(100, True))
        serve(life, publish_one)
        assert life.files.spares
        disk.cut_power(lost)
        with contextlib.suppress(PowerLoss):
            life.files.roll(100, True)
        for mode in (NONE, PREFIX, TORN):
            life.book.check(Life(disk.crash(Random(lost), mode), life.book, Random(1)).recover())


def test_what_frees_space_finds_a_spare_when_publishers_find_none() -> None:
    files = JournalFiles(FakeDisk(capacity=10 * SEGMENT), SEGMENT)
    files.recover()
    with pytest.raises(NoRoom):
        while True:
            files.log.begin(files.roll(100, False))
    files.log.begin(files.roll(100, True))


def acknowledge(first: int, last: int) -> Callable[[Life], None]:
    """Consume what has an LSN between these and waits in the first queue."""
    return lambda life: life.acknowledge(1, [lsn for lsn in life.alive[1] if first <= lsn <= last])


# Three messages of which the first goes, and then so much garbage that the others are salvaged.
DAY = (lambda life: life.publish_to([1], [b"one", b"two", b"six"]), acknowledge(1, 1))
GARBAGE = (publish_large, acknowledge(4, 1000)) * 10


def test_power_may_go_in_every_operation_of_a_day_with_salvage() -> None:
    salvaged = 0
    for last in itertools.count(1):
        disk = FakeDisk()
        life = new_life(disk)
        disk.cut_power(last)
        with contextlib.suppress(BaseExceptionGroup):
            serve(life, *DAY, *GARBAGE)
        salvaged += life.files.log.salvaged > 0
        for mode in (NONE, PREFIX):
            life.book.check(Life(disk.crash(Random(last), mode), life.book, Random(1)).recover())
        if not life.disk.dead:
            break
    assert last > salvaged > 10


def test_what_a_salvage_copied_before_a_crash_is_not_copied_again_after_it() -> None:
    disk = FakeDisk()
    life = new_life(disk)
    disk.cut_power(1, "unlink")
    with contextlib.suppress(BaseExceptionGroup):
        serve(life, *DAY, *GARBAGE)
    # The copy of the second and the third is safe, and the first segment still has its name.
    after = Life(disk.crash(Random(1), NONE), life.book, Random(1), hasty=False)
    life.book.settle_for(life.book.check(after.recover()))
    assert after.files.log.moved_lsns and after.files.log.segments[0].number == 1
    serve(after, acknowledge(2, 3), *GARBAGE)
    assert after.files.log.segments[0].number > 1
    found = Life(after.disk.crash(Random(1), NONE), life.book, Random(1)).recover()
    assert found == life.book.safe


def test_what_is_settled_waits_for_a_salvaged_copy_that_waits_for_room() -> None:
    disk = FakeDisk()
    life = new_life(disk)
    serve(life, publish_one, publish_large, publish_large, publish_large, publish_large)
    log = life.files.log
    first = log.segments[0]
    salvage = Salvage(log, first, disk.read(first.name, 0, first.used))
    assert salvage.slice(life.batch, 100, 1 << 20)
    waiting = life.batch.take()
    life.acknowledge(1, [1, 2])
    assert not life.batch.take_settled(waiting.first_lsn, 100).heads
    assert [(queue, list(lsns)) for queue, lsns, _ in life.batch.take().gone] == [(1, [1, 2])]
