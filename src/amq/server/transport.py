"""One client's socket and its Connection: the only place where a message's way waits.

    read a chunk -> connection.receive -> everything that this chunk caused, on every socket, is sent

Sending is tried at once, without a task switch; only what a socket does not take is left to that client's writer.
A socket is not read from while its connection does not want data, and a publisher that runs ahead of its consumers
gives them a moment before it is read from again.
"""

import os
import time
from collections.abc import Callable
from typing import Final

import attrs
import trio

from amq.broker import Broker
from amq.connection.connection import Connection
from amq.connection.outbox import Piece
from amq.connection.peer import Peer
from amq.queues.base import Queue

# Octets read at once: at first, at least, and at most. A chunk is finished before anybody else gets a turn, so a client
# whose chunks take longer than TOO_LONG is read in smaller ones, and one whose chunks are done by QUICK in larger ones.
FIRST_CHUNK: Final = 1 << 14
LEAST_CHUNK: Final = 1 << 10
CHUNK: Final = 1 << 17
TOO_LONG: Final = 0.004  # seconds
QUICK: Final = 0.002  # seconds
# Rounds of sending and refilling before others get their turn, and octets: a long body is sent in parts.
ROUNDS: Final = 8
TURN: Final = 1 << 20
# How long a publisher gives way (s): while its consumers take something, and at most.
STALLED: Final = 0.001
GIVE_WAY: Final = 0.005
# So often it may find that they took nothing; then it does not give way for a while: at first, and at most, in s.
STALLS: Final = 4
IMPATIENT: Final = 0.001
MOST_IMPATIENT: Final = 0.064
# How long a client may take to read what is left when its connection has ended, in s.
LAST_WORDS: Final = 3.0

Stream = trio.SocketStream | trio.SSLStream[trio.SocketStream]


async def serve_connection(broker: Broker, stream: Stream, peer: Peer, after: Callable[[], None]) -> None:
    """Serve one client until it is gone. `after` is called whenever the core has worked."""
    connection = Connection(broker, peer, time.monotonic())
    wire = PlainWire(stream) if isinstance(stream, trio.SocketStream) else TlsWire(stream)
    await Transport(connection, wire, after).run()


def send_all(broker: Broker) -> None:
    """Send what stands in the outboxes of all clients, as far as their sockets take it."""
    writable = broker.writable
    while writable:
        transport = writable.pop().shell
        if isinstance(transport, Transport):
            transport.push()


class Wire:
    """A socket, plain or with TLS."""

    async def read(self, most: int) -> bytes:
        """The next octets, at most so many; empty at the end. Raises OSError or trio.BrokenResourceError."""
        raise NotImplementedError

    def write_some(self, data: Piece) -> int:
        """Send without waiting; returns how many octets were taken. Raises OSError."""
        raise NotImplementedError

    async def write(self, data: bytes) -> None:
        """Send all. Raises OSError or trio.BrokenResourceError."""
        raise NotImplementedError

    async def end(self) -> None:
        """Say that nothing more comes, and let the other side end too."""
        raise NotImplementedError


@attrs.define(eq=False)
class PlainWire(Wire):
    """TCP, by file descriptor: trio waits for readiness, the octets take no detour."""

    stream: trio.SocketStream
    _fd: int = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._fd = self.stream.socket.fileno()

    async def read(self, most: int) -> bytes:
        while True:
            await trio.lowlevel.wait_readable(self._fd)
            try:
                return os.read(self._fd, most)
            except BlockingIOError:
                continue

    def write_some(self, data: Piece) -> int:
        try:
            return os.write(self._fd, data)
        except BlockingIOError:
            return 0

    async def write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            await trio.lowlevel.wait_writable(self._fd)
            view = view[self.write_some(view) :]

    async def end(self) -> None:
        await self.stream.send_eof()
        # Unread octets at close() would make the kernel reset the connection and lose our last words.
        while await self.read(CHUNK):
            pass


@attrs.define(eq=False)
class TlsWire(Wire):
    """TLS: everything goes through the stream's own tasks."""

    stream: trio.SSLStream[trio.SocketStream]

    async def read(self, most: int) -> bytes:
        return bytes(await self.stream.receive_some(most))

    def write_some(self, data: Piece) -> int:
        return 0

    async def write(self, data: bytes) -> None:
        await self.stream.send_all(data)

    async def end(self) -> None:
        await self.stream.aclose()


