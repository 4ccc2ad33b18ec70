"""A broker on its sockets: listens, serves every client, stops in good order. The nursery of all that runs is here."""

import contextlib
import logging
import socket
import ssl
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import attrs
import trio

from amq.broker import Broker
from amq.config.settings import Settings
from amq.connection.connection import Connection
from amq.connection.peer import Peer
from amq.server import logs
from amq.server.alarms import MemoryAlarm
from amq.server.collector import Collector
from amq.server.errors import StartError, StorageFailed, storage_failures
from amq.server.listener import Door, close_doors, hardly_a_descriptor_left, open_doors
from amq.server.log_lines import LEVELS
from amq.server.logins import decide
from amq.server.management import Surroundings, Web
from amq.server.plain import PlainTransport
from amq.server.reactor import Reactor
from amq.server.storage import Storage
from amq.server.thresholds import Alarms
from amq.server.ticker import Ticker
from amq.server.tls import forget, server_context
from amq.server.transport import send_all
from amq.server.wired import TlsWire, WiredTransport

LOGGER: Final = logging.getLogger(__name__)

SHUTDOWN: Final = "broker forced connection closure with reason 'shutdown'"


@attrs.define(eq=False)
class Server:
    """`open`, then `run` until `stop`; each once. The broker outlives it and may be served again by another.

    With `storage`, what is durable is kept there; `failed` is awaited when its disk fails, and decides how to end.
    """

    settings: Settings
    broker: Broker
    alarm: MemoryAlarm | None = None
    collector: Collector | None = None
    storage: Storage | None = None
    failed: "Callable[[Server, StorageFailed], Awaitable[None]] | None" = None
    web: Web | None = None
    doors: list[Door] = attrs.field(factory=list, init=False)
    ticker: Ticker = attrs.field(init=False)
    thresholds: Alarms = attrs.field(init=False)
    _accepting: trio.CancelScope = attrs.field(factory=trio.CancelScope, init=False)
    _services: trio.Nursery | None = attrs.field(default=None, init=False)
    _reactor: Reactor = attrs.field(init=False)
    _plain: dict[PlainTransport, None] = attrs.field(factory=dict, init=False)
    _secured: dict[trio.CancelScope, trio.SocketStream] = attrs.field(factory=dict, init=False)
    # Set when the last client on a plain socket is gone, once somebody waits for that.
    _empty: trio.Event | None = attrs.field(default=None, init=False)
    _grace: float = attrs.field(default=0.0, init=False)
    _refusing: bool = attrs.field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        self.thresholds = Alarms(self.broker, self.alarm, self.storage)
        self.ticker = Ticker(self.broker, self.flush)
        if self.storage is not None:
            self.storage.attach(self.flush)

    async def open(self) -> None:
        """Start to listen; clients wait in the backlog until `run`. Raises StartError, and then nothing is open."""
        tls = None
        if any(listener.tls for listener in self.settings.listeners):
            assert self.settings.tls is not None, "Settings refuses a TLS listener without it"
            tls = server_context(self.settings.tls)
        # AMQP's last: a client that gets in finds a broker that will not fail to start.
        if self.web is not None:
            await self.web.open()
        try:
            self.doors = await open_doors(self.settings.listeners, tls, self.settings.tcp)
            self._reactor = self._new_reactor()
        except BaseException:
            close_doors(self.doors)
            if self.web is not None:
                self.web.close()
            raise

    def _new_reactor(self) -> Reactor:
        try:
            return Reactor()
        except OSError as error:
            raise StartError(f"cannot wait for clients: {error.strerror}") from None

    async def run(self) -> None:
        """Serve until `stop` was called and every client is gone, or until cancelled."""
        try:
            async with trio.open_nursery() as services:
                self._services = services
                services.start_soon(self._reactor.run)
                services.start_soon(self.ticker.run)
                if self.alarm is not None:
                    services.start_soon(self.alarm.run, self.flush)
                if self.collector is not None:
                    services.start_soon(self.collector.run)
                if self.storage is not None:
                    services.start_soon(self._keep, self.storage)
                if self.web is not None:
                    services.start_soon(self.web.run, self._surroundings())
                await self._serve_clients()
                if self.web is not None:
                    await self.web.finish()
                if self.storage is not None:
                    await self.storage.finish()
                services.cancel_scope.cancel()
        finally:
            self._services = None
            close_doors(self.doors)
            self._reactor.close()

    def stop(self, grace: float) -> None:
        """Accept nobody any more, tell every client, and cut off who is still there after `grace` seconds."""
        self._grace = grace
        self._accepting.cancel()

    def close_clients(self, reason: str) -> None:
        """Send `connection.close` 320 with this reason to every client."""
        self.work(partial(self._force_close, reason))

    def cut_clients(self) -> None:
        """Drop every client's socket without a word, as a broken network does."""
        for transport in list(self._plain):
            transport.cut()
        for scope, stream in self._secured.items():
            scope.cancel()
            # Not closed before its task is through with it: another client might get the same descriptor.
            with contextlib.suppress(OSError):
                stream.socket.shutdown(socket.SHUT_RDWR)

    def work(self, action: Callable[[], None]) -> None:
        """Let the core do something that no client asked for, and send what comes of it."""
        self.broker.clock.now = time.monotonic()
        action()
        self.flush()

    def flush(self) -> None:
        """Send what the core's last work has put into the outboxes, log what it noted, look at the next deadline."""
        send_all(self.broker)
        if self.storage is not None:
            # Deliveries do not wait for the disk, not even for it to begin.
            self.storage.kick()
        if self.broker.log:
            logs.publish(self.broker.log)
        self.ticker.kick()
        if self.broker.deciding and self._services is not None:
            deciding, self.broker.deciding = self.broker.deciding, []
            for client, login in deciding:
                self._services.start_soon(decide, self.broker, client, login, self.work)

    def _surroundings(self) -> Surroundings:
        storage = self.storage
        return Surroundings(
            broker=self.broker,
            flush=self.flush,
            doors=self.doors,
            thresholds=self.thresholds,
            journal=None if storage is None or storage.writer is None else storage.writer.statistics,
        )

    def _force_close(self, reason: str) -> None:
        for client in list(self.broker.clients):
            client.force_close(reason)

    async def _keep(self, storage: Storage) -> None:
        """Serve the storage until it is finished, or its disk has failed."""
        try:
            await storage.run()
        except BaseExceptionGroup as group:
            failures, rest = storage_failures(group)
            for failure in failures:
                assert self.failed is not None, "whoever has storage knows how to end"
                await self.failed(self, failure)
            if rest is not None:
                raise rest from None

    async def _serve_clients(self) -> None:
        try:
            async with trio.open_nursery() as clients:
                with self._accepting:
                    async with trio.open_nursery() as accepting:
                        for door in self.doors:
                            accepting.start_soon(door.accept, partial(self._take, clients))
                close_doors(self.doors)
                self.close_clients(SHUTDOWN)
                clients.cancel_scope.deadline = trio.current_time() + self._grace
                if self._plain:
                    self._empty = trio.Event()
                    await self._empty.wait()
        finally:
            for transport in list(self._plain):
                transport.end()

    def _take(self, clients: trio.Nursery, door: Door, stream: trio.SocketStream) -> None:
        if self.storage is not None and hardly_a_descriptor_left(stream.socket.fileno()):
            # The journal and the definitions must be able to open their files.
            if not self._refusing:
                LOGGER.error("connections on %s are refused: the last file descriptors are held back", door.address())
            self._refusing = True
            stream.socket.close()
            return
        self._refusing = False
        try:
            host, port = stream.socket.getpeername()[:2]
            server_host, server_port = stream.socket.getsockname()[:2]
        except OSError:
            # Gone before it was served.
            stream.socket.close()
            return
        if not self.settings.tcp.nodelay:
            # trio has set it.
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 0)
        peer = Peer(host, port, server_host, server_port)
        if door.tls is None:
            connection = Connection(self.broker, peer, time.monotonic())
            fd = stream.socket.detach()
            transport = PlainTransport(connection, self.flush, fd, self._reactor, clients.start_soon, self._ended)
            self._plain[transport] = None
            transport.begin()
        else:
            clients.start_soon(self._serve_secured, door.tls, stream, peer)

    def _ended(self, transport: PlainTransport) -> None:
        del self._plain[transport]
        if self._empty is not None and not self._plain:
            self._empty.set()
        if self.collector is not None:
            self.collector.gone()

    async def _serve_secured(self, tls: ssl.SSLContext, stream: trio.SocketStream, peer: Peer) -> None:
        with trio.CancelScope() as scope:
            self._secured[scope] = stream
            try:
                secured = trio.SSLStream(stream, tls, server_side=True, https_compatible=True)
                try:
                    await self._converse(secured, peer)
                finally:
                    forget(secured)
            except Exception:
                # A defect of ours must not take the other clients along.
                LOGGER.exception("serving %s failed", peer)
            finally:
                del self._secured[scope]
                stream.socket.close()
                if self.collector is not None:
                    self.collector.gone()

    async def _converse(self, secured: "trio.SSLStream[trio.SocketStream]", peer: Peer) -> None:
        if await self._shake_hands(secured, peer):
            name, version, _ = secured.cipher() or ("", "", 0)
            certificate = secured.getpeercert() or None
            peer = attrs.evolve(peer, tls=True, certificate=certificate, tls_version=version, cipher=name)
            connection = Connection(self.broker, peer, time.monotonic())
            await WiredTransport(connection, self.flush, TlsWire(secured)).run()

    async def _shake_hands(self, secured: "trio.SSLStream[trio.SocketStream]", peer: Peer) -> bool:
        """Whether that worked; otherwise it is logged."""
        try:
            with trio.fail_after(self.settings.ssl_handshake_timeout / 1000):
                await secured.do_handshake()
        except trio.TooSlowError:
            reason = "handshake timeout"
        except trio.BrokenResourceError as error:
            reason = str(error.__cause__ or "the client closed the connection")
        else:
            return True
        LOGGER.log(LEVELS["notice"], "TLS handshake with %s:%d failed: %s", peer.host, peer.port, reason)
        return False
