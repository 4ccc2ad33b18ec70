"""queue.declare: names, properties, equivalence, exclusivity, passive."""

import re
from collections.abc import Callable

import pytest

from tests.conformance.client import Channel, Connection

Connect = Callable[..., Connection]


def locked(queue: str) -> str:
    """The text for a queue that belongs to another connection."""
    return (
        f"cannot obtain exclusive access to locked queue '{queue}' in vhost '/'. It could be originally declared on "
        "another connection or the exclusive property value does not match that of the original declaration."
    )


def test_a_new_queue_is_empty_and_unconsumed(c: Channel, q: str) -> None:
    c.say("queue.declare", queue=q)
    c.hear("queue.declare-ok", queue=q, message_count=0, consumer_count=0)


def test_a_declare_counts_ready_messages_and_consumers(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    for body in "abc":
        c.publish(body, routing_key=q)
    c.get(q, "a", no_ack=False)
    c.ready(q, 2, consumers=0)
    c.call("basic.qos", prefetch_count=1)
    c.consume(q)
    c.delivered("b")
    c.ready(q, 1, consumers=1)


def test_a_server_named_queue_has_a_long_random_name(c: Channel) -> None:
    first, second = c.call("queue.declare"), c.call("queue.declare")
    assert re.fullmatch(r"amq\.gen-[A-Za-z0-9_-]{22}", first["queue"])
    assert first["queue"] != second["queue"]


def test_the_empty_name_stands_for_the_last_declared_queue(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.publish("x", routing_key=q)
    c.get("", "x")
    c.consume("")
    c.publish("y", routing_key=q)
    c.delivered("y", routing_key=q)
    c.say("queue.purge", queue="")
    c.hear("queue.purge-ok", message_count=0)
    c.call("queue.delete", queue="")


@pytest.mark.parametrize(
    ("method", "fields"),
    [
        ("queue.bind", {"exchange": "amq.direct", "routing_key": "k"}),
        ("queue.unbind", {"exchange": "amq.direct", "routing_key": "k"}),
        ("queue.purge", {}),
        ("queue.delete", {}),
        ("basic.get", {}),
        ("basic.consume", {}),
    ],
)
def test_the_empty_name_means_nothing_on_a_fresh_channel(c: Channel, method: str, fields: dict[str, str]) -> None:
    c.say(method, **fields)
    c.channel_closed(404, "no previously declared queue")


def test_a_passive_declare_of_the_empty_name_finds_no_queue(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.say("queue.declare", queue="", passive=True)
    c.channel_closed(404, "no queue '' in vhost '/'")


def test_a_reserved_name_is_refused(c: Channel) -> None:
    c.say("queue.declare", queue="amq.mine")
    c.channel_closed(403, "queue name 'amq.mine' contains reserved prefix 'amq.*'")


def test_a_reserved_name_is_refused_even_where_it_exists(c: Channel) -> None:
    name = c.call("queue.declare")["queue"]
    c.say("queue.declare", queue=name)
    c.channel_closed(403, f"queue name '{name}' contains reserved prefix 'amq.*'")


def test_a_reserved_name_may_be_declared_passively(c: Channel) -> None:
    name = c.call("queue.declare")["queue"]
    c.ready(name, 0)


def test_line_ends_vanish_from_a_queue_name(c: Channel, q: str) -> None:
    c.say("queue.declare", queue=f"{q[:5]}\r\n{q[5:]}")
    c.hear("queue.declare-ok", queue=q)


def test_a_missing_queue_is_not_found_passively(c: Channel, q: str) -> None:
    c.say("queue.declare", queue=q, passive=True)
    c.channel_closed(404, f"no queue '{q}' in vhost '/'")


def test_a_passive_declare_compares_nothing(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q, durable=True, arguments={"x-max-length": 5})
    c.call("queue.declare", queue=q, passive=True, auto_delete=True)


def test_an_equal_redeclaration_is_fine(c: Channel, q: str) -> None:
    arguments = {"x-max-length": 5, "x-overflow": "drop-head", "x-message-ttl": 60000}
    for _ in range(2):
        c.say("queue.declare", queue=q, durable=True, auto_delete=True, arguments=arguments)
        c.hear("queue.declare-ok", queue=q)


@pytest.mark.parametrize("flag", ["durable", "auto_delete"])
@pytest.mark.parametrize(("now", "received"), [(True, "false"), (False, "true")], ids=["dropped", "added"])
def test_another_property_is_inequivalent(c: Channel, q: str, flag: str, now: bool, received: str) -> None:
    c.call("queue.declare", queue=q, **{flag: now})
    c.say("queue.declare", queue=q, **{flag: not now})
    c.channel_closed(
        406,
        f"inequivalent arg '{flag}' for queue '{q}' in vhost '/': "
        f"received '{received}' but current is '{str(now).lower()}'",
    )


@pytest.mark.parametrize(
    ("name", "now", "later", "difference"),
    [
        pytest.param(
            "x-max-length",
            None,
            5,
            "received the value '5' of type 'signedint' but current is none",
            id="added",
        ),
        pytest.param(
            "x-max-length",
            5,
            None,
            "received none but current is the value '5' of type 'signedint'",
            id="dropped",
        ),
        pytest.param(
            "x-max-length",
            5,
            6,
            "received '6' but current is '5'",
            id="other-number",
        ),
        pytest.param(
            "x-overflow",
            "drop-head",
            "reject-publish",
            "received 'reject-publish' but current is 'drop-head'",
            id="other-text",
        ),
        pytest.param(
            "x-single-active-consumer",
            None,
            True,
            "received the value 'true' of type 'bool' but current is none",
            id="flag-added",
        ),
        pytest.param(
            "x-dead-letter-exchange",
            "amq.direct",
            None,
            "received none but current is the value 'amq.direct' of type 'longstr'",
            id="text-dropped",
        ),
        pytest.param(
            "x-expires",
            None,
            2**40,
            "received the value '1099511627776' of type 'long' but current is none",
            id="long-added",
        ),
    ],
)
def test_another_argument_is_inequivalent(
    c: Channel, q: str, name: str, now: object, later: object, difference: str
) -> None:
    c.call("queue.declare", queue=q, arguments={} if now is None else {name: now})
    c.say("queue.declare", queue=q, arguments={} if later is None else {name: later})
    c.channel_closed(406, f"inequivalent arg '{name}' for queue '{q}' in vhost '/': {difference}")


def test_durability_is_compared_before_auto_delete_and_arguments(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q, durable=True)
    c.say("queue.declare", queue=q, auto_delete=True, arguments={"x-max-length": 1})
    c.channel_closed(
        406, f"inequivalent arg 'durable' for queue '{q}' in vhost '/': received 'false' but current is 'true'"
    )


def test_arguments_that_the_type_does_not_know_are_not_compared(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q, arguments={"x-colour": "red"})
    c.call("queue.declare", queue=q, arguments={"x-colour": "blue", "x-shape": 3})


def test_the_classic_type_is_the_same_as_none(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q, arguments={"x-queue-type": "classic"})
    c.call("queue.declare", queue=q)


def test_an_exclusive_queue_is_locked_for_other_connections(c: Channel, connect: Connect, q: str) -> None:
    c.call("queue.declare", queue=q, exclusive=True)
    other = connect().channel(1)
    for passive in True, False:
        other.say("queue.declare", queue=q, exclusive=True, passive=passive)
        other.channel_closed(405, locked(q))


@pytest.mark.parametrize(
    ("method", "fields"),
    [
        ("queue.bind", {"exchange": "amq.direct", "routing_key": "k"}),
        ("queue.purge", {}),
        ("queue.delete", {}),
        ("basic.get", {}),
        ("basic.consume", {}),
    ],
)
def test_a_locked_queue_refuses_the_methods_of_other_connections(
    c: Channel, connect: Connect, q: str, method: str, fields: dict[str, str]
) -> None:
    c.call("queue.declare", queue=q, exclusive=True)
    other = connect().channel(1)
    other.say(method, queue=q, **fields)
    other.channel_closed(405, locked(q))


def test_a_locked_queue_takes_messages_from_anyone(c: Channel, connect: Connect, q: str) -> None:
    c.call("queue.declare", queue=q, exclusive=True)
    other = connect().channel(1)
    other.select_confirms()
    other.publish("x", routing_key=q)
    other.settle()
    c.get(q, "x")


def test_an_exclusive_queue_redeclared_as_shared_is_locked(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q, exclusive=True)
    c.say("queue.declare", queue=q)
    c.channel_closed(405, locked(q))


def test_a_shared_queue_redeclared_as_exclusive_is_locked(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.say("queue.declare", queue=q, exclusive=True)
    c.channel_closed(405, locked(q))


def test_an_exclusive_queue_may_be_redeclared_on_another_channel_of_its_connection(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q, exclusive=True)
    c.connection.channel(2).call("queue.declare", queue=q, exclusive=True)


def test_a_durable_exclusive_queue_is_equivalent_to_itself(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q, exclusive=True, durable=True)
    c.call("queue.declare", queue=q, exclusive=True, durable=True)


def test_exclusive_queues_are_gone_before_close_ok(c: Channel, connect: Connect, q: str) -> None:
    c.call("queue.declare", queue=q, exclusive=True)
    c.connection.control.call("connection.close", reply_code=200)
    other = connect().channel(1)
    other.say("queue.declare", queue=q, passive=True)
    other.channel_closed(404, f"no queue '{q}' in vhost '/'")


def test_an_exclusive_queue_outlives_the_channel_that_declared_it(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q, exclusive=True)
    other = c.connection.channel(2)
    c.call("channel.close", reply_code=200)
    other.ready(q, 0)


def test_an_auto_delete_queue_goes_with_its_last_consumer(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q, auto_delete=True)
    c.consume(q, "one")
    c.consume(q, "two")
    c.call("basic.cancel", consumer_tag="one")
    c.ready(q, 0, consumers=1)
    c.call("basic.cancel", consumer_tag="two")
    c.say("queue.declare", queue=q, passive=True)
    c.channel_closed(404, f"no queue '{q}' in vhost '/'")


def test_an_auto_delete_queue_goes_with_the_channel_of_its_last_consumer(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q, auto_delete=True)
    other = c.connection.channel(2)
    other.consume(q)
    other.call("channel.close", reply_code=200)
    c.say("queue.declare", queue=q, passive=True)
    c.channel_closed(404, f"no queue '{q}' in vhost '/'")


def test_an_auto_delete_queue_waits_for_its_first_consumer(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q, auto_delete=True)
    c.get(q, None)
    c.ready(q, 0)


def test_a_declare_without_wait_is_silent_and_effective(c: Channel, q: str) -> None:
    c.say("queue.declare", queue=q, nowait=True)
    c.publish("x", routing_key=q)
    c.get(q, "x")


def test_a_declare_without_wait_is_still_refused_aloud(c: Channel) -> None:
    c.say("queue.declare", queue="amq.mine", nowait=True)
    c.channel_closed(403, "queue name 'amq.mine' contains reserved prefix 'amq.*'")


def test_a_server_named_queue_may_be_declared_without_wait(c: Channel) -> None:
    c.say("queue.declare", exclusive=True, nowait=True)
    c.say("queue.bind", exchange="amq.direct", routing_key="", nowait=True)
    c.get("", None)
