"""The ticker on a clock that jumps: when it calls the core, and when it lets it sleep."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from amq.clock import Timed, Timers
from amq.server.ticker import Ticker


class Note(Timed):
    """Writes down when it was due."""

    def __init__(self, due_at: list[float]) -> None:
        self.due_at = due_at

    def due(self, now: float) -> None:
        self.due_at.append(now)


class TimedCore:
    """As much of a broker as the ticker sees; counts how often it was woken."""

    def __init__(self) -> None:
        self.timers = Timers()
        self.advanced: list[float] = []

    def advance(self, now: float) -> None:
        self.advanced.append(now)
        self.timers.advance(now)


@pytest.fixture
def core() -> TimedCore:
    return TimedCore()


@pytest.fixture
def due_at() -> list[float]:
    return []


@pytest.fixture
def flushes() -> list[float]:
    return []


@pytest.fixture
def ticker(core: TimedCore, flushes: list[float]) -> Ticker:
    return Ticker(core, lambda: flushes.append(trio.current_time()), trio.current_time)  # type: ignore[arg-type]


async def test_what_is_due_is_called_at_its_time_and_what_it_said_is_sent(
    core: TimedCore,
    ticker: Ticker,
    due_at: list[float],
    flushes: list[float],
    nursery: trio.Nursery,
    autojump_clock: trio.testing.MockClock,
) -> None:
    start = trio.current_time()
    core.timers.add(start + 5, Note(due_at))
    core.timers.add(start + 2, Note(due_at))
    nursery.start_soon(ticker.run)
    await trio.sleep(10)
    assert due_at == [start + 2, start + 5]
    assert flushes == due_at


async def test_an_idle_broker_is_left_alone(
    core: TimedCore, ticker: Ticker, nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    nursery.start_soon(ticker.run)
    await trio.sleep(80_000)
    assert core.advanced == []


async def test_a_kick_wakes_it_for_an_earlier_deadline(
    core: TimedCore,
    ticker: Ticker,
    due_at: list[float],
    nursery: trio.Nursery,
    autojump_clock: trio.testing.MockClock,
) -> None:
    start = trio.current_time()
    core.timers.add(start + 1000, Note(due_at))
    nursery.start_soon(ticker.run)
    await trio.sleep(1)
    core.timers.add(start + 3, Note(due_at))
    ticker.kick()
    await trio.sleep(10)
    assert due_at == [start + 3]


async def test_a_kick_without_an_earlier_deadline_does_not_wake_it(
    core: TimedCore,
    ticker: Ticker,
    due_at: list[float],
    nursery: trio.Nursery,
    autojump_clock: trio.testing.MockClock,
) -> None:
    start = trio.current_time()
    core.timers.add(start + 5, Note(due_at))
    nursery.start_soon(ticker.run)
    await trio.sleep(1)
    core.timers.add(start + 7, Note(due_at))
    ticker.kick()
    await trio.sleep(1)
    assert core.advanced == []


async def test_a_defect_in_what_is_due_is_logged_and_takes_nothing_else_along(
    core: TimedCore,
    ticker: Ticker,
    due_at: list[float],
    nursery: trio.Nursery,
    autojump_clock: trio.testing.MockClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Defect(Timed):
        def due(self, now: float) -> None:
            raise KeyError("gone")

    start = trio.current_time()
    core.timers.add(start + 1, Defect())
    core.timers.add(start + 2, Note(due_at))
    nursery.start_soon(ticker.run)
    await trio.sleep(10)
    assert due_at == [start + 2]
    assert "KeyError: 'gone'" in caplog.text


async def test_a_deadline_that_is_always_past_lets_others_run(nursery: trio.Nursery) -> None:
    class RestlessCore(TimedCore):
        def advance(self, now: float) -> None:
            super().advance(now)
            self.timers.add(now, Note([]))

    core = RestlessCore()
    core.timers.add(0, Note([]))
    nursery.start_soon(Ticker(core, lambda: None).run)  # type: ignore[arg-type]
    for _ in range(10):
        await trio.lowlevel.checkpoint()
    assert len(core.advanced) > 1
