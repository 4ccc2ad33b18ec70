"""Answers that wait for the disk, and everything behind them that waits with them."""

from typing import Any

import pytest

from amq.broker import Broker
from amq.chores import SLICE
from amq.connection.entities import defining
from tests.harness.dialogue import Dialogue, enter, frame, method, new_broker, publish

SAFE: dict[str, Any] = {"delivery_mode": 2}


def write(broker: Broker) -> None:
    """The disk takes everything that waits for it."""
    work = broker.journal.take()
    broker.journal.landed(work)
    broker.durable(work.ticket)


def settled(keeps: bool = True, **options: Any) -> Dialogue:
    """A client whose broker has written everything so far: durable queue `q`, transient `t`, durable exchange `x`."""
    client = enter(new_broker(keeps), channels=[1, 2], **options)
    client.send(
        method(1, "queue.declare", queue="q", durable=True, nowait=True)
        + method(1, "queue.declare", queue="t", nowait=True)
        + method(1, "exchange.declare", exchange="x", type="topic", durable=True, nowait=True)
        + method(1, "exchange.declare", exchange="xt", type="fanout", nowait=True)
    )
    write(client.broker)
    client.hears_nothing()
    return client


DURABLE: list[tuple[str, dict[str, Any], str]] = [
    ("exchange.declare", {"exchange": "new", "type": "x-consistent-hash", "durable": True}, "exchange.declare-ok"),
    ("exchange.delete", {"exchange": "x"}, "exchange.delete-ok"),
    ("exchange.bind", {"source": "x", "destination": "amq.fanout"}, "exchange.bind-ok"),
    ("queue.declare", {"queue": "new", "durable": True}, "queue.declare-ok"),
    ("queue.declare", {"queue": "", "durable": True}, "queue.declare-ok"),
    ("queue.delete", {"queue": "q"}, "queue.delete-ok"),
    ("queue.bind", {"queue": "q", "exchange": "x", "routing_key": "k"}, "queue.bind-ok"),
]

TRANSIENT: list[tuple[str, dict[str, Any], str]] = [
    ("exchange.declare", {"exchange": "new", "type": "direct"}, "exchange.declare-ok"),
    ("exchange.declare", {"exchange": "x", "type": "topic", "durable": True, "passive": True}, "exchange.declare-ok"),
    ("exchange.delete", {"exchange": "xt"}, "exchange.delete-ok"),
    ("exchange.bind", {"source": "x", "destination": "xt"}, "exchange.bind-ok"),
    ("exchange.bind", {"source": "xt", "destination": "x"}, "exchange.bind-ok"),
    ("exchange.unbind", {"source": "x", "destination": "xt"}, "exchange.unbind-ok"),
    ("queue.declare", {"queue": "new"}, "queue.declare-ok"),
    ("queue.declare", {"queue": "own", "durable": True, "exclusive": True}, "queue.declare-ok"),
    ("queue.declare", {"queue": "q", "passive": True}, "queue.declare-ok"),
    ("queue.delete", {"queue": "t"}, "queue.delete-ok"),
    ("queue.bind", {"queue": "t", "exchange": "x", "routing_key": "k"}, "queue.bind-ok"),
    ("queue.bind", {"queue": "q", "exchange": "xt", "routing_key": "k"}, "queue.bind-ok"),
    ("queue.unbind", {"queue": "t", "exchange": "x", "routing_key": "k"}, "queue.unbind-ok"),
    ("queue.purge", {"queue": "t"}, "queue.purge-ok"),
    ("queue.purge", {"queue": "q"}, "queue.purge-ok"),
]


@pytest.mark.parametrize(("name", "fields", "answer"), DURABLE)
def test_what_is_durable_is_on_disk_before_it_is_answered(name: str, fields: dict[str, Any], answer: str) -> None:
    client = settled()
    client.say(1, name, **fields)
    client.hears_nothing()
    assert not client.connection.wants_data()
    write(client.broker)
    client.hears(1, answer)
    client.hears_nothing()
    assert client.connection.wants_data()


@pytest.mark.parametrize(("name", "fields", "answer"), TRANSIENT)
def test_what_is_transient_waits_for_nobody(name: str, fields: dict[str, Any], answer: str) -> None:
    client = settled()
    # A change of somebody else is on its way.
    enter(client.broker, channels=[1]).say(1, "queue.declare", queue="other", durable=True)
    client.say(1, name, **fields)
    client.hears(1, answer)
    assert client.connection.wants_data()


