"""HTTP on sockets that listen: Hypercorn's protocol for each client, within bounds.

    at most MOST_CLIENTS at once, each of which has KEEP_ALIVE s for a request to arrive after the one before it
    nobody is waited for longer than STALL s who does not take what is sent to it

Not imported by a broker that serves no HTTP: Hypercorn is an extra.
"""

import contextlib
import logging
import socket
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final, cast

import attrs
import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ASGIFramework, ConnectionState, LifespanState

from amq.server.listener import Door, hardly_a_descriptor_left
from amq.server.owner import OwnerDoor, comes_from_owner

LOGGER: Final = logging.getLogger(__name__)

MOST_CLIENTS: Final = 500
KEEP_ALIVE: Final = 60.0  # seconds
STALL: Final = 20.0  # seconds
# What is sent in one go, in octets, each within STALL.
PIECE: Final = 1 << 16
# How long requests may go on after the broker was told to stop, in s.
GRACE: Final = 1.0


@attrs.define(eq=False)
class PatientStream(trio.abc.HalfCloseableStream):
    """A socket that gives up on a client that does not take what is sent to it."""

    socket_stream: trio.SocketStream

    @property
    def socket(self) -> trio.socket.SocketType:
        """The socket, which Hypercorn asks for its addresses."""
        return self.socket_stream.socket

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send, waiting STALL s for each PIECE at most. Raises trio.BrokenResourceError."""
        view = memoryview(data)
        for start in range(0, len(view), PIECE):
            try:
                with trio.fail_after(STALL):
                    await self.socket_stream.send_all(view[start : start + PIECE])
            except trio.TooSlowError:
                raise trio.BrokenResourceError(f"the client took nothing for {STALL:.0f} s") from None

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until a send might not have to wait."""
        await self.socket_stream.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """The next octets; none at the end."""
        return bytes(await self.socket_stream.receive_some(max_bytes))

    async def send_eof(self) -> None:
        """Say that nothing more comes."""
        await self.socket_stream.send_eof()

    async def aclose(self) -> None:
        """Close it."""
        await self.socket_stream.aclose()


@attrs.define(eq=False)
class HttpServer:
    """Serves one application on several doors; who comes in through an OwnerDoor is told to it as `local`."""

    app: Callable[..., Awaitable[None]]
    doors: Sequence[Door]
    handshake_timeout: float  # seconds
    _clients: dict[trio.CancelScope, trio.SocketStream] = attrs.field(factory=dict, init=False)
    _context: WorkerContext = attrs.field(init=False)
    _config: Config = attrs.field(init=False)
    _left: trio.Event = attrs.field(factory=trio.Event, init=False)

    def __attrs_post_init__(self) -> None:
        self._context = WorkerContext(None)
        config = self._config = Config()
        config.errorlog = logging.getLogger("amq.server.hypercorn")
        config.keep_alive_timeout = KEEP_ALIVE
        config.ssl_handshake_timeout = self.handshake_timeout
        config.include_server_header = False
        config.h2_max_concurrent_streams = 8

    async def run(self, stopping: trio.Event) -> None:
        """Serve until `stopping` is set and clients were given GRACE s to hear their answers, or until cancelled."""
        async with trio.open_nursery() as clients:
            async with trio.open_nursery() as accepting:
                for door in self.doors:
                    accepting.start_soon(self._accept, clients, door)
                await stopping.wait()
                accepting.cancel_scope.cancel()
            await self._context.terminated.set()
            with trio.move_on_after(GRACE):
                await self._emptied()
            self._cut()
            clients.cancel_scope.cancel()

    async def _emptied(self) -> None:
        while self._clients:
            self._left = trio.Event()
            await self._left.wait()

    def _cut(self) -> None:
        # What Hypercorn sends is shielded from cancellation, but not from the end of its socket.
        for stream in self._clients.values():
            with contextlib.suppress(OSError):
                stream.socket.shutdown(socket.SHUT_RDWR)

    async def _accept(self, clients: trio.Nursery, door: Door) -> None:
        await door.accept(partial(self._take, clients))

    def _take(self, clients: trio.Nursery, door: Door, stream: trio.SocketStream) -> None:
        crowded = len(self._clients) >= MOST_CLIENTS or hardly_a_descriptor_left(stream.socket.fileno())
        if crowded or (isinstance(door, OwnerDoor) and not comes_from_owner(stream.socket)):
            stream.socket.close()
            return
        clients.start_soon(self._serve, door, stream)

    async def _serve(self, door: Door, stream: trio.SocketStream) -> None:
        with trio.CancelScope() as scope:
            self._clients[scope] = stream
            try:
                await self._converse(door, stream)
            except Exception:
                # A defect of ours must not take the other clients along.
                LOGGER.exception("serving an HTTP client on %s failed", door.address())
            finally:
                del self._clients[scope]
                stream.socket.close()
                self._left.set()

    async def _converse(self, door: Door, stream: trio.SocketStream) -> None:
        patient = PatientStream(stream)
        secured: Any = patient
        if door.tls is not None:
            secured = trio.SSLStream(patient, door.tls, server_side=True, https_compatible=True)
        state = ConnectionState(LifespanState({"local": isinstance(door, OwnerDoor)}))
        await TCPServer(ASGIWrapper(cast("ASGIFramework", self.app)), self._config, self._context, state, secured).run()
