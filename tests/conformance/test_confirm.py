"""Publisher confirms and transactions."""

import pytest

from tests.conformance.client import Channel


def test_every_publish_is_confirmed(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.select_confirms()
    for number in range(100):
        c.publish(str(number), "", q)
    c.settle()
    c.ready(q, 100)


def test_the_first_publish_after_select_has_tag_1(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.publish("before", "", q)
    c.select_confirms()
    c.publish("after", "", q)
    c.hear("basic.ack", delivery_tag=1, multiple=False)


def test_selecting_twice_goes_on_counting(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.select_confirms()
    c.publish("one", "", q)
    c.settle()
    c.call("confirm.select")
    c.publish("two", "", q)
    c.hear("basic.ack", delivery_tag=2)


def test_select_without_wait_is_silent(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.say("confirm.select", nowait=True)
    c.publish("one", "", q)
    c.hear("basic.ack", delivery_tag=1)


def test_confirms_are_counted_per_channel(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.select_confirms()
    other = c.connection.channel(2)
    other.select_confirms()
    for _ in range(3):
        c.publish("m", "", q)
        other.publish("m", "", q)
    c.settle()
    other.settle()


def test_confirms_begin_anew_on_a_reopened_channel(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.select_confirms()
    c.publish("m", "", q)
    c.settle()
    c.call("channel.close", reply_code=200)
    again = c.connection.channel(1)
    again.select_confirms()
    again.publish("m", "", q)
    again.hear("basic.ack", delivery_tag=1)


@pytest.mark.parametrize("mandatory", [False, True])
def test_an_unroutable_message_is_confirmed_after_its_return(c: Channel, q: str, mandatory: bool) -> None:
    c.select_confirms()
    c.publish("m", "amq.direct", q, mandatory=mandatory)
    if mandatory:
        c.hear("basic.return", reply_code=312, routing_key=q)
    c.hear("basic.ack", delivery_tag=1, multiple=False)


def test_a_persistent_message_to_several_durable_queues_is_confirmed_once(c: Channel, q: str, x: str) -> None:
    c.call("exchange.declare", exchange=x, type="fanout")
    for name in q, q + "2":
        c.call("queue.declare", queue=name, durable=True)
        c.call("queue.bind", queue=name, exchange=x)
    c.select_confirms()
    c.publish("m", x, delivery_mode=2)
    c.hear("basic.ack", delivery_tag=1)
    c.quiet()


def test_a_refused_publish_is_never_confirmed(c: Channel, q: str) -> None:
    c.select_confirms()
    c.publish("m", q, "k")
    c.channel_closed(404, f"no exchange '{q}' in vhost '/'", by="basic.publish")
    c.quiet()


def test_confirms_cannot_become_a_transaction(c: Channel) -> None:
    c.call("confirm.select")
    c.say("tx.select")
    c.channel_closed(406, "cannot switch from confirm to tx mode")


def test_a_transaction_cannot_become_confirms(c: Channel) -> None:
    c.call("tx.select")
    c.say("confirm.select")
    c.channel_closed(406, "cannot switch from tx to confirm mode")


@pytest.mark.parametrize("method", ["tx.commit", "tx.rollback"])
def test_a_channel_without_select_is_not_transactional(c: Channel, method: str) -> None:
    c.say(method)
    c.channel_closed(406, "channel is not transactional")


def test_published_messages_appear_at_the_commit(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    other = c.connection.channel(2)
    c.call("tx.select")
    c.publish("a", "", q)
    c.publish("b", "", q)
    c.quiet(q)
    other.get(q, None)
    c.call("tx.commit")
    other.get(q, "a")
    other.get(q, "b")


def test_published_messages_vanish_at_the_rollback(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.call("tx.select")
    c.publish("a", "", q)
    c.call("tx.rollback")
    c.publish("b", "", q)
    c.call("tx.commit")
    c.get(q, "b")
    c.get(q, None)


def test_select_may_be_repeated_within_a_transaction(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.call("tx.select")
    c.publish("a", "", q)
    c.call("tx.select")
    c.call("tx.commit")
    c.get(q, "a")


def test_a_mandatory_message_comes_back_at_the_commit(c: Channel, q: str) -> None:
    c.call("tx.select")
    c.publish("a", "amq.direct", q, mandatory=True)
    c.quiet()
    c.say("tx.commit")
    c.hear("basic.return", reply_code=312, routing_key=q, body=b"a")
    c.hear("tx.commit-ok")


def test_a_bad_publish_in_a_transaction_is_refused_at_once(c: Channel, x: str) -> None:
    c.call("tx.select")
    c.publish("a", x)
    c.channel_closed(404, f"no exchange '{x}' in vhost '/'", by="basic.publish")


def test_acks_count_at_the_commit(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.publish("a", "", q)
    c.publish("b", "", q)
    c.call("tx.select")
    c.get(q, "a", no_ack=False, delivery_tag=1)
    c.get(q, "b", no_ack=False, delivery_tag=2)
    c.say("basic.ack", delivery_tag=1)
    c.call("tx.commit")
    c.say("basic.ack", delivery_tag=2)
    c.call("channel.close", reply_code=200)
    c.call("channel.open")
    c.ready(q, 1)
    c.get(q, "b", redelivered=True)


def test_acks_rolled_back_can_be_given_again(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.publish("a", "", q)
    c.call("tx.select")
    c.get(q, "a", no_ack=False, delivery_tag=1)
    c.say("basic.ack", delivery_tag=1)
    c.call("tx.rollback")
    c.get(q, None)
    c.say("basic.ack", delivery_tag=1)
    c.call("tx.commit")
    c.call("channel.close", reply_code=200)
    c.call("channel.open")
    c.get(q, None)


def test_rejects_count_at_the_commit(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.publish("a", "", q)
    c.call("tx.select")
    c.get(q, "a", no_ack=False, delivery_tag=1)
    c.say("basic.reject", delivery_tag=1, requeue=True)
    c.quiet(q)
    c.get(q, None)
    c.call("tx.commit")
    c.get(q, "a", redelivered=True)


def test_an_unknown_tag_in_a_transaction_is_refused_at_once(c: Channel) -> None:
    c.call("tx.select")
    c.say("basic.ack", delivery_tag=4)
    c.channel_closed(406, "unknown delivery tag 4")


def test_a_transaction_that_a_queue_refuses_in_part_is_told(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q, arguments={"x-max-length": 1, "x-overflow": "reject-publish"})
    c.call("tx.select")
    c.publish("a", "", q)
    c.call("tx.commit")
    c.publish("b", "", q)
    c.say("tx.commit")
    c.channel_closed(406, "partial tx completion")


def test_a_commit_of_nothing_is_fine(c: Channel) -> None:
    c.call("tx.select")
    c.call("tx.commit")
    c.call("tx.rollback")
