"""Room for the journal: where a frame goes, when a segment begins, and which segments go.

Segments are dropped from the front. What is needed of a first one that is mostly garbage is copied behind the rest, a
slice at a time. On a full disk what frees space may go ahead of what waits for some.
"""

import errno
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final, TypeVar

import attrs
import trio

from amq.broker import Broker
from amq.definitions.store import Store
from amq.journal import frame
from amq.journal.batch import Batch, Work
from amq.journal.log import SPARE
from amq.journal.salvage import Salvage
from amq.metrics.journal import JournalStatistics
from amq.server.disk_thread import DiskThread
from amq.server.errors import StorageFailed
from amq.server.journal_files import JournalFiles, NoRoom

T = TypeVar("T")

LOGGER: Final = logging.getLogger(__name__)

# Seconds between attempts to find room on a full disk.
AGAIN: Final = 0.1
# What salvage looks at and copies before others get their turn, and the pause between, in s: about 20 MiB/s.
SLICE_RECORDS: Final = 2000
SLICE_OCTETS: Final = 1 << 20
SLICE_PAUSE: Final = 0.05
FILLING: Final = "filling"
ROLLING: Final = "rolling"
FULL: Final = "the disk was full to the end, and what was not confirmed is lost"
# Room that acknowledgements are to find on a full disk.
ACKS_OCTETS: Final = 1 << 18
# What one of them takes at most: a record of its own.
ACK_OCTETS: Final = 64
# Garbage that nobody minds is at most this part of the file system.
SPARE_PART: Final = 8