@pytest.mark.parametrize(("name", "fields", "answer"), DURABLE + TRANSIENT)
def test_without_a_journal_nothing_waits(name: str, fields: dict[str, Any], answer: str) -> None:
    client = settled(keeps=False)
    client.say(1, name, **fields)
    client.hears(1, answer)
    client.hears_nothing()
    assert client.connection.wants_data()
    assert not client.broker.awaiting


@pytest.mark.parametrize(("name", "fields", "answer"), DURABLE)
def test_who_wants_no_answer_does_not_wait(name: str, fields: dict[str, Any], answer: str) -> None:
    client = settled()
    client.send(method(1, name, nowait=True, **fields) + method(2, "basic.qos"))
    client.hears(2, "basic.qos-ok")
    write(client.broker)
    client.hears_nothing()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (
            ("queue.declare", {"queue": "new", "durable": True}),
            ("queue.declare", {"queue": "new", "durable": True}),
        ),
        (
            ("exchange.declare", {"exchange": "new", "type": "direct", "durable": True}),
            ("exchange.declare", {"exchange": "new", "type": "direct", "durable": True}),
        ),
        (
            ("queue.bind", {"queue": "q", "exchange": "x", "routing_key": "k"}),
            ("queue.bind", {"queue": "q", "exchange": "x", "routing_key": "k"}),
        ),
        (("queue.delete", {"queue": "q"}), ("queue.delete", {"queue": "q"})),
        (("exchange.delete", {"exchange": "x"}), ("exchange.delete", {"exchange": "x"})),
    ],
)
def test_who_comes_second_waits_for_what_the_first_has_changed(
    first: tuple[str, dict[str, Any]], second: tuple[str, dict[str, Any]]
) -> None:
    client = settled()
    other = enter(client.broker, channels=[1])
    client.say(1, first[0], **first[1])
    other.say(1, second[0], **second[1])
    other.hears_nothing()
    write(client.broker)
    client.hears(1, first[0] + "-ok")
    other.hears(1, second[0] + "-ok")
    other.say(1, second[0], **second[1])
    other.hears(1, second[0] + "-ok")


def test_an_unbinding_waits() -> None:
    client = settled()
    client.say(1, "queue.bind", queue="q", exchange="x", routing_key="k")
    write(client.broker)
    client.hears(1, "queue.bind-ok")
    client.say(1, "queue.unbind", queue="q", exchange="x", routing_key="k")
    client.hears_nothing()
    write(client.broker)
    client.hears(1, "queue.unbind-ok")
    client.say(1, "exchange.bind", source="x", destination="amq.fanout")
    write(client.broker)
    client.hears(1, "exchange.bind-ok")
    client.say(1, "exchange.unbind", source="x", destination="amq.fanout")
    client.hears_nothing()
    write(client.broker)
    client.hears(1, "exchange.unbind-ok")


def test_a_purge_waits_for_messages_that_the_journal_has() -> None:
    client = settled()
    client.send(publish(1, "q", b"m", **SAFE) * 3)
    write(client.broker)
    client.say(1, "queue.purge", queue="q")
    client.hears_nothing()
    assert client.broker.journal.urgent
    write(client.broker)
    client.hears(1, "queue.purge-ok", message_count=3)


def test_a_purge_of_transient_messages_waits_for_nothing() -> None:
    client = settled()
    client.send(publish(1, "q", b"m") * 3)
    client.say(1, "queue.purge", queue="q")
    client.hears(1, "queue.purge-ok", message_count=3)
    # Nor for acknowledgements, which wait for company.
    client.publish(1, "q", b"m", **SAFE)
    client.get(1, "q")
    write(client.broker)
    client.publish(1, "q", b"m", **SAFE)
    write(client.broker)
    client.get(1, "q")
    assert client.broker.journal.settled
    client.publish(1, "q", b"m")
    client.say(1, "queue.purge", queue="q")
    client.hears(1, "queue.purge-ok", message_count=1)


def test_no_write_that_is_older_is_enough() -> None:
    client = settled()
    client.say(1, "queue.declare", queue="a", durable=True)
    ticket = client.broker.journal.ticket
    client.broker.durable(ticket - 1)
    client.hears_nothing()
    client.broker.durable(ticket)
    client.hears(1, "queue.declare-ok", queue="a")


