"""Surveys of what crashes leave behind: never damage, and the same messages that recovery finds. And of bits that have
turned over in the end: what salvage makes of such a journal has everything but what the survey says.
"""

from random import Random

import attrs
import pytest
import trio

from amq.journal.segment import segment_number
from amq.journal.survey import Survey
from amq.server import journal_files, journal_room, journal_writer
from tests.faults.crash_images import History, Rot
from tests.faults.crash_images_book import Pair
from tests.faults.crash_images_life import Life
from tests.faults.fake_disk import NONE, FakeDisk
from tests.faults.test_crash_images import TrioTime, inline
from tests.journal.damaged import Files, alive, mended, on_disk, surveyed


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Segments of a few frames, and no real time."""
    monkeypatch.setattr(journal_writer, "time", TrioTime)
    monkeypatch.setattr(journal_room, "time", TrioTime)
    monkeypatch.setattr(trio.to_thread, "run_sync", inline)
    for name, value in (("LEAST_BYTES", 2048), ("FIRST_BYTES", 4096), ("PART", 1)):
        monkeypatch.setattr(journal_files, name, value)
    for name, value in (("SPARE", 4096), ("SLICE_RECORDS", 4), ("SLICE_OCTETS", 1000), ("ACKS_OCTETS", 1024)):
        monkeypatch.setattr(journal_room, name, value)


def segments(disk: FakeDisk) -> Files:
    return {name: disk.read(name, 0, disk.size(name)) for name in disk.names() if segment_number(name) is not None}


def pairs(survey: Survey, known: set[int]) -> set[Pair]:
    return {(queue, lsn) for queue, lsns in alive(survey).items() if queue in known for lsn in lsns}


@attrs.define(eq=False)
class Surveyed(History):
    """A history that surveys each image of a crash before it recovers from it."""

    surveys: int = attrs.field(default=0, init=False)

    def _check(self, disk: FakeDisk) -> None:
        files = segments(disk)
        survey = surveyed(files)
        assert survey.damages == [], [damage.problem for damage in survey.damages]
        capacity = disk.capacity
        disk.capacity = 1 << 30
        found = Life(disk.crash(Random(0), NONE), self.book, Random(0)).recover()
        disk.capacity = capacity
        assert pairs(survey, self.book.known) == found.keys()
        self.surveys += 1
        super()._check(disk)


def test_what_a_crash_leaves_is_no_damage_and_has_the_messages_that_recovery_finds() -> None:
    surveys = 0
    for seed in range(12):
        history = Surveyed(seed)
        history.play(3)
        surveys += history.surveys
    assert surveys > 100


def test_salvage_keeps_everything_but_what_is_said_to_be_lost() -> None:
    damaged = 0
    for seed in range(15):
        rot = Rot(seed)
        book = rot.life.book
        whole = Life(rot.life.disk.crash(rot.random, NONE), book, rot.random).recover()
        for _ in range(20):
            files = segments(rot.life.disk)
            name = rot.random.choice(sorted(files))
            octets = bytearray(files[name])
            bit = rot._bit(rot.life.disk, name)
            octets[bit // 8] ^= 1 << bit % 8
            survey = surveyed({**files, name: bytes(octets)})
            damaged += bool(survey.damages)
            salvaged = mended({**files, name: bytes(octets)}, survey)
            found = Life(on_disk(salvaged), book, rot.random).recover()
            where = f"seed {seed}, {name} bit {bit}"
            assert found.keys() == pairs(survey, book.known), where
            lost = whole.keys() - found.keys()
            gaps = [gap for damage in survey.damages for gap in [*damage.gaps, (None, damage.carried)]]
            assert all(
                any((low or 0) <= lsn <= (lsn if high is None else high) for low, high in gaps) for _, lsn in lost
            ), where
            assert all(found[pair] == content for pair, content in whole.items() if pair in found), where
            assert len(survey.damages) <= 1, where
    assert damaged > 100
