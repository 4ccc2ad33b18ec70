"""Loads over raw sockets for the cost curves: what they need is made beforehand, so that the broker sets the pace.

Bodies are zeros, names and tags have fixed lengths: a consumer only counts octets to know how much it got.
"""

import re
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle, islice
from typing import Final

from raw_client import BODY, HEADER, Client, Refused, frame, method, short

FRAME_MAX: Final = 131072
OVERHEAD: Final = 8  # octets of a frame that are not its payload
BLOCK: Final = 1 << 18  # octets that are sent at once
READ: Final = 1 << 20
SILENCE: Final = 100.0  # seconds after which a broker that delivers nothing is given up
TAG: Final = "c0000000"
NOTHING: Final = bytes(4)  # an empty table
CHANNEL_OPENED: Final = b"\x00\x14\x00\x0b"
PIPELINED: Final = 500  # requests that are sent before their answers are awaited


@dataclass(frozen=True)
class Flow:
    """Messages from one connection to another, through one queue.

    Publishes go by the routing keys in turn, and by the channels 1 to `channels`. With a `prefetch` per consumer
    deliveries are acknowledged, a few dozen at once; else they need not be.
    """

    queue: str
    count: int
    size: int = 16
    exchange: str = ""
    keys: Sequence[str] = field(default=())
    channels: int = 1
    consumers: int = 1
    prefetch: int = 0

    @property
    def routing_keys(self) -> Sequence[str]:
        """All of one length."""
        return self.keys or [self.queue]

    @property
    def delivered_octets(self) -> int:
        """Of one message, as a consumer gets it."""
        names = len(short(self.exchange)) + len(short(self.routing_keys[0]))
        return OVERHEAD + 4 + len(short(TAG)) + 9 + names + len(_content(1, self.size))


def _content(channel: int, size: int) -> bytes:
    """A message's header and body frames; it has no properties."""
    part = FRAME_MAX - OVERHEAD
    header = frame(HEADER, channel, (60).to_bytes(2, "big") + bytes(2) + size.to_bytes(8, "big") + bytes(2))
    return header + b"".join(frame(BODY, channel, bytes(min(part, size - at))) for at in range(0, size, part))


def declare(client: Client, queue: str) -> int:
    """A queue that is not durable; how many messages are in it."""
    answer = client.ask((50, 10), b"\0\0" + short(queue) + b"\0" + NOTHING, (50, 11))
    return int.from_bytes(answer[1 + answer[0] :][:4], "big")


def declare_exchange(client: Client, name: str, kind: str) -> None:
    """An exchange that is not durable."""
    client.ask((40, 10), b"\0\0" + short(name) + short(kind) + b"\0" + NOTHING, (40, 11))


def bind(client: Client, queue: str, exchange: str, keys: Sequence[str]) -> None:
    """Bind a queue by many keys."""
    ends = [
        method(1, (50, 20), b"\0\0" + short(queue) + short(exchange) + short(key) + b"\0" + NOTHING) for key in keys
    ]
    pipelined(client, ends, (50, 21))


def open_channels(client: Client, first: int, last: int) -> None:
    """Channels `first` to `last` of a connection."""
    pipelined(client, [method(number, (20, 10), short("")) for number in range(first, last + 1)], (20, 11))


def pipelined(client: Client, requests: Sequence[bytes], answer: tuple[int, int]) -> None:
    """Many requests, each with its answer."""
    for at in range(0, len(requests), PIPELINED):
        part = requests[at : at + PIPELINED]
        client.socket.sendall(b"".join(part))
        for _ in part:
            client.expect(answer)


# -- publishing --


