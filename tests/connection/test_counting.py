"""What channels, queues and exchanges count, and the octets that wait in a queue."""

from typing import Any

from amq.connection.channel import Channel
from amq.exchanges.base import Exchange
from amq.queues.base import Queue
from tests.harness.dialogue import Dialogue, content, enter, method, publish


def queue_of(client: Dialogue) -> Queue:
    return client.broker.vhosts["/"].queues[b"q"]


def channel_of(client: Dialogue) -> Channel:
    return client.connection.channels[1]


def default_exchange(client: Dialogue) -> Exchange:
    return client.broker.vhosts["/"].exchanges[b""]


def with_queue(**options: Any) -> Dialogue:
    client = enter(channels=[1])
    client.declare(1, "q", **options)
    return client


def test_messages_of_one_chunk_are_counted_with_their_octets() -> None:
    client = with_queue()
    client.send(publish(1, "q", b"four") * 10 + publish(1, "q", b"seventy") + publish(1, "q", b"one", message_id="m"))
    queue, exchange = queue_of(client), default_exchange(client)
    assert (queue.tally.published, queue.size, channel_of(client).tally.published) == (12, 50, 12)
    assert (exchange.published_in, exchange.published_out, exchange.unroutable) == (12, 12, 0)


def test_what_finds_no_queue_is_counted_as_dropped_or_returned() -> None:
    client = with_queue()
    client.send(publish(1, "nowhere", b"x") * 3 + publish(1, "nowhere", b"x", mandatory=True))
    tally = channel_of(client).tally
    assert (tally.published, tally.dropped, tally.returned) == (4, 3, 1)
    assert (default_exchange(client).published_in, default_exchange(client).unroutable) == (4, 4)


def test_deliveries_acks_and_returns_add_up() -> None:
    client = with_queue()
    client.send(b"".join([publish(1, "q", b"x" * size) for size in (1, 1, 20, 3, 3, 3)]))
    assert queue_of(client).size == 31
    client.consume(1, "q")
    queue, channel = queue_of(client), channel_of(client)
    assert (queue.size, queue.unacked, queue.tally.delivered, channel.tally.delivered) == (0, 6, 6, 6)
    client.drain()
    client.inbox.clear()
    client.say(1, "basic.cancel", consumer_tag="c")
    client.hears(1, "basic.cancel-ok")
    client.say(1, "basic.ack", delivery_tag=2, multiple=True)
    client.say(1, "basic.nack", delivery_tag=3, requeue=True)
    client.say(1, "basic.reject", delivery_tag=4)
    assert (queue.acked(), channel.acked(), queue.unacked, queue.size) == (2, 2, 2, 20)
    assert (queue.tally.given_back, channel.tally.given_back) == (2, 2)
    client.consume(1, "q")
    assert (queue.tally.redelivered, channel.tally.redelivered, queue.size) == (1, 1, 0)


def test_what_a_transaction_settles_is_counted_when_it_is_committed() -> None:
    client = with_queue()
    client.send(publish(1, "q", b"x") * 4)
    client.consume(1, "q")
    client.drain()
    client.inbox.clear()
    client.say(1, "tx.select")
    client.say(1, "basic.ack", delivery_tag=1)
    client.say(1, "basic.nack", delivery_tag=2, requeue=False)
    client.say(1, "tx.commit")
    assert (queue_of(client).acked(), channel_of(client).acked()) == (1, 1)


def test_a_get_counts_by_whether_it_needs_an_ack() -> None:
    client = with_queue()
    client.send(publish(1, "q", b"abc") * 2)
    assert [client.get(1, "q", no_ack=no_ack) for no_ack in (True, False, False)] == [b"abc", b"abc", None]
    for tally in (queue_of(client).tally, channel_of(client).tally):
        assert (tally.got_no_ack, tally.got) == (1, 1)
    assert (channel_of(client).tally.got_empty, queue_of(client).size, queue_of(client).acked()) == (1, 0, 0)


def test_what_a_queue_refuses_is_not_counted_as_put_into_it() -> None:
    client = with_queue(arguments={"x-max-length": 2, "x-overflow": "reject-publish"})
    client.select_confirms(1)
    client.send(publish(1, "q", b"four") * 5)
    queue, channel = queue_of(client), channel_of(client)
    assert (queue.tally.published, queue.size) == (2, 8)
    assert (channel.tally.published, channel.tally.confirmed) == (5, 2)


def test_octets_are_right_where_messages_with_and_without_an_expiration_meet() -> None:
    client = with_queue()
    client.send(publish(1, "q", b"four", expiration="60000") + publish(1, "q", b"four") * 2)
    assert queue_of(client).size == 12
    client.consume(1, "q", no_ack=True)
    assert queue_of(client).size == 0
    client.send(publish(1, "q", b"four", expiration="60000"))
    assert queue_of(client).size == 0


def test_bodies_of_many_frames_are_counted_once() -> None:
    client = with_queue()
    for size in (10, 200_000, 300_000, 10, 400_000):
        cuts = range(100_000, size, 100_000)
        client.send(method(1, "basic.publish", routing_key="q") + content(1, bytes(size), cuts=cuts))
    assert queue_of(client).size == 900_020
    client.consume(1, "q")
    client.drain()
    assert queue_of(client).size == 0
    client.say(1, "basic.recover", requeue=True)
    client.drain()
    assert queue_of(client).size == 0


def test_what_closed_channels_and_deleted_queues_counted_is_kept_by_their_vhost() -> None:
    client = with_queue()
    client.send(publish(1, "q", b"four") * 5)
    client.consume(1, "q", no_ack=True)
    client.say(1, "queue.delete", queue="q")
    client.say(1, "channel.close")
    tally = client.broker.vhosts["/"].agenda.tally
    assert (tally.published, tally.delivered_no_ack) == (5, 5)
    churn = client.broker.churn
    assert (churn.queues_created, churn.queues_deleted, churn.channels_created, churn.channels_closed) == (1, 1, 1, 1)
    client.connection.lost(0.0)
    assert (churn.connections_created, churn.connections_closed) == (1, 1)
