"""What follows from what was done: deliveries, dead letters, and that it ends."""

import pytest

from amq.vhost.settling import PER_GO, settle
from amq.vhost.vhost import Vhost
from tests.harness.dialogue import enter
from tests.queues.build import Taker
from tests.vhost.build import declare, furnished, publish, reject


@pytest.fixture
def vhost() -> Vhost:
    return furnished()


def test_a_dead_letter_reaches_a_consumer_in_the_same_go(vhost: Vhost) -> None:
    dead = declare(vhost, b"dead")
    taker = Taker()
    dead.add_consumer(taker)
    queue = declare(vhost, b"q", dead_letter_exchange=b"", dead_letter_routing_key=b"dead")
    publish(vhost, b"q")
    reject(vhost, queue)
    assert taker.bodies() == [b"m"]


def test_a_dead_letter_may_die_again(vhost: Vhost) -> None:
    last = declare(vhost, b"2")
    declare(vhost, b"1", max_length=0, dead_letter_exchange=b"", dead_letter_routing_key=b"2")
    declare(vhost, b"0", max_length=0, dead_letter_exchange=b"", dead_letter_routing_key=b"1")
    publish(vhost, b"0")
    assert last.ready_count() == 1


def test_nothing_is_left_over(vhost: Vhost) -> None:
    declare(vhost, b"q", max_length=0, dead_letter_exchange=b"amq.fanout")
    publish(vhost, b"q")
    assert not vhost.agenda.touched
    assert not vhost.agenda.dead


def test_many_dead_letters_are_looked_after_in_several_goes(vhost: Vhost) -> None:
    dead = declare(vhost, b"dead")
    queue = declare(vhost, b"q", dead_letter_exchange=b"", dead_letter_routing_key=b"dead", message_ttl=10)
    for _ in range(2 * PER_GO + 1):
        publish(vhost, b"q")
    agenda = vhost.agenda
    agenda.clock.now += 1
    agenda.timers.advance(agenda.clock.now)
    for arrived in (PER_GO, 2 * PER_GO, 2 * PER_GO + 1):
        settle(vhost)
        assert dead.ready_count() == arrived
        agenda.timers.advance(agenda.clock.now)
    assert queue.ready_count() == 0
    assert not agenda.dead


def test_before_a_stop_all_that_is_dead_is_routed_however_much_it_is() -> None:
    client = enter(channels=[1])
    client.declare(1, "dead")
    client.declare(1, "q", arguments={"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead"})
    for number in range(3 * PER_GO):
        client.publish(1, "q", b"%d" % number)
    client.consume(1, "q")
    client.hear_all()
    client.say(1, "basic.nack", delivery_tag=0, multiple=True, requeue=False)
    queues = client.broker.vhosts["/"].queues
    assert queues[b"dead"].ready_count() == PER_GO
    client.broker.settle_all()
    assert queues[b"dead"].ready_count() == 3 * PER_GO
