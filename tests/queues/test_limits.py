"""Queues that may hold only so much."""

import pytest

from amq.queues.limits import DROP_HEAD, Limits
from amq.wire.tables import Table
from tests.queues.build import Taker, dead, drain, message, queue


def limited(overflow: bytes = b"drop-head", **numbers: int) -> Table:
    table: Table = {"x-" + name.replace("_", "-"): ("I", number) for name, number in numbers.items()}
    return {**table, "x-overflow": ("S", overflow), "x-dead-letter-exchange": ("S", b"dlx")}


@pytest.mark.parametrize(
    ("length", "size", "messages", "octets", "exceeded"),
    [
        (-1, -1, 10**9, 10**12, False),
        (2, -1, 2, 10**12, False),
        (2, -1, 3, 0, True),
        (-1, 5, 10**9, 5, False),
        (-1, 5, 1, 6, True),
        (0, -1, 0, 0, False),
        (0, -1, 1, 0, True),
        (-1, 0, 5, 0, False),
        (3, 5, 3, 6, True),
        (3, 5, 4, 5, True),
    ],
)
def test_a_bound_is_exceeded_by_what_is_more_than_it(
    length: int, size: int, messages: int, octets: int, exceeded: bool
) -> None:
    assert Limits(length, size, DROP_HEAD).exceeded(messages, octets) is exceeded


def test_the_oldest_go_to_make_room() -> None:
    there = queue(limited(max_length=2))
    assert all(there.enqueue(message(b"%d" % number)) for number in range(4))
    assert dead(there) == [(b"0", "maxlen"), (b"1", "maxlen")]
    assert drain(there) == [b"2", b"3"]


def test_octets_are_those_of_ready_bodies() -> None:
    there = queue(limited(max_length_bytes=5))
    there.enqueue(message(b"aaa"))
    there.enqueue(message(b"bb"))
    assert there.ready_count() == 2
    found = there.get()
    assert found is not None
    there.enqueue(message(b"ccc"))
    assert dead(there) == []
    there.requeue([(found[0], found[1])])
    assert dead(there) == [(b"aaa", "maxlen")]
    assert drain(there) == [b"bb", b"ccc"]


def test_one_message_that_is_too_large_by_itself_goes_too() -> None:
    there = queue(limited(max_length_bytes=2))
    there.enqueue(message(b"a"))
    there.enqueue(message(b"too large"))
    assert drain(there) == []
    assert [body for body, _ in dead(there)] == [b"a", b"too large"]


def test_what_is_out_does_not_count() -> None:
    there = queue(limited(max_length=1))
    there.enqueue(message(b"out"))
    there.get()
    there.enqueue(message(b"ready"))
    assert dead(there) == []


def test_a_limit_of_zero_leaves_what_a_consumer_takes_at_once() -> None:
    there = queue(limited(max_length=0))
    taker = Taker(credit=1)
    there.add_consumer(taker)
    there.enqueue(message(b"taken"))
    there.enqueue(message(b"lost"))
    assert taker.bodies() == [b"taken"]
    assert dead(there) == [(b"lost", "maxlen")]


@pytest.mark.parametrize("overflow", [b"reject-publish", b"reject-publish-dlx"])
def test_a_queue_that_refuses_keeps_what_it_has(overflow: bytes) -> None:
    there = queue(limited(overflow, max_length=1))
    assert there.enqueue(message(b"first"))
    assert not there.enqueue(message(b"second"))
    assert dead(there) == ([(b"second", "maxlen")] if overflow == b"reject-publish-dlx" else [])
    assert drain(there) == [b"first"]


def test_a_queue_that_refuses_asks_its_consumers_first() -> None:
    there = queue(limited(b"reject-publish", max_length=1))
    assert there.enqueue(message(b"first"))
    taker = Taker()
    there.add_consumer(taker)
    assert there.enqueue(message(b"second"))
    assert taker.bodies() == [b"first", b"second"]


def test_a_refusing_queue_of_length_zero_refuses_everything() -> None:
    there = queue(limited(b"reject-publish", max_length=0))
    there.add_consumer(Taker())
    assert not there.enqueue(message())


def test_a_refusing_queue_takes_back_more_than_it_may_hold() -> None:
    there = queue(limited(b"reject-publish", max_length=1))
    there.enqueue(message(b"first"))
    found = there.get()
    assert found is not None
    there.enqueue(message(b"second"))
    there.requeue([(found[0], found[1])])
    assert dead(there) == []
    assert drain(there) == [b"first", b"second"]


def test_the_highest_priority_stands_at_the_head_and_is_dropped_first() -> None:
    there = queue({**limited(max_length=1), "x-max-priority": ("I", 5)})
    there.enqueue(message(b"low", 0))
    there.enqueue(message(b"high", 5))
    assert dead(there) == [(b"high", "maxlen")]
    assert drain(there) == [b"low"]


def test_purging_makes_room() -> None:
    there = queue(limited(b"reject-publish", max_length_bytes=3))
    there.enqueue(message(b"abc"))
    assert there.purge() == 1
    assert there.enqueue(message(b"def"))


def test_without_a_dead_letter_exchange_what_is_dropped_is_gone() -> None:
    there = queue({"x-max-length": ("I", 0)})
    there.enqueue(message())
    assert dead(there) == []
    assert there.ready_count() == 0
