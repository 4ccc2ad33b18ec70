"""HTTP on sockets that listen: Hypercorn's protocol for each client, within bounds.

    at most MOST_CLIENTS at once, each of which has KEEP_ALIVE s for a request to arrive after the one before it;
    when more come, those go of whom nothing was heard, and who were told nothing, for the longest time
    nobody is waited for longer than STALL s who does not take what is sent to it

Not imported by a broker that serves no HTTP: Hypercorn is an extra.
"""

import contextlib
import logging
import socket
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from operator import attrgetter
from typing import Any, Final, cast

import attrs
import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ASGIFramework, ConnectionState, LifespanState

from amq.server.listener import Door, hardly_a_descriptor_left
from amq.server.owner import OwnerDoor, comes_from_owner
from amq.server.phrases import PhrasingServer
from amq.server.tls import forget

LOGGER: Final = logging.getLogger(__name__)

MOST_CLIENTS: Final = 500
# How many more may be there until those that were told to go have gone.
LEAVING: Final = 50
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
    # When something came or went last, in s of trio's clock.
    touched: float = attrs.field(factory=trio.current_time, init=False)
    cut: bool = attrs.field(default=False, init=False)

    @property
    def socket(self) -> trio.socket.SocketType:
        """The socket, which Hypercorn asks for its addresses."""
        return self.socket_stream.socket

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send, waiting STALL s for each PIECE at most. Raises trio.BrokenResourceError."""
        self.touched = trio.current_time()
        view = memoryview(data)
        for start in range(0, len(view), PIECE):
            try:
                with trio.fail_after(STALL):
                    await self.socket_stream.send_all(view[start : start + PIECE])
            except trio.TooSlowError:
                # Whoever waits to hear from it would wait on.
                self.end()
                raise trio.BrokenResourceError(f"the client took nothing for {STALL:.0f} s") from None

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until a send might not have to wait."""
        await self.socket_stream.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """The next octets; none at the end."""
        received = await self.socket_stream.receive_some(max_bytes)
        self.touched = trio.current_time()
        return bytes(received)

    async def send_eof(self) -> None:
        """Say that nothing more comes."""
        await self.socket_stream.send_eof()

    async def aclose(self) -> None:
        """Close it."""
        await self.socket_stream.aclose()

    def end(self) -> None:
        """Have whoever waits for this client find that it is gone."""
        # What Hypercorn sends is shielded from cancellation, but not from the end of its socket.
        self.cut = True
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)


@attrs.define(eq=False)
class HttpServer:
    """Serves one application on several doors; who comes in through an OwnerDoor is told to it as `local`."""

    app: Callable[..., Awaitable[None]]
    doors: Sequence[Door]
    handshake_timeout: float  # seconds
    # A dict as a set.
    _clients: dict[PatientStream, None] = attrs.field(factory=dict, init=False)
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
            for stream in self._clients:
                stream.end()
            clients.cancel_scope.cancel()

    async def _emptied(self) -> None:
        while self._clients:
            self._left = trio.Event()
            await self._left.wait()

    async def _accept(self, clients: trio.Nursery, door: Door) -> None:
        await door.accept(partial(self._take, clients))

    def _take(self, clients: trio.Nursery, door: Door, stream: trio.SocketStream) -> None:
        full = len(self._clients) >= MOST_CLIENTS + LEAVING or hardly_a_descriptor_left(stream.socket.fileno())
        if full or (isinstance(door, OwnerDoor) and not comes_from_owner(stream.socket)):
            stream.socket.close()
            return
        self._make_room()
        client = PatientStream(stream)
        self._clients[client] = None
        clients.start_soon(self._serve, door, client)

    def _make_room(self) -> None:
        staying = [client for client in self._clients if not client.cut]
        if len(staying) >= MOST_CLIENTS:
            min(staying, key=attrgetter("touched")).end()

    async def _serve(self, door: Door, client: PatientStream) -> None:
        try:
            await self._converse(door, client)
        except Exception:
            # A defect of ours must not take the other clients along.
            LOGGER.exception("serving an HTTP client on %s failed", door.address())
        finally:
            del self._clients[client]
            client.socket.close()
            self._left.set()

    async def _converse(self, door: Door, client: PatientStream) -> None:
        secured: Any = client
        if door.tls is not None:
            secured = trio.SSLStream(client, door.tls, server_side=True, https_compatible=True)
        state = ConnectionState(LifespanState({"local": isinstance(door, OwnerDoor)}))
        app = ASGIWrapper(cast("ASGIFramework", self.app))
        try:
            await PhrasingServer(app, self._config, self._context, state, secured).run()
        finally:
            if door.tls is not None:
                forget(secured)
