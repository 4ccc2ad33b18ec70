"""Channel 0: the protocol header, the handshake, and the methods of the connection class."""

from typing import Final

from amq.broker import ERROR, INFO, Broker
from amq.clock import NEVER
from amq.connection import dispatch, framing, handshake
from amq.connection.handshake import LoginRefused
from amq.connection.lifecycle import Lifecycle
from amq.connection.peer import Peer
from amq.connection.session import Session
from amq.errors import CHANNEL_ERROR, ConnectionFault
from amq.wire import spec

# Octets of the largest payload before tuning; a login may carry a long token.
INITIAL_FRAME: Final = 8192


class Control(Lifecycle):
    """A connection as far as it speaks for itself. `frame_limit` is the largest payload that is taken, in octets."""

    __slots__ = ("frame_limit",)

    def __init__(self, broker: Broker, peer: Peer, now: float) -> None:
        super().__init__(broker, peer, now)
        self.frame_limit: int = INITIAL_FRAME

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
            self.login_refused(refused)
            return
        if shake.login is not None:
            # The shell finds out; what the client says meanwhile waits.
            self.broker.deciding.append((self, shake.login))
        if answer:
            self.say(0, answer, reply)
        if shake.state == handshake.OPENING and method == spec.CONNECTION_TUNE_OK:
            self.tuned()
        elif shake.state == handshake.RUNNING:
            self.opened()

    def login_refused(self, refused: LoginRefused) -> None:
        """The client may not come in."""
        if refused.tell:
            self.method = 0
            self.tell_close(handshake.refusal(refused))
        self.refuse()

    def tuned(self) -> None:
        """Frames and heartbeats as agreed from here on."""
        shake = self.handshake
        # RabbitMQ forgives the envelope's octets too: frame_max bounds the payload.
        self.frame_limit = shake.frame_max or 1 << 32
        self.interval = float(shake.heartbeat)
        if self.interval:
            self.beat_at = self.broker.clock.now + self.interval / 2
            self.arm(self.beat_at)

    def opened(self) -> None:
        """The client is in."""
        shake = self.handshake
        assert shake.vhost is not None and shake.user is not None
        notify_cancel = shake.can("consumer_cancel_notify")
        self.broker.occupancy.opened(shake.vhost.name, shake.user.name)
        self.session = Session(self.broker, shake.vhost, shake.user, self.outbox, shake.frame_max, notify_cancel)
        self.close_at = NEVER
        self.broker.churn.connections_created += 1
        self.broker.note(
            INFO,
            f"connection {self.label()}: user '{shake.user.name}' authenticated and granted access to "
            f"vhost '{shake.vhost.name}'",
        )

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

    def last_words(self, method: int) -> None:
        """We said connection.close: the answer ends it, and so does a close from the other side."""
        if method == spec.CONNECTION_CLOSE:
            self.say(0, spec.CONNECTION_CLOSE_OK, [])
        if method in (spec.CONNECTION_CLOSE, spec.CONNECTION_CLOSE_OK):
            self.end()


def bad_header(header: bytes) -> str:
    """What a wrong protocol header probably is, for the log."""
    if header.startswith((b"GET ", b"POST", b"PUT ", b"HEAD")):
        return f"{header!r} is HTTP; this port speaks AMQP 0-9-1"
    if header.startswith(b"\x16\x03"):
        return "a TLS handshake on a port without TLS"
    if header.startswith(b"AMQP"):
        return f"protocol version {tuple(header[4:])} is not spoken here, only 0-9-1"
    return f"{header!r} is no AMQP protocol header"
