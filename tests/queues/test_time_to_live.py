"""Messages that live for a while only, in a queue by itself."""

import pytest

from amq.wire.tables import Table
from tests.queues.build import Taker, dead, drain, later, message, queue

MORTAL: Table = {"x-dead-letter-exchange": ("S", b"dlx")}


def lives(ms: int) -> Table:
    return {**MORTAL, "x-message-ttl": ("I", ms)}


def test_a_message_without_a_time_to_live_stays() -> None:
    there = queue(MORTAL)
    there.enqueue(message(b"stays"))
    later(there, 1e9)
    assert there.ready_count() == 1
    assert not there.agenda.timers.heap


@pytest.mark.parametrize(("of_queue", "of_message", "ms"), [(50, -1, 50), (50, 20, 20), (20, 50, 20), (50, 0, 0)])
def test_the_lesser_time_to_live_counts(of_queue: int, of_message: int, ms: int) -> None:
    there = queue(lives(of_queue))
    there.enqueue(message(b"m", ttl=of_message))
    later(there, ms / 1000 - 0.001 if ms else 0)
    assert there.ready_count() == (1 if ms else 0)
    later(there, 0.0011)
    assert dead(there) == [(b"m", "expired")]


def test_a_message_expires_in_the_very_moment_that_its_time_is_over() -> None:
    there = queue(lives(500))
    there.enqueue(message(b"m"))
    later(there, 0.5)
    assert there.ready_count() == 0


@pytest.mark.parametrize("arguments", [lives(0), MORTAL])
def test_a_time_to_live_of_zero_is_long_enough_for_a_consumer_that_waits(arguments: Table) -> None:
    there = queue(arguments)
    taker = Taker()
    there.add_consumer(taker)
    there.enqueue(message(b"m", ttl=0))
    assert taker.bodies() == [b"m"]
    assert dead(there) == []


def test_a_time_to_live_of_zero_is_too_short_without_a_consumer() -> None:
    there = queue(lives(0))
    there.enqueue(message(b"m"))
    assert there.ready_count() == 0
    assert dead(there) == [(b"m", "expired")]


def test_an_expired_head_does_not_reach_the_consumer_that_takes_the_next() -> None:
    there = queue(MORTAL)
    there.enqueue(message(b"first", ttl=10))
    there.agenda.clock.now += 0.02
    taker = Taker()
    there.add_consumer(taker)
    there.enqueue(message(b"second", ttl=10))
    assert taker.bodies() == [b"second"]
    assert dead(there) == [(b"first", "expired")]


def test_the_expired_wait_behind_a_head_that_lives_on() -> None:
    there = queue(MORTAL)
    there.enqueue(message(b"lives"))
    there.enqueue(message(b"expires", ttl=10))
    later(there, 1)
    assert there.ready_count() == 2
    assert dead(there) == []


def test_a_message_that_becomes_the_head_by_a_get_still_expires_in_time() -> None:
    there = queue(MORTAL)
    there.enqueue(message(b"head"))
    there.enqueue(message(b"next", ttl=10))
    there.get()
    later(there, 0.01)
    assert dead(there) == [(b"next", "expired")]


def test_a_message_that_becomes_the_head_by_a_delivery_still_expires_in_time() -> None:
    there = queue(MORTAL)
    there.enqueue(message(b"head"))
    there.enqueue(message(b"next", ttl=10))
    there.add_consumer(Taker(credit=1))
    there.dispatch()
    later(there, 0.01)
    assert dead(there) == [(b"next", "expired")]


def test_a_get_that_uncovers_an_expired_message_lets_it_go() -> None:
    there = queue(MORTAL)
    there.enqueue(message(b"head"))
    there.enqueue(message(b"late", ttl=10))
    there.agenda.clock.now += 1
    assert there.get() is not None
    assert there.ready_count() == 0
    assert dead(there) == [(b"late", "expired")]


def test_what_is_out_for_delivery_expires_only_once_it_is_back() -> None:
    there = queue(lives(10))
    there.enqueue(message(b"m"))
    found = there.get()
    assert found is not None
    later(there, 1)
    assert dead(there) == []
    there.requeue([(found[0], found[1])])
    there.dispatch()
    assert dead(there) == [(b"m", "expired")]


def test_nothing_is_remembered_of_what_was_settled_purged_or_expired() -> None:
    there = queue(lives(10))
    for body in (b"settled", b"expired"):
        there.enqueue(message(body))
    found = there.get()
    assert found is not None
    there.settle(found[0], found[1])
    later(there, 1)
    there.enqueue(message(b"purged"))
    assert there.purge() == 1
    assert there.deadlines == {}


def test_purge_leaves_the_time_of_what_is_out() -> None:
    there = queue(lives(10))
    there.enqueue(message(b"out"))
    there.enqueue(message(b"ready"))
    found = there.get()
    assert found is not None
    there.purge()
    there.requeue([(found[0], found[1])])
    later(there, 1)
    there.dispatch()
    assert dead(there) == [(b"out", "expired")]


def test_without_a_dead_letter_exchange_the_expired_are_gone() -> None:
    there = queue({"x-message-ttl": ("I", 5)})
    there.enqueue(message(b"m"))
    later(there, 1)
    assert dead(there) == []
    assert drain(there) == []


def test_a_deleted_queue_expires_nothing() -> None:
    there = queue(lives(5))
    there.enqueue(message(b"m"))
    there.deleted = True
    later(there, 1)
    assert dead(there) == []
