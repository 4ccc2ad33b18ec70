"""One connection to a broker: logs in, asks, hears answers, and hands to its channels what is theirs."""

import os
import ssl
import time
from collections.abc import Callable
from typing import Final, cast

import attrs
import trio

from amq.perf import wire
from amq.perf.incoming import Incoming, Run, WireError
from amq.perf.load import Address, Load
from amq.perf.publishing import frame
from amq.perf.wire import Wire
from amq.wire import methods, spec
from amq.wire.methods import Arguments, MethodError
from amq.wire.tables import Table

PATIENCE: Final = 30.0  # seconds for an answer
CAPABILITIES: Final = (
    "publisher_confirms",
    "consumer_cancel_notify",
    "basic.nack",
    "connection.blocked",
    "authentication_failure_close",
)
# Octets of acknowledgements that may wait for a broker that does not read them; then it is not read from either.
BACKLOG: Final = 1 << 20
CONFIRM: Final = 13  # octets of basic.ack and basic.nack, with class and method
HEARTBEAT: Final = frame(spec.FRAME_HEARTBEAT, 0, b"")


class Failure(Exception):
    """The load cannot go on: the broker refused, or the connection broke. `code` is AMQP's; 0: the broker said none."""

    def __init__(self, text: str, code: int = 0) -> None:
        super().__init__(text)
        self.code: Final = code


class Channel:
    """What happens on a channel. Nothing does here."""

    def deliver(self, run: Run, now: int) -> None:
        """Messages for its consumer."""

    def settle(self, tag: int, multiple: bool, refused: bool, now: int) -> None:
        """The broker has confirmed, or refused, what was published."""

    def cancelled(self) -> None:
        """Its consumer gets no more."""

    def wake(self) -> None:
        """The broker takes messages again."""

    async def room(self) -> None:
        """Wait until more can be taken."""


class _Channels(dict[int, Channel]):
    """By their numbers. Raises WireError for one that is not open."""

    def __missing__(self, number: int) -> Channel:
        raise WireError(f"a frame for channel {number}, which is not open")


@attrs.define(eq=False)
class _Question:
    """What was asked on a channel and not answered yet."""

    method: int
    answered: trio.Event = attrs.Factory(trio.Event)
    arguments: Arguments = attrs.Factory(list)


