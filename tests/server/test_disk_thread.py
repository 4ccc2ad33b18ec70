"""A thread that waits for the disk in a task's place."""

import threading

import pytest
import trio
import trio.testing

from amq.server.disk_thread import DiskThread


async def test_the_thread_returns_what_its_action_does_and_raises_what_it_raises() -> None:
    thread = DiskThread()
    assert await thread.run(lambda: 7) == 7
    with pytest.raises(OSError, match="no more"):
        await thread.run(fail)
    assert await thread.run(lambda: None) is None
    thread.close()


def fail() -> None:
    raise OSError("no more")


async def test_all_actions_run_in_one_thread_that_is_not_this_one() -> None:
    thread = DiskThread()
    names = {await thread.run(threading.get_ident) for _ in range(50)}
    assert len(names) == 1
    assert threading.get_ident() not in names
    thread.close()


async def test_others_go_on_meanwhile() -> None:
    thread = DiskThread()
    gate = threading.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(thread.run, gate.wait)
        await trio.testing.wait_all_tasks_blocked()
        gate.set()
    thread.close()


async def test_an_action_that_has_begun_is_waited_for_whoever_is_cancelled() -> None:
    thread = DiskThread()
    gate = threading.Event()
    ended = []

    def action() -> None:
        gate.wait()
        ended.append(True)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(thread.run, action)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
        gate.set()
    assert ended == [True]
    assert await thread.run(lambda: "next") == "next"
    thread.close()


async def test_a_closed_thread_ends() -> None:
    thread = DiskThread()
    worker = await thread.run(threading.current_thread)
    thread.close()
    await trio.to_thread.run_sync(worker.join, 5.0)
    assert not worker.is_alive()
