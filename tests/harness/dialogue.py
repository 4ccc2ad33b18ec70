"""One client of a broker in memory: what it says goes into a `Connection`, what it hears is read off its outbox.

No socket and no clock: a test passes time with `wait`. Methods are written and read by the conformance dialogues'
table, which shares nothing with the broker. What is heard stands in order, over all channels:

    client = enter(broker)
    client.open(1)
    client.say(1, "queue.declare", queue="q")
    client.hears(1, "queue.declare-ok", queue="q", message_count=0)
    client.hears_nothing()
"""

import struct
from collections import deque
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import attrs

from amq.broker import Broker
from amq.config.settings import Settings
from amq.connection.connection import Connection
from amq.connection.peer import Peer
from amq.errors import REPLY_NAMES
from amq.journal.batch import Batch, Work
from tests.conformance import methods

WALL = 1_700_000_000.0
LOCAL = Peer("127.0.0.1", 50000, "127.0.0.1", 5672)
HEADER = b"AMQP\x00\x00\x09\x01"
CAPABILITIES = ("authentication_failure_close", "basic.nack", "connection.blocked", "consumer_cancel_notify")
WITH_CONTENT = {"basic.deliver", "basic.get-ok", "basic.return"}


def new_broker(keeps: bool = False, **settings: Any) -> Broker:
    """A broker at the moment 0; `keeps`: its journal takes records, and tests say when they are durable."""
    return Broker(Settings(**settings), 0.0, WALL, journal=Batch(keeps))


def write(broker: Broker) -> Work:
    """The disk takes everything that waits for it; returns what that was."""
    work = broker.journal.take()
    broker.journal.landed(work)
    broker.durable(work.ticket)
    return work


def frame(kind: int, channel: int, payload: bytes) -> bytes:
    """A frame."""
    return struct.pack(">BHI", kind, channel, len(payload)) + payload + b"\xce"


def method(channel: int, name: str, **fields: Any) -> bytes:
    """A method frame; fields that are not given are zero, empty or false."""
    return frame(1, channel, methods.encode(name, fields))


def content(
    channel: int, body: bytes = b"", properties: dict[str, Any] | None = None, cuts: Iterable[int] = ()
) -> bytes:
    """A content header frame and body frames: one, or several that begin also at `cuts`."""
    edges = [0, *cuts, len(body)]
    parts = [body[start:stop] for start, stop in pairwise(edges)] if body else []
    header = frame(2, channel, methods.encode_header(len(body), properties or {}))
    return header + b"".join([frame(3, channel, part) for part in parts])


def publish(
    channel: int, routing_key: str, body: bytes = b"", exchange: str = "", mandatory: bool = False, **properties: Any
) -> bytes:
    """All frames of a basic.publish."""
    head = method(channel, "basic.publish", exchange=exchange, routing_key=routing_key, mandatory=mandatory)
    return head + content(channel, body, properties)


@attrs.define
class Heard:
    """A method with its content, or a frame of another kind (`heartbeat`)."""

    channel: int
    name: str
    fields: dict[str, Any]
    header: bytes = b""
    body: bytes = b""

    def __getitem__(self, field: str) -> Any:
        return self.fields[field]

    @property
    def properties(self) -> dict[str, Any]:
        """The properties of the content."""
        return methods.decode_header(self.header)[1]

    def whole(self) -> bool:
        """Whether nothing of the content is missing."""
        if self.name not in WITH_CONTENT:
            return True
        return bool(self.header) and len(self.body) == methods.decode_header(self.header)[0]


