"""From an exchange and a key to queues: as a message with a new key finds them, and as one does whose key is known."""

import pytest

from amq.exchanges.base import Exchange
from amq.exchanges.direct import Direct
from amq.exchanges.fanout import Fanout
from amq.exchanges.headers import Headers
from amq.exchanges.router import route
from amq.exchanges.topic import Topic
from amq.message import Message
from amq.wire.tables import Table
from benchmarks.micro.conftest import PerItem
from tests.exchanges import build
from tests.harness import dialogue

COUNT = 1000
FEW = 10
MANY = 10_000
# Patterns with a number in them, and a key that each of them matches.
PATTERNS = (("logs.eu.app%d.*", "logs.eu.app%d.warn"), ("metrics.%d.#", "metrics.%d.cpu.load"), ("#.x%d", "u.v.w.x%d"))


def routed(per_item: PerItem, exchange: Exchange, keys: list[str], sent: Message = build.PLAIN) -> None:
    """Measure routes of COUNT messages."""
    octets = [key.encode() for key in keys]
    exchanges = {exchange.name: exchange}

    def all_of_them() -> None:
        for key in octets:
            route(exchanges, exchange, [key], sent)

    per_item(all_of_them, COUNT)


@pytest.mark.parametrize("bindings", [FEW, MANY])
def test_direct(per_item: PerItem, bindings: int) -> None:
    exchange = build.exchange(Direct)
    for number in range(bindings):
        build.bind(exchange, build.NamedQueue(b"q%d" % number), b"key.%d" % number)
    routed(per_item, exchange, [f"key.{number % bindings}" for number in range(COUNT)])


@pytest.mark.parametrize("queues", [1, FEW, 100])
def test_fanout(per_item: PerItem, queues: int) -> None:
    exchange = build.exchange(Fanout)
    for number in range(queues):
        build.bind(exchange, build.NamedQueue(b"q%d" % number))
    routed(per_item, exchange, ["any"] * COUNT)


@pytest.mark.parametrize("bindings", [FEW, MANY])
def test_topic(per_item: PerItem, bindings: int) -> None:
    exchange = build.exchange(Topic)
    kinds = len(PATTERNS)
    for number in range(bindings):
        pattern = PATTERNS[number % kinds][0] % (number // kinds)
        build.bind(exchange, build.NamedQueue(b"q%d" % number), pattern.encode())
    routed(
        per_item, exchange, [PATTERNS[number % kinds][1] % (number % (bindings // kinds)) for number in range(COUNT)]
    )


@pytest.mark.parametrize("bindings", [FEW, 1000])
def test_headers(per_item: PerItem, bindings: int) -> None:
    exchange = build.exchange(Headers)
    for number in range(bindings):
        wanted: Table = {"x-match": ("S", b"all"), "format": ("S", b"f%d" % number), "type": ("S", b"report")}
        build.bind(exchange, build.NamedQueue(b"q%d" % number), b"", wanted)
    routed(per_item, exchange, [""] * COUNT, build.message({"format": ("S", b"f7"), "type": ("S", b"report")}))


@pytest.mark.parametrize("kind", ["direct", "fanout", "topic"])
def test_a_key_that_is_known(per_item: PerItem, kind: str) -> None:
    client = dialogue.enter(channels=(1,))
    client.declare(1, "q", arguments={"x-max-length": 1})
    client.say(1, "queue.bind", queue="q", exchange=f"amq.{kind}", routing_key="a.b")
    client.publish(1, "a.b", b"x", exchange=f"amq.{kind}")
    publisher = client.connection.channels[1].publisher
    arguments = dialogue.method(1, "basic.publish", exchange=f"amq.{kind}", routing_key="a.b")[11:-1]
    assert publisher.cached(arguments) is not None

    def all_of_them() -> None:
        for _ in range(COUNT):
            publisher.cached(arguments)

    per_item(all_of_them, COUNT)
