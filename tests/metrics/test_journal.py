"""Figures of the journal."""

import logging

import pytest
import trio
import trio.testing

from amq.metrics.journal import LATENCIES, REPORT, JournalStatistics


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_rates_are_those_of_the_last_few_seconds() -> None:
    clock = Clock()
    statistics = JournalStatistics(clock)
    assert statistics.rates() == (0.0, 0.0)
    for second in range(20):
        clock.now = 100.0 + second
        for _ in range(10 if second < 10 else 2):
            statistics.note(0.001, 5, 1000)
    clock.now = 120.0
    syncs, messages = statistics.rates()
    assert 1.5 < syncs < 2.5
    assert messages == 5 * syncs
    assert (statistics.syncs, statistics.messages, statistics.octets) == (120, 600, 120_000)


def test_a_line_says_how_many_messages_shared_a_sync() -> None:
    clock = Clock()
    statistics = JournalStatistics(clock)
    assert statistics.describe() == "no fsync yet"
    statistics.note(0.002, 3, 1 << 20)
    statistics.note(0.004, 1, 1 << 20)
    clock.now += 2
    line = (
        "4 messages in 2 fsyncs (2.0 per fsync), 2 MiB, mean 3.00 ms, slowest 4.0 ms; lately 1 fsyncs/s, 2 messages/s"
    )
    assert statistics.describe() == line


def test_syncs_are_counted_by_how_long_they_took() -> None:
    statistics = JournalStatistics()
    for seconds in (0.0001, 0.0005, 0.0006, 0.3, 60.0):
        statistics.note(seconds, 1, 100)
    classes = dict(zip((*LATENCIES, float("inf")), statistics.latencies, strict=True))
    assert {upper: count for upper, count in classes.items() if count} == {
        0.0005: 2,
        0.001: 1,
        0.5: 1,
        float("inf"): 1,
    }


async def test_it_is_reported_while_something_is_written(
    caplog: pytest.LogCaptureFixture, autojump_clock: trio.testing.MockClock
) -> None:
    caplog.set_level(logging.INFO, "amq.metrics.journal")
    statistics = JournalStatistics()
    with trio.move_on_after(3.5 * REPORT):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(statistics.report)
            await trio.sleep(1.5 * REPORT)
            statistics.note(0.001, 1, 100)
    assert [record.message.split(" fsyncs")[0] for record in caplog.records] == ["journal: 1 messages in 1"]
