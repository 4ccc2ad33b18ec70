"""The exchange types that RabbitMQ ships as plugins: consistent hash, random, recent history."""

from typing import Any

import pytest

from tests.conformance.client import Channel
from tests.conformance.values import Typed

HASH = "x-consistent-hash"


def counts(c: Channel, queues: list[str]) -> list[int]:
    """Empty the queues and count what was in them."""
    return [c.call("queue.purge", queue=name)["message_count"] for name in queues]


def publish_confirmed(c: Channel, exchange: str, keys: list[str], **properties: Any) -> None:
    """Publish one message per key and wait until all are confirmed."""
    if not c.confirming:
        c.select_confirms()
    for key in keys:
        c.publish("m", exchange, key, **properties)
    c.settle()


def ring(c: Channel, x: str, q: str, weights: list[str], **arguments: Any) -> list[str]:
    """A consistent hash exchange with one queue per weight."""
    c.call("exchange.declare", exchange=x, type=HASH, arguments=arguments)
    queues = [f"{q}-{number}" for number in range(len(weights))]
    for name, weight in zip(queues, weights, strict=True):
        c.call("queue.declare", queue=name)
        c.call("queue.bind", queue=name, exchange=x, routing_key=weight)
    return queues


def test_consistent_hash_spreads_keys_over_all_queues(c: Channel, q: str, x: str) -> None:
    queues = ring(c, x, q, ["10", "10", "10"])
    publish_confirmed(c, x, [f"key-{number}" for number in range(300)])
    spread = counts(c, queues)
    assert sum(spread) == 300
    assert min(spread) > 0


def test_consistent_hash_sends_one_key_to_one_queue(c: Channel, q: str, x: str) -> None:
    queues = ring(c, x, q, ["3", "5", "7"])
    publish_confirmed(c, x, ["the key"] * 20)
    assert sorted(counts(c, queues)) == [0, 0, 20]


def test_consistent_hash_follows_the_weights(c: Channel, q: str, x: str) -> None:
    queues = ring(c, x, q, ["1", "50"])
    publish_confirmed(c, x, [f"key-{number}" for number in range(300)])
    light, heavy = counts(c, queues)
    assert light + heavy == 300
    assert heavy > light


def test_consistent_hash_may_hash_a_header(c: Channel, q: str, x: str) -> None:
    queues = ring(c, x, q, ["1", "1", "1"], **{"hash-header": "tenant"})
    publish_confirmed(c, x, [f"key-{number}" for number in range(20)], headers={"tenant": "a"})
    assert sorted(counts(c, queues)) == [0, 0, 20]


@pytest.mark.parametrize("name", ["message_id", "correlation_id", "timestamp"])
def test_consistent_hash_may_hash_a_property(c: Channel, q: str, x: str, name: str) -> None:
    queues = ring(c, x, q, ["1", "1", "1"], **{"hash-property": name})
    value = 1700000000 if name == "timestamp" else "same"
    publish_confirmed(c, x, [f"key-{number}" for number in range(20)], **{name: value})
    assert sorted(counts(c, queues)) == [0, 0, 20]


def test_consistent_hash_goes_on_without_a_queue_that_is_gone(c: Channel, q: str, x: str) -> None:
    queues = ring(c, x, q, ["1", "1"])
    c.call("queue.delete", queue=queues[0])
    publish_confirmed(c, x, [f"key-{number}" for number in range(20)])
    assert counts(c, queues[1:]) == [20]


@pytest.mark.parametrize(
    ("weight", "text"),
    [
        ("heavy", 'The binding key must be an integer: <<"heavy">>'),
        ("", "The binding key must be an integer: <<>>"),
        ("1.5", 'The binding key must be an integer: <<"1.5">>'),
        ("0", "The binding key must be greater than 0"),
        ("-1", "The binding key must be greater than 0"),
    ],
)
def test_a_weight_is_a_positive_integer(c: Channel, q: str, x: str, weight: str, text: str) -> None:
    c.call("exchange.declare", exchange=x, type=HASH)
    c.call("queue.declare", queue=q)
    c.say("queue.bind", queue=q, exchange=x, routing_key=weight)
    c.channel_closed(406, text)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (
            {"hash-header": "h", "hash-property": "message_id"},
            "hash-header and hash-property are mutually exclusive",
        ),
        ({"hash-property": "app_id"}, "Unsupported property: app_id"),
    ],
    ids=["both", "unknown-property"],
)
def test_what_to_hash_must_make_sense(c: Channel, x: str, arguments: dict[str, Any], text: str) -> None:
    c.say("exchange.declare", exchange=x, type=HASH, arguments=arguments)
    c.channel_closed(406, text)


def test_a_random_exchange_gives_each_message_to_one_queue(c: Channel, q: str, x: str) -> None:
    c.call("exchange.declare", exchange=x, type="x-random")
    queues = [f"{q}-{number}" for number in range(3)]
    for name in queues:
        c.call("queue.declare", queue=name)
        c.call("queue.bind", queue=name, exchange=x, routing_key="ignored")
    publish_confirmed(c, x, ["k"] * 150)
    spread = counts(c, queues)
    assert sum(spread) == 150
    assert min(spread) > 0


def test_a_random_exchange_without_queues_routes_nothing(c: Channel, x: str) -> None:
    c.call("exchange.declare", exchange=x, type="x-random")
    c.publish("m", x, "k", mandatory=True)
    c.hear("basic.return", reply_code=312)


@pytest.mark.parametrize("length", [None, 3, Typed("l", 3)], ids=["default", "int", "long"])
def test_recent_history_is_replayed_to_a_new_binding(c: Channel, q: str, x: str, length: object) -> None:
    arguments = {} if length is None else {"x-recent-history-length": length}
    c.call("exchange.declare", exchange=x, type="x-recent-history", arguments=arguments)
    c.select_confirms()
    for number in range(25):
        c.publish(str(number), x, "k")
    c.settle()
    c.call("queue.declare", queue=q)
    c.call("queue.bind", queue=q, exchange=x)
    kept = 20 if length is None else 3
    c.ready(q, kept)
    for number in range(25 - kept, 25):
        c.get(q, str(number), exchange=x, routing_key="k")


def test_recent_history_is_a_fanout_for_those_bound(c: Channel, q: str, x: str) -> None:
    c.call("exchange.declare", exchange=x, type="x-recent-history")
    for name in q, q + "2":
        c.call("queue.declare", queue=name)
        c.call("queue.bind", queue=name, exchange=x)
    c.publish("m", x, "k")
    c.get(q, "m")
    c.get(q + "2", "m")


def test_a_message_may_ask_not_to_be_remembered(c: Channel, q: str, x: str) -> None:
    c.call("exchange.declare", exchange=x, type="x-recent-history")
    c.select_confirms()
    c.publish("kept", x)
    c.publish("not kept", x, headers={"x-recent-history-no-store": True})
    c.settle()
    c.call("queue.declare", queue=q)
    c.call("queue.bind", queue=q, exchange=x)
    c.ready(q, 1)
    c.get(q, "kept")
    c.get(q, None)


@pytest.mark.parametrize(("length", "shown"), [(0, "0"), (-1, "-1"), ("ten", '<<"ten">>')])
def test_a_history_has_a_positive_length(c: Channel, x: str, length: object, shown: str) -> None:
    c.say("exchange.declare", exchange=x, type="x-recent-history", arguments={"x-recent-history-length": length})
    c.channel_closed(406, f"Invalid argument {shown}, 'x-recent-history-length' must be a positive integer")
