"""basic.get, basic.consume and basic.cancel."""

import re
from collections.abc import Callable

import pytest

from tests.conformance.client import Channel, Connection

Connect = Callable[..., Connection]


def test_get_tells_how_many_are_left(c: Channel, q: str) -> None:
    c.fill(q, "abc")
    for body, left in ("a", 2), ("b", 1), ("c", 0):
        c.get(q, body, exchange="", routing_key=q, message_count=left, redelivered=False)
    c.get(q, None)


def test_get_counts_delivery_tags_with_and_without_acks(c: Channel, q: str) -> None:
    c.fill(q, "abc")
    c.get(q, "a", no_ack=False, delivery_tag=1)
    c.get(q, "b", no_ack=True, delivery_tag=2)
    c.get(q, "c", no_ack=False, delivery_tag=3)


def test_delivery_tags_are_counted_per_channel(c: Channel, q: str) -> None:
    c.fill(q, "abc")
    other = c.connection.channel(2)
    c.get(q, "a", delivery_tag=1)
    other.get(q, "b", delivery_tag=1)
    c.get(q, "c", delivery_tag=2)


def test_get_empty_has_no_cluster_id(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.say("basic.get", queue=q)
    c.hear("basic.get-empty", cluster_id="")


@pytest.mark.parametrize("method", ["basic.get", "basic.consume"])
def test_a_missing_queue_has_nothing_to_take(c: Channel, q: str, method: str) -> None:
    c.say(method, queue=q)
    c.channel_closed(404, f"no queue '{q}' in vhost '/'")


def test_a_consumer_hears_what_was_there_and_what_comes(c: Channel, q: str) -> None:
    c.fill(q, "ab")
    c.consume(q, "mine")
    c.publish("c", "", q)
    for tag, body in enumerate("abc", start=1):
        c.delivered(
            body, consumer_tag="mine", delivery_tag=tag, redelivered=False, exchange="", routing_key=q, properties={}
        )


def test_the_server_names_a_consumer_without_a_tag(c: Channel, q: str) -> None:
    c.fill(q, "a")
    c.say("basic.consume", queue=q)
    tag = c.hear("basic.consume-ok")["consumer_tag"]
    assert re.fullmatch(r"amq\.ctag-[A-Za-z0-9_-]{22}", tag)
    c.delivered("a", consumer_tag=tag)
    c.say("basic.cancel", consumer_tag=tag)
    c.hear("basic.cancel-ok", consumer_tag=tag)


def test_a_tag_in_use_ends_the_connection(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.consume(q, "mine")
    c.say("basic.consume", queue=q, consumer_tag="mine")
    c.connection_closed(530, "attempt to reuse consumer tag 'mine'")


def test_a_tag_may_be_used_again_after_its_cancel(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    for _ in range(2):
        c.consume(q, "mine")
        c.call("basic.cancel", consumer_tag="mine")


def test_two_channels_may_use_the_same_tag(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.consume(q, "mine")
    c.connection.channel(2).consume(q, "mine")
    c.ready(q, 0, consumers=2)


def test_a_consume_without_wait_is_silent_and_effective(c: Channel, q: str) -> None:
    c.fill(q, "a")
    c.say("basic.consume", queue=q, consumer_tag="mine", nowait=True, no_ack=True)
    c.delivered("a", consumer_tag="mine")


def test_a_consume_without_wait_is_still_refused_aloud(c: Channel, q: str) -> None:
    c.say("basic.consume", queue=q, nowait=True)
    c.channel_closed(404, f"no queue '{q}' in vhost '/'")


def test_no_local_is_ignored(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.consume(q, no_local=True)
    c.publish("my own", "", q)
    c.delivered("my own")


def test_a_cancelled_consumer_hears_no_more(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.consume(q, "mine")
    c.publish("a", "", q)
    c.delivered("a")
    c.say("basic.cancel", consumer_tag="mine")
    c.hear("basic.cancel-ok", consumer_tag="mine")
    c.publish("b", "", q)
    c.get(q, "b")


def test_cancelling_keeps_unacked_messages_with_the_channel(c: Channel, q: str) -> None:
    c.fill(q, "a")
    c.consume(q, "mine")
    c.delivered("a", delivery_tag=1)
    c.call("basic.cancel", consumer_tag="mine")
    c.get(q, None)
    c.say("basic.ack", delivery_tag=1)
    c.quiet(q)
    c.get(q, None)


def test_cancelling_an_unknown_tag_is_fine(c: Channel) -> None:
    c.say("basic.cancel", consumer_tag="nobody")
    c.hear("basic.cancel-ok", consumer_tag="nobody")


def test_a_cancel_without_wait_is_silent(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.consume(q, "mine")
    c.say("basic.cancel", consumer_tag="mine", nowait=True)
    c.quiet(q)
    c.ready(q, 0, consumers=0)


def test_a_client_that_cannot_hear_cancels_gets_none(connect: Connect, q: str) -> None:
    c = connect(capabilities=()).channel(1)
    c.call("queue.declare", queue=q)
    c.consume(q)
    c.call("queue.delete", queue=q)
    c.quiet()


def test_unknown_consumer_arguments_are_taken(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.consume(q, arguments={"x-colour": "red"})


def test_the_consumers_of_a_faulted_channel_are_gone(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.consume(q)
    c.say("basic.ack", delivery_tag=5)
    c.channel_closed(406, "unknown delivery tag 5")
    c.ready(q, 0, consumers=0)
    c.consume(q)


@pytest.mark.parametrize("name", ["x-stream-offset"])
def test_a_consumer_argument_of_another_queue_type_is_refused(c: Channel, q: str, name: str) -> None:
    c.call("queue.declare", queue=q)
    c.say("basic.consume", queue=q, arguments={name: "first"})
    c.channel_closed(406, f"invalid arg '{name}' for queue '{q}' in vhost '/' of queue type rabbit_classic_queue")


def test_the_consumers_of_a_closed_channel_are_gone(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    other = c.connection.channel(2)
    other.consume(q)
    other.call("channel.close", reply_code=200)
    c.ready(q, 0, consumers=0)
