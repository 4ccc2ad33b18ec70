"""An AMQP 0-9-1 client that does little, and so costs little beside the broker that is measured.

It declares, binds, fetches, and publishes frames that were put together beforehand. For heavy loads of equal messages
there is amqpload.c.
"""

import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

METHOD: Final = 1
HEADER: Final = 2
BODY: Final = 3
END: Final = b"\xce"
PERSISTENT: Final = 2
# Flags of the properties delivery-mode and message-id.
FLAGS: Final = 0x1000 | 0x0080
PLAIN: Final = b"\0guest\0guest"
ACK: Final = (60, 80)
NACK: Final = (60, 120)
CLOSES: Final = ((10, 50), (20, 40))
SECONDS: Final = 600.0  # after which a broker that says nothing is given up


class Refused(Exception):
    """The broker closed, or did not answer what was expected."""


def short(text: str) -> bytes:
    """A short string."""
    octets = text.encode()
    return bytes([len(octets)]) + octets


def frame(kind: int, channel: int, payload: bytes) -> bytes:
    """One frame."""
    return struct.pack(">BHI", kind, channel, len(payload)) + payload + END


def method(channel: int, number: tuple[int, int], arguments: bytes = b"") -> bytes:
    """The frame of a method."""
    return frame(METHOD, channel, struct.pack(">HH", *number) + arguments)


def message(queue: str, body: bytes, message_id: str) -> bytes:
    """The frames of a persistent message to a queue."""
    publish = method(1, (60, 40), b"\0\0" + short("") + short(queue) + b"\0")
    properties = struct.pack(">HB", FLAGS, PERSISTENT) + short(message_id)
    header = frame(HEADER, 1, struct.pack(">HHQ", 60, 0, len(body)) + properties)
    return publish + header + frame(BODY, 1, body)


class Client:
    """A connection as guest, with channel 1 open. Every method raises Refused and OSError."""

    def __init__(self, port: int, vhost: str = "/") -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.stream = self.socket.makefile("rb")
        self.socket.sendall(b"AMQP\0\0\x09\x01")
        self.expect((10, 10))
        self.socket.sendall(
            method(0, (10, 11), bytes(4) + short("PLAIN") + struct.pack(">I", len(PLAIN)) + PLAIN + short("en_US"))
        )
        self.expect((10, 30))
        tune_ok = method(0, (10, 31), struct.pack(">HIH", 2047, 131072, 0))
        self.socket.sendall(tune_ok + method(0, (10, 40), short(vhost) + short("") + b"\0"))
        self.expect((10, 41))
        self.ask((20, 10), short(""), (20, 11))

    def read(self) -> tuple[tuple[int, int] | None, bytes]:
        """The next frame: the method and its arguments, or None and the payload of what is no method."""
        kind, payload = self._frame()
        if kind != METHOD:
            return None, payload
        class_id, method_id = struct.unpack(">HH", payload[:4])
        if (class_id, method_id) in CLOSES:
            raise Refused(payload[7 : 7 + payload[6]].decode())
        return (class_id, method_id), payload[4:]

    def _frame(self) -> tuple[int, bytes]:
        kind, _, size = struct.unpack(">BHI", self.exactly(7))
        return kind, self.exactly(size + 1)[:-1]

    def frame_payload(self) -> bytes:
        """The payload of the next frame, whatever it is."""
        return self._frame()[1]

    def skip_frame(self) -> tuple[int, int]:
        """Pass over a frame: its kind, and the octets of its payload."""
        kind, _, size = struct.unpack(">BHI", self.exactly(7))
        self.exactly(size + 1)
        return kind, size

    def exactly(self, size: int) -> bytes:
        """The next so many octets."""
        octets = self.stream.read(size)
        if len(octets) < size:
            raise Refused("the broker hung up")
        return octets

    def expect(self, number: tuple[int, int]) -> bytes:
        """Wait for a method; its arguments."""
        while True:
            got, arguments = self.read()
            if got == number:
                return arguments

    def ask(self, number: tuple[int, int], arguments: bytes, answer: tuple[int, int]) -> bytes:
        """Send a method on channel 1 and wait for its answer; the answer's arguments."""
        self.socket.sendall(method(1, number, arguments))
        return self.expect(answer)

    def declare_exchange(self, name: str) -> None:
        """A durable direct exchange."""
        self.ask((40, 10), b"\0\0" + short(name) + short("direct") + b"\x02" + bytes(4), (40, 11))

    def declare_queue(self, name: str) -> int:
        """A durable queue; how many messages are in it."""
        answer = self.ask((50, 10), b"\0\0" + short(name) + b"\x02" + bytes(4), (50, 11))
        return int.from_bytes(answer[1 + answer[0] :][:4], "big")

    def bind(self, queue: str, exchange: str, key: str) -> None:
        """Bind a queue to an exchange."""
        self.ask((50, 20), b"\0\0" + short(queue) + short(exchange) + short(key) + b"\0" + bytes(4), (50, 21))

    def get(self, queue: str) -> None:
        """Take the head of a queue, which is not acknowledged."""
        self.ask((60, 70), b"\0\0" + short(queue) + b"\0", (60, 71))

    def acknowledge_every_other(self, queue: str, count: int) -> None:
        """Consume so many messages, all of the same size, and acknowledge every other one by itself."""
        self.ask((60, 20), b"\0\0" + short(queue) + short("c") + b"\0" + bytes(4), (60, 21))
        left = 0
        for _ in range(3):
            left += len(self._frame()[1]) + 8
        left *= count - 1
        while left:
            left -= len(self.exactly(min(left, 1 << 20)))
        acks = [method(1, (60, 80), tag.to_bytes(8, "big") + b"\0") for tag in range(1, count + 1, 2)]
        for at in range(0, len(acks), 1000):
            self.socket.sendall(b"".join(acks[at : at + 1000]))

    def publish(self, messages: list[bytes], count: int, window: int) -> float:
        """Publish so many messages, those given over and over, with no more than `window` unconfirmed.

        Returns the seconds until all were confirmed. The broker is one that confirms in order, as amq does.
        """
        self.ask((85, 10), b"\0", (85, 11))
        began = time.perf_counter()
        sent = confirmed = 0
        step = max(1, min(window // 4, len(messages)))
        chunks = [messages[at : at + step] for at in range(0, len(messages), step)]
        joined = [b"".join(chunk) for chunk in chunks]
        turn = 0
        while confirmed < count:
            at = turn % len(chunks)
            part = min(len(chunks[at]), count - sent)
            if part and sent + part - confirmed <= window:
                whole = part == len(chunks[at])
                self.socket.sendall(joined[at] if whole else b"".join(chunks[at][:part]))
                sent += part
                turn += 1
                continue
            number, arguments = self.read()
            if number == NACK:
                raise Refused("basic.nack")
            if number == ACK:
                confirmed = int.from_bytes(arguments[:8], "big")
        return time.perf_counter() - began

    def close(self) -> None:
        """Hang up."""
        self.stream.close()
        # Another process may have inherited it.
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


@contextmanager
def client(port: int) -> Iterator[Client]:
    """A client for a while."""
    opened = Client(port)
    try:
        yield opened
    finally:
        opened.close()
