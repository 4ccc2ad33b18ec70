"""A synchronous AMQP 0-9-1 client that says what a dialogue tells it and checks what it hears.

It never corrects, retries or hides anything, and it can send octets that no real client would.
Everything it waits for has a limit (``PATIENCE`` seconds), so that a broker that says nothing fails
the dialogue instead of hanging the suite.
"""

import socket
import struct
import time
from collections import deque
from typing import Any

from tests.conformance import methods
from tests.conformance.heard import CODES, WITH_CONTENT, Heard, Mismatch
from tests.conformance.values import shortstr, value

PATIENCE = 6.0
MOMENT = 0.02
HEADER = b"AMQP\x00\x00\x09\x01"
METHOD, CONTENT_HEADER, BODY, HEARTBEAT = 1, 2, 3, 8
FRAME_END = b"\xce"
CAPABILITIES = (
    "authentication_failure_close",
    "basic.nack",
    "connection.blocked",
    "consumer_cancel_notify",
    "exchange_exchange_bindings",
    "publisher_confirms",
)


class Connection:
    """One socket. Frames are sorted by channel; their order within a channel is kept."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address, PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.unread = b""
        self.inbox: dict[int, deque[Heard]] = {}
        self.unfinished: dict[int, Heard] = {}
        self.frame_max = 131072
        self.heartbeats = 0
        self.ended = False
        self.entered = False
        self.declared: list[tuple[str, str]] = []
        self.server_properties: dict[str, Any] = {}
        self.control = Channel(self, 0)

    # The four steps of the handshake, so that a dialogue can stop or err between any two.

    def greet(self) -> Heard:
        """Send the protocol header and hear connection.start."""
        self.send_raw(HEADER)
        start = self.control.hear("connection.start")
        self.server_properties = start["server_properties"]
        return start

    def start_ok(
        self,
        user: str = "guest",
        password: str = "guest",
        mechanism: str = "PLAIN",
        response: bytes | None = None,
        capabilities: tuple[str, ...] = CAPABILITIES,
    ) -> None:
        """Answer connection.start; without ``response`` with the named mechanism's usual one."""
        plain = f"\0{user}\0{password}".encode()
        fields = {"LOGIN": user, "PASSWORD": password}
        amqplain = b"".join(shortstr(name) + value(content) for name, content in fields.items())
        usual = amqplain if mechanism == "AMQPLAIN" else plain
        self.control.say(
            "connection.start-ok",
            client_properties={"product": "conformance", "capabilities": dict.fromkeys(capabilities, True)},
            mechanism=mechanism,
            response=usual if response is None else response,
            locale="en_US",
        )

    def tune_ok(self, channel_max: int = 2047, frame_max: int = 131072, heartbeat: int = 0) -> None:
        """Hear connection.tune and answer it."""
        self.control.hear("connection.tune")
        self.frame_max = frame_max or 131072
        self.control.say("connection.tune-ok", channel_max=channel_max, frame_max=frame_max, heartbeat=heartbeat)

    def open(self, virtual_host: str = "/") -> None:
        """Enter the virtual host."""
        self.control.call("connection.open", virtual_host=virtual_host)
        self.entered = True

    def enter(self, **options: Any) -> None:
        """The whole handshake; options go to start-ok and tune-ok, the rest are the client's habits."""
        tune = {name: options.pop(name) for name in ("channel_max", "frame_max", "heartbeat") if name in options}
        self.greet()
        self.start_ok(**options)
        self.tune_ok(**tune)
        self.open()

    # Octets and frames.

    def send_raw(self, data: bytes) -> None:
        """Send octets as they are."""
        self.socket.sendall(data)

    def send_frame(self, kind: int, channel: int, payload: bytes, end: bytes = FRAME_END) -> None:
        """Send one frame; ``end`` is the end octet."""
        self.send_raw(struct.pack(">BHI", kind, channel, len(payload)) + payload + end)

    def read(self, count: int, until: float) -> bytes:
        """Exactly ``count`` octets; EOFError at the end of the stream, TimeoutError after the deadline."""
        while len(self.unread) < count:
            self.socket.settimeout(max(until - time.monotonic(), 0.001))
            try:
                data = self.socket.recv(65536)
            except ConnectionError:
                data = b""
            if not data:
                self.ended = True
                raise EOFError
            self.unread += data
        piece, self.unread = self.unread[:count], self.unread[count:]
        return piece

    def read_frame(self, until: float) -> tuple[int, int, bytes]:
        """The next frame: type, channel, payload."""
        kind, channel, size = struct.unpack(">BHI", self.read(7, until))
        if size > self.frame_max - 8:
            raise Mismatch(f"frames of at most {self.frame_max} octets", f"a payload of {size}")
        payload = self.read(size, until)
        end = self.read(1, until)
        if end != FRAME_END:
            raise Mismatch("frame end octet 206", repr(end))
        return kind, channel, payload

    def pump(self, until: float) -> None:
        """Take in one frame and file what it completes."""
        kind, channel, payload = self.read_frame(until)
        if kind == HEARTBEAT:
            self.heartbeats += 1
            return
        waiting = self.unfinished.get(channel)
        if kind == METHOD and waiting is None:
            waiting = Heard(methods.decode(payload))
        elif kind == CONTENT_HEADER and waiting is not None and not waiting.header:
            waiting.header = payload
            waiting.size, waiting.properties = methods.decode_header(payload)
        elif kind == BODY and waiting is not None and waiting.header:
            waiting.body += payload
        else:
            raise Mismatch("frames in their order", f"a frame of type {kind} on channel {channel}")
        complete = waiting.name not in WITH_CONTENT or (waiting.header and len(waiting.body) >= waiting.size)
        if complete:
            self.unfinished.pop(channel, None)
            self.inbox.setdefault(channel, deque()).append(waiting)
        else:
            self.unfinished[channel] = waiting

    def next_method(self, channel: int, expected: str, patience: float = PATIENCE) -> Heard:
        """The next method on a channel; anything that ends the connection instead is a mismatch."""
        until = time.monotonic() + patience
        while not self.inbox.get(channel):
            if channel and self.inbox.get(0):
                raise Mismatch(expected, str(self.inbox[0].popleft()))
            try:
                self.pump(until)
            except EOFError:
                raise Mismatch(expected, "closed socket") from None
            except TimeoutError:
                raise Mismatch(expected, "nothing") from None
        return self.inbox[channel].popleft()

    def hear_end(self, patience: float = PATIENCE) -> None:
        """The server must close the socket without another method."""
        until = time.monotonic() + patience
        while not self.ended:
            try:
                self.pump(until)
            except EOFError:
                return
            except TimeoutError:
                raise Mismatch("closed socket", "nothing") from None
            for queue in self.inbox.values():
                if queue:
                    raise Mismatch("closed socket", str(queue.popleft()))

    def channel(self, number: int) -> "Channel":
        """A channel, opened."""
        opened = Channel(self, number)
        opened.call("channel.open")
        return opened

    def connection_closed(self, code: int, text: str, by: str = "", wait: bool = True) -> None:
        """Hear connection.close with this code and text, caused by the method ``by``; then end politely.

        After a frame that broke the framing the server reads no more and drops the socket 3 s later;
        ``wait=False`` does not stay for that.
        """
        heard_close(self.control, "connection.close", code, text, by)
        if wait:
            self.control.say("connection.close-ok")
            self.hear_end()
        self.hang_up()

    def hang_up(self) -> None:
        """Drop the socket as a crashed client would."""
        self.ended = True
        self.socket.close()

    def leave(self) -> None:
        """Close the connection as a client should, whatever is still in flight."""
        if self.ended or not self.entered:
            self.hang_up()
            return
        try:
            self.control.say("connection.close", reply_code=200, reply_text="bye")
            while not any(heard.name == "connection.close-ok" for heard in self.inbox.get(0, ())):
                self.pump(time.monotonic() + PATIENCE)
        except (OSError, EOFError, Mismatch):
            pass
        finally:
            self.hang_up()


