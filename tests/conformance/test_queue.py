"""Bind, unbind, purge and delete of queues."""

from collections.abc import Callable

import pytest

from tests.conformance.client import Channel, Connection


def test_binding_to_a_missing_exchange_names_the_exchange(c: Channel, q: str, x: str) -> None:
    c.call("queue.declare", queue=q)
    c.say("queue.bind", queue=q, exchange=x)
    c.channel_closed(404, f"no exchange '{x}' in vhost '/'")


def test_binding_a_missing_queue_names_the_queue(c: Channel, q: str) -> None:
    c.say("queue.bind", queue=q, exchange="amq.direct")
    c.channel_closed(404, f"no queue '{q}' in vhost '/'")


def test_of_a_missing_exchange_and_a_missing_queue_the_exchange_is_named(c: Channel, q: str, x: str) -> None:
    c.say("queue.bind", queue=q, exchange=x)
    c.channel_closed(404, f"no exchange '{x}' in vhost '/'")


@pytest.mark.parametrize("method", ["queue.bind", "queue.unbind"])
def test_the_default_exchange_cannot_be_bound(c: Channel, q: str, method: str) -> None:
    c.call("queue.declare", queue=q)
    c.say(method, queue=q, exchange="", routing_key="k")
    c.channel_closed(403, "operation not permitted on the default exchange")


def test_every_queue_is_reached_by_its_name_through_the_default_exchange(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.publish("x", routing_key=q)
    c.get(q, "x", exchange="", routing_key=q)


def test_a_repeated_binding_is_one_binding(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    for _ in range(2):
        c.call("queue.bind", queue=q, exchange="amq.direct", routing_key=q)
    c.publish("x", "amq.direct", q)
    c.ready(q, 1)
    c.call("queue.unbind", queue=q, exchange="amq.direct", routing_key=q)
    c.publish("y", "amq.direct", q, mandatory=True)
    c.hear("basic.return", body=b"y")


def test_bindings_that_differ_in_arguments_are_two_and_deliver_once(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.call("queue.bind", queue=q, exchange="amq.direct", routing_key=q, arguments={"a": 1})
    c.call("queue.bind", queue=q, exchange="amq.direct", routing_key=q, arguments={"a": 2})
    c.publish("x", "amq.direct", q)
    c.ready(q, 1)
    c.call("queue.unbind", queue=q, exchange="amq.direct", routing_key=q, arguments={"a": 1})
    c.publish("y", "amq.direct", q)
    c.ready(q, 2)


def test_empty_name_and_empty_key_bind_the_last_queue_by_its_name(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.call("queue.bind", queue="", exchange="amq.direct", routing_key="")
    c.publish("x", "amq.direct", q)
    c.get(q, "x", exchange="amq.direct", routing_key=q)


def test_an_empty_key_with_a_name_stays_empty(c: Channel, q: str, x: str) -> None:
    c.call("queue.declare", queue=q)
    c.call("exchange.declare", exchange=x, type="direct")
    c.call("queue.bind", queue=q, exchange=x, routing_key="")
    c.publish("by name", x, q)
    c.publish("by nothing", x, "")
    c.get(q, "by nothing")
    c.get(q, None)


@pytest.mark.parametrize("missing", ["binding", "queue", "exchange"])
def test_an_unbind_of_what_is_missing_is_fine(c: Channel, q: str, x: str, missing: str) -> None:
    if missing != "queue":
        c.call("queue.declare", queue=q)
    c.call("queue.unbind", queue=q, exchange=x if missing == "exchange" else "amq.direct", routing_key="never")


def test_a_binding_ends_with_its_queue(c: Channel, q: str, x: str) -> None:
    c.call("exchange.declare", exchange=x, type="fanout")
    c.call("queue.declare", queue=q)
    c.call("queue.bind", queue=q, exchange=x)
    c.call("queue.delete", queue=q)
    c.call("queue.declare", queue=q)
    c.publish("x", x, mandatory=True)
    c.hear("basic.return", body=b"x")


def test_a_bind_without_wait_is_silent_and_effective(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.say("queue.bind", queue=q, exchange="amq.direct", routing_key=q, nowait=True)
    c.publish("x", "amq.direct", q)
    c.get(q, "x")


def test_a_purge_counts_ready_messages_and_leaves_unacked_ones(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    for body in "abc":
        c.publish(body, routing_key=q)
    held = c.get(q, "a", no_ack=False)
    c.say("queue.purge", queue=q)
    c.hear("queue.purge-ok", message_count=2)
    c.say("basic.reject", delivery_tag=held["delivery_tag"], requeue=True)
    c.get(q, "a", redelivered=True)


def test_a_purge_of_a_missing_queue_is_not_found(c: Channel, q: str) -> None:
    c.say("queue.purge", queue=q)
    c.channel_closed(404, f"no queue '{q}' in vhost '/'")


def test_a_purge_without_wait_is_silent(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.publish("x", routing_key=q)
    c.say("queue.purge", queue=q, nowait=True)
    c.ready(q, 0)


def test_a_delete_counts_the_ready_messages(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    for body in "abc":
        c.publish(body, routing_key=q)
    c.get(q, "a", no_ack=False)
    c.say("queue.delete", queue=q)
    c.hear("queue.delete-ok", message_count=2)


def test_a_delete_of_a_missing_queue_is_fine(c: Channel, q: str) -> None:
    c.say("queue.delete", queue=q)
    c.hear("queue.delete-ok", message_count=0)


def test_a_delete_without_wait_is_silent(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.say("queue.delete", queue=q, nowait=True)
    c.say("queue.declare", queue=q, passive=True)
    c.channel_closed(404, f"no queue '{q}' in vhost '/'")


def test_a_consumed_queue_is_in_use(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.consume(q)
    c.say("queue.delete", queue=q, if_unused=True)
    c.channel_closed(406, f"queue '{q}' in vhost '/' in use")


def test_a_queue_with_messages_is_not_empty(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.publish("x", routing_key=q)
    c.say("queue.delete", queue=q, if_empty=True)
    c.channel_closed(406, f"queue '{q}' in vhost '/' not empty")


def test_an_unused_empty_queue_is_deleted_on_both_conditions(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.call("queue.delete", queue=q, if_unused=True, if_empty=True)
    c.say("queue.declare", queue=q, passive=True)
    c.channel_closed(404, f"no queue '{q}' in vhost '/'")


def test_consumers_of_a_deleted_queue_are_cancelled(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.consume(q, "mine")
    other = c.connection.channel(2)
    other.call("queue.delete", queue=q)
    c.hear("basic.cancel", consumer_tag="mine", nowait=True)


def test_the_deleting_channel_hears_delete_ok_before_its_cancels(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.consume(q, "one")
    c.consume(q, "two")
    c.call("queue.delete", queue=q)
    heard = {c.hear("basic.cancel", nowait=True)["consumer_tag"] for _ in range(2)}
    assert heard == {"one", "two"}


def test_a_locked_queue_may_be_unbound_by_anyone(c: Channel, connect: Callable[..., Connection], q: str) -> None:
    c.call("queue.declare", queue=q, exclusive=True)
    connect().channel(1).call("queue.unbind", queue=q, exchange="amq.direct", routing_key="never")
