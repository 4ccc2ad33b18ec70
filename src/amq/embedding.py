"""The broker in a trio program: what `amq.embed` gives to programs, threads left out."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final
from urllib.parse import quote

import attrs
import trio

from amq.broker import Broker
from amq.config.settings import Listener, Settings
from amq.config.web import ManagementSettings, PrometheusSettings
from amq.metrics.journal import JournalStatistics
from amq.server.errors import StartError, storage_failures
from amq.server.failstop import raise_out
from amq.server.folder import DataFolder
from amq.server.listener import Door
from amq.server.management import Web, missing
from amq.server.preparing import new_broker
from amq.server.server import Server
from amq.server.storage import Storage
from amq.server.transience import forget_transient
from amq.vhost.permission import Permission

# A program that sets up no logging is not to find our lines on its stderr.
logging.getLogger("amq").addHandler(logging.NullHandler())

FREE_PORT: Final = (Listener("127.0.0.1", 0),)
# Clients in the thread that stops the broker cannot answer connection.close while it waits here.
GRACE: Final = 0.1  # seconds
# What connection.close says by default when an operator closes a connection.
CLOSED: Final = "Closed via management plugin"
# How long the end of a block waits for the broker, whatever became of the program.
FAREWELL: Final = 5.0  # seconds
STOPPED: Final = "the broker has stopped"


@attrs.frozen
class Address:
    """Where an embedded broker is found, as whom, and in which vhost."""

    host: str
    port: int
    user: str
    password: str = attrs.field(repr=False)
    vhost: str
    tls: bool

    @property
    def url(self) -> str:
        """The AMQP URL, credentials and vhost included."""
        user, password, vhost = (quote(part, safe="") for part in (self.user, self.password, self.vhost))
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"amqp{'s' * self.tls}://{user}:{password}@{host}:{self.port}/{vhost}"


@attrs.define(eq=False)
class EmbeddedBroker:
    """A broker in a trio program, and levers for what can go wrong with it. For the task that `serve` was entered in
    and its descendants; the levers act before they return. After the block they raise RuntimeError.
    """

    settings: Settings
    broker: Broker
    _storage: Storage | None = None
    # Whether clients can connect: not during `restart`, nor after one that failed.
    listening: bool = attrs.field(default=False, init=False)
    _server: Server = attrs.field(init=False)
    _nursery: trio.Nursery = attrs.field(init=False)
    _gone: trio.Event = attrs.field(init=False)
    # Held by who starts or stops the server.
    _changing: trio.Lock = attrs.field(factory=trio.Lock, init=False)
    _ended: bool = attrs.field(default=False, init=False)

    @property
    def address(self) -> Address:
        """Where the first listener is found; the user and the vhost are the default ones."""
        door = self._server.doors[0]
        settings = self.settings
        tls = door.tls is not None
        return Address(door.host, door.port, settings.default_user, settings.default_pass, settings.default_vhost, tls)

    @property
    def host(self) -> str:
        """Where it listens, as an address."""
        return self.address.host

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.address.port

    @property
    def url(self) -> str:
        """The AMQP URL of the default vhost for the default user."""
        return self.address.url

    def url_of(self, vhost: str) -> str:
        """The AMQP URL of another vhost for the default user."""
        return attrs.evolve(self.address, vhost=vhost).url

    @property
    def management_url(self) -> str | None:
        """Where the HTTP API and the console are found, without /api; None when they were not asked for."""
        web = self._server.web
        if web is None or not web.api:
            return None
        door = web.api[0]
        return f"http{'s' * (door.tls is not None)}://{door.address()}{self.settings.management.path_prefix}"

    @property
    def journal_statistics(self) -> JournalStatistics | None:
        """What the journal has done since the start: fsyncs, messages, octets, seconds; None without a data folder."""
        storage = self._storage
        return None if storage is None or storage.writer is None else storage.writer.statistics

    def drop_connections(self) -> None:
        """Cut every client's socket without a word, as a network failure does."""
        self._alive().cut_clients()

    def close_connections(self, reason: str = CLOSED) -> None:
        """Send `connection.close` 320 with this reason to every client, as an operator does."""
        self._alive().close_clients(reason)

    def block_publishers(self) -> None:
        """Raise the memory alarm: clients that publish hear `connection.blocked` and are not read from."""
        self._alive().work(lambda: self.broker.set_alarm("memory", True))

    def unblock_publishers(self) -> None:
        """Clear the memory alarm: `connection.unblocked`."""
        self._alive().work(lambda: self.broker.set_alarm("memory", False))

    def refuse_logins(self) -> None:
        """Refuse every login from now on, whoever asks; clients that are connected stay."""
        self._alive().broker.accepting_logins = False

    def accept_logins(self) -> None:
        """Let users in again."""
        self._alive().broker.accepting_logins = True

    def add_vhost(self, name: str) -> None:
        """A new, empty vhost in which the default user may do everything; nothing happens if it is there already."""
        self._alive().work(partial(self._add_vhost, name))

    def delete_vhost(self, name: str) -> None:
        """Delete a vhost with all that is in it and close the connections to it; a missing one is no error."""
        self._alive().work(partial(self.broker.delete_vhost, name))

    async def restart(self) -> None:
        """Stop and start on the same port, as an operator does: every client hears `connection.close` 320.

        What is durable stays: vhosts, users, durable exchanges and queues, the bindings between them, and persistent
        messages in durable queues (as redelivered). Everything else is gone. With a data folder that is read back, and
        what had not been delivered is not redelivered. Levers stay as they are. Restarts wait for each other. Raises
        StartError when another program took the port meanwhile: nobody listens then, and another restart may be tried.
        """
        async with self._changing:
            self._alive()
            await self._stop()
            if self._storage is None:
                forget_transient(self.broker)
            else:
                await self._reopen(self._storage)
            await self.listen()
            self.serve(self._nursery)

    async def listen(self) -> None:
        """Open the listeners; for `amq.embed.serve`. Raises StartError."""
        server = Server(self.settings, self.broker, storage=self._storage, failed=raise_out, web=self._web())
        await server.open()
        self._server = server
        self.listening = True
        # A port that the system chose is kept over restarts.
        bound = tuple(Listener(door.host, door.port, door.tls is not None) for door in server.doors)
        self.settings = attrs.evolve(self.settings, listeners=bound)
        if server.web is not None:
            self.settings = attrs.evolve(self.settings, management=_bound(self.settings.management, server.web.api))

    def serve(self, nursery: trio.Nursery) -> None:
        """Serve clients in that nursery; for `amq.embed.serve`."""
        self._nursery = nursery
        self._gone = trio.Event()
        nursery.start_soon(self._run, self._server, self._gone)

    async def end(self) -> None:
        """Close every connection and listener for good; for `amq.embed.serve`."""
        async with self._changing:
            self._ended = True
            await self._stop()

    async def close(self) -> None:
        """Let go of the data folder; for `amq.embed.serve`."""
        if self._storage is not None:
            await self._storage.close()
            self._storage.folder.close()

    async def _reopen(self, storage: Storage) -> None:
        """Bring back what the folder holds, in a new broker; the levers stay as they are."""
        await storage.close()
        self._storage = await Storage.open(self.settings, storage.folder)
        before, self.broker = self.broker, self._storage.broker
        self.broker.accepting_logins = before.accepting_logins
        self.broker.set_alarm("memory", "memory" in before.alarms)

    def _web(self) -> Web | None:
        """What is to be served over HTTP, if anything. Raises StartError when that is not installed."""
        if not (self.settings.management.enabled or self.settings.prometheus.enabled):
            return None
        problem = missing()
        if problem:
            raise StartError(f"HTTP cannot be served: {problem}")
        return Web(self.settings)

    def _add_vhost(self, name: str) -> None:
        vhost = self.broker.add_vhost(name)
        vhost.permissions.set(self.settings.default_user, Permission(".*", ".*", ".*"))

    def _alive(self) -> Server:
        """What a lever acts on: the server, also one that is stopped and may be followed by another."""
        if self._ended:
            raise RuntimeError(STOPPED)
        return self._server

    async def _stop(self) -> None:
        self.listening = False
        self._server.stop(GRACE)
        await self._gone.wait()

    async def _run(self, server: Server, gone: trio.Event) -> None:
        try:
            await server.run()
        finally:
            gone.set()


