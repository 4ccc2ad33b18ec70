"""The arguments of queue.declare: what is taken and how the rest is refused."""

import pytest

from tests.conformance.client import Channel
from tests.conformance.values import Typed

REFUSED = [
    ("x-expires", 0, "{value_zero,0}"),
    ("x-expires", -1, "{value_negative,-1}"),
    ("x-expires", "60", '"expected integer, got longstr"'),
    ("x-expires", 2**40, "{value_too_large,1099511627776}"),
    ("x-message-ttl", -1, "{value_negative,-1}"),
    ("x-message-ttl", "60", '"expected integer, got longstr"'),
    ("x-message-ttl", 2**40, "{value_too_large,1099511627776}"),
    ("x-max-length", -1, "{value_negative,-1}"),
    ("x-max-length", "ten", '"expected integer, got longstr"'),
    ("x-max-length", 1.5, '"expected integer, got double"'),
    ("x-max-length-bytes", -1, "{value_negative,-1}"),
    ("x-max-length-bytes", True, '"expected integer, got bool"'),
    ("x-max-priority", -1, "{value_negative,-1}"),
    ("x-max-priority", 256, "{max_value_exceeded,256}"),
    ("x-max-priority", "5", '"expected integer, got longstr"'),
    ("x-overflow", "explode", "invalid_overflow"),
    ("x-overflow", 1, "{unacceptable_type,signedint}"),
    ("x-dead-letter-routing-key", "k", "routing_key_but_no_dlx_defined"),
    ("x-single-active-consumer", "yes", "{unacceptable_type,longstr}"),
    ("x-queue-mode", "fast", "\"unsupported queue mode 'fast'\""),
    ("x-queue-version", 9, "\"unsupported queue version '9'\""),
    ("x-queue-version", "2", '"expected integer, got longstr"'),
    ("x-queue-mode", 1, "{unacceptable_type,signedint}"),
]


@pytest.mark.parametrize(("name", "value", "term"), REFUSED, ids=[f"{row[0]}={row[1]}" for row in REFUSED])
def test_a_bad_argument_is_refused_with_its_reason(c: Channel, q: str, name: str, value: object, term: str) -> None:
    c.say("queue.declare", queue=q, arguments={name: value})
    c.channel_closed(406, f"invalid arg '{name}' for queue '{q}' in vhost '/': {term}")


@pytest.mark.parametrize(
    "arguments",
    [
        {"x-message-ttl": 0},
        {"x-max-length": 0},
        {"x-max-length-bytes": 0},
        {"x-max-priority": 1},
        {"x-max-priority": 255},
        {"x-overflow": "reject-publish"},
        {"x-overflow": "reject-publish-dlx"},
        {"x-expires": Typed("l", 100000)},
        {"x-expires": Typed("s", 10000)},
        {"x-message-ttl": Typed("b", 100)},
        {"x-max-length": Typed("i", 5)},
        {"x-queue-mode": "lazy"},
        {"x-queue-mode": "default"},
        {"x-queue-version": 1},
        {"x-queue-master-locator": "client-local"},
        {"x-queue-type": "classic"},
        {"x-single-active-consumer": False},
        {"x-dead-letter-exchange": "no-such-exchange", "x-dead-letter-routing-key": "k"},
        {"x-something-else": [1, {"a": None}]},
    ],
    ids=lambda arguments: ",".join(f"{name}={value}" for name, value in arguments.items()),
)
def test_a_good_argument_is_taken_and_equals_itself(c: Channel, q: str, arguments: dict[str, object]) -> None:
    c.call("queue.declare", queue=q, arguments=arguments)
    c.call("queue.declare", queue=q, arguments=arguments)


def test_integers_of_other_width_are_the_same_number(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q, arguments={"x-max-length": Typed("l", 5)})
    c.call("queue.declare", queue=q, arguments={"x-max-length": Typed("s", 5)})


