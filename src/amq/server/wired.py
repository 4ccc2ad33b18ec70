"""A client whose octets take a detour, TLS: it has a task that reads and one that writes."""

import time

import attrs
import trio

from amq.connection.outbox import Piece
from amq.server.transport import LAST_LOOK, LAST_WORDS, Transport


class Wire:
    """What octets come from and go to."""

    async def read(self, most: int) -> bytes:
        """The next octets, at most so many; empty at the end. Raises OSError or trio.BrokenResourceError."""
        raise NotImplementedError

    def write_some(self, data: Piece) -> int:
        """Send without waiting; returns how many octets were taken. Raises OSError."""
        raise NotImplementedError

    async def write(self, data: Piece) -> None:
        """Send all. Raises OSError or trio.BrokenResourceError."""
        raise NotImplementedError

    async def end(self) -> None:
        """Say that nothing more comes, and let the other side end too."""
        raise NotImplementedError


@attrs.define(eq=False)
class TlsWire(Wire):
    """TLS: everything goes through the stream's own tasks."""

    stream: trio.SSLStream[trio.SocketStream]

    async def read(self, most: int) -> bytes:
        return bytes(await self.stream.receive_some(most))

    def write_some(self, data: Piece) -> int:
        return 0

    async def write(self, data: Piece) -> None:
        await self.stream.send_all(data)

    async def end(self) -> None:
        await self.stream.aclose()


@attrs.define(eq=False)
class WiredTransport(Transport):
    """`run` serves the client."""

    wire: Wire
    _write: trio.Event = attrs.field(factory=trio.Event, init=False)
    _read_on: trio.Event = attrs.field(factory=trio.Event, init=False)
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
            self.flush()
            self.connection.shell = None

    async def _reader(self) -> None:
        try:
            while data := await self.wire.read(self._chunk):
                self.feed(data)
                while self._held:
                    self._read_on = trio.Event()
                    await self._read_on.wait()
                waiting = self.gives_way()
                while waiting:
                    await trio.sleep(0)
                    waiting = not self.gave_way(time.monotonic())
        except (OSError, trio.BrokenResourceError):
            return

    async def _writer(self) -> None:
        try:
            while True:
                await self._write.wait()
                self._write = trio.Event()
                if self._rest:
                    await self.wire.write(self._rest)
                    self.relieved()
        except (OSError, trio.BrokenResourceError):
            self._scope.cancel()

    async def _farewell(self) -> None:
        """Close in good order, so that the last frames arrive."""
        try:
            with trio.move_on_after(LAST_LOOK):
                await self.wire.end()
        except (OSError, trio.BrokenResourceError, trio.ClosedResourceError):
            return

    # -- what the transport asks for --

    def write_some(self, data: Piece) -> int:
        return self.wire.write_some(data)

    def want_room(self) -> None:
        self._write.set()

    def read_on(self) -> None:
        self._read_on.set()

    def fail(self) -> None:
        self._scope.cancel()

    def depart(self) -> None:
        if not self._rest:
            self._scope.cancel()
            return
        # Once the connection has ended, wait only for so long for a client that does not read.
        self._write.set()
        self._scope.deadline = min(self._scope.deadline, trio.current_time() + LAST_WORDS)
