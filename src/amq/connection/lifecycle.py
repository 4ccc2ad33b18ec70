"""How a connection passes its time and comes to its end: heartbeats, deadlines, faults, farewells.

`finished`: once the outbox has gone out, the socket is to be closed. `deaf`: nothing that still comes is read.
Faults become frames here and nowhere else.
"""

from math import ceil
from typing import Final

from amq.broker import DEBUG, ERROR, WARNING, Broker
from amq.clock import NEVER
from amq.connection import handshake
from amq.connection.channel import Channel
from amq.connection.handshake import Handshake
from amq.connection.leaving import Leaving
from amq.connection.outbox import Outbox
from amq.connection.peer import Peer
from amq.connection.session import Session
from amq.connection.timeouts import Overdue
from amq.errors import CONNECTION_FORCED, NOT_ALLOWED, ChannelFault, ConnectionFault, Fault
from amq.vhost.settling import settle
from amq.wire import methods, spec

HEARTBEAT: Final = b"\x08\x00\x00\x00\x00\x00\x00\xce"
# How long a client that was told to go, or was refused, may stay, in s.
CLOSING: Final = 30.0
REFUSED: Final = 3.0
# Connections are looked after at whole multiples of this, in s: ten thousand of them wake the process eight times a
# second and not seven hundred times.
BEAT_STEP: Final = 0.125
# A timer of a connection that has gone holds on to it for so long, in s: half of the usual heartbeat interval, so that
# an idle client is looked at as often as it is sent a heartbeat, and no more.
LOOK_AGAIN: Final = 30.0


