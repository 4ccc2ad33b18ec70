"""Descriptors that are ready, in one task."""

import os
import socket
import time
from collections.abc import AsyncIterator

import pytest
import trio
import trio.testing

from amq.server.reactor import READ, TURN, WRITE, Reactor


@pytest.fixture
async def reactor(nursery: trio.Nursery) -> AsyncIterator[Reactor]:
    reactor = Reactor()
    nursery.start_soon(reactor.run)
    yield reactor
    nursery.cancel_scope.cancel()
    reactor.close()


class Pair:
    """Two ends of a connection, and what was heard of the first."""

    def __init__(self) -> None:
        self.near, self.far = socket.socketpair()
        self.near.setblocking(False)
        self.heard: list[bytes] = []

    def ready(self, events: int) -> None:
        self.heard.append(os.read(self.near.fileno(), 1))

    def __enter__(self) -> "Pair":
        return self

    def __exit__(self, *error: object) -> None:
        self.near.close()
        self.far.close()


async def test_a_handler_is_called_as_long_as_there_is_something_to_read(reactor: Reactor) -> None:
    with Pair() as pair:
        reactor.watch(pair.near.fileno(), READ, pair.ready)
        pair.far.send(b"abc")
        await trio.testing.wait_all_tasks_blocked()
        assert pair.heard == [b"a", b"b", b"c"]


async def test_what_is_not_watched_for_calls_nobody(reactor: Reactor) -> None:
    with Pair() as pair:
        reactor.watch(pair.near.fileno(), READ, pair.ready)
        reactor.change(pair.near.fileno(), 0)
        pair.far.send(b"a")
        await trio.testing.wait_all_tasks_blocked()
        assert pair.heard == []
        reactor.change(pair.near.fileno(), READ)
        await trio.testing.wait_all_tasks_blocked()
        assert pair.heard == [b"a"]


async def test_who_forgets_another_in_the_middle_of_a_round_is_not_followed_by_its_call(reactor: Reactor) -> None:
    with Pair() as one, Pair() as other:
        pairs = (one, other)

        def ready(events: int) -> None:
            for pair in pairs:
                reactor.forget(pair.near.fileno())
                pair.heard.append(b"forgotten")

        for pair in pairs:
            reactor.watch(pair.near.fileno(), READ, ready)
            pair.far.send(b"a")
        await trio.testing.wait_all_tasks_blocked()
        assert [pair.heard for pair in pairs] == [[b"forgotten"], [b"forgotten"]]


async def test_room_to_write_is_reported_with_what_is_to_be_read(reactor: Reactor) -> None:
    with Pair() as pair:
        found: list[int] = []

        def ready(events: int) -> None:
            found.append(events)
            reactor.forget(pair.near.fileno())

        pair.far.send(b"a")
        reactor.watch(pair.near.fileno(), READ | WRITE, ready)
        await trio.testing.wait_all_tasks_blocked()
        assert found == [READ | WRITE]


async def test_who_waits_is_asked_until_it_says_yes_and_others_are_served_meanwhile(reactor: Reactor) -> None:
    asked = 0
    with Pair() as pair:

        def look(now: float) -> bool:
            nonlocal asked
            asked += 1
            if asked == 5:
                pair.far.send(b"a")
            return bool(pair.heard)

        reactor.waiting[look] = None
        # Somebody must be ready for it to begin.
        with Pair() as first:
            reactor.watch(first.near.fileno(), READ, first.ready)
            reactor.watch(pair.near.fileno(), READ, pair.ready)
            first.far.send(b"x")
            for _ in range(100):
                await trio.sleep(0)
            assert pair.heard == [b"a"]
            assert reactor.waiting == {}
            assert 5 < asked < 100
            reactor.forget(first.near.fileno())
            reactor.forget(pair.near.fileno())


async def test_what_can_wait_is_done_in_parts_between_which_others_are_served(reactor: Reactor) -> None:
    with Pair() as pair:
        done: list[int] = []
        served_after: list[int] = []

        def ready(events: int) -> None:
            pair.ready(events)
            served_after.append(len(done))

        def slow() -> None:
            pass_time(TURN)
            done.append(len(done))
            pair.far.send(b"a")

        for _ in range(5):
            reactor.later(slow)
        reactor.watch(pair.near.fileno(), READ, ready)
        pair.far.send(b"a")
        await trio.testing.wait_all_tasks_blocked()
        assert done == [0, 1, 2, 3, 4]
        assert served_after == [0, 1, 2, 3, 4, 5]
        reactor.forget(pair.near.fileno())


def pass_time(seconds: float) -> None:
    """Be busy for so long."""
    time.sleep(seconds)