class Link:
    """A connection that is open. Everything that asks raises Failure."""

    def __init__(self, address: Address, octets: Wire, load: Load, note: Callable[[str], None]) -> None:
        self.address: Final = address
        self.wire: Final = octets
        self.channels: Final[dict[int, Channel]] = _Channels()
        self.product: str = ""
        self.version: str = ""
        self.frame_max: int = load.frame_max
        self.heartbeat: int = load.heartbeat
        # Why the broker takes no messages now; None: it does.
        self.blocked: str | None = None
        self.heard: bool = True
        # Whether it is not read from, because a channel is full.
        self._holding = False
        # Whether channels may be too full to read on.
        self.paced: bool = False
        self.closing: bool = False
        self.returned: Callable[[int], None] = _ignore
        self._incoming: Final = Incoming(load.random_routing_key, load.frame_max)
        self._note: Final = note
        self._questions: Final[dict[int, _Question]] = {}
        self._out: Final[list[bytes]] = []

    # -- asking --

    async def log_in(self) -> None:
        """Open the connection."""
        start = self._question(0, spec.CONNECTION_START)
        self.wire.push(spec.PROTOCOL_HEADER)
        await self._answer(0, start, "it does not speak AMQP 0-9-1", PATIENCE)
        properties = cast("Table", start.arguments[2])
        self.product = _text(properties, "product")
        self.version = _text(properties, "version")
        response = f"\0{self.address.user}\0{self.address.password}".encode("utf-8", "surrogateescape")
        offer: Arguments = [_CLIENT, b"PLAIN", response, b"en_US"]
        channels, frame_max, heartbeat = await self.ask(0, spec.CONNECTION_START_OK, offer, spec.CONNECTION_TUNE)
        self.frame_max = min(self.frame_max, cast("int", frame_max) or self.frame_max)
        # The smaller one, but 0 has no say on the broker's side: it is for the client to decide.
        self.heartbeat = min(self.heartbeat, cast("int", heartbeat) or self.heartbeat)
        self.tell(0, spec.CONNECTION_TUNE_OK, [channels, self.frame_max, self.heartbeat])
        vhost = self.address.vhost.encode("utf-8", "surrogateescape")
        await self.ask(0, spec.CONNECTION_OPEN, [vhost, b"", False], spec.CONNECTION_OPEN_OK)

    async def open(self, number: int, channel: Channel) -> None:
        """Open a channel."""
        self.channels[number] = channel
        await self.ask(number, spec.CHANNEL_OPEN, [b""], spec.CHANNEL_OPEN_OK)

    async def ask(
        self, channel: int, method: int, arguments: Arguments, answer: int, patience: float = PATIENCE
    ) -> Arguments:
        """Send a method and wait for its answer, so many seconds. Only one may ask on a channel at a time."""
        question = self._question(channel, answer)
        self.tell(channel, method, arguments)
        await self._answer(channel, question, f"no answer in {patience:g} s", patience)
        return question.arguments

    def _question(self, channel: int, answer: int) -> _Question:
        question = self._questions[channel] = _Question(answer)
        return question

    async def _answer(self, channel: int, question: _Question, problem: str, patience: float) -> None:
        with trio.move_on_after(patience):
            await question.answered.wait()
            return
        del self._questions[channel]
        raise Failure(f"{self.address.shown}: {problem}")

    def tell(self, channel: int, method: int, arguments: Arguments) -> None:
        """Send a method."""
        self.push(methods.encode(channel, method, arguments))

    def push(self, octets: bytes | bytearray) -> None:
        """Send octets."""
        try:
            self.wire.push(octets)
        except OSError as error:
            raise self.broken(error) from None

    def later(self, octets: bytes) -> None:
        """Send octets with the next `flush`."""
        self._out.append(octets)

    def flush(self) -> None:
        """Send what was kept for it."""
        if self._out:
            octets = b"".join(self._out)
            self._out.clear()
            self.push(octets)

    async def close(self) -> None:
        """Say goodbye."""
        self.closing = True
        await self.ask(0, spec.CONNECTION_CLOSE, [200, b"", 0, 0], spec.CONNECTION_CLOSE_OK)

    def beat(self) -> None:
        """Let the broker know that somebody is here, unless something was sent since the last time."""
        if not self.wire.sent_anything:
            self.push(HEARTBEAT)
        self.wire.sent_anything = False

    def check(self) -> None:
        """Raise Failure when nothing came since the last time, though somebody listened."""
        if not self.heard and not self._holding:
            raise Failure(f"{self.address.shown}: no heartbeat for {self.heartbeat} s or more")
        self.heard = False

    # -- hearing --

    async def hear(self) -> None:
        """Read for ever, or until the broker has answered `close`. Raises Failure."""
        try:
            while chunk := await self.wire.read():
                self._take(chunk, time.monotonic_ns())
                await self._pause()
        except wire.BROKEN as error:
            if self.closing:
                return
            raise self.broken(error) from None
        if not self.closing:
            raise Failure(f"{self.address.shown} hung up without a word{self._advice()}")

    async def write(self) -> None:
        """Send what a socket does not take at once, for ever. Raises Failure."""
        try:
            await self.wire.write_on()
        except wire.BROKEN as error:
            if not self.closing:
                raise self.broken(error) from None

    async def _pause(self) -> None:
        if self.paced:
            self._holding = True
            for channel in self.channels.values():
                await channel.room()
            self._holding = False
        if self.wire.waiting > BACKLOG:
            await self.wire.drained()

    def _take(self, chunk: bytes, now: int) -> None:
        self.heard = True
        incoming = self._incoming
        try:
            for run in incoming.feed(chunk):
                self.channels[run.channel].deliver(run, now)
            for channel, payload in incoming.methods:
                self._method(channel, payload, now)
        except (WireError, MethodError) as error:
            raise Failure(f"{self.address.shown} sends what is no AMQP 0-9-1: {error}") from None
        incoming.methods.clear()
        if incoming.returned:
            self.returned(incoming.returned)
            incoming.returned = 0
        self.flush()

    def _method(self, channel: int, payload: bytes, now: int) -> None:
        method = int.from_bytes(payload[:4], "big")
        if method not in methods.SIGNATURES:
            raise WireError(f"method {method >> 16}.{method & 0xFFFF}")
        if method in (spec.BASIC_ACK, spec.BASIC_NACK):
            if len(payload) != CONFIRM:
                raise WireError(f"a confirm of {len(payload)} octets")
            tag = int.from_bytes(payload[4:12], "big")
            self.channels[channel].settle(tag, bool(payload[12] & 1), method == spec.BASIC_NACK, now)
        elif method != spec.BASIC_RETURN:
            self._seldom(channel, method, methods.decode(method, payload))

    def _seldom(self, channel: int, method: int, arguments: Arguments) -> None:
        question = self._questions.get(channel)
        if question is not None and question.method == method:
            del self._questions[channel]
            question.arguments = arguments
            question.answered.set()
        elif method == spec.CONNECTION_CLOSE:
            self.tell(0, spec.CONNECTION_CLOSE_OK, [])
            raise self._closed(arguments)
        elif method == spec.CHANNEL_CLOSE:
            self.tell(channel, spec.CHANNEL_CLOSE_OK, [])
            raise self._closed(arguments)
        elif method in (spec.CONNECTION_BLOCKED, spec.CONNECTION_UNBLOCKED):
            reason = cast("bytes", arguments[0]).decode("utf-8", "replace") if arguments else None
            self._block(reason)
        elif method == spec.CHANNEL_FLOW:
            self.tell(channel, spec.CHANNEL_FLOW_OK, arguments)
            self._block(None if arguments[0] else "channel.flow")
        elif method == spec.BASIC_CANCEL:
            self._note(f"{self.address.shown} has cancelled a consumer: its queue is gone, or has moved")
            self.channels[channel].cancelled()

    def _block(self, reason: str | None) -> None:
        if reason is not None and self.blocked is None:
            self._note(f"{self.address.shown} takes no messages now (connection.blocked): {reason}")
        elif reason is None and self.blocked is not None:
            self._note(f"{self.address.shown} takes messages again (connection.unblocked)")
        self.blocked = reason
        for channel in self.channels.values():
            channel.wake()

    # -- failing --

    def _closed(self, arguments: Arguments) -> Failure:
        code, text = cast("tuple[int, bytes]", (arguments[0], arguments[1]))
        return Failure(f"{self.address.shown}: {code} {text.decode('utf-8', 'replace')}", code)

    def broken(self, error: BaseException) -> Failure:
        """The connection broke."""
        return Failure(f"{self.address.shown}: the connection broke: {_reason(error)}{self._advice()}")

    def _advice(self) -> str:
        """What a broker of old means that hangs up while somebody logs in."""
        return "" if self.product else " before it greeted: is there TLS, or another protocol?"


def _reason(error: BaseException) -> str:
    """What the system or TLS says; trio wraps it once or twice."""
    cause = error.__cause__
    if isinstance(cause, BaseExceptionGroup):
        return _reason(cause.exceptions[0])
    if cause is not None:
        return _reason(cause)
    if isinstance(error, ConnectionError) and error.errno:
        return os.strerror(error.errno)
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _ignore(_count: int) -> None:
    """Nobody asked for what comes back."""


def _text(properties: Table, key: str) -> str:
    value = properties.get(key, ("S", b""))[1]
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""


_CLIENT: Final[Table] = {
    "product": ("S", b"amq perf"),
    "capabilities": ("F", dict.fromkeys(CAPABILITIES, ("t", True))),
}


async def connect(address: Address, context: ssl.SSLContext, load: Load, note: Callable[[str], None]) -> Link:
    """A connection that has not logged in yet. Raises Failure."""
    try:
        return Link(address, await wire.connect(address, context), load, note)
    except trio.TooSlowError:
        raise Failure(f"{address.shown}: no connection in {wire.PATIENCE:g} s") from None
    except (OSError, trio.BrokenResourceError, ssl.SSLError) as error:
        raise Failure(f"no broker answers at {address.shown}: {_reason(error)}") from None