# -- what came after it --


def test_what_came_after_it_waits_in_order_over_all_channels() -> None:
    client = settled()
    client.send(
        method(1, "queue.declare", queue="a", durable=True)
        + method(2, "basic.qos")
        + method(1, "queue.declare", queue="b", durable=True)
        + publish(1, "t", b"m")
        + method(1, "basic.get", queue="t", no_ack=True)
        + method(3, "channel.open")
    )
    client.hears_nothing()
    write(client.broker)
    client.hears(1, "queue.declare-ok", queue="a")
    client.hears(2, "basic.qos-ok")
    client.hears_nothing()
    write(client.broker)
    client.hears(1, "queue.declare-ok", queue="b")
    assert client.hears(1, "basic.get-ok").body == b"m"
    client.hears(3, "channel.open-ok")


@pytest.mark.parametrize("cuts", [range(1, 200), range(1, 200, 7), [30, 31, 90]])
def test_chunks_that_come_meanwhile_are_put_together(cuts: Any) -> None:
    client = settled()
    data = method(1, "queue.declare", queue="a", durable=True) + publish(1, "a", b"body") + method(2, "basic.qos")
    client.send_cut(data, [cut for cut in cuts if cut < len(data)])
    client.hears_nothing()
    assert client.broker.vhosts["/"].queues[b"a"].ready_count() == 0
    write(client.broker)
    client.hears(1, "queue.declare-ok", queue="a")
    client.hears(2, "basic.qos-ok")
    assert client.get_all(1, "a") == [b"body"]


def test_a_frame_that_is_not_whole_yet_is_completed_afterwards() -> None:
    client = settled()
    tail = publish(1, "t", b"body")
    client.send(method(1, "queue.declare", queue="a", durable=True) + tail[:-3])
    client.send(tail[-3:-1])
    write(client.broker)
    client.hears(1, "queue.declare-ok", queue="a")
    client.send(tail[-1:])
    assert client.get_all(1, "t") == [b"body"]


def test_confirms_of_what_came_before_come_before() -> None:
    client = settled()
    client.select_confirms(1)
    client.send(publish(1, "q", b"m", **SAFE) + method(1, "queue.declare", queue="a", durable=True))
    client.hears_nothing()
    write(client.broker)
    client.hears(1, "basic.ack", delivery_tag=1)
    client.hears(1, "queue.declare-ok", queue="a")


def test_a_message_for_a_queue_that_was_declared_without_waiting_is_confirmed_after_the_queue_is_on_disk() -> None:
    client = settled()
    client.select_confirms(1)
    client.send(method(1, "queue.declare", queue="a", durable=True, nowait=True) + publish(1, "a", b"m", **SAFE))
    journal = client.broker.journal
    assert journal.defining == journal.ticket
    client.hears_nothing()
    write(client.broker)
    client.hears(1, "basic.ack", delivery_tag=1)


def test_deliveries_go_on_meanwhile() -> None:
    client = settled()
    client.consume(2, "t")
    client.say(1, "queue.declare", queue="a", durable=True)
    enter(client.broker, channels=[1]).publish(1, "t", b"m")
    client.hears_delivery(2, b"m")


def test_other_clients_are_not_held_up() -> None:
    client = settled()
    other = enter(client.broker, channels=[1])
    client.say(1, "queue.declare", queue="a", durable=True)
    other.declare(1, "u")
    assert other.connection.wants_data()
    client.hears_nothing()


def test_a_deletion_is_answered_before_the_consumers_of_the_same_client_hear_of_it() -> None:
    client = settled()
    other = enter(client.broker, channels=[1])
    client.consume(2, "q", tag="mine")
    other.consume(1, "q", tag="theirs")
    client.send(publish(1, "q", b"m"))
    before = client.connection.outbox.total
    heard = client.hear_all() + other.hear_all()
    assert [item.name for item in heard] == ["basic.deliver"]
    client.say(1, "queue.delete", queue="q")
    assert client.connection.outbox.total == before
    client.hears_nothing()
    other.hears(1, "basic.cancel", consumer_tag="theirs")
    write(client.broker)
    client.hears(1, "queue.delete-ok", message_count=0)
    client.hears(2, "basic.cancel", consumer_tag="mine")
    client.hears_nothing()


