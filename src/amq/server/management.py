"""What is served over HTTP besides AMQP: the management API with its console, and figures for Prometheus.

Listens together with AMQP, so that a port which is taken is told at once; what answers is imported afterwards, in a
thread, while AMQP clients are served already. Without the extra that brings an HTTP server, AMQP is all there is.
"""

import importlib
import logging
import ssl
from collections.abc import Awaitable, Callable, Sequence
from importlib.util import find_spec
from typing import Final

import attrs
import trio

from amq.broker import Broker
from amq.config.reloaded import Outcome
from amq.config.settings import Listener, Settings, TlsSettings
from amq.config.web import ManagementSettings, PrometheusSettings
from amq.metrics.journal import JournalStatistics
from amq.metrics.thresholds import Thresholds
from amq.server.errors import SettingError, StartError
from amq.server.listener import Door, close_doors, open_doors
from amq.server.owner import OwnerDoor, open_owner_door, socket_path
from amq.server.tls import server_context

LOGGER: Final = logging.getLogger(__name__)

# What the extra brings.
NEEDED: Final = ("starlette", "hypercorn", "prometheus_client", "argon2")
# Where it is put together, and imports what the extra brings.
ASSEMBLY: Final = "amq.server.assembly"
LOOPBACK: Final = "127.0.0.1"
EVERY_INTERFACE: Final = "::"
# The plain and the TLS port.
API_PORTS: Final = (15672, 15671)
FIGURES_PORTS: Final = (15692, 15691)


@attrs.frozen(kw_only=True)
class Surroundings:
    """The server, for what is put around it. `flush` sends what is in the outboxes."""

    broker: Broker
    flush: Callable[[], None]
    doors: Sequence[Door]
    thresholds: Thresholds
    journal: JournalStatistics | None


async def nothing_to_reload() -> Outcome:
    """The reload of a server that has no configuration to read."""
    return Outcome([], [], [])


@attrs.define(eq=False)
class Web:
    """The doors for HTTP. `open`, then `run` until `stop`; each once."""

    settings: Settings
    api: list[Door] = attrs.field(factory=list, init=False)
    figures: list[Door] = attrs.field(factory=list, init=False)
    owner: OwnerDoor | None = attrs.field(default=None, init=False)
    # Reads the configuration again (`server.reloading`).
    reload: "Callable[[], Awaitable[Outcome]]" = attrs.field(default=nothing_to_reload, init=False)
    # Set when it is to end; whoever streams something ends it then.
    stopping: trio.Event = attrs.field(factory=trio.Event, init=False)
    _ended: trio.Event = attrs.field(factory=trio.Event, init=False)

    async def open(self) -> None:
        """Start to listen; clients wait until `run`. Raises StartError, and then nothing is open."""
        settings = self.settings
        if not (settings.management.enabled or settings.prometheus.enabled):
            return
        problem = missing()
        if problem:
            LOGGER.warning("no HTTP API, no console and no figures for Prometheus: %s", problem)
            return
        try:
            await self._open()
        except BaseException:
            self.close()
            raise

    async def _open(self) -> None:
        management, prometheus = self.settings.management, self.settings.prometheus
        if management.enabled:
            self.api = await _listen("management", management, API_PORTS, self.settings.management_tls)
            path = socket_path(self.settings.data, management.unix_socket)
            if path is not None:
                self.owner = open_owner_door(path)
        if prometheus.enabled:
            self.figures = await _listen("prometheus", prometheus, FIGURES_PORTS, self.settings.prometheus_tls)

    async def run(self, surroundings: Surroundings) -> None:
        """Serve until `stop`, or until cancelled."""
        try:
            if self.api or self.figures or self.owner is not None:
                assembly = await trio.to_thread.run_sync(importlib.import_module, ASSEMBLY)
                await assembly.serve(self, surroundings)
        except Exception:
            # A defect of ours here must not take the AMQP clients along.
            LOGGER.exception("the HTTP API has failed and is closed; AMQP goes on")
        finally:
            self.close()
            self._ended.set()

    async def finish(self) -> None:
        """Accept nobody any more, let requests end, and wait until all have."""
        self.stopping.set()
        await self._ended.wait()

    def close(self) -> None:
        """Stop listening."""
        close_doors([*self.api, *self.figures])
        if self.owner is not None:
            close_doors([self.owner])
            self.owner.remove()
            self.owner = None


def missing() -> str:
    """Why nothing can be served over HTTP, and what to do about it; empty when it can."""
    names = [name for name in NEEDED if find_spec(name) is None]
    if not names:
        return ""
    listed = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    return f"{listed} not installed; `pip install 'amq[management]'` brings what is needed"


async def _listen(
    prefix: str, settings: ManagementSettings | PrometheusSettings, ports: tuple[int, int], tls: TlsSettings | None
) -> list[Door]:
    context = None if tls is None else _context(prefix, tls)
    try:
        return await open_doors(listeners(settings, ports, tls is not None), context)
    except StartError as error:
        problem = f"{error} ({prefix}.tcp.port, {prefix}.ssl.port)"
        if tls is None and settings.tcp_port is None and settings.tcp_ip is None:
            # Nobody has asked for this port: another broker on this machine must not keep AMQP from being served.
            LOGGER.warning("%s; AMQP is served without it", problem)
            return []
        raise StartError(problem) from None


def listeners(
    settings: ManagementSettings | PrometheusSettings, ports: tuple[int, int], secured: bool
) -> tuple[Listener, ...]:
    """Where to listen: over TLS when there is a certificate, and then plainly only if that was asked for."""
    chosen = []
    if not secured or settings.tcp_port is not None or settings.tcp_ip is not None:
        chosen.append(_listener(settings.tcp_ip, settings.tcp_port, ports[0], False))
    if secured:
        chosen.append(_listener(settings.ssl_ip, settings.ssl_port, ports[1], True))
    return tuple(chosen)


def _listener(address: str | None, port: int | None, default: int, tls: bool) -> Listener:
    host = LOOPBACK if address is None else "" if address == EVERY_INTERFACE else address
    return Listener(host, default if port is None else port, tls)


def _context(prefix: str, tls: TlsSettings) -> ssl.SSLContext:
    try:
        return server_context(tls)
    except SettingError as error:
        # The same options under another name.
        key = f"{prefix}.ssl"
        field = error.field.replace("tls", f"{prefix}_tls", 1)
        problem = error.problem.replace("ssl_options", key)
        option = error.field.partition(".")[2]
        raise SettingError(field, f"{key}.{option}", problem, error.value) from None