@attrs.define(eq=False)
class Transport:
    """Moves octets between a wire and a connection."""

    connection: Connection
    wire: Wire
    after: Callable[[], None]
    # What the socket did not take; while there is something, only the writer sends.
    _rest: bytes = b""
    _write: trio.Event = attrs.field(factory=trio.Event, init=False)
    _read_on: trio.Event | None = attrs.field(default=None, init=False)
    _chunk: int = attrs.field(default=FIRST_CHUNK, init=False)
    # How often in a row this client waited for consumers that took nothing, and until when it gives way to nobody.
    _stalls: int = attrs.field(default=0, init=False)
    _impatient: float = attrs.field(default=0.0, init=False)
    _scope: trio.CancelScope = attrs.field(factory=trio.CancelScope, init=False)

    async def run(self) -> None:
        """Until the client is gone or its connection has ended."""
        self.connection.shell = self
        try:
            with self._scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._writer)
                    await self._reader()
                    nursery.cancel_scope.cancel()
            await self._farewell()
        finally:
            self.connection.lost(time.monotonic())
            # The collector may come by much later for what is left of this client.
            self._rest = b""
            self._flush()
            self.connection.shell = None

    def push(self) -> None:
        """Send what stands in the outbox, as far as the socket takes it now."""
        connection = self.connection
        outbox = connection.outbox
        rounds = 0
        sent = 0
        while not self._rest:
            data = outbox.take()
            if not data:
                break
            try:
                taken = self.wire.write_some(data)
            except OSError:
                self._scope.cancel()
                return
            if taken < len(data):
                self._rest = data[taken:]
                break
            connection.written(time.monotonic())
            rounds += 1
            sent += taken
            if rounds > ROUNDS or sent > TURN:
                # The writer goes on after everybody else had a turn.
                self._rest = outbox.take()
        outbox.noted = bool(self._rest)
        if self._rest:
            self._write.set()
            self._hurry()
        elif connection.finished:
            self._scope.cancel()
        if self._read_on is not None and connection.wants_data():
            self._read_on.set()

    def _hurry(self) -> None:
        """Once the connection has ended, wait only for so long for a client that does not read."""
        if self.connection.finished:
            self._scope.deadline = min(self._scope.deadline, trio.current_time() + LAST_WORDS)

    def _flush(self) -> None:
        send_all(self.connection.broker)
        self.after()

    async def _reader(self) -> None:
        connection = self.connection
        receive = connection.receive
        read = self.wire.read
        try:
            while data := await read(self._chunk):
                began = time.monotonic()
                receive(data, began)
                self._measure(time.monotonic() - began)
                self._flush()
                while not connection.wants_data():
                    self._read_on = trio.Event()
                    await self._read_on.wait()
                    self._read_on = None
                pressed = connection.pressed()
                if pressed is not None:
                    await self._give_way(*pressed)
        except (OSError, trio.BrokenResourceError):
            return

    def _measure(self, seconds: float) -> None:
        """A chunk took so long: choose the size of the next one."""
        if seconds > TOO_LONG:
            self._chunk = max(self._chunk >> 1, LEAST_CHUNK)
        elif seconds < QUICK and self._chunk < CHUNK:
            self._chunk <<= 1

    async def _give_way(self, queue: Queue, lag: int) -> None:
        """Wait while consumers take from a queue that holds more than `lag`, but not for one that is slow by itself."""
        began = moved = time.monotonic()
        if began < self._impatient:
            return
        taken = queue.taken
        while queue.ready_count() > lag:
            await trio.sleep(0)
            now = time.monotonic()
            if queue.taken != taken:
                taken = queue.taken
                moved = now
                self._stalls = 0
            elif now - moved > STALLED:
                self._stalls += 1
                if self._stalls > STALLS:
                    # Slow consumers are waited for less and less often.
                    doublings = min(self._stalls - STALLS, 10)
                    self._impatient = now + min(IMPATIENT * 2**doublings, MOST_IMPATIENT)
                return
            if now - began > GIVE_WAY:
                return

    async def _writer(self) -> None:
        try:
            while True:
                await self._write.wait()
                self._write = trio.Event()
                await self.wire.write(self._rest)
                self._rest = b""
                self.connection.written(time.monotonic())
                self.push()
                # What it made room for may have set off something for others.
                self._flush()
        except (OSError, trio.BrokenResourceError):
            self._scope.cancel()

    async def _farewell(self) -> None:
        """Close in good order, so that the last frames arrive."""
        try:
            with trio.move_on_after(LAST_WORDS / 3):
                await self.wire.end()
        except (OSError, trio.BrokenResourceError, trio.ClosedResourceError):
            return
