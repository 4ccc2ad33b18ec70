"""Confirms: which numbers are said to be safe, when, and in how few frames."""

from typing import Any

from amq.connection.confirms import Confirms
from amq.tally import Tally
from tests.harness.dialogue import Dialogue, enter, new_broker, publish, write
from tests.journal.build import published

SAFE: dict[str, Any] = {"delivery_mode": 2}


def confirming(keeps: bool = True) -> Dialogue:
    """A client in confirm mode; queue `q` is durable, `t` transient, `small` durable with room for one message."""
    client = enter(new_broker(keeps), channels=[1, 2])
    client.declare(1, "q", durable=True)
    client.declare(1, "t")
    client.declare(1, "small", durable=True, arguments={"x-max-length": 1, "x-overflow": "reject-publish"})
    client.select_confirms(1)
    return client


def test_a_persistent_message_for_a_durable_queue_waits_for_the_disk() -> None:
    client = confirming()
    tickets = []
    for count in (4, 1, 5):
        for _ in range(count):
            client.publish(1, "q", b"m", **SAFE)
        tickets.append(client.broker.journal.take().ticket)
    client.hears_nothing()
    client.broker.durable(tickets[0] - 1)
    client.hears_nothing()
    client.broker.durable(tickets[0])
    client.hears(1, "basic.ack", delivery_tag=4, multiple=True)
    client.broker.durable(tickets[1])
    client.hears(1, "basic.ack", delivery_tag=5, multiple=False)
    client.broker.durable(tickets[2])
    client.hears(1, "basic.ack", delivery_tag=10, multiple=True)
    client.broker.durable(tickets[2])
    client.hears_nothing()


def test_a_batch_confirms_all_that_was_published_before_it_was_taken() -> None:
    client = confirming()
    client.publish(1, "q", b"m", **SAFE)
    client.publish(1, "q", b"m", **SAFE)
    work = client.broker.journal.take()
    client.publish(1, "q", b"m", **SAFE)
    client.broker.durable(work.ticket)
    client.hears(1, "basic.ack", delivery_tag=2, multiple=True)
    client.hears_nothing()


def test_what_need_not_reach_the_disk_is_confirmed_at_once() -> None:
    client = confirming()
    client.send(publish(1, "q", b"m") + publish(1, "t", b"m", **SAFE) + publish(1, "nowhere", b"m", **SAFE))
    client.hears(1, "basic.ack", delivery_tag=3, multiple=True)
    assert client.broker.journal.idle()
    assert not client.broker.journal.urgent


def test_a_broker_without_a_journal_confirms_at_once() -> None:
    client = confirming(keeps=False)
    client.send(publish(1, "q", b"m", **SAFE) * 3)
    client.hears(1, "basic.ack", delivery_tag=3, multiple=True)


def test_what_was_safe_before_a_persistent_message_of_the_same_chunk_does_not_wait_for_it() -> None:
    client = confirming()
    client.send(publish(1, "t", b"m") * 2 + publish(1, "q", b"m", **SAFE) + publish(1, "t", b"m"))
    client.hears(1, "basic.ack", delivery_tag=2, multiple=True)
    client.hears_nothing()
    write(client.broker)
    client.hears(1, "basic.ack", delivery_tag=4, multiple=True)


def test_a_message_is_not_confirmed_before_those_that_were_published_before_it() -> None:
    client = confirming()
    client.publish(1, "q", b"m", **SAFE)
    client.publish(1, "t", b"m")
    client.hears_nothing()
    write(client.broker)
    client.hears(1, "basic.ack", delivery_tag=2, multiple=True)


def test_channels_count_and_wait_for_themselves() -> None:
    client = confirming()
    client.select_confirms(2)
    client.send(publish(1, "q", b"m", **SAFE) + publish(2, "q", b"m", **SAFE))
    first = client.broker.journal.take()
    client.send(publish(1, "q", b"m", **SAFE))
    client.broker.durable(first.ticket)
    client.hears(1, "basic.ack", delivery_tag=1, multiple=False)
    client.hears(2, "basic.ack", delivery_tag=1, multiple=False)
    write(client.broker)
    client.hears(1, "basic.ack", delivery_tag=2, multiple=False)


def test_a_refused_message_is_not_recorded_for_the_queue_that_refused_it() -> None:
    client = confirming()
    client.say(1, "queue.bind", queue="small", exchange="amq.fanout", nowait=True)
    client.say(1, "queue.bind", queue="q", exchange="amq.fanout", nowait=True)
    client.send(publish(1, "small", b"direct", **SAFE) * 3)
    client.send(publish(1, "", b"fanout", exchange="amq.fanout", **SAFE) * 2)
    work = write(client.broker)
    names = {queue.id: name for name, queue in client.broker.vhosts["/"].queues.items()}
    recorded = [(message.body, [names[queue] for queue in message.queues]) for message in published(work)]
    assert recorded == [(b"direct", [b"small"]), (b"fanout", [b"q"]), (b"fanout", [b"q"])]
    heard = client.hear_all()
    assert [(item.name, item["delivery_tag"]) for item in heard if item.name == "basic.ack"] == [("basic.ack", 1)]
    assert [item["delivery_tag"] for item in heard if item.name == "basic.nack"] == [2, 3, 4, 5]