# -- the end of it --


def test_a_client_that_is_lost_is_forgotten() -> None:
    client = settled()
    client.send(method(1, "queue.declare", queue="a", durable=True) + publish(1, "t", b"m"))
    client.connection.lost(1.0)
    assert client.connection not in client.broker.awaiting
    write(client.broker)
    assert client.broker.vhosts["/"].queues[b"t"].ready_count() == 0
    assert client.connection.outbox.take() == b""


def test_a_client_may_close_its_connection_behind_it() -> None:
    client = settled()
    client.send(method(1, "queue.declare", queue="a", durable=True) + method(0, "connection.close"))
    client.hears_nothing()
    write(client.broker)
    client.hears(1, "queue.declare-ok")
    client.hears(0, "connection.close-ok")
    assert client.connection.finished


def test_a_client_may_close_the_channel_behind_it() -> None:
    client = settled()
    client.send(method(1, "queue.declare", queue="a", durable=True) + method(1, "channel.close"))
    write(client.broker)
    client.hears(1, "queue.declare-ok")
    client.hears(1, "channel.close-ok")


def test_a_client_that_is_told_to_go_hears_no_answer_any_more() -> None:
    client = settled()
    client.send(method(1, "queue.declare", queue="a", durable=True) + method(2, "basic.qos"))
    client.connection.force_close("enough")
    client.hears_close(320, "enough")
    assert client.connection.wants_data()
    write(client.broker)
    client.hears_nothing()
    client.say(0, "connection.close-ok")
    assert client.connection.finished


def test_last_words_that_wait_already_are_heard() -> None:
    client = settled()
    client.send(method(1, "queue.declare", queue="a", durable=True) + method(0, "connection.close"))
    client.connection.force_close("enough")
    client.hears_close(320, "enough")
    client.hears(0, "connection.close-ok")
    assert client.connection.finished


def test_the_answer_of_a_channel_that_was_closed_meanwhile_is_not_sent() -> None:
    client = enter(new_broker(keeps=True, consumer_timeout=60_000), channels=[1, 2])
    client.declare(2, "t")
    client.publish(2, "t", b"m")
    client.get(1, "t", no_ack=False)
    client.send(method(1, "queue.declare", queue="a", durable=True) + method(2, "basic.qos"))
    client.wait(120)
    assert client.hears(1, "channel.close")["reply_code"] == 406
    write(client.broker)
    client.hears(2, "basic.qos-ok")
    client.hears_nothing()
    assert client.connection.wants_data()


def test_the_vhost_may_be_deleted_meanwhile() -> None:
    client = settled()
    client.say(1, "queue.declare", queue="a", durable=True)
    client.broker.delete_vhost("/")
    client.hears_close(320, "vhost '/' is deleted")
    write(client.broker)
    client.hears_nothing()


def test_a_fault_behind_it_comes_after_it() -> None:
    client = settled()
    client.send(method(1, "queue.declare", queue="a", durable=True) + frame(1, 2, b"\x00\x63\x00\x01"))
    client.hears_nothing()
    write(client.broker)
    client.hears(1, "queue.declare-ok")
    assert client.hears(0, "connection.close")["reply_code"] == 503


# -- heartbeats and alarms --


def test_heartbeats_go_on_and_none_is_missed() -> None:
    client = settled(heartbeat=10)
    client.say(1, "queue.declare", queue="a", durable=True)
    for _ in range(20):
        client.wait(5)
    heard = [item.name for item in client.hear_all()]
    assert set(heard) == {"heartbeat"}
    assert not client.connection.finished
    write(client.broker)
    client.hears(1, "queue.declare-ok")
    client.wait(5)
    assert not client.connection.finished


def test_a_publisher_behind_it_meets_an_alarm_that_was_raised_meanwhile() -> None:
    client = settled()
    client.send(method(1, "queue.declare", queue="a", durable=True) + publish(1, "t", b"m"))
    client.broker.set_alarm("disk", True)
    client.hears_nothing()
    write(client.broker)
    client.hears(1, "queue.declare-ok")
    client.hears(0, "connection.blocked", reason="low on disk")
    assert not client.connection.wants_data()
    client.broker.set_alarm("disk", False)
    client.hears(0, "connection.unblocked")
    assert client.get_all(2, "t") == [b"m"]
    assert client.connection.wants_data()