@attrs.define(eq=False)
class JournalRoom:
    """`flush` sends what became ready to be sent, `starved` hears whether the disk has no room.

    `stall_seconds`: a sync that takes longer is reported.
    """

    broker: Broker
    files: JournalFiles
    store: Store
    stall_seconds: float
    flush: Callable[[], None]
    starved: Callable[[bool], None]
    statistics: JournalStatistics = attrs.field(factory=JournalStatistics)
    _thread: DiskThread = attrs.field(factory=DiskThread, init=False)
    # A spare should be made; and what finds no room at present.
    _low: trio.Event = attrs.field(factory=trio.Event, init=False)
    _short: set[str] = attrs.field(factory=set, init=False)
    _salvage: Salvage | None = attrs.field(default=None, init=False)
    # Before then no slice is copied (seconds of the trio clock).
    _next_slice: float = attrs.field(default=0.0, init=False)
    # When garbage was looked at, and what was found.
    _looked: float = attrs.field(default=-SLICE_PAUSE, init=False)
    _too_much: bool = attrs.field(default=False, init=False)
    _finishing: bool = attrs.field(default=False, init=False)
    # When the present call to the disk began; None while there is none.
    _began: float | None = attrs.field(default=None, init=False)
    # When the last frame was written that no MARK vouches for (seconds of the trio clock); None without one.
    _written: float | None = attrs.field(default=None, init=False)

    async def _disk(self, action: Callable[[], T]) -> T:
        """Let a thread wait for the disk."""
        self._began = time.monotonic()
        try:
            return await self._thread.run(action)
        finally:
            self._began = None

    async def _append(self, work: Work) -> None:
        """Write a frame, for which there is room."""
        offset, pieces = self.files.log.place(work)
        began = time.perf_counter()
        await self._disk(partial(self.files.append, offset, pieces))
        self._wrote(work, offset, time.perf_counter() - began)

    def _wrote(self, work: Work, offset: int, seconds: float) -> None:
        """A frame is safe, and that took so long."""
        self.files.log.wrote(work, offset)
        self._written = trio.current_time()
        if self.files.wants_spare():
            self._low.set()
        self.statistics.note(seconds, sum([run.count for run in work.runs]), work.size)

    # -- segments --

    async def _roll(self, size: int, work: Work) -> None:
        """Begin a new segment for a frame of that size; on a full disk, wait until there is room for one."""
        told = False
        while True:
            try:
                # A batch in which something is settled may free space itself, once nothing else does.
                last = told and bool(work.gone) and not (self.broker.journal.settled or self.broker.journal.purged)
                last = last or self._copies(work)
                segment = await self._disk(partial(self.files.roll, size, last))
                break
            except NoRoom:
                told = True
                self._say_short(ROLLING, True)
                if self._finishing:
                    raise OSError(errno.ENOSPC, FULL) from None
                await self._free(work)
                self.flush()
                await trio.sleep(AGAIN)
        self.files.log.begin(segment)
        self._say_short(ROLLING, False)

    async def _free(self, waiting: Work) -> None:
        """Write what may free a segment, ahead of a batch that waits for room: acknowledgements of messages that are in
        the journal, and copies of the few that keep a segment alive.
        """
        log = self.files.log
        journal = self.broker.journal
        if log.room() < ACKS_OCTETS and (journal.settled or journal.purged):
            with suppress(NoRoom):
                log.begin(await self._disk(partial(self.files.roll, ACKS_OCTETS, True)))
        most = (min(log.room(), ACKS_OCTETS) - frame.frame_size(0)) // ACK_OCTETS
        if most > 0:
            work = journal.take_settled(waiting.first_lsn, most)
            if work.heads:
                await self._append(work)
                journal.landed(work)
        await self._drop()
        if not self._copies(waiting):
            await self._salvage_apart()

    async def _fill(self) -> None:
        """Have spares made before they are needed: whoever waits for a confirm is not to wait for that."""
        while True:
            await self._low.wait()
            self._low = trio.Event()
            while self.files.wants_spare():
                try:
                    await trio.to_thread.run_sync(self.files.prepare)
                except NoRoom:
                    self._say_short(FILLING, True)
                    await trio.sleep(AGAIN)
                except OSError as error:
                    raise StorageFailed("write to", error.filename or self.files.disk.where(), error) from error
            self._say_short(FILLING, False)

    def _say_short(self, what: str, short: bool) -> None:
        """Whether something finds no room; publishers wait as long as anything does."""
        before = bool(self._short)
        (self._short.add if short else self._short.discard)(what)
        if bool(self._short) != before:
            LOGGER.warning(
                "the disk has no room for the journal: publishers wait" if short else "the disk has room again"
            )
            self.starved(short)

    async def _drop(self) -> None:
        """Let go of the first segments, as far as nothing in them is needed."""
        log = self.files.log
        while log.droppable() is not None:
            segment = log.drop()
            await self._disk(partial(self.files.release, segment))

    def _spare(self) -> int:
        """Octets of garbage that nobody minds."""
        return min(SPARE, self.files.total // SPARE_PART)

    def _garbage(self, anew: bool = False) -> bool:
        """Whether there is too much garbage. Not counted at every turn, but `anew` before a long sleep."""
        now = trio.current_time()
        if anew or now >= self._looked + SLICE_PAUSE:
            self._looked = now
            self._too_much = self.files.log.wants_salvage(self._spare())
        return self._too_much

    def _copies(self, work: Work) -> bool:
        """Whether a batch that is not written yet has copies, without which their segment must not go."""
        return any(run.lsn <= self.files.log.last_lsn for run in work.runs)

    async def _salvage_slice(self) -> Salvage | None:
        """Copy part of the first segment if there is too much garbage; returns the salvage when that was the rest."""
        log = self.files.log
        journal = self.broker.journal
        salvage = await self._salvage_under_way()
        if salvage is None:
            return None
        if log.room() < journal.work.size + 2 * SLICE_OCTETS:
            # It frees space: it may have the last of it.
            try:
                log.begin(await self._disk(partial(self.files.roll, journal.work.size + 2 * SLICE_OCTETS, True)))
            except NoRoom:
                await self._salvage_apart()
                return None
        if journal.work.changes:
            # They may have to wait for room, and must not keep the copies from making it.
            return None
        return self._copy(salvage, journal, SLICE_OCTETS)

    async def _salvage_apart(self) -> None:
        """The same in a frame of its own, with what room there is, and the segment dropped if that was the rest."""
        log = self.files.log
        salvage = await self._salvage_under_way()
        if salvage is None:
            return
        if log.room() < ACKS_OCTETS:
            with suppress(NoRoom):
                log.begin(await self._disk(partial(self.files.roll, ACKS_OCTETS, True)))
        scratch = Batch(keeps=True)
        copied = self._copy(salvage, scratch, min(SLICE_OCTETS, log.room() // 2))
        work = scratch.take()
        size = frame.frame_size(work.size)
        if log.room() < size:
            try:
                log.begin(await self._disk(partial(self.files.roll, size, True)))
            except NoRoom:
                # Begin again; what was copied before this is not copied twice.
                self._salvage = None
                return
        if work.heads:
            await self._append(work)
        self._salvaged(copied)
        await self._drop()

    async def _salvage_under_way(self) -> Salvage | None:
        """The salvage that goes on, or a new one if there is too much garbage; None when it is not time for more."""
        if trio.current_time() < self._next_slice:
            return None
        if self._salvage is None and self._garbage():
            first = self.files.log.segments[0]
            octets = await self._disk(partial(self.files.disk.read, first.name, 0, first.used))
            self._salvage = Salvage(self.files.log, first, octets)
        return self._salvage

    def _copy(self, salvage: Salvage, batch: Batch, octets: int) -> Salvage | None:
        """Copy a slice into a batch; returns the salvage when that was the rest."""
        log = self.files.log
        now = trio.current_time()
        # When garbage grows faster than it is taken away there is no pause.
        self._next_slice = now if log.total() > 2 * (log.live() + self._spare()) else now + SLICE_PAUSE
        if not salvage.slice(batch, SLICE_RECORDS, octets):
            return None
        self._salvage = None
        self._looked = -SLICE_PAUSE
        return salvage

    def _salvaged(self, copied: Salvage | None) -> None:
        """All that a salvage copied is safe, if it is through."""
        if copied is not None:
            copied.segment.alive.clear()
            self.files.log.salvaged += copied.copied
