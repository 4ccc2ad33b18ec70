"""Full garbage collections happen when clients have left, and otherwise now and then."""

from __future__ import annotations

import gc
import weakref

import trio
import trio.testing

from amq.server.collector import GONE, GROWN, INTERVAL, SELDOM, THRESHOLDS, WORTH_RELEASING, Collector


class Cycle:
    """Garbage that only the collector finds."""

    def __init__(self) -> None:
        self.me = self


def old_garbage() -> weakref.ref[Cycle]:
    """A cycle that has outlived the young generations before it became garbage."""
    cycle = Cycle()
    gc.collect(1)
    return weakref.ref(cycle)


async def test_garbage_goes_within_the_interval(nursery: trio.Nursery, autojump_clock: trio.testing.MockClock) -> None:
    nursery.start_soon(Collector().run)
    await trio.testing.wait_all_tasks_blocked()
    garbage = old_garbage()
    assert garbage() is not None
    await trio.sleep(INTERVAL * 2)
    assert garbage() is None


async def test_garbage_goes_when_many_clients_have_left(nursery: trio.Nursery) -> None:
    collector = Collector()
    nursery.start_soon(collector.run)
    await trio.testing.wait_all_tasks_blocked()
    garbage = old_garbage()
    for _ in range(GONE - 1):
        collector.gone()
    await trio.testing.wait_all_tasks_blocked()
    assert garbage() is not None
    collector.gone()
    await trio.testing.wait_all_tasks_blocked()
    assert garbage() is None


async def test_a_process_with_a_large_backlog_is_looked_at_seldom(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    sizes = [0]
    nursery.start_soon(Collector(lambda: sizes[0], lambda: None).run)
    await trio.testing.wait_all_tasks_blocked()
    garbage = old_garbage()
    sizes[0] = GROWN + 1
    await trio.sleep(INTERVAL * 5)
    assert garbage() is not None
    await trio.sleep(SELDOM)
    assert garbage() is None


async def test_it_is_looked_at_when_the_backlog_has_gone(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    sizes = [0]
    nursery.start_soon(Collector(lambda: sizes[0], lambda: None).run)
    await trio.testing.wait_all_tasks_blocked()
    garbage = old_garbage()
    sizes[0] = GROWN + 1
    await trio.sleep(INTERVAL * 2)
    sizes[0] = GROWN
    await trio.sleep(INTERVAL * 2)
    assert garbage() is None


async def test_what_the_allocator_keeps_is_given_back_where_it_is_much(nursery: trio.Nursery) -> None:
    released = trio.Event()
    token = trio.lowlevel.current_trio_token()
    collector = Collector(lambda: WORTH_RELEASING + 1, lambda: token.run_sync_soon(released.set))
    nursery.start_soon(collector.run)
    await trio.testing.wait_all_tasks_blocked()
    for _ in range(GONE):
        collector.gone()
    await released.wait()


async def test_a_small_process_is_left_as_it_is(nursery: trio.Nursery) -> None:
    measured = trio.Event()

    def resident() -> int:
        measured.set()
        return WORTH_RELEASING

    released: list[bool] = []
    collector = Collector(resident, lambda: released.append(True))
    nursery.start_soon(collector.run)
    await trio.testing.wait_all_tasks_blocked()
    for _ in range(GONE):
        collector.gone()
    await measured.wait()
    await trio.testing.wait_all_tasks_blocked()
    assert released == []


async def test_old_objects_are_not_looked_at_while_a_backlog_grows(nursery: trio.Nursery) -> None:
    nursery.start_soon(Collector().run)
    await trio.testing.wait_all_tasks_blocked()
    full_collections = gc.get_stats()[2]["collections"]
    backlog = [[number] for number in range(300_000)]
    assert len(backlog) == 300_000
    assert gc.get_stats()[2]["collections"] == full_collections


async def test_python_is_left_as_it_was() -> None:
    before = gc.get_threshold()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(Collector().run)
        await trio.testing.wait_all_tasks_blocked()
        assert gc.get_threshold() == THRESHOLDS
        nursery.cancel_scope.cancel()
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0
