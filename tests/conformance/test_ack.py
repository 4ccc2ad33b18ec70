"""Acknowledging: ack, nack, reject, recover; what comes back, where, and how it is marked."""

from collections.abc import Callable

import pytest

from tests.conformance.client import Channel, Connection

Connect = Callable[..., Connection]


def held(c: Channel, queue: str, bodies: str) -> None:
    """A queue whose messages, one per letter, were all got and not acked: tags 1 to n."""
    c.call("queue.declare", queue=queue)
    for body in bodies:
        c.publish(body, "", queue)
    for tag, body in enumerate(bodies, start=1):
        c.get(queue, body, no_ack=False, delivery_tag=tag)


def remaining(c: Channel, queue: str, bodies: str, redelivered: bool = True) -> None:
    """The queue holds these messages in this order and no more."""
    for body in bodies:
        c.get(queue, body, redelivered=redelivered)
    c.get(queue, None)


@pytest.mark.parametrize("method", ["basic.ack", "basic.nack", "basic.reject"])
def test_an_unknown_delivery_tag_closes_the_channel(c: Channel, method: str) -> None:
    c.say(method, delivery_tag=7)
    c.channel_closed(406, "unknown delivery tag 7")


def test_a_second_ack_is_unknown(c: Channel, q: str) -> None:
    held(c, q, "a")
    c.say("basic.ack", delivery_tag=1)
    c.say("basic.ack", delivery_tag=1)
    c.channel_closed(406, "unknown delivery tag 1")


