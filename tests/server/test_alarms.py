"""The memory alarm against a meter that shows what the test says."""

from __future__ import annotations

import logging

import pytest

from amq.broker import Broker
from amq.config.settings import Settings
from amq.server.alarms import MemoryAlarm

MIB = 1 << 20


class AlarmedCore:
    """As much of a broker as the alarm sees."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, bool]] = []

    def set_alarm(self, source: str, raised: bool) -> None:
        self.heard.append((source, raised))


class Meter:
    """Shows `used`; `release` frees what is only `kept` by the allocator."""

    def __init__(self) -> None:
        self.used = 0
        self.kept = 0

    def __call__(self) -> int:
        return self.used + self.kept

    def release(self) -> None:
        self.kept = 0


@pytest.fixture
def core() -> AlarmedCore:
    return AlarmedCore()


@pytest.fixture
def meter() -> Meter:
    return Meter()


@pytest.fixture
def alarm(core: AlarmedCore, meter: Meter) -> MemoryAlarm:
    return MemoryAlarm(core, 100 * MIB, meter, meter.release)  # type: ignore[arg-type]


def test_it_is_raised_at_the_limit_and_only_once(alarm: MemoryAlarm, meter: Meter, core: AlarmedCore) -> None:
    meter.used = 99 * MIB
    assert not alarm.check()
    meter.used = 100 * MIB
    assert alarm.check()
    assert not alarm.check()
    assert core.heard == [("memory", True)]


def test_it_is_cleared_only_some_way_under_the_limit(alarm: MemoryAlarm, meter: Meter, core: AlarmedCore) -> None:
    meter.used = 100 * MIB
    alarm.check()
    meter.used = 96 * MIB
    assert not alarm.check()
    meter.used = 94 * MIB
    assert alarm.check()
    assert core.heard == [("memory", True), ("memory", False)]


def test_memory_that_only_the_allocator_keeps_blocks_nobody(
    alarm: MemoryAlarm, meter: Meter, core: AlarmedCore
) -> None:
    meter.used, meter.kept = 10 * MIB, 200 * MIB
    assert not alarm.check()
    assert core.heard == []


def test_a_limit_of_nothing_blocks_publishers_for_good(core: AlarmedCore, meter: Meter) -> None:
    alarm = MemoryAlarm(core, 0, meter, meter.release)  # type: ignore[arg-type]
    alarm.check()
    alarm.check()
    assert core.heard == [("memory", True)]


def test_the_log_shows_the_figures_of_every_change(
    alarm: MemoryAlarm, meter: Meter, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    meter.used = 101 * MIB
    alarm.check()
    meter.used = 10 * MIB
    alarm.check()
    assert [record.getMessage() for record in caplog.records] == [
        "101 MiB of memory in use, limit 100 MiB",
        "10 MiB of memory in use, limit 100 MiB",
    ]


def test_memory_is_measured_more_often_the_less_of_it_is_left() -> None:
    used = [0]
    alarm = MemoryAlarm(Broker(Settings(), 0.0, 0.0), 4 << 30, lambda: used[0], lambda: None)
    intervals = []
    for used[0] in (0, 3 << 30, (4 << 30) - (1 << 29), (4 << 30) - 1):
        alarm.check()
        intervals.append(alarm.interval())
    assert intervals == [1.0, 1.0, 0.5, 0.05]
    used[0] = 4 << 30
    alarm.check()
    assert alarm.interval() == 1.0
