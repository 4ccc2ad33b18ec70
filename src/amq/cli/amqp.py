"""A client of AMQP 0-9-1 that waits for each answer: enough to publish and to consume from a command."""

import socket
import ssl
from collections.abc import Iterator
from select import select
from typing import Final, cast
from urllib.parse import unquote, urlsplit

import attrs

from amq.cli import exits
from amq.cli.ask.broker import Broker
from amq.cli.exits import CommandError
from amq.wire import methods, spec
from amq.wire.methods import Arguments
from amq.wire.tables import Table

PORTS: Final = {"amqp": 5672, "amqps": 5671}
PROTOCOL: Final = b"AMQP\0\0\x09\x01"
METHOD: Final = 1
HEADER: Final = 2
BODY: Final = 3
FRAME_HEADER: Final = 7
CHUNK: Final = 1 << 18  # octets read at once
FRAME_MAX: Final = 131072
CAPABILITIES: Final = ("consumer_cancel_notify", "authentication_failure_close", "connection.blocked")
CHANNEL: Final = 1
LONGEST: Final = 255  # octets of a name or key
# What reply codes mean for the exit status; others are the broker's failure to do it.
STATUSES: Final = {403: exits.NOT_ALLOWED, 404: exits.DATA, 405: exits.DATA, 406: exits.DATA, 402: exits.DATA}
# So many messages may wait for their confirmation.
WINDOW: Final = 1000
ANYWHERE: Final = {"::": "::1", "0.0.0.0": "127.0.0.1"}


@attrs.frozen
class Address:
    """Where and as whom. `context` is that of TLS, None without."""

    host: str
    port: int
    user: str
    password: str = attrs.field(repr=False)
    vhost: str
    context: ssl.SSLContext | None = None

    @property
    def shown(self) -> str:
        """Without the password."""
        return f"{'amqp' if self.context is None else 'amqps'}://{self.host}:{self.port}"


@attrs.frozen
class Delivered:
    """A message as it came. `header` is the payload of its content header frame."""

    tag: int
    redelivered: bool
    exchange: bytes
    routing_key: bytes
    header: bytes
    body: bytes


def address(broker: Broker, url: str | None, vhost: str | None) -> Address:
    """Where AMQP is spoken: at the URL, or else where the broker says that it listens, as the user of its HTTP API.

    Who asks over the socket, without a password, is guest here. Raises CommandError.
    """
    if url is not None:
        return _parsed(broker, url, vhost)
    found = [each for each in broker.get("overview").get("listeners", []) if each["protocol"] in {"amqp", "amqp/ssl"}]
    if not found:
        raise CommandError(exits.UNAVAILABLE, f"the broker at {broker.target.shown} has no listener for AMQP")
    # Without TLS if there is a choice: it is the machine itself or what the operator has chosen for the HTTP API.
    wanted = "amqp/ssl" if broker.target.base.startswith("https:") else "amqp"
    listener = next((each for each in found if each["protocol"] == wanted), found[0])
    host = listener["ip_address"]
    if host in ANYWHERE:
        host = broker.target.host if broker.target.socket is None else ANYWHERE[host]
    target = broker.target
    user, password = ("guest", "guest") if target.user is None else (target.user, target.password)
    context = broker.tls.context() if listener["protocol"] == "amqp/ssl" else None
    return Address(host, listener["port"], user, password, vhost or "/", context)


def _parsed(broker: Broker, url: str, vhost: str | None) -> Address:
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = 0
    if parts.scheme not in PORTS or not parts.hostname or port == 0:
        raise CommandError(exits.USAGE, "--amqp: not amqp://USER:PASSWORD@HOST:PORT/VHOST, or amqps://...")
    named = unquote(parts.path[1:]) if len(parts.path) > 1 else "/"
    return Address(
        parts.hostname,
        port or PORTS[parts.scheme],
        unquote(parts.username or "guest"),
        unquote(parts.password or "guest"),
        vhost or named,
        broker.tls.context() if parts.scheme == "amqps" else None,
    )


def short(text: str, what: str) -> bytes:
    """A name or key as AMQP has it. Raises CommandError for one that is too long."""
    octets = text.encode("utf-8", "surrogateescape")
    if len(octets) > LONGEST:
        raise CommandError(exits.DATA, f"{what} has {len(octets)} octets, {LONGEST} are allowed")
    return octets


