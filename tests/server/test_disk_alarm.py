"""The disk alarm against a meter that shows what the test says."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import trio
import trio.testing

from amq.broker import Broker
from amq.config.settings import Settings
from amq.server.disk import FolderDisk
from amq.server.disk_alarm import DiskAlarm
from tests.harness.dialogue import enter

LIMIT = 50_000_000


class AlarmedCore:
    """As much of a broker as the alarm sees."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, bool]] = []

    def set_alarm(self, source: str, raised: bool) -> None:
        self.heard.append((source, raised))


class Meter:
    """Shows `free`, or fails."""

    def __init__(self) -> None:
        self.free: int | OSError = 1 << 40
        self.looks = 0

    def __call__(self) -> int:
        self.looks += 1
        if isinstance(self.free, OSError):
            raise self.free
        return self.free


@pytest.fixture
def core() -> AlarmedCore:
    return AlarmedCore()


@pytest.fixture
def meter() -> Meter:
    return Meter()


@pytest.fixture
def alarm(core: AlarmedCore, meter: Meter) -> DiskAlarm:
    return DiskAlarm(core, LIMIT, meter)  # type: ignore[arg-type]


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


async def test_it_is_raised_under_the_limit_and_cleared_at_it_and_only_once(
    alarm: DiskAlarm, meter: Meter, core: AlarmedCore
) -> None:
    for meter.free, changes in ((LIMIT, False), (LIMIT - 1, True), (0, False), (LIMIT, True), (LIMIT, False)):
        assert await alarm.check() is changes
    assert core.heard == [("disk", True), ("disk", False)]


async def test_a_limit_of_nothing_blocks_nobody(meter: Meter, core: AlarmedCore) -> None:
    alarm = DiskAlarm(core, 0, meter)  # type: ignore[arg-type]
    meter.free = 0
    assert not await alarm.check()
    assert core.heard == []


async def test_the_log_shows_the_figures_as_rabbitmq_does(
    alarm: DiskAlarm, meter: Meter, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for meter.free in (4096, 4096, LIMIT + 1):
        await alarm.check()
    assert lines(caplog) == [
        "Free disk space is insufficient. Free bytes: 4096. Limit: 50000000",
        "Free disk space is sufficient. Free bytes: 50000001. Limit: 50000000",
    ]


# -- a journal that finds no room --


async def test_a_journal_without_room_raises_it_at_once_and_only_the_journal_clears_that(
    alarm: DiskAlarm, meter: Meter, core: AlarmedCore
) -> None:
    await alarm.check()
    assert alarm.kick(starved=True)
    assert not alarm.kick(starved=True)
    assert not await alarm.check()
    assert core.heard == [("disk", True)]
    assert alarm.kick(starved=False)
    assert core.heard == [("disk", True), ("disk", False)]


async def test_a_journal_that_has_room_again_does_not_clear_it_while_space_is_low(
    alarm: DiskAlarm, meter: Meter, core: AlarmedCore
) -> None:
    meter.free = 0
    await alarm.check()
    assert not alarm.kick(starved=True)
    assert not alarm.kick(starved=False)
    meter.free = LIMIT
    assert await alarm.check()
    assert core.heard == [("disk", True), ("disk", False)]


def test_a_journal_without_room_is_believed_before_anything_was_measured(
    alarm: DiskAlarm, core: AlarmedCore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    assert alarm.kick(starved=True)
    assert core.heard == [("disk", True)]
    assert lines(caplog) == [
        "the journal finds no room on the disk, whatever is said to be free",
        "Free disk space is insufficient. Free bytes: not known. Limit: 50000000",
    ]


# -- a disk that does not answer --


@pytest.mark.parametrize("raised", [False, True])
async def test_a_measure_that_fails_changes_nothing_and_is_logged_once(
    alarm: DiskAlarm, meter: Meter, core: AlarmedCore, caplog: pytest.LogCaptureFixture, raised: bool
) -> None:
    meter.free = 0 if raised else LIMIT
    await alarm.check()
    for _ in range(3):
        meter.free = OSError(5, "Input/output error")
        assert not await alarm.check()
    assert alarm.raised is raised
    assert lines(caplog) == ["free disk space cannot be measured: [Errno 5] Input/output error"]
    meter.free = LIMIT - raised
    await alarm.check()
    meter.free = OSError(5, "Input/output error")
    await alarm.check()
    assert len(lines(caplog)) == 2


async def test_a_measure_that_hangs_holds_up_neither_the_broker_nor_its_end(core: AlarmedCore) -> None:
    hanging, released = threading.Event(), threading.Event()

    def hang() -> int:
        hanging.set()
        released.wait(20)
        return 0

    alarm = DiskAlarm(core, LIMIT, hang)  # type: ignore[arg-type]
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(alarm.run, lambda: None)
            await trio.to_thread.run_sync(hanging.wait)
            assert alarm.kick(starved=True)
            nursery.cancel_scope.cancel()
        assert not released.is_set()
    finally:
        released.set()


# -- when it looks --


async def test_space_is_measured_more_often_the_less_of_it_is_left(alarm: DiskAlarm, meter: Meter) -> None:
    gib = 1 << 30
    intervals = []
    for free in (100 * gib, 10 * gib, 5 * gib, gib // 2, 1, 0, -LIMIT):
        meter.free = LIMIT + free
        await alarm.check()
        intervals.append(alarm.interval())
    assert intervals == [10.0, 10.0, 5.0, 0.5, 0.1, 0.1, 0.1]


async def test_it_looks_when_it_starts_and_when_it_is_kicked(
    alarm: DiskAlarm, meter: Meter, autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def in_place(function: Callable[[], int], *, abandon_on_cancel: bool) -> int:
        return function()

    # The clock jumps without waiting for threads.
    monkeypatch.setattr(trio.to_thread, "run_sync", in_place)
    flushed: list[bool] = []
    looked: list[tuple[float, int]] = []
    began = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(alarm.run, lambda: flushed.append(alarm.raised))
        for wait, kick in ((1, False), (4, True), (1, False), (9.5, False)):
            await trio.sleep(wait)
            looked.append((trio.current_time() - began, meter.looks))
            if kick:
                alarm.kick(starved=False)
        meter.free = 0
        await trio.sleep(10)
        nursery.cancel_scope.cancel()
    # At the start, at 5 because of the kick, 10 s after that.
    assert looked == [(1, 1), (5, 1), (6, 2), (15.5, 3)]
    assert flushed == [True]


async def test_publishers_hear_what_is_scarce(meter: Meter) -> None:
    client = enter(channels=[1])
    alarm = DiskAlarm(client.broker, LIMIT, meter)
    meter.free = 0
    await alarm.check()
    client.publish(1, "q", b"")
    client.hears(0, "connection.blocked", reason="low on disk")
    meter.free = LIMIT
    await alarm.check()
    client.hears(0, "connection.unblocked")


async def test_a_real_folder_has_free_space(tmp_path: Path) -> None:
    alarm = DiskAlarm(Broker(Settings(), 0.0, 0.0), 1, FolderDisk(tmp_path).free)
    assert not await alarm.check()
    assert not alarm.raised
