"""One client, without I/O: bytes in, bytes out.

    protocol header -> handshake -> running -> closing (we said connection.close) -> finished
                                            \\-> finished (the client said it)

`receive` finishes everything that a chunk asks for before it returns; what is to be said stands in `outbox`.
Faults become frames here and nowhere else.
"""

from struct import Struct
from typing import Final

from amq.broker import DEBUG, ERROR, INFO, WARNING, Broker
from amq.clock import NEVER
from amq.connection import consuming, dispatch, framing, handshake
from amq.connection.channel import Channel
from amq.connection.committing import committed
from amq.connection.handshake import Handshake, LoginRefused
from amq.connection.outbox import Outbox
from amq.connection.peer import Peer
from amq.connection.session import Session
from amq.connection.timeouts import DeliveryWatch, Overdue
from amq.errors import (
    CHANNEL_ERROR,
    CONNECTION_FORCED,
    NOT_ALLOWED,
    UNEXPECTED_FRAME,
    ChannelFault,
    ConnectionFault,
    Fault,
)
from amq.queues.base import LOOK_AGAIN, Queue
from amq.vhost import topology
from amq.vhost.settling import settle
from amq.wire import methods, spec

_unpack_head: Final = Struct(">BHI").unpack_from

HEARTBEAT: Final = b"\x08\x00\x00\x00\x00\x00\x00\xce"
# Payload of a frame that may come before tuning; a login may carry a long token.
INITIAL_FRAME: Final = 8192
# How long a client that was told to go, or was refused, may stay, in s.
CLOSING: Final = 30.0
REFUSED: Final = 3.0
# Ready messages from which on a publisher gives way to the consumers of its queue.
LAG: Final = 500