@asynccontextmanager
async def serve(**settings: Any) -> AsyncIterator[EmbeddedBroker]:
    """A broker in this trio program, from here to the end of the block.

    Raises StartError, and TypeError or ValueError for settings that do not exist or are out of range. What the block
    raises comes out as it is.
    """
    chosen = _settings(settings)
    embedded = await _opened(chosen)
    try:
        await embedded.listen()
        async with _served(embedded):
            yield embedded
    except BaseExceptionGroup as group:
        # A disk that failed is the program's to know, by its own name.
        failures, _ = storage_failures(group)
        if failures:
            raise failures[0] from None
        raise
    finally:
        with trio.CancelScope(shield=True):
            await embedded.close()


async def _opened(settings: Settings) -> EmbeddedBroker:
    if settings.data is None:
        return EmbeddedBroker(settings, new_broker(settings))
    folder = DataFolder.open(settings.data)
    try:
        storage = await Storage.open(settings, folder)
    except BaseException:
        folder.close()
        raise
    return EmbeddedBroker(settings, storage.broker, storage)


@asynccontextmanager
async def _served(embedded: EmbeddedBroker) -> AsyncIterator[None]:
    """Serve clients from here to the end of the block."""
    failure: BaseException | None = None
    try:
        async with trio.open_nursery() as nursery:
            embedded.serve(nursery)
            try:
                yield
            except BaseException as error:
                if nursery.cancel_scope.cancel_called:
                    raise  # cancelled by a defect of the broker, which comes out of the nursery as well
                failure = error
            with trio.move_on_after(FAREWELL, shield=True):
                await embedded.end()
            nursery.cancel_scope.cancel()
    finally:
        # Out of the nursery it would come as an ExceptionGroup, or be lost in a program that is cancelled.
        if failure is not None:
            raise failure


def _settings(chosen: dict[str, Any]) -> Settings:
    listeners = chosen.get("listeners", FREE_PORT)
    if not isinstance(listeners, tuple) or not all(isinstance(listener, Listener) for listener in listeners):
        raise TypeError(f"listeners must be a tuple of amq.config.settings.Listener, not {listeners!r}")
    if not listeners:
        raise ValueError("listeners must not be empty")
    management = chosen.get("management", False)
    if isinstance(management, bool):
        management = ManagementSettings(tcp_port=0) if management else ManagementSettings(enabled=False)
    # Who embeds a broker has figures of his own.
    prometheus = chosen.get("prometheus", PrometheusSettings(enabled=False))
    return Settings(**{**chosen, "listeners": listeners, "management": management, "prometheus": prometheus})


def _bound(management: ManagementSettings, doors: list[Door]) -> ManagementSettings:
    """The settings with the ports that the system chose, which are kept over restarts."""
    for door in doors:
        if door.tls is None:
            management = attrs.evolve(management, tcp_port=door.port)
        else:
            management = attrs.evolve(management, ssl_port=door.port)
    return management
