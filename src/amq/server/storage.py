"""What a broker with a data folder has besides: its definition store, its journal, and the tasks that serve them."""

import gc
import logging
import time
from collections.abc import Callable
from typing import Final, Self

import attrs
import trio

from amq.broker import Broker
from amq.config.settings import Settings
from amq.definitions.restore import restore
from amq.definitions.sqlite import SqliteStore
from amq.definitions.store import Store, StoreError
from amq.journal.batch import Batch
from amq.journal.replay import Corrupt, Replay
from amq.queues.base import Queue
from amq.server import memory
from amq.server.disk import FolderDisk
from amq.server.disk_alarm import DiskAlarm
from amq.server.errors import StartError
from amq.server.folder import DataFolder
from amq.server.journal_files import JournalFiles, NoRoom
from amq.server.journal_writer import JournalWriter
from amq.server.loader import Loader
from amq.server.offline import refusal
from amq.server.pager import Pager
from amq.server.paging import Paging
from amq.server.preparing import bare_broker, furnish

LOGGER: Final = logging.getLogger(__name__)


@attrs.define(eq=False)
class Storage:
    """An open data folder and the broker that lives in it; `close` when nothing uses it any more."""

    settings: Settings
    folder: DataFolder
    store: Store
    files: JournalFiles
    broker: Broker
    writer: JournalWriter | None = attrs.field(default=None, init=False)
    loader: Loader | None = attrs.field(default=None, init=False)
    pager: Pager | None = attrs.field(default=None, init=False)
    paging: Paging = attrs.field(init=False)
    alarm: DiskAlarm = attrs.field(init=False)
    flush: Callable[[], None] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.paging = Paging(self.folder.paging)

    @classmethod
    async def open(cls, settings: Settings, folder: DataFolder) -> Self:
        """Bring back what the folder holds, in a new broker.

        Raises StartError for a folder that cannot be read, and what `server.preparing.furnish` raises.
        """
        began = time.perf_counter()
        try:
            store = SqliteStore.open(folder.definitions)
        except StoreError as error:
            raise StartError(str(error)) from None
        files = JournalFiles(FolderDisk(folder.journal), settings.journal_segment_bytes)
        # Nothing of what is made now is garbage.
        collecting = gc.isenabled()
        gc.disable()
        try:
            broker = await _recover(settings, folder, store, files)
        except BaseException:
            files.close()
            await store.close()
            raise
        finally:
            if collecting:
                gc.enable()
        LOGGER.info("%s recovered in %.2f s", folder.path, time.perf_counter() - began)
        return cls(settings, folder, store, files, broker)

    def attach(self, flush: Callable[[], None]) -> None:
        """Make ready to serve; `flush` sends what became ready to be sent."""
        self.flush = flush
        stall = self.settings.journal_stall_seconds
        self.writer = JournalWriter(self.broker, self.files, self.store, stall, flush, self._starved)
        self.loader = Loader(self.broker, self.files, self.paging, flush)
        total = self.settings.total_memory_available_override_value or memory.available()
        self.alarm = DiskAlarm(self.broker, self.settings.disk_free_limit.limit(total), self.files.disk.free)
        if memory.resident():
            self.pager = Pager(self.broker, self.settings.body_budget(total), memory.resident, self.paging, flush)

    def _starved(self, now: bool) -> None:
        if self.alarm.kick(now):
            self.flush()

    def kick(self) -> None:
        """The core has worked."""
        if self.writer is not None and self.loader is not None:
            self.writer.kick()
            self.loader.kick()

    async def run(self) -> None:
        """Serve until `finish`, or until cancelled. Raises StorageFailed, in a group."""
        assert self.writer is not None and self.loader is not None, "attach comes first"
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.alarm.run, self.flush)
            nursery.start_soon(self.loader.run)
            if self.pager is not None:
                nursery.start_soon(self.pager.run)
            await self.writer.run()
            nursery.cancel_scope.cancel()

    async def finish(self) -> None:
        """Write what is left, when no client is, and that this was a stop in good order."""
        if self.writer is not None:
            self.broker.settle_all()
            bounds = []
            for queue in kept_queues(self.broker):
                bounds += [(queue.id, priority, lsn) for priority, lsn in queue.delivered_bounds()]
            await self.writer.finish(bounds)
            LOGGER.info("journal: %s", self.writer.statistics.describe())

    async def close(self) -> None:
        """Let go of all files. The folder is whoever's opened it."""
        self.paging.close()
        self.files.close()
        await self.store.close()


async def _recover(settings: Settings, folder: DataFolder, store: Store, files: JournalFiles) -> Broker:
    try:
        replay = files.recover()
        entries = (await store.scan()).entries
    except Corrupt as error:
        raise StartError(refusal(folder, error)) from None
    except NoRoom:
        raise StartError(f"{files.disk.where()}: the disk has no room for the journal") from None
    except (OSError, StoreError) as error:
        raise StartError(f"{files.disk.where()} cannot be read: {error}") from None
    if not entries and any(segment.alive for segment in files.log.segments):
        # Of queues that are not known it would be dropped.
        raise StartError(
            f"{folder.definitions} defines nothing, but the journal holds messages: bring both back from a backup, "
            f"or remove {files.disk.where()} to begin without them"
        )
    journal = Batch(keeps=True)
    journal.next_lsn = replay.next_lsn
    journal.safe_lsn = replay.next_lsn - 1
    journal.limit = min(journal.limit, files.segment_bytes // 4)
    broker = bare_broker(settings, journal)
    restored = restore(entries, broker)
    for warning in restored.warnings:
        LOGGER.warning("%s", warning)
    _fill_queues(broker, replay, restored.missing)
    furnish(broker)
    return broker


def _fill_queues(broker: Broker, replay: Replay, missing: frozenset[int]) -> None:
    """Give the queues what is alive in them."""
    queues = {queue.id: queue for queue in kept_queues(broker)}
    timed = {number for number, queue in queues.items() if queue.timed()}
    alive = replay.alive(timed, queues.keys() | missing)
    for number, stretches in alive.items():
        queue = queues.get(number)
        if queue is not None:
            delivered = None if replay.delivered is None else replay.delivered.get(number, {})
            queue.restore(stretches, delivered)


def kept_queues(broker: Broker) -> list[Queue]:
    """The queues that the journal keeps, with those in which exchanges keep messages."""
    queues: list[Queue] = []
    for vhost in broker.vhosts.values():
        queues += vhost.queues.values()
        queues += [exchange.waiting for exchange in vhost.exchanges.values() if exchange.waiting is not None]
    return [queue for queue in queues if queue.keeps]
