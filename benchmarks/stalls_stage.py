"""What the events of stalls.py are made of: connections, queues with messages in them, requests over HTTP."""

import base64
import http.client
import json
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import attrs
from raw_client import BODY, HEADER, PERSISTENT, Client, frame, method, short

Event = Callable[["Stage"], Iterator[None]]

HUGE: Final = 1 << 26
FRAME: Final = 131072 - 8
DELIVERY_MODE: Final = 0x1000
EXPIRATION: Final = 0x0100
HEADERS: Final = 0x2000
# Messages published in one send.
PORTION: Final = 2000


@attrs.define
class Stage:
    """The broker's port, that of its HTTP API (0: not used), and how many messages are a long queue, and a wave."""

    port: int
    web: int
    long: int
    wave: int

    def client(self, vhost: str = "/") -> Client:
        """Another connection."""
        return Client(self.port, vhost)

    def ask(self, verb: str, path: str, body: Any = None) -> tuple[int, bytes]:
        """A request of the HTTP API."""
        return self.send(verb, path, b"" if body is None else json.dumps(body).encode())

    def send(self, verb: str, path: str, body: bytes) -> tuple[int, bytes]:
        """The same with octets. Raises OSError where the answer is no success."""
        connection = http.client.HTTPConnection("127.0.0.1", self.web, timeout=120)
        authorization = "Basic " + base64.b64encode(b"guest:guest").decode()
        connection.request(verb, path, body, {"authorization": authorization, "content-type": "application/json"})
        answer = connection.getresponse()
        octets = answer.read()
        connection.close()
        if answer.status >= 300:
            raise OSError(f"{verb} {path}: {answer.status} {octets[:200]!r}")
        return answer.status, octets


# -- what events are made of --


def table(**arguments: int | str) -> bytes:
    """Arguments of a declaration; an underscore is a dash."""
    octets = b""
    for name, value in arguments.items():
        key = short(name.replace("_", "-"))
        if isinstance(value, int):
            octets += key + b"l" + value.to_bytes(8, "big")
        else:
            octets += key + b"S" + len(value).to_bytes(4, "big") + value.encode()
    return len(octets).to_bytes(4, "big") + octets


def declare(client: Client, name: str, durable: bool = False, **arguments: int | str) -> int:
    """A queue; how many messages are in it."""
    return declare_with(client, name, 2 * durable, **arguments)


def declare_with(client: Client, name: str, bits: int, **arguments: int | str) -> int:
    """The same, with the bits of the method: 2 is durable, 4 exclusive."""
    answer = client.ask((50, 10), b"\0\0" + short(name) + bytes([bits]) + table(**arguments), (50, 11))
    return int.from_bytes(answer[1 + answer[0] :][:4], "big")


def count(client: Client, name: str) -> int:
    """How many messages are in a queue."""
    answer = client.ask((50, 10), b"\0\0" + short(name) + b"\x01" + bytes(4), (50, 11))
    return int.from_bytes(answer[1 + answer[0] :][:4], "big")


def until(client: Client, name: str, wanted: int, seconds: float = 60.0) -> None:
    """Wait until so many messages are in a queue, which everybody has to wait for, too."""
    end = time.monotonic() + seconds
    while count(client, name) != wanted:
        if time.monotonic() > end:
            sys.exit(f"{name} has {count(client, name)} messages, not {wanted}")
        time.sleep(0.05)


def content(queue: str, size: int, properties: bytes = bytes(2), exchange: str = "") -> bytes:
    """A message of so many octets, with properties as they stand in a header."""
    octets = [method(1, (60, 40), b"\0\0" + short(exchange) + short(queue) + b"\0")]
    octets.append(frame(HEADER, 1, (60).to_bytes(2, "big") + bytes(2) + size.to_bytes(8, "big") + properties))
    octets += [frame(BODY, 1, bytes(min(FRAME, size - at))) for at in range(0, size, FRAME)]
    return b"".join(octets)


def properties(durable: bool = False, expiration: str = "", delay: int = -1) -> bytes:
    """Flags and values."""
    flags = DELIVERY_MODE * durable | EXPIRATION * bool(expiration) | HEADERS * (delay >= 0)
    values = table(x_delay=delay) if delay >= 0 else b""
    values += bytes([PERSISTENT]) if durable else b""
    return flags.to_bytes(2, "big") + values + (short(expiration) if expiration else b"")


def fill(client: Client, queue: str, messages: int, octets: bytes) -> None:
    """Publish so many messages, and wait until they are in a queue."""
    portion = octets * PORTION
    for _ in range(messages // PORTION):
        client.socket.sendall(portion)
    client.socket.sendall(octets * (messages % PORTION))
    count(client, queue)


def filled(stage: Stage, messages: int, durable: bool = False, **arguments: int | str) -> Client:
    """A client, and a queue `long` with so many messages of 16 octets."""
    client = stage.client()
    declare(client, "long", durable, **arguments)
    fill(client, "long", messages, content("long", 16, properties(durable)))
    return client


def consume(client: Client, queue: str, no_ack: bool = False) -> None:
    """A consumer, whose deliveries nobody reads yet."""
    client.ask((60, 20), b"\0\0" + short(queue) + short("c") + bytes([2 * no_ack]) + bytes(4), (60, 21))


def take(client: Client, messages: int) -> None:
    """Read so many deliveries of one size."""
    size = sum(len(client.frame_payload()) + 8 for _ in range(3))
    left = size * (messages - 1)
    while left:
        left -= len(client.exactly(min(left, 1 << 20)))


def unacknowledged(stage: Stage, messages: int, durable: bool = False) -> Client:
    """A client to whom all messages of the queue `long` were delivered."""
    filled(stage, messages, durable).close()
    client = stage.client()
    consume(client, "long")
    take(client, messages)
    # No more than these: what comes back stays there.
    client.ask((60, 30), short("c") + b"\0", (60, 31))
    return client


def huge(client: Client, queue: str, durable: bool = False, exchange: str = "") -> None:
    """Publish a huge message, and wait until it is there."""
    client.ask((85, 10), b"\0", (85, 11))
    client.socket.sendall(content(queue, HUGE, properties(durable), exchange))
    client.expect((60, 80))


def skip(client: Client) -> None:
    """Read a huge body."""
    left = HUGE
    while left:
        kind, size = client.skip_frame()
        if kind == BODY:
            left -= size
