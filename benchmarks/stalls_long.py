"""Events of stalls.py: long queues, very many deliveries, and very many messages that are due at once."""

import time
from collections.abc import Iterator
from typing import Any, Final

from raw_client import method, short
from stalls_stage import (
    PORTION,
    Event,
    Stage,
    consume,
    content,
    count,
    declare,
    declare_with,
    fill,
    filled,
    properties,
    table,
    take,
    unacknowledged,
    until,
)

VHOST: Final = "doomed"
EXCLUSIVE: Final = 4


def purge(durable: bool, paged: bool = False) -> Event:
    """A long queue is purged."""

    def event(stage: Stage) -> Iterator[None]:
        client = filled(stage, stage.long, durable)
        if paged:
            time.sleep(10)
        yield
        answer = client.ask((50, 30), b"\0\0" + short("long") + b"\0", (50, 31))
        assert int.from_bytes(answer[:4], "big") == stage.long
        until(client, "long", 0)

    return event


def delete(durable: bool) -> Event:
    """A long queue is deleted."""

    def event(stage: Stage) -> Iterator[None]:
        client = filled(stage, stage.long, durable)
        yield
        client.ask((50, 40), b"\0\0" + short("long") + b"\0", (50, 41))

    return event


def delete_vhost(stage: Stage) -> Iterator[None]:
    """The vhost of a long queue is deleted."""
    stage.ask("PUT", f"/api/vhosts/{VHOST}")
    stage.ask("PUT", f"/api/permissions/{VHOST}/guest", {"configure": ".*", "write": ".*", "read": ".*"})
    client = stage.client(VHOST)
    declare(client, "long")
    fill(client, "long", stage.long, content("long", 16))
    yield
    stage.ask("DELETE", f"/api/vhosts/{VHOST}")


def exclusive_closed(stage: Stage) -> Iterator[None]:
    """The connection of a long exclusive queue is closed."""
    client = stage.client()
    declare_with(client, "long", EXCLUSIVE)
    fill(client, "long", stage.wave, content("long", 16))
    yield
    client.socket.sendall(method(0, (10, 50), (200).to_bytes(2, "big") + short("bye") + bytes(4)))
    client.expect((10, 51))


def expired_queue(stage: Stage) -> Iterator[None]:
    """A long queue that nobody uses expires."""
    client = stage.client()
    declare(client, "long", x_expires=1000 + stage.long // 100)
    fill(client, "long", stage.long, content("long", 16))
    client.ask((50, 10), b"\0\0" + short("long") + b"\x01" + bytes(4), (50, 11))
    yield
    time.sleep(stage.long / 100_000 + 1)


def limited_by_policy(dead: bool) -> Event:
    """A policy with a max-length comes over a long queue, with or without a dead-letter exchange."""

    def event(stage: Stage) -> Iterator[None]:
        client = filled(stage, stage.wave if dead else stage.long)
        definition: dict[str, Any] = {"max-length": 10}
        if dead:
            declare(client, "morgue")
            definition |= {"dead-letter-exchange": "", "dead-letter-routing-key": "morgue"}
        yield
        stage.ask("PUT", "/api/policies/%2F/short", {"pattern": "^long$", "definition": definition})
        until(client, "long", 10)
        if dead:
            until(client, "morgue", stage.wave - 10, 180)

    return event


def long_consumed(durable: bool) -> Event:
    """A consumer takes everything out of a long queue."""

    def event(stage: Stage) -> Iterator[None]:
        filled(stage, stage.long, durable).close()
        client = stage.client()
        yield
        consume(client, "long", no_ack=True)
        take(client, stage.long)

    return event


def closed(connection: bool, durable: bool = False) -> Event:
    """A channel, or a connection, with very many unacknowledged messages is closed."""

    def event(stage: Stage) -> Iterator[None]:
        client = unacknowledged(stage, stage.wave, durable)
        other = stage.client()
        yield
        if connection:
            client.close()
        else:
            client.ask((20, 40), (200).to_bytes(2, "big") + short("bye") + bytes(4), (20, 41))
        until(other, "long", stage.wave)

    return event


def recovered(stage: Stage) -> Iterator[None]:
    """basic.recover of very many messages."""
    client = unacknowledged(stage, stage.wave)
    yield
    client.ask((60, 110), b"\x01", (60, 111))
    until(client, "long", stage.wave)


def nacked(stage: Stage) -> Iterator[None]:
    """One basic.nack requeues very many messages."""
    client = unacknowledged(stage, stage.wave)
    yield
    client.socket.sendall(method(1, (60, 120), stage.wave.to_bytes(8, "big") + b"\x03"))
    until(client, "long", stage.wave)


def acknowledged(durable: bool) -> Event:
    """One basic.ack acknowledges very many messages."""

    def event(stage: Stage) -> Iterator[None]:
        client = unacknowledged(stage, stage.wave, durable)
        yield
        client.socket.sendall(method(1, (60, 80), stage.wave.to_bytes(8, "big") + b"\x01"))
        until(client, "long", 0)

    return event


def committed(durable: bool) -> Event:
    """tx.commit of 200,000 messages."""

    def event(stage: Stage) -> Iterator[None]:
        client = stage.client()
        declare(client, "long", durable)
        client.ask((90, 10), b"", (90, 11))
        fill(client, "long", stage.wave // 5, content("long", 16, properties(durable)))
        yield
        client.ask((90, 20), b"", (90, 21))
        assert count(client, "long") == stage.wave // 5

    return event


def wave(own: bool, dead: bool, durable: bool = False) -> Event:
    """Very many messages expire at once, by the queue's time to live or by their own."""

    def event(stage: Stage) -> Iterator[None]:
        client = stage.client()
        # Each with a time to live of its own takes longer to publish.
        ttl = 2000 + stage.wave // (50 if own else 100)
        arguments: dict[str, int | str] = {} if own else {"x_message_ttl": ttl}
        if dead:
            declare(client, "morgue", durable)
            arguments |= {"x_dead_letter_exchange": "", "x_dead_letter_routing_key": "morgue"}
        declare(client, "long", durable, **arguments)
        began = time.monotonic()
        # All at once: each portion lives a little shorter than the one before it.
        if own:
            portions = stage.wave // PORTION
            for _ in range(portions):
                left = ttl - int((time.monotonic() - began) * 1000)
                client.socket.sendall(content("long", 16, properties(durable, str(max(left, 1)))) * PORTION)
            count(client, "long")
        else:
            fill(client, "long", stage.wave, content("long", 16, properties(durable)))
            # Its messages are kept from expiring one after the other: the first one lives longest.
        yield
        until(client, "long", 0, 120)
        if dead:
            until(client, "morgue", stage.wave, 180)

    return event


def delayed(stage: Stage) -> Iterator[None]:
    """A delayed exchange releases very many messages at once."""
    client = stage.client()
    arguments = table(x_delayed_type="direct")
    client.ask((40, 10), b"\0\0" + short("later") + short("x-delayed-message") + b"\0" + arguments, (40, 11))
    declare(client, "long")
    client.bind("long", "later", "k")
    began = time.monotonic()
    messages = stage.wave // 10
    for _ in range(messages // PORTION):
        left = 4000 - int((time.monotonic() - began) * 1000)
        client.socket.sendall(content("k", 16, properties(delay=left), "later") * PORTION)
    count(client, "long")
    yield
    until(client, "long", messages)