class Client:
    """A connection with one channel. Every method raises CommandError. `seconds` is how long an answer may take."""

    def __init__(self, where: Address, seconds: float) -> None:
        self.where = where
        self.confirmed = 0
        self.returned: list[str] = []
        self._published = 0
        # Why the broker takes nothing from publishers now; None while it does.
        self._blocked: str | None = None
        self._frame_max = FRAME_MAX
        try:
            plain = socket.create_connection((where.host, where.port), seconds)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket: socket.socket = (
                plain if where.context is None else where.context.wrap_socket(plain, server_hostname=where.host)
            )
        except (OSError, ssl.SSLError) as error:
            problem = f"no broker answers at {where.shown}: {getattr(error, 'strerror', None) or error}"
            raise CommandError(exits.UNAVAILABLE, problem) from None
        self._buffer = bytearray()
        try:
            self._log_in()
        except CommandError as error:
            self.close()
            if error.status != exits.NOT_ALLOWED:
                raise
            advice = "--amqp amqp://USER:PASSWORD@HOST:PORT/VHOST logs in as somebody else"
            raise CommandError(error.status, f"{error}; {advice}") from None

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up: what was not acknowledged goes back."""
        self._socket.close()

    def _log_in(self) -> None:
        where = self.where
        self._send(PROTOCOL)
        self._expect(spec.CONNECTION_START)
        properties: Table = {
            "product": ("S", b"amq command line"),
            "capabilities": (
                "F",
                dict.fromkeys(CAPABILITIES, ("t", True)),
            ),
        }
        response = f"\0{where.user}\0{where.password}".encode("utf-8", "surrogateescape")
        self._tell(0, spec.CONNECTION_START_OK, [properties, b"PLAIN", response, b"en_US"])
        _, offered, _ = self._expect(spec.CONNECTION_TUNE)
        self._frame_max = min(cast("int", offered) or FRAME_MAX, FRAME_MAX)
        self._tell(0, spec.CONNECTION_TUNE_OK, [CHANNEL, self._frame_max, 0])
        self._tell(0, spec.CONNECTION_OPEN, [short(where.vhost, "the vhost's name"), b"", False])
        self._expect(spec.CONNECTION_OPEN_OK)
        self._ask(spec.CHANNEL_OPEN, [b""], spec.CHANNEL_OPEN_OK)

    # -- publishing --

    def confirm(self) -> None:
        """From now on the broker confirms what is published."""
        self._ask(spec.CONFIRM_SELECT, [False], spec.CONFIRM_SELECT_OK)

    def publish(self, exchange: bytes, routing_key: bytes, header: bytes, body: bytes) -> None:
        """Publish, mandatory; waits while too much is not confirmed yet."""
        pieces = [
            methods.encode(CHANNEL, spec.BASIC_PUBLISH, [0, exchange, routing_key, True, False]),
            _frame(HEADER, header),
        ]
        room = self._frame_max - 8
        pieces += [_frame(BODY, body[at : at + room]) for at in range(0, len(body), room)]
        self._send(b"".join(pieces))
        self._published += 1
        while self._published - self.confirmed >= WINDOW:
            self._hear()

    def await_confirms(self) -> None:
        """Wait until everything is confirmed."""
        while self.confirmed < self._published:
            self._hear()

    def _hear(self) -> None:
        method, arguments = self._method()
        if method == spec.BASIC_ACK:
            tag, multiple = cast("tuple[int, bool]", tuple(arguments))
            self.confirmed = tag if multiple else self.confirmed + 1
        elif method == spec.BASIC_NACK:
            raise CommandError(exits.UNAVAILABLE, "the broker refused a message (basic.nack): its queue is full")
        elif method == spec.BASIC_RETURN:
            self.returned.append(cast("bytes", arguments[1]).decode("utf-8", "replace"))
            self._content()

    # -- consuming --

    def consume(
        self, queue: bytes, prefetch: int, no_ack: bool, arguments: Table, idle: float | None
    ) -> Iterator[Delivered]:
        """Messages of a queue as they come, until none has come for `idle` seconds.

        Raises CommandError when the queue goes.
        """
        self._ask(spec.BASIC_QOS, [0, prefetch, False], spec.BASIC_QOS_OK)
        request: Arguments = [0, queue, b"", False, no_ack, False, False, arguments]
        self._tell(CHANNEL, spec.BASIC_CONSUME, request)
        self._expect(spec.BASIC_CONSUME_OK)
        while self._has_data(idle):
            method, told = self._method()
            if method == spec.BASIC_CANCEL:
                raise CommandError(exits.UNAVAILABLE, "the broker has cancelled the consumer: its queue is gone")
            if method == spec.BASIC_DELIVER:
                _, tag, redelivered, exchange, key = cast("tuple[bytes, int, bool, bytes, bytes]", tuple(told))
                yield Delivered(tag, redelivered, exchange, key, *self._content())

    def acknowledge(self, tag: int) -> None:
        """It is done."""
        self._tell(CHANNEL, spec.BASIC_ACK, [tag, False])

    def reject(self, tag: int, requeue: bool) -> None:
        """It is not done: back into the queue, or to its dead letters."""
        self._tell(CHANNEL, spec.BASIC_REJECT, [tag, requeue])

    def finish(self) -> None:
        """Say goodbye; what was sent before has been taken when this returns."""
        self._tell(0, spec.CONNECTION_CLOSE, [200, b"", 0, 0])
        while True:
            kind, payload = self._frame()
            if kind == METHOD and int.from_bytes(payload[:4], "big") == spec.CONNECTION_CLOSE_OK:
                return

    # -- frames --

    def _tell(self, channel: int, method: int, arguments: Arguments) -> None:
        self._send(methods.encode(channel, method, arguments))

    def _ask(self, method: int, arguments: Arguments, answer: int) -> Arguments:
        self._tell(CHANNEL, method, arguments)
        return self._expect(answer)

    def _expect(self, wanted: int) -> Arguments:
        while True:
            method, arguments = self._method()
            if method == wanted:
                return arguments

    def _method(self) -> tuple[int, Arguments]:
        while True:
            kind, payload = self._frame()
            if kind != METHOD:
                continue
            method = int.from_bytes(payload[:4], "big")
            arguments = methods.decode(method, payload)
            if method in {spec.CONNECTION_CLOSE, spec.CHANNEL_CLOSE}:
                code, text = cast("tuple[int, bytes]", (arguments[0], arguments[1]))
                self._say_goodbye(method)
                raise CommandError(STATUSES.get(code, exits.UNAVAILABLE), text.decode("utf-8", "replace"))
            if method == spec.CONNECTION_BLOCKED:
                self._blocked = cast("bytes", arguments[0]).decode("utf-8", "replace")
            elif method == spec.CONNECTION_UNBLOCKED:
                self._blocked = None
            else:
                return method, arguments

    def _say_goodbye(self, method: int) -> None:
        """In good order, so that the broker's log does not tell of a client that vanished."""
        if method == spec.CONNECTION_CLOSE:
            self._tell(0, spec.CONNECTION_CLOSE_OK, [])
        else:
            self._tell(CHANNEL, spec.CHANNEL_CLOSE_OK, [])
            self.finish()

    def _content(self) -> tuple[bytes, bytes]:
        header = self._frame()[1]
        left = int.from_bytes(header[4:12], "big")
        pieces = []
        while left > 0:
            piece = self._frame()[1]
            pieces.append(piece)
            left -= len(piece)
        return header, b"".join(pieces)

    def _frame(self) -> tuple[int, bytes]:
        start = self._read(FRAME_HEADER)
        return start[0], self._read(int.from_bytes(start[3:7], "big") + 1)[:-1]

    def _has_data(self, seconds: float | None) -> bool:
        """Whether the broker sends something within so many seconds; None: however long it takes."""
        if self._buffer or (isinstance(self._socket, ssl.SSLSocket) and self._socket.pending()):
            return True
        return bool(select([self._socket], [], [], seconds)[0])

    def _read(self, size: int) -> bytes:
        while len(self._buffer) < size:
            try:
                octets = self._socket.recv(CHUNK)
            except TimeoutError:
                problem = f"no answer from {self.where.shown}"
                if self._blocked is not None:
                    problem = f"{self.where.shown} takes no messages now: {self._blocked}"
                raise CommandError(exits.UNAVAILABLE, problem) from None
            except OSError as error:
                raise self._broken(error) from None
            if not octets:
                raise CommandError(exits.UNAVAILABLE, f"{self.where.shown} hung up")
            self._buffer += octets
        found = bytes(self._buffer[:size])
        del self._buffer[:size]
        return found

    def _send(self, octets: bytes) -> None:
        try:
            self._socket.sendall(octets)
        except OSError as error:
            raise self._broken(error) from None

    def _broken(self, error: OSError) -> CommandError:
        problem = f"the connection to {self.where.shown} broke: {error.strerror or error}"
        return CommandError(exits.UNAVAILABLE, problem)


def _frame(kind: int, payload: bytes) -> bytes:
    return b"%c%b%b%b\xce" % (kind, CHANNEL.to_bytes(2, "big"), len(payload).to_bytes(4, "big"), payload)
