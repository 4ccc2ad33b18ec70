"""Octets into meaning and back: frames cut out of chunks, methods, tables, properties, deliveries."""

from collections.abc import Callable

import pytest

from amq.connection.connection import Connection
from amq.connection.consumer import ChannelConsumer
from amq.message import Message, address
from amq.queues.base import Queue
from amq.wire import methods, properties, spec, tables
from amq.wire.properties import shortstr
from benchmarks.micro.conftest import PerItem
from tests.harness import dialogue
from tests.harness.dialogue import Dialogue

COUNT = 1000
PIECE = 4096
TABLE: tables.Table = {
    "x-match": ("S", b"all"),
    "format": ("S", b"pdf"),
    "attempts": ("I", 3),
    "urgent": ("t", True),
    "origin": ("F", {"host": ("S", b"a.example"), "port": ("I", 8080)}),
}
FULL = properties.rewrite(
    bytes((0, 60, 0, 0)) + (16).to_bytes(8, "big") + bytes(2),
    {
        properties.DELIVERY_MODE: b"\2",
        properties.PRIORITY: b"\5",
        properties.MESSAGE_ID: shortstr(b"0123456789abcdef"),
        properties.HEADERS: tables.encode(TABLE),
    },
)
PLAIN = bytes((0, 60, 0, 0)) + (16).to_bytes(8, "big") + b"\x10\0\2"


def client() -> Dialogue:
    """A client of a broker with a queue, in which nothing is consumed."""
    there = dialogue.enter(channels=(1,))
    there.declare(1, "q", arguments={"x-max-length": 1})
    return there


@pytest.mark.parametrize("chunk", ["whole", "in pieces"])
def test_a_frame_that_asks_for_nothing(per_item: PerItem, chunk: str) -> None:
    connection: Connection = client().connection
    octets = dialogue.frame(8, 0, b"") * COUNT
    size = len(octets) if chunk == "whole" else PIECE

    def scan() -> None:
        for at in range(0, len(octets), size):
            connection.receive(octets[at : at + size], 0.0)

    per_item(scan, COUNT)


@pytest.mark.parametrize("alike", [True, False], ids=["alike", "each other"])
def test_a_publish_that_nobody_wants(per_item: PerItem, alike: bool) -> None:
    connection = client().connection
    keys = ["nobody"] * COUNT if alike else [f"nobody.{number % 100}" for number in range(COUNT)]
    octets = b"".join([dialogue.publish(1, key, b"x" * 16) for key in keys])
    per_item(lambda: connection.receive(octets, 0.0), COUNT)


def times(work: Callable[[], object]) -> Callable[[], None]:
    """The same COUNT times."""

    def again() -> None:
        for _ in range(COUNT):
            work()

    return again


def test_decode_arguments_of_basic_publish(per_item: PerItem) -> None:
    payload = dialogue.method(1, "basic.publish", exchange="orders", routing_key="order.new.eu")[7:-1]
    per_item(times(lambda: methods.decode(spec.BASIC_PUBLISH, payload)), COUNT)


def test_encode_basic_ack(per_item: PerItem) -> None:
    per_item(times(lambda: methods.encode(1, spec.BASIC_ACK, [123456, True])), COUNT)


def test_decode_a_table_of_five(per_item: PerItem) -> None:
    octets = tables.encode(TABLE)
    per_item(times(lambda: tables.decode(octets, 0)), COUNT)


def test_encode_a_table_of_five(per_item: PerItem) -> None:
    per_item(times(lambda: tables.encode(TABLE)), COUNT)


@pytest.mark.parametrize("header", [PLAIN, FULL], ids=["delivery mode", "four properties"])
def test_read_properties(per_item: PerItem, header: bytes) -> None:
    per_item(times(lambda: properties.read(header)), COUNT)


def test_read_headers(per_item: PerItem) -> None:
    per_item(times(lambda: properties.read(FULL).headers()), COUNT)


@pytest.mark.parametrize("size", [16, 1024, 1 << 18])
def test_build_a_delivery(per_item: PerItem, size: int) -> None:
    there = client()
    there.consume(1, "q", no_ack=True)
    consumer, queue = consumer_of(there.connection)
    shared = properties.read(PLAIN)
    count = COUNT if size < 1 << 16 else COUNT // 10
    destination = address(b"", b"q")
    messages = [Message(destination, PLAIN, bytes(size), shared) for _ in range(count)]
    outbox = there.connection.outbox

    def deliver() -> None:
        consumer.deliver(queue, 0, messages, False)
        while outbox.take():
            pass

    per_item(deliver, count)


def consumer_of(connection: Connection) -> tuple[ChannelConsumer, Queue]:
    """The only consumer of a connection, and its queue."""
    (consumer,) = connection.channels[1].ledger.subscribers.values()
    assert isinstance(consumer, ChannelConsumer)
    return consumer, consumer.queue