def blocks(flow: Flow) -> list[tuple[bytes, int]]:
    """(octets, messages) to be sent over and over: all keys and all channels occur equally often."""
    keys, content = flow.routing_keys, {number: _content(number, flow.size) for number in range(1, flow.channels + 1)}
    turns = max(len(keys), flow.channels)
    made: list[tuple[bytes, int]] = []
    pieces: list[bytes] = []
    octets = 0
    least = max(1, min(flow.count, BLOCK // len(content[1])))
    turns *= -(-least // turns)
    for number, key, channel in zip(range(1, turns + 1), cycle(keys), cycle(content), strict=False):
        publish = b"\0\0" + short(flow.exchange) + short(key) + b"\0"
        pieces.append(method(channel, (60, 40), publish) + content[channel])
        octets += len(pieces[-1])
        if octets >= BLOCK or number == turns:
            made.append((b"".join(pieces), len(pieces)))
            pieces, octets = [], 0
    return made


def publish(client: Client, flow: Flow, made: list[tuple[bytes, int]]) -> None:
    """Send so many messages, those made over and over."""
    left = flow.count
    for octets, count in cycle(made):
        if count > left:
            break
        client.socket.sendall(octets)
        left -= count
    content = _content(1, flow.size)
    for key in islice(cycle(flow.routing_keys), left):
        client.socket.sendall(method(1, (60, 40), b"\0\0" + short(flow.exchange) + short(key) + b"\0") + content)


def fill(client: Client, flow: Flow) -> float:
    """Publish without a consumer; seconds until all are in the queue."""
    made = blocks(flow)
    before = declare(client, flow.queue)
    began = time.perf_counter()
    publish(client, flow, made)
    sent = time.perf_counter()
    while declare(client, flow.queue) < before + flow.count:
        if time.perf_counter() - sent > SILENCE:
            raise Refused("messages do not arrive in the queue")
        time.sleep(0.001)
    return time.perf_counter() - began


# -- consuming --


def consume(client: Client, flow: Flow) -> None:
    """Become so many consumers of its queue, all on channel 1."""
    if flow.prefetch:
        client.ask((60, 10), bytes(4) + flow.prefetch.to_bytes(2, "big") + b"\0", (60, 11))
    flags = b"\0" if flow.prefetch else b"\2"
    tags = [f"c{number:07}" for number in range(flow.consumers)]
    requests = [method(1, (60, 20), b"\0\0" + short(flow.queue) + short(tag) + flags + NOTHING) for tag in tags]
    pipelined(client, requests, (60, 21))


def receive(client: Client, flow: Flow) -> float:
    """Take all messages; the moment when they had come."""
    every = min(50, max(1, flow.prefetch // 2))
    octets = acknowledged = 0
    buffer = memoryview(bytearray(READ))
    whole = flow.count * flow.delivered_octets
    while octets < whole:
        got = client.stream.readinto1(buffer)
        if not got:
            raise Refused("the broker hung up")
        octets += got
        if flow.prefetch and (count := octets // flow.delivered_octets) >= acknowledged + every:
            client.socket.sendall(method(1, (60, 80), count.to_bytes(8, "big") + b"\1"))
            acknowledged = count
    return time.perf_counter()


def move(publisher: Client, consumer: Client, flow: Flow) -> float:
    """Publish and consume at the same time; messages per second until all were delivered. `consume` came before."""
    made = blocks(flow)
    consumer.socket.settimeout(SILENCE)
    publisher.socket.settimeout(SILENCE)
    began = time.perf_counter()
    sending = threading.Thread(target=publish, args=(publisher, flow, made), daemon=True)
    sending.start()
    ended = receive(consumer, flow)
    sending.join()
    return flow.count / (ended - began)


# -- connections that do nothing --


def connect(port: int, count: int) -> list[socket.socket]:
    """So many connections as guest, each with a channel; they log in together."""
    sockets = [socket.create_connection(("127.0.0.1", port), SILENCE) for _ in range(count)]
    plain = b"\0guest\0guest"
    login = NOTHING + short("PLAIN") + len(plain).to_bytes(4, "big") + plain + short("en_US")
    words = (
        method(0, (10, 11), login)
        + method(0, (10, 31), b"\x07\xff" + FRAME_MAX.to_bytes(4, "big") + b"\0\0")
        + method(0, (10, 40), short("/") + short("") + b"\0")
        + method(1, (20, 10), short(""))
    )
    for each in sockets:
        each.sendall(b"AMQP\0\0\x09\x01")
    for each in sockets:
        _until(each, b"\xce")
        each.sendall(words)
    for each in sockets:
        _until(each, CHANNEL_OPENED)
    return sockets


def _until(each: socket.socket, end: bytes) -> bytes:
    heard = b""
    while end not in heard:
        octets = each.recv(65536)
        if not octets:
            raise Refused("the broker hung up")
        heard += octets
    return heard


def version(port: int) -> str:
    """What the broker says of itself when somebody connects."""
    with socket.create_connection(("127.0.0.1", port), SILENCE) as opened:
        opened.sendall(b"AMQP\0\0\x09\x01")
        found = re.search(rb"\x07versionS(....)", heard := _until(opened, b"\xce"), re.DOTALL)
    if not found:
        return ""
    return heard[found.end() : found.end() + int.from_bytes(found[1], "big")].decode()


def ready(port: int) -> None:
    """Until a broker that listens lets clients in: RabbitMQ refuses them for a moment."""
    for _ in range(100):
        try:
            Client(port).close()
        except (OSError, Refused):
            time.sleep(0.1)
        else:
            return
    raise Refused("nobody is let in")