def test_an_alarm_that_is_over_lets_nothing_past_it() -> None:
    client = settled()
    client.broker.set_alarm("memory", True)
    client.send(method(1, "queue.declare", queue="a", durable=True) + publish(1, "t", b"m"))
    client.broker.set_alarm("memory", False)
    assert client.broker.vhosts["/"].queues[b"t"].ready_count() == 0
    assert not client.connection.wants_data()
    write(client.broker)
    client.hears(1, "queue.declare-ok")
    assert client.get_all(2, "t") == [b"m"]


def test_a_client_that_was_blocked_is_parked_when_it_goes_on() -> None:
    client = settled()
    client.broker.set_alarm("memory", True)
    client.send(publish(1, "t", b"m") + method(1, "queue.declare", queue="a", durable=True) + method(2, "basic.qos"))
    client.hears(0, "connection.blocked")
    client.broker.set_alarm("memory", False)
    client.hears(0, "connection.unblocked")
    client.hears_nothing()
    assert not client.connection.wants_data()
    write(client.broker)
    client.hears(1, "queue.declare-ok", queue="a")
    client.hears(2, "basic.qos-ok")


def test_a_commit_and_an_answer_wait_beside_each_other() -> None:
    client = settled()
    client.say(2, "tx.select")
    client.hears(2, "tx.select-ok")
    client.send(
        publish(2, "q", b"m", **SAFE) + method(2, "tx.commit") + method(1, "queue.declare", queue="a", durable=True)
    )
    client.hears_nothing()
    write(client.broker)
    assert [(item.channel, item.name) for item in client.hear_all()] == [(2, "tx.commit-ok"), (1, "queue.declare-ok")]


def test_a_ticket_is_asked_for_when_all_ends_are_durable_or_gone() -> None:
    client = settled()
    channel, vhost = client.connection.channels[1], client.broker.vhosts["/"]
    kept, fleeting = vhost.queues[b"q"], vhost.queues[b"t"]
    ticket = client.broker.journal.defining
    assert ticket
    assert [defining(channel, *ends) for ends in ((kept,), (None,), (kept, None), (fleeting,), (kept, fleeting))] == [
        ticket,
        ticket,
        ticket,
        0,
        0,
    ]


def test_a_publisher_that_waits_for_a_slow_disk_misses_no_heartbeat() -> None:
    client = settled(heartbeat=10)
    client.broker.journal.limit = 100
    client.send(publish(1, "q", bytes(200), **SAFE))
    assert not client.connection.wants_data()
    for _ in range(20):
        client.wait(5)
    assert not client.connection.finished
    write(client.broker)
    assert client.connection.wants_data()


def test_only_who_publishes_what_is_kept_waits_for_a_journal_that_is_behind() -> None:
    client = settled()
    broker = client.broker
    broker.journal.limit = 100
    other = enter(broker, channels=[1])
    client.publish(1, "q", bytes(200), **SAFE)
    other.publish(1, "t", bytes(200), **SAFE)
    other.publish(1, "q", bytes(200))
    assert (client.connection.wants_data(), other.connection.wants_data()) == (False, True)
    other.publish(1, "q", b"", **SAFE)
    assert not other.connection.wants_data()
    write(broker)
    assert (client.connection.wants_data(), other.connection.wants_data()) == (True, True)


def test_purge_ok_comes_when_the_last_message_of_a_long_queue_is_recorded_and_safe() -> None:
    client = settled()
    for _ in range(2 * SLICE + 1):
        client.publish(1, "q", b"m", **SAFE)
    write(client.broker)
    client.say(1, "queue.purge", queue="q")
    client.say(1, "queue.declare", queue="q", passive=True)
    write(client.broker)
    client.hears_nothing()
    client.wait(0.001)
    client.wait(0.001)
    client.hears_nothing()
    write(client.broker)
    client.hears(1, "queue.purge-ok", message_count=2 * SLICE + 1)
    client.hears(1, "queue.declare-ok", message_count=0)


def test_purge_ok_needs_no_disk_where_nothing_is_kept() -> None:
    client = settled()
    for _ in range(2 * SLICE + 1):
        client.publish(1, "q", b"m")
    client.say(1, "queue.purge", queue="q")
    client.hears_nothing()
    client.wait(0.001)
    client.wait(0.001)
    client.hears(1, "queue.purge-ok", message_count=2 * SLICE + 1)