class Lifecycle(Overdue):
    """One client's connection as far as it begins and ends. `now` is monotonic time in s wherever it appears."""

    __slots__ = (
        "broker",
        "peer",
        "outbox",
        "handshake",
        "session",
        "channels",
        "confirming",
        "greeted",
        "closing",
        "deaf",
        "finished",
        "gone",
        "method",
        "blocked",
        "listening",
        "interval",
        "last_heard",
        "last_total",
        "beat_at",
        "close_at",
        "armed",
        "connected_at",
        "received",
        "received_count",
        "sent_count",
        "beats",
    )

    def __init__(self, broker: Broker, peer: Peer, now: float) -> None:
        self.broker = broker
        self.peer = peer
        self.outbox = Outbox(self, broker.writable)
        self.handshake = Handshake(broker, peer)
        self.session: Session | None = None
        self.channels: dict[int, Channel] = {}
        # Channels that have something to confirm when the chunk is through.
        self.confirming: dict[Channel, None] = {}
        self.greeted: bool = False
        # We said connection.close: only its answer counts.
        self.closing: bool = False
        self.deaf: bool = False
        self.finished: bool = False
        self.gone: bool = False
        # The method in hand, for the class and method of a close.
        self.method: int = 0
        # Not read from, because of an alarm.
        self.blocked: bool = False
        # One chunk is to be read although the client does not read: it may hold a sign of life.
        self.listening: bool = False
        # The heartbeat interval in s; 0: none.
        self.interval: float = 0.0
        self.last_heard = now
        self.last_total: int = 0
        # When heartbeats are next looked after, and when this connection ends without another word.
        self.beat_at: float = NEVER
        self.close_at: float = now + broker.settings.handshake_timeout / 1000
        self.armed: float = NEVER
        # Octets and chunks that have come, and chunks that have gone out.
        self.received: int = 0
        self.received_count: int = 0
        self.sent_count: int = 0
        # How many of these chunks were a heartbeat and nothing else.
        self.beats: int = 0
        broker.clock.now = now
        # Seconds since 1970.
        self.connected_at: float = broker.clock.wall()
        broker.clients[self] = None
        self.arm(self.close_at)

    def lost(self, now: float) -> None:
        """The socket is gone."""
        self.broker.clock.now = now
        if not (self.finished or self.gone):
            self.broker.note(
                WARNING if self.received else DEBUG,
                f"closing AMQP connection {self.described()}: client unexpectedly closed TCP connection",
            )
        self.finished = True
        self.take_down()
        # Parts of bodies: others may keep this object for a while.
        self.outbox.close()

    def force_close(self, reason: str, code: int = CONNECTION_FORCED) -> None:
        if self.finished or self.closing:
            return
        if self.handshake.state not in (handshake.OPENING, handshake.RUNNING):
            self.end()
            return
        self.method = 0
        self.fail(ConnectionFault(code, reason))

    def name(self) -> str:
        return str(self.peer)

    def label(self) -> str:
        """The connection for the log: its two ends, and the name that the client gave it."""
        name = self.handshake.connection_name()
        return f"{self.peer} - {name}" if name else str(self.peer)

    def described(self) -> str:
        """The connection as RabbitMQ's log names an open one."""
        shake = self.handshake
        if shake.vhost is None or shake.user is None:
            return self.label()
        return f"{self.label()}, vhost: '{shake.vhost.name}', user: '{shake.user.name}'"

    def parked(self) -> bool:
        """Whether an answer waits, for the disk, a password's hash or long work, and what was said after it with it."""
        session = self.session
        if session is None:
            return self.handshake.login is not None
        return session.parked is not None or session.cold is not None or session.errand is not None

    def unread(self) -> bool:
        """Whether the client is not read from for reasons of our own, so that it cannot be heard."""
        return self.blocked or self.parked()

    def vhost_name(self) -> str | None:
        return None if self.session is None else self.session.vhost.name

    def user_name(self) -> str | None:
        user = self.handshake.user
        return None if user is None else user.name

    # -- time --

    def arm(self, deadline: float) -> None:
        """Be called at `deadline` or up to BEAT_STEP later, or before it to look again."""
        deadline = ceil(min(deadline, self.broker.clock.now + LOOK_AGAIN) / BEAT_STEP) * BEAT_STEP
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
                self.broker.note(ERROR, f"closing AMQP connection {self.label()}: handshake timeout")
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
        if self.unread():
            self.last_heard = now
        if now - self.last_heard >= 2 * self.interval:
            self.broker.note(
                ERROR,
                f"closing AMQP connection {self.label()}: "
                f"missed heartbeats from client, timeout: {int(self.interval)}s",
            )
            self.take_down()
            self.end()
            return
        if self.outbox.full() and not self.outbox.flooded():
            self.listening = True
            self.outbox.wake()
        # With bytes still waiting there is no need to add to them.
        if self.outbox.total == self.last_total and not self.outbox.pieces:
            self.outbox.put(HEARTBEAT)
            self.beats += 1
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
        self.broker.note(
            ERROR, f"Channel error on connection {self.label()}, channel {channel.number}: {text_of(fault)}"
        )
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
        if not fault.blamed:
            self.method = 0
        self.broker.note(level, f"closing AMQP connection {self.label()}: {text_of(fault)}")
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
        self.broker.churn.connections_closed += 1
        self.broker.note(DEBUG, f"connection {self.label()} is taken down")
        for channel in list(self.channels.values()):
            if not channel.closing:
                channel.shut()
        self.broker.occupancy.closed(session.vhost.name, session.user.name, len(self.channels))
        self.channels.clear()
        self.confirming.clear()
        if session.exclusive:
            self.broker.chores.begin(Leaving(session.vhost, list(session.exclusive)))
            session.exclusive.clear()
        session.starved.clear()
        session.parked = None
        session.cold = None
        session.errand = None
        self.broker.shivering.pop(self, None)
        settle(session.vhost)

    def refuse(self) -> None:
        """Let a client that may not come in wait for a while before its socket is closed."""
        self.deaf = not self.closing
        self.close_at = self.broker.clock.now + REFUSED
        self.arm(self.close_at)


def text_of(fault: Fault) -> str:
    """A fault for the log."""
    return fault.reply_text().decode("utf-8", "replace")
