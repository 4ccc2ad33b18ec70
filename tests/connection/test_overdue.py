"""Deliveries that are kept for too long, and consumers that the broker cancels."""

from typing import Any

from amq.connection.consumer import ChannelConsumer
from amq.connection.ledger import Ledger
from amq.queues.base import Queue
from tests.connection.build import consuming
from tests.harness.dialogue import Dialogue, enter, new_broker

# -- time --

OVERDUE = (
    "delivery acknowledgement on channel 1 timed out. Timeout value used: 30000 ms. "
    "This timeout value can be configured, see consumers doc guide to learn more"
)


def overdue(**options: Any) -> Dialogue:
    client = enter(new_broker(consumer_timeout=30_000), channels=[1, 2])
    client.declare(1, "q")
    client.consume(1, "q", **options)
    client.publish(1, "q", b"m")
    client.hears_delivery(1, b"m")
    return client


def test_a_delivery_that_is_kept_for_too_long_closes_its_channel() -> None:
    client = overdue()
    client.wait(29.0)
    client.hears_nothing()
    client.wait(2.0)
    client.hears_channel_close(1, 406, OVERDUE, by=(0, 0))
    client.say(2, "basic.get", queue="q")
    client.hears(2, "basic.get-ok", redelivered=True)


def test_each_delivery_has_its_own_time() -> None:
    client = overdue()
    for tag in range(1, 10):
        client.wait(20.0)
        client.publish(1, "q", b"m")
        client.hears(1, "basic.deliver")
        client.say(1, "basic.ack", delivery_tag=tag)
        client.hears_nothing()
    client.wait(31.0)
    client.hears_channel_close(1, 406, OVERDUE)


def test_what_was_got_is_looked_after_too() -> None:
    client = enter(new_broker(consumer_timeout=30_000), channels=[1])
    client.declare(1, "q")
    client.publish(1, "q", b"m")
    client.get(1, "q", no_ack=False)
    client.wait(31.0)
    client.hears_channel_close(1, 406, OVERDUE)


def test_what_needs_no_acknowledgement_is_never_overdue() -> None:
    client = overdue(no_ack=True)
    client.wait(1000.0)
    client.hears_nothing()


def test_without_a_limit_nothing_is_overdue() -> None:
    client = enter(new_broker(consumer_timeout=None), channels=[1])
    client.declare(1, "q")
    client.publish(1, "q", b"m")
    client.get(1, "q", no_ack=False)
    client.wait(1e6)
    client.hears_nothing()


# -- cancellation --


def test_a_client_that_understands_hears_that_its_queue_is_gone() -> None:
    client = consuming()
    other = enter(client.broker, channels=[1])
    other.say(1, "queue.delete", queue="q")
    other.hears(1, "queue.delete-ok")
    client.hears(1, "basic.cancel", consumer_tag="c", nowait=True)
    client.hears_nothing()
    client.say(1, "basic.cancel-ok", consumer_tag="c")
    client.hears_nothing()


def test_a_client_that_does_not_understand_hears_nothing_of_it() -> None:
    broker = new_broker()
    client = enter(broker, channels=[1], capabilities=())
    client.declare(1, "q")
    client.consume(1, "q")
    other = enter(broker, channels=[1])
    other.say(1, "queue.delete", queue="q")
    client.hears_nothing()
    assert client.connection.channels[1].ledger.subscribers == {}


def test_what_a_deleted_queue_had_delivered_may_still_be_settled() -> None:
    for name in ("basic.ack", "basic.nack", "basic.reject"):
        client = consuming(bodies=1)
        client.hears_delivery(1, b"0")
        client.say(1, "queue.delete", queue="q")
        client.hear_all()
        client.say(1, name, delivery_tag=1)
        client.hears_nothing()
        client.say(1, "basic.recover", requeue=True)
        client.hears(1, "basic.recover-ok")


def test_cancelling_what_is_not_there_is_answered() -> None:
    client = enter(channels=[1])
    client.say(1, "basic.cancel", consumer_tag="nobody")
    client.hears(1, "basic.cancel-ok", consumer_tag="nobody")


def test_a_tag_is_used_by_one_consumer_of_a_channel() -> None:
    client = consuming()
    client.consume(2, "q")
    client.say(1, "basic.consume", queue="q", consumer_tag="c")
    client.hears_close(530, "attempt to reuse consumer tag 'c'", by=(60, 20))


def test_names_of_consumers_without_one_are_made_and_differ() -> None:
    client = enter(channels=[1])
    client.declare(1, "q")
    tags = set()
    for _ in range(3):
        client.say(1, "basic.consume", queue="q")
        tags.add(client.hears(1, "basic.consume-ok")["consumer_tag"])
    assert len(tags) == 3
    assert all(tag.startswith("amq.ctag-") and len(tag) == 31 for tag in tags)


def test_a_consumer_in_the_books_is_the_one_its_queue_knows() -> None:
    client = consuming()
    ledger: Ledger = client.connection.channels[1].ledger
    consumer = ledger.subscribers[b"c"]
    queue: Queue = client.broker.vhosts["/"].queues[b"q"]
    assert isinstance(consumer, ChannelConsumer)
    assert consumer.queue is queue
    assert queue.consumer_count() == 1
