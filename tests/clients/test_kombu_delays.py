"""kombu's native delayed delivery: 28 topic exchanges, each with a queue whose messages expire into the next."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import kombu
import pytest
from kombu import Connection, Consumer, Exchange, Producer, Queue
from kombu.transport.native_delayed_delivery import (
    MAX_LEVEL,
    bind_queue_to_native_delayed_delivery_exchange,
    calculate_routing_key,
    declare_native_delayed_delivery_exchanges_and_queues,
    level_name,
)

from tests.clients.target import Address, Names

PATIENCE = 10.0


@pytest.fixture
def connection(server: Address, names: Names) -> Iterator[Connection]:  # names: tidied up after the close
    with Connection(server.url) as connection:
        yield connection


def test_native_delayed_delivery_sorts_delays_into_their_levels(connection: Connection, names: Names) -> None:
    prefix = declare_delays(connection, names)
    with connection.channel() as channel:
        for level in range(4, MAX_LEVEL + 1):
            publish_delayed(channel, prefix, 2**level, "task")
        counts = [
            Queue(level_name(level, prefix))(channel).queue_declare(passive=True).message_count
            for level in range(MAX_LEVEL + 1)
        ]
    assert counts == [0] * 4 + [1] * (MAX_LEVEL - 3)


def test_native_delayed_delivery_hands_messages_over_when_their_delay_is_over(
    connection: Connection, names: Names
) -> None:
    prefix = declare_delays(connection, names)
    queue = Queue(names("target"), Exchange(names("tasks"), "topic"), "task")
    queue(connection.default_channel).declare()
    bind_queue_to_native_delayed_delivery_exchange(connection, queue, prefix)
    with connection.channel() as channel:
        for seconds in (3, 1, 2):
            publish_delayed(channel, prefix, seconds, "task")
        messages: list[kombu.Message] = []
        with Consumer(channel, [queue], on_message=messages.append, accept=["json"], no_ack=True):
            while len(messages) < 3:
                connection.drain_events(timeout=PATIENCE)
    assert [message.payload for message in messages] == [1, 2, 3]
    for seconds, levels in ((1, [0]), (2, [1]), (3, [0, 1])):
        deaths = [(death["queue"], death["reason"]) for death in messages[seconds - 1].headers["x-death"]]
        assert deaths == [(level_name(level, prefix), "expired") for level in levels]


def declare_delays(connection: Connection, names: Names) -> str:
    """kombu's tree of 28 exchanges and queues, under a prefix of this test."""
    prefix = names("delays")
    names.taken += [level_name(level, prefix) for level in range(MAX_LEVEL + 1)]
    names.taken.append(f"{prefix}_celery_delayed_delivery")
    declare_native_delayed_delivery_exchanges_and_queues(connection, "classic", prefix)
    return prefix


def publish_delayed(channel: Any, prefix: str, seconds: int, routing_key: str) -> None:
    Producer(channel).publish(
        seconds,
        exchange=level_name(MAX_LEVEL, prefix),
        routing_key=calculate_routing_key(seconds, routing_key),
        serializer="json",
    )
