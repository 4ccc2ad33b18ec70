"""Messages that expire and queues that expire. The times are short; only the order of events is asserted."""

import time

import pytest

from tests.conformance.client import Channel

SOON = 60


def after(milliseconds: float = SOON * 2.5) -> None:
    """Let a short time to live pass."""
    time.sleep(milliseconds / 1000)


def test_a_message_expires_by_the_time_of_its_queue(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q, arguments={"x-message-ttl": SOON})
    c.publish("m", "", q)
    after()
    c.get(q, None)
    c.ready(q, 0)


def test_a_message_expires_by_its_own_time(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.publish("m", "", q, expiration=str(SOON))
    after()
    c.get(q, None)


@pytest.mark.parametrize(("queue", "message"), [(SOON, 60000), (60000, SOON)])
def test_the_shorter_time_counts(c: Channel, q: str, queue: int, message: int) -> None:
    c.call("queue.declare", queue=q, arguments={"x-message-ttl": queue})
    c.publish("m", "", q, expiration=str(message))
    after()
    c.get(q, None)


def test_a_message_that_is_not_expired_stays(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q, arguments={"x-message-ttl": 60000})
    c.publish("m", "", q, expiration="50000")
    c.get(q, "m", properties={"expiration": "50000"})


def test_messages_expire_only_at_the_head(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.publish("stays", "", q)
    c.publish("waits", "", q, expiration=str(SOON))
    after()
    c.ready(q, 2)
    c.get(q, "stays")
    c.get(q, None)


def test_an_unacked_message_expires_when_it_returns(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.consume(q)
    c.publish("m", "", q, expiration=str(SOON))
    c.delivered("m", delivery_tag=1)
    c.call("basic.cancel", consumer_tag="t")
    after()
    c.say("basic.reject", delivery_tag=1, requeue=True)
    c.quiet(q)
    c.get(q, None)


def test_an_expired_unacked_message_can_be_acked(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.consume(q)
    c.publish("m", "", q, expiration=str(SOON))
    c.delivered("m", delivery_tag=1)
    after()
    c.say("basic.ack", delivery_tag=1)
    c.quiet(q)


def test_a_message_without_a_time_shelters_one_of_lower_priority(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q, arguments={"x-max-priority": 5})
    c.publish("high", "", q, priority=5)
    c.publish("low", "", q, priority=1, expiration=str(SOON))
    after()
    c.ready(q, 2)
    c.get(q, "high")
    c.get(q, None)


def test_requeued_messages_regain_their_place_among_the_times_of_others(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.publish("a", "", q)
    c.publish("b", "", q, expiration="60000")
    c.get(q, "a", no_ack=False, delivery_tag=1)
    c.say("basic.reject", delivery_tag=1, requeue=True)
    c.get(q, "a", redelivered=True)
    c.get(q, "b")


@pytest.mark.parametrize("by", ["queue", "message"])
def test_a_time_of_zero_expires_at_once_unless_consumed(c: Channel, q: str, by: str) -> None:
    c.call("queue.declare", queue=q, arguments={"x-message-ttl": 0} if by == "queue" else {})
    properties = {"expiration": "0"} if by == "message" else {}
    c.publish("lost", "", q, **properties)
    c.ready(q, 0)
    c.consume(q, no_ack=True)
    c.publish("taken", "", q, **properties)
    c.delivered("taken")


def test_an_expired_message_is_confirmed(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q, arguments={"x-message-ttl": 0})
    c.select_confirms()
    c.publish("m", "", q)
    c.settle()


def test_expiry_leaves_the_messages_behind_it(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.publish("expires", "", q, expiration=str(SOON))
    c.publish("stays", "", q, expiration="60000")
    after()
    c.get(q, "stays")


def test_an_unused_queue_expires(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q, arguments={"x-expires": SOON})
    after()
    c.say("queue.declare", queue=q, passive=True)
    c.channel_closed(404, f"no queue '{q}' in vhost '/'")


def test_a_consumed_queue_does_not_expire_until_its_consumer_goes(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q, arguments={"x-expires": SOON})
    c.consume(q)
    after()
    c.publish("m", "", q, mandatory=True)
    c.delivered("m")
    c.call("basic.cancel", consumer_tag="t")
    after()
    c.say("queue.declare", queue=q, passive=True)
    c.channel_closed(404, f"no queue '{q}' in vhost '/'")


def test_use_begins_the_time_of_a_queue_anew(c: Channel, q: str) -> None:
    arguments = {"x-expires": 1000}
    for use in "declared", "looked at", "got from":
        c.call("queue.declare", queue=f"{q} {use}", arguments=arguments)
    for _ in range(3):
        after(400)
        c.call("queue.declare", queue=f"{q} declared", arguments=arguments)
        c.call("queue.declare", queue=f"{q} looked at", passive=True)
        c.get(f"{q} got from", None)


def test_messages_of_an_expired_queue_are_not_dead_lettered(c: Channel, q: str) -> None:
    dead = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": q + "-dead"}
    c.call("queue.declare", queue=q + "-dead")
    c.call("queue.declare", queue=q, arguments={"x-expires": SOON, **dead})
    c.publish("m", "", q)
    after()
    c.say("queue.declare", queue=q, passive=True)
    c.channel_closed(404, f"no queue '{q}' in vhost '/'")
    c.get(q + "-dead", None)