class Connection(Overdue):
    """The broker's side of one connection. `now` is monotonic time in s wherever it appears.

    `finished`: once the outbox has gone out, the socket is to be closed. `deaf`: nothing that still comes is read.
    """

    __slots__ = (
        "broker",
        "peer",
        "outbox",
        "handshake",
        "session",
        "channels",
        "tail",
        "more",
        "lacking",
        "frame_limit",
        "greeted",
        "closing",
        "deaf",
        "finished",
        "gone",
        "method",
        "confirming",
        "blocked",
        "told_blocked",
        "interval",
        "last_heard",
        "last_total",
        "beat_at",
        "close_at",
        "armed",
    )

    def __init__(self, broker: Broker, peer: Peer, now: float) -> None:
        self.broker = broker
        self.peer = peer
        self.outbox = Outbox(self, broker.writable)
        self.handshake = Handshake(broker, peer)
        self.session: Session | None = None
        self.channels: dict[int, Channel] = {}
        # The beginning of a frame whose rest is still to come.
        self.tail: bytes = b""
        # What has come of that rest, and how many octets still have to come (0: that is not known).
        self.more: list[bytes] = []
        self.lacking: int = 0
        self.frame_limit: int = INITIAL_FRAME
        self.greeted: bool = False
        # We said connection.close: only its answer counts.
        self.closing: bool = False
        self.deaf: bool = False
        self.finished: bool = False
        self.gone: bool = False
        # The method in hand, for the class and method of a close.
        self.method: int = 0
        self.confirming: dict[Channel, None] = {}
        self.blocked: bool = False
        self.told_blocked: bool = False
        self.interval: float = 0.0
        self.last_heard = now
        self.last_total: int = 0
        # When heartbeats are next looked after, and when this connection ends without another word.
        self.beat_at: float = NEVER
        self.close_at: float = now + broker.settings.handshake_timeout / 1000
        self.armed: float = NEVER
        broker.clock.now = now
        broker.clients[self] = None
        broker.note(INFO, f"accepting AMQP connection {peer}")
        self.arm(self.close_at)

    # -- what the shell calls --

    def receive(self, data: bytes, now: float) -> None:
        """Take a chunk of what the client sent."""
        self.broker.clock.now = now
        self.last_heard = now
        if self.deaf or self.finished:
            return
        if self.tail:
            if len(data) < self.lacking:
                # Put together once, however small the pieces are that a large frame comes in.
                self.more.append(data)
                self.lacking -= len(data)
                return
            data = b"".join((self.tail, *self.more, data))
            self.tail = b""
            self.more.clear()
            self.lacking = 0
        pos = 0
        if not self.greeted:
            if len(data) < len(spec.PROTOCOL_HEADER):
                self.tail = data
                return
            pos = len(spec.PROTOCOL_HEADER)
            if not self.greet(data[:pos]):
                return
        try:
            pos = self.frames(data, pos)
        except ConnectionFault as fault:
            self.fail(fault)
            pos = len(data)
        if not (self.deaf or self.finished):
            self.tail = data[pos:]
            if len(self.tail) >= 7 and self.greeted:
                self.lacking = int.from_bytes(self.tail[3:7], "big") + spec.ENVELOPE - len(self.tail)
        self.after_work()

    def wants_data(self) -> bool:
        """Whether the shell should read from the socket: not while the client is blocked or does not read itself."""
        return not (self.blocked or self.outbox.full())

    def written(self, now: float) -> None:
        """The outbox has gone out: consumers that found it full go on."""
        session = self.session
        if session is None or not session.starved:
            return
        self.broker.clock.now = now
        starved = session.starved[:]
        session.starved.clear()
        for consumer in starved:
            consumer.relieve()
        settle(session.vhost)

    def pressed(self) -> Queue | None:
        """A queue that this client has just published to and whose consumers lag behind: let them take some first."""
        session = self.session
        if session is None:
            return None
        queue = session.fed
        session.fed = None
        if queue is not None and queue.ready_count() > LAG and queue.consumer_count():
            return queue
        return None

    def lost(self, now: float) -> None:
        """The socket is gone."""
        self.broker.clock.now = now
        if not (self.finished or self.gone):
            self.broker.note(
                WARNING,
                f"closing AMQP connection {self.described()}: client unexpectedly closed TCP connection",
            )
        self.finished = True
        self.take_down()
        # Parts of bodies: others may keep this object for a while.
        self.outbox.drop()
        self.tail = b""
        self.more.clear()

    def force_close(self, reason: str) -> None:
        if self.finished or self.closing:
            return
        if self.handshake.state not in (handshake.OPENING, handshake.RUNNING):
            self.end()
            return
        self.method = 0
        self.fail(ConnectionFault(CONNECTION_FORCED, reason))

    def described(self) -> str:
        """The connection as RabbitMQ's log names an open one."""
        shake = self.handshake
        if shake.vhost is None or shake.user is None:
            return str(self.peer)
        return f"{self.peer}, vhost: '{shake.vhost.name}', user: '{shake.user.name}'"

    def vhost_name(self) -> str | None:
        return None if self.session is None else self.session.vhost.name

    # -- the handshake --

    def greet(self, header: bytes) -> bool:
        """Answer the protocol header; False when it is not ours."""
        self.greeted = True
        # 0-9-1, and its two older spellings.
        if header not in (spec.PROTOCOL_HEADER, b"AMQP\x00\x00\x09\x00", b"AMQP\x01\x01\x00\x09"):
            self.broker.note(ERROR, f"closing AMQP connection {self.peer}: {bad_header(header)}")
            self.outbox.put(spec.PROTOCOL_HEADER)
            self.end()
            return False
        self.say(0, spec.CONNECTION_START, self.handshake.start())
        return True

    def step(self, method: int, payload: bytes) -> None:
        """A method on channel 0 before the connection is open."""
        shake = self.handshake
        arguments = dispatch.arguments_of(method, payload)
        try:
            answer, reply = shake.step(method, arguments)
        except LoginRefused as refused:
            if refused.tell:
                self.method = 0
                self.tell_close(handshake.refusal(refused))
            self.refuse()
            return
        if answer:
            self.say(0, answer, reply)
        if shake.state == handshake.OPENING and method == spec.CONNECTION_TUNE_OK:
            self.tuned()
        elif shake.state == handshake.RUNNING:
            self.opened()

    def tuned(self) -> None:
        """Frames and heartbeats as agreed from here on."""
        shake = self.handshake
        self.frame_limit = shake.frame_max or 1 << 32
        self.interval = float(shake.heartbeat)
        if self.interval:
            self.beat_at = self.broker.clock.now + self.interval / 2
            self.arm(self.beat_at)

    def opened(self) -> None:
        """The client is in."""
        shake = self.handshake
        assert shake.vhost is not None and shake.user is not None
        self.session = Session(self.broker, shake.vhost, shake.user, self.outbox, shake.frame_max, shake.capabilities())
        self.close_at = NEVER
        self.broker.note(
            INFO,
            f"connection {self.peer}: user '{shake.user.name}' authenticated and granted access to "
            f"vhost '{shake.vhost.name}'",
        )

    def refuse(self) -> None:
        """Let a client that may not come in wait for a while before its socket is closed."""
        self.deaf = not self.closing
        self.close_at = self.broker.clock.now + REFUSED
        self.arm(self.close_at)

    # -- frames --

    def frames(self, buf: bytes, pos: int) -> int:
        """Handle every whole frame in `buf` from `pos` on; returns where the first incomplete one begins."""
        end = len(buf)
        channels = self.channels
        limit = self.frame_limit
        confirming = self.confirming
        while end - pos >= 7:
            kind, number, size = _unpack_head(buf, pos)
            if size > limit:
                self.method = 0
                raise framing.too_large(kind, size, limit)
            stop = pos + 7 + size
            if stop >= end:
                break
            if buf[stop] != 0xCE:
                self.method = 0
                raise framing.bad_end(kind, buf[pos + 7 : stop], buf[stop])
            channel = channels.get(number)
            if channel is None or channel.closing:
                self.other_frame(kind, number, buf[pos + 7 : stop])
                if self.deaf or self.finished:
                    return end
                limit = self.frame_limit
                pos = stop + 1
                continue
            publisher = channel.publisher
            if publisher.confirms is not None:
                confirming[channel] = None
            try:
                if kind == spec.FRAME_METHOD and publisher.arguments is None:
                    method = int.from_bytes(buf[pos + 7 : pos + 11], "big")
                    if method == spec.BASIC_PUBLISH and not channel.commit_ticket:
                        after = publisher.run(buf, pos, stop, end)
                        if after != pos:
                            pos = after
                            continue
                        self.method = method
                        publisher.on_method(buf[pos + 7 : stop])
                    elif method == spec.BASIC_ACK and size == 13:
                        self.method = method
                        consuming.basic_ack(
                            channel, int.from_bytes(buf[pos + 11 : pos + 19], "big"), buf[pos + 19] & 1 == 1
                        )
                    else:
                        self.channel_method(channel, method, buf[pos + 7 : stop])
                else:
                    self.content_frame(channel, kind, buf[pos + 7 : stop])
            except ChannelFault as fault:
                self.fail_channel(channel, fault)
            pos = stop + 1
        return pos

    def content_frame(self, channel: Channel, kind: int, payload: bytes) -> None:
        """A frame on an open channel that is part of a content, or should be."""
        self.method = 0
        framing.check_shape(kind, payload)
        publisher = channel.publisher
        if publisher.arguments is not None:
            self.method = spec.BASIC_PUBLISH
        if kind == spec.FRAME_BODY:
            publisher.on_body(payload)
        elif kind == spec.FRAME_HEADER:
            publisher.on_header(payload)
        elif kind == spec.FRAME_METHOD:
            publisher.unfinished()
        else:
            # A heartbeat belongs on channel 0 alone.
            self.method = 0
            raise framing.unexpected(kind, payload)

    def channel_method(self, channel: Channel, method: int, payload: bytes) -> None:
        """A method other than publish and ack on an open channel."""
        self.method = 0
        framing.check_shape(spec.FRAME_METHOD, payload)
        self.method = method
        session = channel.session
        # What was published before must have reached its consumers before anything else is looked at.
        if session.vhost.agenda.touched or session.vhost.agenda.dead:
            settle(session.vhost)
        if method == spec.CHANNEL_CLOSE:
            dispatch.arguments_of(method, payload)
            self.close_channel(channel)
        elif method == spec.CHANNEL_OPEN:
            raise ConnectionFault(CHANNEL_ERROR, "second 'channel.open' seen")
        else:
            dispatch.handle(channel, method, payload)
            if not channel.timed and method in (spec.BASIC_CONSUME, spec.BASIC_GET):
                self.watch(channel)

    def watch(self, channel: Channel) -> None:
        """Look after deliveries that are not acknowledged, from the first consumer or get of a channel on."""
        timeout = self.broker.settings.consumer_timeout
        if timeout is not None:
            channel.timed = True
            first = min(timeout / 1000, LOOK_AGAIN)
            self.broker.timers.add(self.broker.clock.now + first, DeliveryWatch(self, channel, timeout))

    def other_frame(self, kind: int, number: int, payload: bytes) -> None:
        """A frame that is not for an open channel."""
        self.method = 0
        framing.check_shape(kind, payload)
        if kind == spec.FRAME_METHOD:
            self.method = int.from_bytes(payload[:4], "big")
        if self.closing:
            if kind == spec.FRAME_METHOD and number == 0:
                self.last_words(self.method)
            return
        if number == 0:
            self.frame_on_zero(kind, payload)
        elif self.session is None:
            self.method = 0
            raise framing.unexpected(kind, payload)
        elif number in self.channels:
            self.closing_channel(number, kind)
        else:
            self.unopened(number, kind, payload)

    def last_words(self, method: int) -> None:
        """We said connection.close: the answer ends it, and so does a close from the other side."""
        if method == spec.CONNECTION_CLOSE:
            self.say(0, spec.CONNECTION_CLOSE_OK, [])
        if method in (spec.CONNECTION_CLOSE, spec.CONNECTION_CLOSE_OK):
            self.end()

    def frame_on_zero(self, kind: int, payload: bytes) -> None:
        """Channel 0 is the connection's own."""
        if kind == spec.FRAME_METHOD:
            self.connection_method(self.method, payload)
        elif kind != spec.FRAME_HEARTBEAT:
            raise framing.unexpected(kind, payload)

    def connection_method(self, method: int, payload: bytes) -> None:
        """A method of the connection class."""
        if method == spec.CONNECTION_CLOSE and self.session is not None:
            dispatch.arguments_of(method, payload)
            self.broker.note(INFO, f"closing AMQP connection {self.described()}")
            self.take_down()
            self.say(0, spec.CONNECTION_CLOSE_OK, [])
            self.end()
        elif self.session is None:
            self.step(method, payload)
        elif method == spec.CONNECTION_UPDATE_SECRET:
            dispatch.arguments_of(method, payload)
            self.say(0, spec.CONNECTION_UPDATE_SECRET_OK, [])
        else:
            dispatch.arguments_of(method, payload)
            raise ConnectionFault(CHANNEL_ERROR, f"unexpected method in connection state {self.handshake.state}")

    def closing_channel(self, number: int, kind: int) -> None:
        """We said channel.close: everything is ignored until the answer."""
        if kind != spec.FRAME_METHOD:
            return
        if self.method == spec.CHANNEL_CLOSE:
            self.say(number, spec.CHANNEL_CLOSE_OK, [])
        elif self.method == spec.CHANNEL_CLOSE_OK:
            del self.channels[number]

    def unopened(self, number: int, kind: int, payload: bytes) -> None:
        """A frame on a channel that is not open: only channel.open is right."""
        if kind == spec.FRAME_METHOD:
            arguments = dispatch.arguments_of(self.method, payload)
            if self.method != spec.CHANNEL_OPEN:
                # The answer to a close that crossed ours is no mistake.
                if self.method == spec.CHANNEL_CLOSE_OK:
                    return
                raise ConnectionFault(CHANNEL_ERROR, "expected 'channel.open'")
            assert len(arguments) == 1
            self.open_channel(number)
        elif kind == spec.FRAME_HEARTBEAT:
            raise framing.unexpected(kind, payload)
        else:
            raise ConnectionFault(UNEXPECTED_FRAME, "expected method frame, got non method frame instead")

    def open_channel(self, number: int) -> None:
        """channel.open."""
        assert self.session is not None
        most = self.handshake.channel_max
        if most and len(self.channels) >= most:
            self.method = 0
            raise ConnectionFault(
                NOT_ALLOWED,
                f"number of channels opened ({len(self.channels)}) has reached the negotiated channel_max ({most})",
            )
        self.channels[number] = Channel(number, self.session)
        self.say(number, spec.CHANNEL_OPEN_OK, [b""])

    def close_channel(self, channel: Channel) -> None:
        """channel.close from the client."""
        channel.publisher.flush()
        self.confirming.pop(channel, None)
        channel.shut()
        settle(channel.session.vhost)
        del self.channels[channel.number]
        self.say(channel.number, spec.CHANNEL_CLOSE_OK, [])

    # -- what a chunk leaves to do --

    def after_work(self) -> None:
        """Deliver what was published, confirm it, and see whether an alarm stops this publisher."""
        session = self.session
        if session is None:
            return
        settle(session.vhost)
        if self.confirming:
            for channel in self.confirming:
                channel.publisher.flush()
            self.confirming.clear()
        if session.has_published:
            session.has_published = False
            if self.broker.alarms:
                self.block()

    def confirm(self) -> None:
        for channel in self.channels.values():
            committed(channel)
            channel.publisher.flush()

    def alarm_changed(self) -> None:
        if self.broker.alarms:
            return
        self.blocked = False
        # The shell looks again whether to read, even where there is nothing to say.
        self.outbox.grow(0)
        if self.told_blocked:
            self.told_blocked = False
            self.say(0, spec.CONNECTION_UNBLOCKED, [])

    def block(self) -> None:
        """An alarm is set and this client publishes: read nothing more from it."""
        self.blocked = True
        if not self.told_blocked and self.handshake.can("connection.blocked"):
            self.told_blocked = True
            self.say(0, spec.CONNECTION_BLOCKED, [self.broker.alarm_reason().encode()])

    # -- time --

    def arm(self, deadline: float) -> None:
        """Be called at `deadline`, or before it to look again."""
        deadline = min(deadline, self.broker.clock.now + LOOK_AGAIN)
        if deadline < self.armed:
            self.armed = deadline
            self.broker.timers.add(deadline, self)

    def due(self, now: float) -> None:
        if now < self.armed:
            return
        self.armed = NEVER
        if self.finished:
            return
        if now >= self.close_at:
            if not (self.closing or self.deaf):
                self.broker.note(ERROR, f"closing AMQP connection {self.peer}: handshake timeout")
            self.end()
            return
        if now >= self.beat_at and not self.gone:
            self.beat(now)
        if not self.finished:
            next_look = self.close_at if self.gone else min(self.close_at, self.beat_at)
            if next_look != NEVER:
                self.arm(next_look)

    def beat(self, now: float) -> None:
        """Heartbeats, both ways."""
        if self.blocked:
            self.last_heard = now
        if now - self.last_heard >= 2 * self.interval:
            self.broker.note(
                ERROR,
                f"closing AMQP connection {self.peer}: missed heartbeats from client, timeout: {int(self.interval)}s",
            )
            self.end()
            return
        # With bytes still waiting there is no need to add to them.
        if self.outbox.total == self.last_total and not self.outbox.pieces:
            self.outbox.put(HEARTBEAT)
        self.last_total = self.outbox.total
        self.beat_at = now + self.interval / 2

    def end(self) -> None:
        """Have the socket closed without another word."""
        self.finished = True
        self.outbox.wake()

    # -- faults and farewells --

    def say(self, number: int, method: int, arguments: methods.Arguments) -> None:
        """Send a method."""
        self.outbox.put(methods.encode(number, method, arguments))

    def fail_channel(self, channel: Channel, fault: ChannelFault) -> None:
        """channel.close: what came before it takes effect, everything after it is ignored."""
        channel.publisher.flush()
        self.confirming.pop(channel, None)
        self.broker.note(ERROR, f"Channel error on connection {self.peer}, channel {channel.number}: {text_of(fault)}")
        self.say(
            channel.number,
            spec.CHANNEL_CLOSE,
            [fault.code, fault.reply_text(), self.method >> 16, self.method & 0xFFFF],
        )
        channel.shut()

    def channel_overdue(self, channel: Channel, fault: ChannelFault) -> None:
        self.method = 0
        self.fail_channel(channel, fault)

    def fail(self, fault: ConnectionFault) -> None:
        """connection.close, or silence where RabbitMQ keeps it: before the client has logged in."""
        if self.closing:
            # Not even its answer can be read.
            self.deaf = True
            return
        level = WARNING if fault.code == CONNECTION_FORCED else ERROR
        if fault.text.startswith("Malformed UTF-8"):
            # Found before it is known what method it is.
            self.method = 0
        self.broker.note(level, f"closing AMQP connection {self.peer}: {text_of(fault)}")
        state = self.handshake.state
        told = state in (handshake.OPENING, handshake.RUNNING) or fault.code == NOT_ALLOWED
        if told and self.greeted:
            self.tell_close(fault)
            limit = min(self.interval or CLOSING, CLOSING)
            self.close_at = self.broker.clock.now + (limit if state == handshake.RUNNING else REFUSED)
            self.arm(self.close_at)
        else:
            self.refuse()
        self.take_down()

    def tell_close(self, fault: Fault) -> None:
        """Say connection.close; nothing but the answer counts from now on."""
        self.closing = True
        method = self.method
        self.say(0, spec.CONNECTION_CLOSE, [fault.code, fault.reply_text(), method >> 16, method & 0xFFFF])

    def take_down(self) -> None:
        """Shut all channels, delete what was exclusive, leave the broker's lists. Once."""
        if self.gone:
            return
        self.gone = True
        self.broker.clients.pop(self, None)
        self.broker.awaiting.pop(self, None)
        session = self.session
        if session is None:
            return
        self.broker.note(DEBUG, f"connection {self.peer} is taken down")
        for channel in list(self.channels.values()):
            if not channel.closing:
                channel.shut()
        self.channels.clear()
        self.confirming.clear()
        for queue in list(session.exclusive):
            topology.delete_queue(session.vhost, queue)
        session.exclusive.clear()
        session.starved.clear()
        settle(session.vhost)


def bad_header(header: bytes) -> str:
    """What a wrong protocol header probably is, for the log."""
    if header.startswith((b"GET ", b"POST", b"PUT ", b"HEAD")):
        return f"{header!r} is HTTP; this port speaks AMQP 0-9-1"
    if header.startswith(b"\x16\x03"):
        return "a TLS handshake on a port without TLS"
    if header.startswith(b"AMQP"):
        return f"protocol version {tuple(header[4:])} is not spoken here, only 0-9-1"
    return f"{header!r} is no AMQP protocol header"


def text_of(fault: Fault) -> str:
    """A fault for the log."""
    return fault.reply_text().decode("utf-8", "replace")
