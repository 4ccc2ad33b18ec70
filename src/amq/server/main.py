"""The process `amq serve`: one server, stopped by signals."""

import logging
import resource
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Final

import trio

from amq.broker import Broker
from amq.config.settings import Settings
from amq.server import memory
from amq.server.alarms import MemoryAlarm
from amq.server.collector import Collector
from amq.server.errors import StorageFailed, storage_failures
from amq.server.failstop import STORAGE_FAILED, fail_stop
from amq.server.folder import DataFolder
from amq.server.management import Web
from amq.server.preparing import new_broker
from amq.server.reloading import Reloader
from amq.server.server import Server
from amq.server.storage import Storage

LOGGER: Final = logging.getLogger(__name__)

STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
# How long the thread that waits for the disk may be kept from going on by the one that does everything else, in s:
# every confirm waits for it. Measured: end-to-end p99 of durable messages 1.4 ms instead of 3 with Python's 5 ms.
SWITCH_INTERVAL: Final = 0.0005
# How long clients have to answer connection.close.
GRACE: Final = 3.0  # seconds
# One request to stop may arrive twice: from a process group and from the program (make, timeout) that leads it.
ECHO: Final = 0.1  # seconds


Read = Callable[[], tuple[Settings, list[str]]]


def run(settings: Settings, announce: Callable[[Server], None], read: Read) -> int:
    """Serve until SIGTERM or SIGINT; returns the exit status. `announce` is called once clients can connect, and
    `read` reads the configuration anew (SIGHUP).

    Raises StartError when a listener cannot be opened or the data folder cannot be used.
    """
    _allow_many_connections()
    sys.setswitchinterval(SWITCH_INTERVAL)
    try:
        trio.run(_main, settings, announce, read)
    except (StorageFailed, BaseExceptionGroup) as error:
        failures, rest = storage_failures(error)
        # Before there was a client to tell.
        for failure in failures:
            LOGGER.critical("%s", failure)
        if rest is not None:
            raise rest from None
        return STORAGE_FAILED
    return 0


async def _main(settings: Settings, announce: Callable[[Server], None], read: Read) -> None:
    with _data_folder(settings) as folder:
        await _serve(settings, folder, announce, read)
    LOGGER.info("stopped")


async def _serve(settings: Settings, folder: DataFolder | None, announce: Callable[[Server], None], read: Read) -> None:
    if folder is None:
        await _serve_broker(settings, new_broker(settings), None, announce, read)
        return
    storage = await Storage.open(settings, folder)
    try:
        await _serve_broker(settings, storage.broker, storage, announce, read)
    finally:
        await storage.close()


async def _serve_broker(
    settings: Settings, broker: Broker, storage: Storage | None, announce: Callable[[Server], None], read: Read
) -> None:
    total = settings.total_memory_available_override_value or memory.available()
    alarm = _memory_alarm(settings, broker, total)
    server = Server(settings, broker, alarm, Collector(), storage, fail_stop, Web(settings))
    reloader = Reloader(server, read)
    if server.web is not None:
        server.web.reload = reloader.reload
    with (
        trio.open_signal_receiver(*STOP_SIGNALS) as arrivals,
        trio.open_signal_receiver(signal.SIGHUP) as hangups,
    ):
        await server.open()
        announce(server)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_stop_when_told, arrivals, server)
            nursery.start_soon(reloader.serve, hangups)
            await server.run()
            nursery.cancel_scope.cancel()


async def _stop_when_told(arrivals: AsyncIterator[int], server: Server) -> None:
    number = await anext(arrivals)
    LOGGER.info("%s received: stopping", signal.Signals(number).name)
    server.stop(GRACE)
    with trio.move_on_after(ECHO):
        async for _ in arrivals:
            pass
    # From here on a signal does what it does by itself: end the process at once, even one that hangs.
    for stop_signal in STOP_SIGNALS:
        signal.signal(stop_signal, signal.SIG_DFL)


def _data_folder(settings: Settings) -> AbstractContextManager[DataFolder | None]:
    return nullcontext() if settings.data is None else DataFolder.open(settings.data)


def _memory_alarm(settings: Settings, broker: Broker, total: int | None) -> MemoryAlarm | None:
    if total is None or not memory.resident():
        LOGGER.warning("this system does not tell how much memory is in use: vm_memory_high_watermark has no effect")
        return None
    return MemoryAlarm(broker, settings.memory_high_watermark.limit(total), memory.resident)


def _allow_many_connections() -> None:
    """Raise the limit on open files as far as it may be raised: every client takes one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    except (OSError, ValueError) as error:
        LOGGER.warning("the limit on open files stays where it is: %s", error)