def test_a_delivery_without_acks_cannot_be_acked(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.publish("a", "", q)
    c.get(q, "a", no_ack=True, delivery_tag=1)
    c.say("basic.ack", delivery_tag=1)
    c.channel_closed(406, "unknown delivery tag 1")


def test_a_tag_belongs_to_its_channel(c: Channel, q: str) -> None:
    held(c, q, "a")
    other = c.connection.channel(2)
    other.say("basic.ack", delivery_tag=1)
    other.channel_closed(406, "unknown delivery tag 1")


@pytest.mark.parametrize("method", ["basic.ack", "basic.nack"])
def test_tag_zero_with_multiple_means_everything(c: Channel, q: str, method: str) -> None:
    held(c, q, "abc")
    c.say(method, delivery_tag=0, multiple=True)
    c.call("channel.close", reply_code=200)
    c.call("channel.open")
    c.get(q, None)


@pytest.mark.parametrize("method", ["basic.ack", "basic.nack"])
def test_tag_zero_with_multiple_is_fine_when_nothing_is_outstanding(c: Channel, method: str) -> None:
    c.say(method, delivery_tag=0, multiple=True)
    c.quiet()


def test_tag_zero_alone_is_unknown(c: Channel, q: str) -> None:
    held(c, q, "a")
    c.say("basic.ack", delivery_tag=0)
    c.channel_closed(406, "unknown delivery tag 0")


def test_multiple_acks_up_to_its_tag(c: Channel, q: str) -> None:
    held(c, q, "abcd")
    c.say("basic.ack", delivery_tag=3, multiple=True)
    c.say("basic.recover", requeue=True)
    c.hear("basic.recover-ok")
    remaining(c, q, "d")


def test_multiple_up_to_an_acked_tag_is_unknown(c: Channel, q: str) -> None:
    held(c, q, "abc")
    c.say("basic.ack", delivery_tag=2)
    c.say("basic.ack", delivery_tag=2, multiple=True)
    c.channel_closed(406, "unknown delivery tag 2")


def test_acks_may_come_in_any_order(c: Channel, q: str) -> None:
    held(c, q, "abcd")
    for tag in 3, 1, 4:
        c.say("basic.ack", delivery_tag=tag)
    c.call("basic.recover", requeue=True)
    remaining(c, q, "b")


@pytest.mark.parametrize("method", ["basic.nack", "basic.reject"])
def test_a_requeued_message_regains_its_place(c: Channel, q: str, method: str) -> None:
    held(c, q, "ab")
    c.publish("c", "", q)
    c.say(method, delivery_tag=2, requeue=True)
    c.say(method, delivery_tag=1, requeue=True)
    for body, redelivered in ("a", True), ("b", True), ("c", False):
        c.get(q, body, redelivered=redelivered)


@pytest.mark.parametrize("method", ["basic.nack", "basic.reject"])
def test_a_message_rejected_without_requeue_is_dropped(c: Channel, q: str, method: str) -> None:
    held(c, q, "ab")
    c.say(method, delivery_tag=1, requeue=False)
    c.call("basic.recover", requeue=True)
    remaining(c, q, "b")


def test_multiple_nack_requeues_all_in_order(c: Channel, q: str) -> None:
    held(c, q, "abcd")
    c.say("basic.nack", delivery_tag=3, multiple=True, requeue=True)
    remaining(c, q, "abc")


def test_tag_zero_nacks_everything_back(c: Channel, q: str) -> None:
    held(c, q, "abc")
    c.say("basic.nack", delivery_tag=0, multiple=True, requeue=True)
    remaining(c, q, "abc")


def test_messages_nacked_by_a_consumer_come_back_in_order_before_newer_ones(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    for body in "abcd":
        c.publish(body, "", q)
    c.call("basic.qos", prefetch_count=2)
    c.consume(q)
    c.delivered("a", delivery_tag=1)
    c.delivered("b", delivery_tag=2)
    c.say("basic.nack", delivery_tag=2, multiple=True, requeue=True)
    c.delivered("a", delivery_tag=3, redelivered=True)
    c.delivered("b", delivery_tag=4, redelivered=True)
    c.say("basic.ack", delivery_tag=4, multiple=True)
    c.delivered("c", redelivered=False)
    c.delivered("d", redelivered=False)


def test_a_message_given_back_goes_to_another_waiting_consumer(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.publish("a", "", q)
    c.call("basic.qos", prefetch_count=1)
    c.consume(q, "one")
    c.delivered("a", consumer_tag="one")
    other = c.connection.channel(2)
    other.consume(q, "two", no_ack=True)
    c.call("channel.close", reply_code=200)
    other.delivered("a", consumer_tag="two", redelivered=True)


def test_a_requeued_message_may_come_straight_back(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.publish("a", "", q)
    c.consume(q)
    c.delivered("a", delivery_tag=1, redelivered=False)
    c.say("basic.nack", delivery_tag=1, requeue=True)
    c.delivered("a", delivery_tag=2, redelivered=True)


def test_closing_the_channel_requeues_in_order(c: Channel, q: str) -> None:
    other = c.connection.channel(2)
    held(other, q, "abc")
    other.say("basic.ack", delivery_tag=2)
    other.call("channel.close", reply_code=200)
    c.ready(q, 2)
    remaining(c, q, "ac")


def test_a_fault_of_the_channel_requeues(c: Channel, q: str) -> None:
    held(c, q, "ab")
    c.say("basic.ack", delivery_tag=9)
    c.channel_closed(406, "unknown delivery tag 9")
    c.ready(q, 2)
    remaining(c, q, "ab")


def test_acks_before_a_fault_count(c: Channel, q: str) -> None:
    held(c, q, "ab")
    c.say("basic.ack", delivery_tag=1)
    c.say("basic.ack", delivery_tag=1)
    c.channel_closed(406, "unknown delivery tag 1")
    c.ready(q, 1)
    remaining(c, q, "b")


def test_a_lost_connection_requeues(c: Channel, connect: Connect, q: str) -> None:
    c.call("queue.declare", queue=q)
    lost = connect()
    held(lost.channel(1), q, "abc")
    lost.hang_up()
    c.ready(q, 3)
    remaining(c, q, "abc")


def test_undelivered_prefetched_messages_of_a_lost_consumer_are_marked_redelivered(
    c: Channel, connect: Connect, q: str
) -> None:
    c.call("queue.declare", queue=q)
    c.publish("a", "", q)
    lost = connect().channel(1)
    lost.consume(q)
    lost.delivered("a")
    lost.connection.hang_up()
    c.ready(q, 1)
    remaining(c, q, "a")


def test_the_redelivered_mark_stays_for_later_deliveries(c: Channel, q: str) -> None:
    held(c, q, "a")
    c.say("basic.reject", delivery_tag=1, requeue=True)
    c.get(q, "a", no_ack=False, delivery_tag=2, redelivered=True)
    c.say("basic.reject", delivery_tag=2, requeue=True)
    c.get(q, "a", delivery_tag=3, redelivered=True)


def test_recover_requeues_everything_of_the_channel(c: Channel, q: str) -> None:
    held(c, q, "abc")
    c.call("basic.recover", requeue=True)
    remaining(c, q, "abc")


def test_recover_delivers_again_to_the_consumers(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.publish("a", "", q)
    c.consume(q)
    c.delivered("a", delivery_tag=1)
    c.say("basic.recover", requeue=True)
    heard = {c.connection.next_method(1, "recover-ok and a delivery").name for _ in range(2)}
    assert heard == {"basic.recover-ok", "basic.deliver"}


def test_recover_async_says_nothing(c: Channel, q: str) -> None:
    held(c, q, "a")
    c.say("basic.recover-async", requeue=True)
    remaining(c, q, "a")


@pytest.mark.parametrize("method", ["basic.recover", "basic.recover-async"])
def test_recover_to_the_original_recipient_is_not_implemented(c: Channel, method: str) -> None:
    c.say(method, requeue=False)
    c.connection_closed(540, "requeue=false")


def test_recover_makes_old_tags_unknown(c: Channel, q: str) -> None:
    held(c, q, "a")
    c.call("basic.recover", requeue=True)
    c.say("basic.ack", delivery_tag=1)
    c.channel_closed(406, "unknown delivery tag 1")