class Dialogue:
    """A client that is connected and has said nothing yet; `enter` makes one that has logged in."""

    def __init__(self, broker: Broker, peer: Peer = LOCAL) -> None:
        self.broker = broker
        self.connection = Connection(broker, peer, broker.clock.now)
        self.inbox: deque[Heard] = deque()
        self.sizes: list[int] = []

    # -- saying --

    def send(self, data: bytes) -> None:
        """Octets as they are, in one chunk."""
        self.connection.receive(data, self.broker.clock.now)

    def send_cut(self, data: bytes, cuts: Iterable[int]) -> None:
        """The same octets in several chunks, which begin also at `cuts`."""
        edges = [0, *sorted(cuts), len(data)]
        for start, stop in pairwise(edges):
            self.send(data[start:stop])

    def say(self, channel: int, name: str, **fields: Any) -> None:
        """A method."""
        self.send(method(channel, name, **fields))

    def publish(self, channel: int, routing_key: str, body: bytes = b"", **options: Any) -> None:
        """A message; `options` as in the function of that name."""
        self.send(publish(channel, routing_key, body, **options))

    # -- hearing --

    def hear_all(self) -> list[Heard]:
        """Everything that was said to the client, and not heard yet, in order."""
        self.drain()
        heard = list(self.inbox)
        self.inbox.clear()
        return heard

    def hears(self, channel: int, name: str, **fields: Any) -> Heard:
        """The next thing said must be this method; only the given fields are compared."""
        self.drain()
        assert self.inbox, f"heard nothing, not {name}"
        heard = self.inbox.popleft()
        assert (heard.channel, heard.name) == (channel, name), heard
        assert {field: heard.fields[field] for field in fields} == fields
        return heard

    def hears_delivery(self, channel: int, body: bytes, **fields: Any) -> Heard:
        """The next thing said must be a delivery of that body."""
        heard = self.hears(channel, "basic.deliver", **fields)
        assert heard.body == body
        return heard

    def hears_channel_close(self, channel: int, code: int, text: str, by: tuple[int, int] | None = None) -> None:
        """The next thing said must be channel.close, caused by a method of those numbers."""
        self._hears_close(channel, "channel.close", code, text, by)

    def hears_close(self, code: int, text: str, by: tuple[int, int] | None = None) -> None:
        """The next thing said must be connection.close."""
        self._hears_close(0, "connection.close", code, text, by)

    def _hears_close(self, channel: int, name: str, code: int, text: str, by: tuple[int, int] | None) -> None:
        heard = self.hears(channel, name)
        assert (heard["reply_code"], heard["reply_text"]) == (code, f"{REPLY_NAMES[code]} - {text}")
        if by is not None:
            assert (heard["class_id"], heard["method_id"]) == by

    def hears_nothing(self) -> None:
        """There must be nothing more."""
        assert self.hear_all() == []

    def drain(self) -> None:
        """Send what stands in the outbox, as the shell does, until nothing comes after it."""
        outbox = self.connection.outbox
        unread = b""
        while data := outbox.take():
            unread = self._read(unread + data)
            self.connection.written(self.broker.clock.now)
        assert unread == b""

    def _read(self, data: bytes) -> bytes:
        """File whole frames; returns the beginning of one that is not whole."""
        if data.startswith(HEADER):
            self.inbox.append(Heard(0, "protocol header", {}))
            data = data[8:]
        while len(data) >= 7:
            kind, channel, size = struct.unpack(">BHI", data[:7])
            if len(data) < size + 8:
                break
            assert data[size + 7] == 0xCE
            self.sizes.append(size + 8)
            self._file(kind, channel, data[7 : size + 7])
            data = data[size + 8 :]
        return data

    def _file(self, kind: int, channel: int, payload: bytes) -> None:
        last = self.inbox[-1] if self.inbox else None
        if kind == 8:
            self.inbox.append(Heard(channel, "heartbeat", {}))
        elif kind == 1:
            assert last is None or last.whole(), f"a method within {last}"
            self.inbox.append(Heard(channel, *methods.decode(payload)))
        else:
            assert last is not None, "content after nothing"
            assert (last.channel, last.whole()) == (channel, False), f"content after {last}"
            if kind == 2:
                last.header = payload
            else:
                assert payload, "an empty body frame"
                last.body += payload

    # -- time and the usual steps --

    def wait(self, seconds: float) -> None:
        """Let time pass for the whole broker."""
        self.broker.advance(self.broker.clock.now + seconds)

    def greet(self) -> Heard:
        """The protocol header, and the broker's answer."""
        self.send(HEADER)
        return self.hears(0, "connection.start")

    def start_ok(
        self,
        user: str = "guest",
        password: str = "guest",
        mechanism: str = "PLAIN",
        response: bytes | None = None,
        capabilities: Iterable[str] = CAPABILITIES,
    ) -> None:
        """The login; without `response` PLAIN's."""
        self.say(
            0,
            "connection.start-ok",
            client_properties={"capabilities": dict.fromkeys(capabilities, True)},
            mechanism=mechanism,
            response=f"\0{user}\0{password}".encode() if response is None else response,
            locale="en_US",
        )

    def tune_ok(self, channel_max: int = 2047, frame_max: int = 131072, heartbeat: int = 0) -> None:
        """Hear connection.tune and answer it."""
        self.hears(0, "connection.tune", channel_max=2047, frame_max=131072, heartbeat=60)
        self.say(0, "connection.tune-ok", channel_max=channel_max, frame_max=frame_max, heartbeat=heartbeat)

    def open(self, number: int) -> None:
        """Open a channel."""
        self.say(number, "channel.open")
        self.hears(number, "channel.open-ok")

    def declare(self, channel: int, queue: str, **options: Any) -> None:
        """Declare a queue, which the disk takes if it is a durable one."""
        self.say(channel, "queue.declare", queue=queue, **options)
        if options.get("durable"):
            write(self.broker)
        self.hears(channel, "queue.declare-ok", queue=queue)

    def select_confirms(self, channel: int) -> None:
        """Put a channel into confirm mode."""
        self.say(channel, "confirm.select")
        self.hears(channel, "confirm.select-ok")

    def consume(self, channel: int, queue: str, tag: str = "c", **options: Any) -> None:
        """Start a consumer."""
        self.say(channel, "basic.consume", queue=queue, consumer_tag=tag, **options)
        self.hears(channel, "basic.consume-ok", consumer_tag=tag)

    def get(self, channel: int, queue: str, no_ack: bool = True) -> bytes | None:
        """The body of one message got from a queue, or None."""
        self.say(channel, "basic.get", queue=queue, no_ack=no_ack)
        self.drain()
        heard = self.inbox.popleft()
        assert heard.name in ("basic.get-ok", "basic.get-empty"), heard
        return None if heard.name == "basic.get-empty" else heard.body

    def get_all(self, channel: int, queue: str) -> list[bytes]:
        """The bodies of all messages that are ready, which are gone then."""
        bodies = []
        while (body := self.get(channel, queue)) is not None:
            bodies.append(body)
        return bodies


def enter(
    broker: Broker | None = None, peer: Peer = LOCAL, vhost: str = "/", channels: Iterable[int] = (), **options: Any
) -> Dialogue:
    """A client that is logged in and has opened `channels`; `options` go to start-ok and tune-ok."""
    client = Dialogue(broker or new_broker(), peer)
    tune = {name: options.pop(name) for name in ("channel_max", "frame_max", "heartbeat") if name in options}
    client.greet()
    client.start_ok(**options)
    client.tune_ok(**tune)
    client.say(0, "connection.open", virtual_host=vhost)
    client.hears(0, "connection.open-ok")
    for number in channels:
        client.open(number)
    return client
