"""What is put on record when messages are placed, move on and die."""

import pytest

from amq.queues.classic import ClassicQueue
from amq.vhost import topology
from amq.vhost.settling import settle
from amq.vhost.vhost import Vhost
from tests.journal.build import published, settled
from tests.vhost.build import declare, exchange, field, furnished, publish, reject, take


@pytest.fixture
def vhost() -> Vhost:
    return furnished(keeps=True)


def durable(vhost: Vhost, name: bytes, **arguments: object) -> ClassicQueue:
    table = {"x-" + key.replace("_", "-"): field(value) for key, value in arguments.items()}
    queue = topology.create_queue(vhost, name, True, None, False, table)
    assert isinstance(queue, ClassicQueue)
    return queue


def fan(vhost: Vhost, *names: bytes) -> None:
    for name in names:
        topology.bind(vhost, vhost.exchanges[b"amq.fanout"], vhost.queues[name], b"", {})


def recorded(vhost: Vhost) -> tuple[list[list[int]], list[tuple[int, int]]]:
    """The queues of each message on record, and what was settled, since the last batch."""
    work = vhost.agenda.journal.take()
    return [pair.queues for pair in published(work)], settled(work)


def test_a_message_is_on_record_once_for_all_durable_queues_that_take_it(vhost: Vhost) -> None:
    one, two, declared = durable(vhost, b"one"), durable(vhost, b"two"), declare(vhost, b"transient")
    durable(vhost, b"full", max_length=0, overflow=b"reject-publish")
    fan(vhost, b"one", b"two", b"transient", b"full")
    publish(vhost, b"", exchange=b"amq.fanout", persistent=True)
    placed, gone = recorded(vhost)
    assert [sorted(ids) for ids in placed] == [sorted([one.id, two.id])]
    assert gone == []
    assert take(one).lsn == take(two).lsn == take(declared).lsn == 1


@pytest.mark.parametrize("persistent", [False, True])
def test_what_is_transient_in_whatever_way_is_on_no_record(vhost: Vhost, persistent: bool) -> None:
    queue = declare(vhost, b"q") if persistent else durable(vhost, b"q")
    vhost.agenda.journal.take()
    publish(vhost, b"q", persistent=persistent)
    take(queue)
    assert vhost.agenda.journal.idle()
    assert not vhost.agenda.journal.urgent


def test_a_message_that_nobody_takes_is_on_no_record(vhost: Vhost) -> None:
    durable(vhost, b"full", max_length=0, overflow=b"reject-publish")
    publish(vhost, b"full", persistent=True)
    publish(vhost, b"nowhere", persistent=True)
    assert recorded(vhost) == ([], [])


def test_each_queue_settles_for_itself(vhost: Vhost) -> None:
    one, two = durable(vhost, b"one"), durable(vhost, b"two")
    fan(vhost, b"one", b"two")
    for _ in range(2):
        publish(vhost, b"", exchange=b"amq.fanout", persistent=True)
    take(two)
    take(one)
    take(two)
    assert sorted(recorded(vhost)[1]) == sorted([(two.id, 1), (two.id, 2), (one.id, 1)])


def test_a_dead_letter_and_the_end_of_what_it_was_are_in_one_batch(vhost: Vhost) -> None:
    dead = durable(vhost, b"dead")
    queue = durable(vhost, b"q", dead_letter_exchange=b"", dead_letter_routing_key=b"dead")
    publish(vhost, b"q", persistent=True)
    vhost.agenda.journal.take()
    found = queue.get()
    assert found is not None
    queue.reject(found[0], found[1])
    assert recorded(vhost) == ([], []), "it is on its way, and still in its queue"
    settle(vhost)
    assert vhost.agenda.journal.urgent
    assert recorded(vhost) == ([[dead.id]], [(queue.id, 1)])
    assert take(dead).lsn == 2


@pytest.mark.parametrize("target", ["transient", "nobody", "missing"])
def test_a_dead_letter_that_goes_to_no_durable_queue_has_gone_all_the_same(vhost: Vhost, target: str) -> None:
    declare(vhost, b"transient")
    exchange_name = b"missing" if target == "missing" else b""
    queue = durable(vhost, b"q", dead_letter_exchange=exchange_name, dead_letter_routing_key=target.encode())
    publish(vhost, b"q", persistent=True)
    vhost.agenda.journal.take()
    reject(vhost, queue)
    assert recorded(vhost) == ([], [(queue.id, 1)])


def test_what_is_rejected_without_an_exchange_for_dead_letters_has_gone(vhost: Vhost) -> None:
    queue = durable(vhost, b"q")
    publish(vhost, b"q", persistent=True)
    vhost.agenda.journal.take()
    reject(vhost, queue)
    assert recorded(vhost) == ([], [(queue.id, 1)])


def test_a_message_that_was_refused_for_good_was_never_on_record_where_it_dies(vhost: Vhost) -> None:
    dead = durable(vhost, b"dead")
    refusing = {"max_length": 0, "overflow": b"reject-publish-dlx", "dead_letter_exchange": b""}
    durable(vhost, b"q", dead_letter_routing_key=b"dead", **refusing)
    publish(vhost, b"q", persistent=True)
    assert recorded(vhost) == ([[dead.id]], [])


def test_heads_that_are_dropped_or_expire_have_gone(vhost: Vhost) -> None:
    small, brief = durable(vhost, b"small", max_length=1), durable(vhost, b"brief", message_ttl=10)
    for key in (b"small", b"small", b"brief", b"brief"):
        publish(vhost, key, persistent=True)
    vhost.agenda.clock.now += 1
    vhost.agenda.timers.advance(vhost.agenda.clock.now)
    assert sorted(recorded(vhost)[1]) == sorted([(small.id, 1), (brief.id, 3), (brief.id, 4)])


def test_what_an_exchange_has_delayed_is_on_record_where_it_waits_and_then_where_it_goes(vhost: Vhost) -> None:
    there = topology.create_exchange(
        vhost,
        b"later",
        topology.type_named(b"x-delayed-message"),
        True,
        False,
        False,
        {"x-delayed-type": ("S", b"fanout")},
    )
    queue = durable(vhost, b"q")
    topology.bind(vhost, there, queue, b"", {})
    vhost.agenda.journal.take()
    publish(vhost, b"", {"x-delay": ("I", 1000)}, exchange=b"later", persistent=True)
    assert there.waiting is not None
    assert recorded(vhost) == ([[there.waiting.id]], [])
    vhost.agenda.clock.now += 2
    vhost.agenda.timers.advance(vhost.agenda.clock.now)
    settle(vhost)
    assert recorded(vhost) == ([[queue.id]], [(there.waiting.id, 1)])


def test_nothing_is_on_record_in_memory() -> None:
    vhost = furnished()
    queue = durable(vhost, b"q")
    exchange(vhost, b"x")
    publish(vhost, b"q", persistent=True)
    assert take(queue).lsn == 0
    assert vhost.agenda.journal.idle()