def test_a_dead_letter_exchange_must_be_text(c: Channel, q: str) -> None:
    c.say("queue.declare", queue=q, arguments={"x-dead-letter-exchange": 1})
    c.channel_closed(406, f"invalid type 'signedint' for arg 'x-dead-letter-exchange' in queue '{q}' in vhost '/'")


def test_a_dead_letter_routing_key_must_be_text(c: Channel, q: str) -> None:
    c.say("queue.declare", queue=q, arguments={"x-dead-letter-exchange": "e", "x-dead-letter-routing-key": 1})
    c.channel_closed(
        406, f"invalid arg 'x-dead-letter-routing-key' for queue '{q}' in vhost '/': {{unacceptable_type,signedint}}"
    )


def test_an_unknown_queue_type_is_refused(c: Channel, q: str) -> None:
    c.say("queue.declare", queue=q, arguments={"x-queue-type": "tape"})
    c.channel_closed(406, f"invalid arg 'x-queue-type' for queue '{q}' in vhost '/': \"unsupported queue type 'tape'\"")


def test_a_queue_type_must_be_text(c: Channel, q: str) -> None:
    c.say("queue.declare", queue=q, arguments={"x-queue-type": 7})
    c.channel_closed(406, f"invalid arg 'x-queue-type' for queue '{q}' in vhost '/': {{unacceptable_type,signedint}}")


def test_a_bad_argument_of_an_existing_queue_is_compared_before_it_is_judged(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.say("queue.declare", queue=q, arguments={"x-expires": 0})
    c.channel_closed(
        406,
        f"inequivalent arg 'x-expires' for queue '{q}' in vhost '/': "
        "received the value '0' of type 'signedint' but current is none",
    )


def test_a_queue_whose_declaration_failed_does_not_exist(c: Channel, q: str) -> None:
    c.say("queue.declare", queue=q, arguments={"x-expires": 0})
    c.channel_closed(406, f"invalid arg 'x-expires' for queue '{q}' in vhost '/': {{value_zero,0}}")
    c.say("queue.declare", queue=q, passive=True)
    c.channel_closed(404, f"no queue '{q}' in vhost '/'")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-max-age", "1h"),
        ("x-delivery-limit", 5),
        ("x-dead-letter-strategy", "at-least-once"),
        ("x-quorum-initial-group-size", 3),
        ("x-initial-cluster-size", 3),
        ("x-max-in-memory-length", 3),
        ("x-max-in-memory-bytes", 3),
        ("x-stream-max-segment-size-bytes", 1000000),
        ("x-queue-leader-locator", "client-local"),
    ],
)
def test_an_argument_of_another_queue_type_is_refused(c: Channel, q: str, name: str, value: object) -> None:
    c.say("queue.declare", queue=q, arguments={name: value})
    c.channel_closed(406, f"invalid arg '{name}' for queue '{q}' in vhost '/' of queue type rabbit_classic_queue")


@pytest.mark.parametrize(
    ("arguments", "name", "term"),
    [
        ({"x-overflow": "bad", "x-expires": 0}, "x-expires", "{value_zero,0}"),
        ({"x-max-priority": -1, "x-max-length": -2}, "x-max-length", "{value_negative,-2}"),
        ({"x-expires": 0, "x-queue-type": "tape"}, "x-queue-type", "\"unsupported queue type 'tape'\""),
        ({"x-max-age": "1h", "x-overflow": "bad"}, "x-overflow", "invalid_overflow"),
    ],
)
def test_of_two_bad_arguments_the_first_in_the_order_of_the_checks_is_named(
    c: Channel, q: str, arguments: dict[str, object], name: str, term: str
) -> None:
    c.say("queue.declare", queue=q, arguments=arguments)
    c.channel_closed(406, f"invalid arg '{name}' for queue '{q}' in vhost '/': {term}")


@pytest.mark.parametrize("kind", ["quorum", "stream"])
def test_a_queue_type_that_is_still_to_come_is_not_implemented(c: Channel, q: str, kind: str) -> None:
    c.say("queue.declare", queue=q, durable=True, arguments={"x-queue-type": kind})
    c.connection.control.hear("connection.close", patience=2, reply_code=540)