def test_a_return_comes_before_its_confirm_and_after_the_confirms_of_nothing_else() -> None:
    client = confirming()
    client.send(publish(1, "t", b"1") + publish(1, "nowhere", b"2", mandatory=True) + publish(1, "t", b"3"))
    assert client.hears(1, "basic.return", reply_code=312, reply_text="NO_ROUTE", routing_key="nowhere").body == b"2"
    client.hears(1, "basic.ack", delivery_tag=3, multiple=True)


def test_a_queue_that_is_deleted_keeps_nobody_waiting() -> None:
    client = confirming()
    client.publish(1, "q", b"m", **SAFE)
    client.say(1, "queue.delete", queue="q")
    client.hears_nothing()
    write(client.broker)
    client.hears(1, "basic.ack", delivery_tag=1)
    client.hears(1, "queue.delete-ok", message_count=1)


def test_a_closed_channel_hears_no_more_confirms() -> None:
    client = confirming()
    client.publish(1, "q", b"m", **SAFE)
    client.say(1, "channel.close")
    client.hears(1, "channel.close-ok")
    client.open(1)
    write(client.broker)
    client.hears_nothing()
    client.select_confirms(1)
    client.publish(1, "t", b"m")
    client.hears(1, "basic.ack", delivery_tag=1)


def test_what_came_before_a_fault_is_confirmed_before_it() -> None:
    client = confirming()
    client.send(publish(1, "t", b"m") * 3 + publish(1, "t", b"m", exchange="missing") + publish(1, "t", b"m"))
    client.hears(1, "basic.ack", delivery_tag=3, multiple=True)
    client.hears_channel_close(1, 404, "no exchange 'missing' in vhost '/'")
    client.hears_nothing()


def test_selecting_again_changes_nothing() -> None:
    client = confirming()
    client.publish(1, "t", b"m")
    client.hears(1, "basic.ack", delivery_tag=1)
    client.select_confirms(1)
    client.publish(1, "t", b"m")
    client.hears(1, "basic.ack", delivery_tag=2)
    client.say(1, "confirm.select", nowait=True)
    client.hears_nothing()


def test_a_lost_client_waits_for_nothing() -> None:
    client = confirming()
    client.publish(1, "q", b"m", **SAFE)
    assert client.connection in client.broker.awaiting
    client.connection.lost(0.0)
    assert client.connection not in client.broker.awaiting
    write(client.broker)


def said(confirms: Confirms, client: Dialogue) -> list[tuple[str, int, bool]]:
    confirms.flush()
    return [(heard.name, heard["delivery_tag"], heard["multiple"]) for heard in client.hear_all()]


def test_acks_avoid_the_refused_and_come_first() -> None:
    client = confirming()
    confirms = Confirms(1, client.connection.outbox, client.broker.journal, Tally())
    for refused in (False, False, True, False, True, False):
        confirms.publish(1, 0)
        if refused:
            confirms.refuse()
    assert said(confirms, client) == [
        ("basic.ack", 2, True),
        ("basic.ack", 4, False),
        ("basic.ack", 6, False),
        ("basic.nack", 3, False),
        ("basic.nack", 5, False),
    ]
    confirms.publish(1, 0)
    assert said(confirms, client) == [("basic.ack", 7, False)]


def test_a_refused_number_waits_for_the_numbers_before_it() -> None:
    client = confirming()
    confirms = Confirms(1, client.connection.outbox, client.broker.journal, Tally())
    confirms.publish(2, 7)
    confirms.publish(1, 0)
    confirms.refuse()
    assert said(confirms, client) == []
    client.broker.journal.durable = 7
    assert said(confirms, client) == [("basic.ack", 2, True), ("basic.nack", 3, False)]


def test_a_refusal_in_a_later_chunk_is_counted_from_what_was_said_before() -> None:
    client = confirming()
    confirms = Confirms(1, client.connection.outbox, client.broker.journal, Tally())
    confirms.publish(2, 0)
    assert said(confirms, client) == [("basic.ack", 2, True)]
    confirms.publish(1, 0)
    confirms.publish(1, 0)
    confirms.refuse()
    assert said(confirms, client) == [("basic.ack", 3, False), ("basic.nack", 4, False)]
    confirms.publish(1, 0)
    confirms.refuse()
    assert said(confirms, client) == [("basic.nack", 5, False)]


def test_a_refusal_bears_the_requeue_bit_that_clients_know_from_rabbitmq() -> None:
    client = confirming()
    client.send(publish(1, "small", b"m") * 2)
    client.hears(1, "basic.ack", delivery_tag=1)
    client.hears(1, "basic.nack", delivery_tag=2, multiple=False, requeue=True)


def test_waiting_starts_again_after_everything_was_durable() -> None:
    client = confirming()
    client.publish(1, "q", b"m", **SAFE)
    write(client.broker)
    client.hears(1, "basic.ack", delivery_tag=1)
    client.send(publish(1, "t", b"m") + publish(1, "q", b"m", **SAFE) + publish(1, "t", b"m"))
    client.hears(1, "basic.ack", delivery_tag=2, multiple=False)
    first = client.broker.journal.take()
    client.send(publish(1, "t", b"m") + publish(1, "q", b"m", **SAFE))
    client.broker.durable(first.ticket)
    client.hears(1, "basic.ack", delivery_tag=5, multiple=True)
    write(client.broker)
    client.hears(1, "basic.ack", delivery_tag=6, multiple=False)
