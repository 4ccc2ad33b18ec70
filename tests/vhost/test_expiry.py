"""Queues that go when nobody uses them."""

import pytest

from amq.vhost import topology
from amq.vhost.settling import settle
from amq.vhost.vhost import Vhost
from tests.queues.build import Taker
from tests.vhost.build import declare, furnished, publish


@pytest.fixture
def vhost() -> Vhost:
    return furnished()


def later(vhost: Vhost, seconds: float) -> None:
    """Let time pass, a tick at a time."""
    clock = vhost.agenda.clock
    target = clock.now + seconds
    while (due := vhost.agenda.timers.next_deadline()) is not None and due <= target:
        clock.now = due
        vhost.agenda.timers.advance(due)
        settle(vhost)
    clock.now = target


def test_an_unused_queue_goes_when_its_time_is_over(vhost: Vhost) -> None:
    declare(vhost, b"q", expires=500)
    later(vhost, 0.499)
    assert b"q" in vhost.queues
    later(vhost, 0.002)
    assert b"q" not in vhost.queues


def test_a_long_time_is_kept_too(vhost: Vhost) -> None:
    declare(vhost, b"q", expires=200_000)
    later(vhost, 199)
    assert b"q" in vhost.queues
    later(vhost, 2)
    assert b"q" not in vhost.queues


def test_its_messages_are_not_dead_lettered(vhost: Vhost) -> None:
    dead = declare(vhost, b"dead")
    declare(vhost, b"q", expires=500, dead_letter_exchange=b"", dead_letter_routing_key=b"dead")
    publish(vhost, b"q")
    later(vhost, 1)
    assert b"q" not in vhost.queues
    assert dead.ready_count() == 0


def test_a_get_starts_the_time_anew(vhost: Vhost) -> None:
    queue = declare(vhost, b"q", expires=500)
    later(vhost, 0.4)
    queue.get()
    later(vhost, 0.4)
    assert b"q" in vhost.queues
    later(vhost, 0.2)
    assert b"q" not in vhost.queues


def test_publishing_is_no_use(vhost: Vhost) -> None:
    declare(vhost, b"q", expires=500)
    later(vhost, 0.4)
    publish(vhost, b"q")
    later(vhost, 0.2)
    assert b"q" not in vhost.queues


def test_a_queue_with_a_consumer_stays_and_goes_after_it(vhost: Vhost) -> None:
    queue = declare(vhost, b"q", expires=500)
    taker = Taker()
    queue.add_consumer(taker)
    later(vhost, 10.2)
    assert b"q" in vhost.queues
    queue.remove_consumer(taker)
    later(vhost, 0.499)
    assert b"q" in vhost.queues
    later(vhost, 0.002)
    assert b"q" not in vhost.queues


def test_a_queue_that_was_deleted_is_not_deleted_again(vhost: Vhost) -> None:
    topology.delete_queue(vhost, declare(vhost, b"q", expires=500))
    again = declare(vhost, b"q")
    later(vhost, 10)
    assert vhost.queues[b"q"] is again
    assert vhost.agenda.timers.next_deadline() is None
