"""Very many AMQP clients in one process: connections that only beat, and requests that are sent in pipelines.

What a broker's clients do at scale, as cheaply as Python allows; frames are those of raw_client.py.
"""

import resource
import selectors
import socket
import struct
import time
from collections.abc import Iterator, Sequence
from typing import Final

from raw_client import PLAIN, Client, Refused, frame, method, short

HEARTBEAT: Final = 60  # seconds, what brokers propose
BEAT: Final = frame(8, 0, b"")
OPENING_AT_ONCE: Final = 50
PIPELINE: Final = 256
SECONDS: Final = 60.0  # without any octet from the broker until it is given up
CHANNEL_OPEN_OK: Final = struct.pack(">HH", 20, 11)
OPEN_OK: Final = struct.pack(">HH", 10, 41)


def allow_many_descriptors() -> None:
    """As many files and sockets as the system lets this process have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def properties(number: int) -> bytes:
    """A table of client properties as usual clients send it, with a connection name of its own."""
    true = b"t\1"
    capabilities = (
        "publisher_confirms exchange_exchange_bindings basic.nack consumer_cancel_notify connection.blocked "
        "authentication_failure_close"
    )
    able = b"".join([short(each) + true for each in capabilities.split()])
    texts = {
        "product": "Pika Python Client Library",
        "platform": "Python 3.11.7",
        "information": "See http://pika.rtfd.org",
        "version": "1.3.2",
        "connection_name": f"client-{number}",
    }
    told = [short(name) + b"S" + struct.pack(">I", len(text)) + text.encode() for name, text in texts.items()]
    table = b"".join(told) + short("capabilities") + b"F" + struct.pack(">I", len(able)) + able
    return struct.pack(">I", len(table)) + table


def opening(number: int, channels: int) -> bytes:
    """All that a client says until its channels are open; brokers answer it in order."""
    plain = short("PLAIN") + struct.pack(">I", len(PLAIN)) + PLAIN + short("en_US")
    parts = [
        b"AMQP\0\0\x09\x01",
        method(0, (10, 11), properties(number) + plain),
        method(0, (10, 31), struct.pack(">HIH", 2047, 131072, HEARTBEAT)),
        method(0, (10, 40), short("/") + short("") + b"\0"),
    ]
    parts += [method(each, (20, 10), short("")) for each in range(1, channels + 1)]
    return b"".join(parts)


class Idlers:
    """Connections that are there and say nothing but heartbeats."""

    def __init__(self, port: int, channels: int = 1) -> None:
        self.port = port
        self.channels = channels
        self.sockets: list[socket.socket] = []
        self.selector = selectors.DefaultSelector()

    def add(self, count: int) -> None:
        """Open so many more, some at once. Raises Refused and OSError."""
        for start in range(0, count, OPENING_AT_ONCE):
            fresh = [self._begin() for _ in range(min(OPENING_AT_ONCE, count - start))]
            for each in fresh:
                self._finish(each)

    def _begin(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), SECONDS)
        connection.sendall(opening(len(self.sockets), 0))
        self.sockets.append(connection)
        return connection

    def _finish(self, connection: socket.socket) -> None:
        _until(connection, OPEN_OK)
        for number in range(1, self.channels + 1):
            connection.sendall(method(number, (20, 10), short("")))
            _until(connection, CHANNEL_OPEN_OK)
        connection.setblocking(False)
        self.selector.register(connection, selectors.EVENT_READ)

    def beat(self, seconds: float) -> int:
        """Live for so long: each sends a heartbeat every HEARTBEAT / 2 s, and what comes is read.

        Returns how many octets came. Raises Refused when the broker hangs up.
        """
        began = time.monotonic()
        each = HEARTBEAT / 2 / len(self.sockets)
        sent = came = 0
        while (now := time.monotonic()) < began + seconds:
            while sent * each < now - began:
                self.sockets[sent % len(self.sockets)].send(BEAT)
                sent += 1
            for key, _ in self.selector.select(each):
                assert isinstance(key.fileobj, socket.socket)
                octets = key.fileobj.recv(4096)
                if not octets:
                    raise Refused("the broker hung up on an idle connection")
                came += len(octets)
        return came

    def close(self) -> None:
        """Hang up, all of them."""
        self.selector.close()
        for each in self.sockets:
            each.close()
        self.sockets.clear()


def _until(connection: socket.socket, mark: bytes) -> None:
    """Read until the broker has said that."""
    heard = b""
    while mark not in heard:
        octets = connection.recv(1 << 16)
        if not octets:
            raise Refused("the broker hung up")
        heard += octets


def pipelined(client: Client, requests: Sequence[bytes], answer: tuple[int, int]) -> None:
    """Send frames of methods, many at once, and wait for the answer to each. Raises Refused."""
    for start in range(0, len(requests), PIPELINE):
        part = requests[start : start + PIPELINE]
        client.socket.sendall(b"".join(part))
        for _ in part:
            client.expect(answer)


def queue_declare(name: str, flags: int) -> bytes:
    """queue.declare on channel 1; flags: 2 durable, 4 exclusive, 8 auto-delete."""
    return method(1, (50, 10), b"\0\0" + short(name) + bytes([flags]) + bytes(4))


def queue_delete(name: str) -> bytes:
    """queue.delete on channel 1."""
    return method(1, (50, 40), b"\0\0" + short(name) + b"\0")


def exchange_declare(name: str, kind: str, flags: int) -> bytes:
    """exchange.declare on channel 1; flags: 2 durable."""
    return method(1, (40, 10), b"\0\0" + short(name) + short(kind) + bytes([flags]) + bytes(4))


def queue_bind(queue: str, exchange: str, key: str) -> bytes:
    """queue.bind on channel 1."""
    return method(1, (50, 20), b"\0\0" + short(queue) + short(exchange) + short(key) + b"\0" + bytes(4))


def in_lots(count: int, lot: int) -> Iterator[range]:
    """The numbers below `count`, so many at once."""
    for start in range(0, count, lot):
        yield range(start, min(start + lot, count))