class Channel:
    """What a dialogue says and hears on one channel."""

    def __init__(self, connection: Connection, number: int) -> None:
        self.connection = connection
        self.number = number
        self.last = ""
        self.confirming = False
        self.unconfirmed: list[int] = []
        self.published = 0

    def say(self, name: str, **fields: Any) -> None:
        """Send a method without waiting for anything."""
        self.last = name
        if name in ("queue.declare", "exchange.declare"):
            kind = name.split(".")[0]
            self.connection.declared.append((kind, str(fields.get(kind, ""))))
        self.connection.send_frame(METHOD, self.number, methods.encode(name, fields))

    def hear(self, name: str, patience: float = PATIENCE, **expected: Any) -> Heard:
        """The next method must be ``name`` with these fields; ``body``, ``properties``, ``headers`` also count."""
        wanted = " ".join([name, *(f"{field}={content!r}" for field, content in expected.items())])
        heard = self.connection.next_method(self.number, wanted, patience)
        if heard.name != name or any(heard[field] != content for field, content in expected.items()):
            raise Mismatch(wanted, str(heard))
        if name == "queue.declare-ok":
            self.connection.declared.append(("queue", heard["queue"]))
        return heard

    def call(self, name: str, **fields: Any) -> Heard:
        """Send a method and hear its ``-ok``."""
        self.say(name, **fields)
        return self.hear(name + "-ok")

    def publish(self, body: str | bytes, exchange: str = "", routing_key: str = "", **rest: Any) -> None:
        """Publish a message; ``rest`` is the flags of the method and the basic properties."""
        raw = body.encode() if isinstance(body, str) else body
        flags = {name: rest.pop(name) for name in ("mandatory", "immediate") if name in rest}
        self.say("basic.publish", exchange=exchange, routing_key=routing_key, **flags)
        self.connection.send_frame(CONTENT_HEADER, self.number, methods.encode_header(len(raw), rest))
        step = self.connection.frame_max - 8
        for at in range(0, len(raw), step):
            self.connection.send_frame(BODY, self.number, raw[at : at + step])
        if self.confirming:
            self.published += 1
            self.unconfirmed.append(self.published)

    def select_confirms(self) -> None:
        """Turn confirms on; the next publish has tag 1."""
        self.call("confirm.select")
        self.confirming = True

    def settle(self, nacked: tuple[int, ...] = ()) -> None:
        """Hear every outstanding publish confirmed, in whatever coalescing; these tags and no others refused."""
        refused: set[int] = set()
        wanted = f"confirms of {self.unconfirmed} with {sorted(nacked)} refused"
        while self.unconfirmed:
            heard = self.connection.next_method(self.number, wanted)
            if heard.name not in ("basic.ack", "basic.nack"):
                raise Mismatch(wanted, str(heard))
            tag, multiple = heard["delivery_tag"], heard["multiple"]
            done = [each for each in self.unconfirmed if each == tag or (multiple and (each < tag or tag == 0))]
            if not done:
                raise Mismatch(wanted, f"{heard} again")
            if heard.name == "basic.nack":
                refused.update(done)
            self.unconfirmed = [each for each in self.unconfirmed if each not in done]
        if refused != set(nacked):
            raise Mismatch(wanted, f"refused {sorted(refused)}")

    def quiet(self, queue: str = "") -> None:
        """Nothing may be pending: after a moment, round trips through queue and channel hear nothing else.

        The moment is for RabbitMQ, whose queues answer questions before work that came earlier.
        """
        time.sleep(MOMENT)
        if queue:
            self.call("queue.declare", queue=queue, passive=True)
        self.call("channel.flow", active=True)

    def ready(self, queue: str, count: int, consumers: int | None = None) -> None:
        """A queue comes to hold this many ready messages and, when given, has this many consumers.

        Asked again for a while, because RabbitMQ's queues answer this before publishes that came earlier.
        """
        wanted = {"message_count": count} | ({} if consumers is None else {"consumer_count": consumers})
        until = time.monotonic() + PATIENCE / 3
        while True:
            heard = self.call("queue.declare", queue=queue, passive=True)
            if all(heard[field] == number for field, number in wanted.items()):
                return
            if time.monotonic() > until:
                raise Mismatch(f"{wanted} of {queue}", str(heard))
            time.sleep(MOMENT / 4)

    def fill(self, queue: str, bodies: str, **declare: object) -> None:
        """Declare a queue and publish a message per letter to it; all of them are there afterwards."""
        self.call("queue.declare", queue=queue, **declare)
        for body in bodies:
            self.publish(body, "", queue)
        self.ready(queue, len(bodies))

    def get(self, queue: str, body: str | bytes | None, no_ack: bool = True, **expected: Any) -> Heard:
        """basic.get hears this body, or get-empty for None."""
        self.say("basic.get", queue=queue, no_ack=no_ack)
        if body is None:
            return self.hear("basic.get-empty")
        return self.hear("basic.get-ok", body=body.encode() if isinstance(body, str) else body, **expected)

    def consume(self, queue: str, tag: str = "t", **rest: Any) -> None:
        """Start a consumer and hear consume-ok before any delivery."""
        self.say("basic.consume", queue=queue, consumer_tag=tag, **rest)
        self.hear("basic.consume-ok", consumer_tag=tag)

    def delivered(self, body: str | bytes, **expected: Any) -> Heard:
        """Hear a delivery with this body."""
        return self.hear("basic.deliver", body=body.encode() if isinstance(body, str) else body, **expected)

    def channel_closed(self, code: int, text: str, by: str = "") -> None:
        """Hear channel.close with this code and text, caused by ``by`` (the last method said), and reopen."""
        heard_close(self, "channel.close", code, text, by or self.last)
        self.call_again()

    def call_again(self) -> None:
        """Answer channel.close and open the same number again, as a client may."""
        self.say("channel.close-ok")
        self.connection.inbox.pop(self.number, None)
        self.confirming, self.unconfirmed, self.published = False, [], 0
        self.call("channel.open")

    def connection_closed(self, code: int, text: str, by: str | None = None, wait: bool = True) -> None:
        """Hear connection.close with this code and text, caused by ``by`` (the last method said)."""
        self.connection.connection_closed(code, text, self.last if by is None else by, wait)


def heard_close(channel: Channel, name: str, code: int, text: str, by: str) -> None:
    """A close must carry this code, this text behind the code's name, and the ids of the method ``by``."""
    class_id, method_id = methods.BY_NAME[by].ids if by else (0, 0)
    wanted = f"{name} {code} {CODES[code]} - {text}"
    heard = channel.connection.next_method(channel.number, wanted)
    if heard.name != name or str(heard) != wanted:
        raise Mismatch(wanted, str(heard))
    if (heard["class_id"], heard["method_id"]) != (class_id, method_id):
        raise Mismatch(f"{name} blaming {by or 'no method'}", f"{heard['class_id']}/{heard['method_id']}")
