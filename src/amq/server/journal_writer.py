"""The way to the disk: takes a batch, makes it safe, says so, and takes the next one.

While one batch is written the next one fills up, so everybody who waits shares a sync; there is no timer in it. What
nobody waits for (acknowledgements) is written after LAZY at the latest. A disk that fails is not tried again: `run`
raises StorageFailed.

Most batches are frames for which there is room, and go the short way: `kick` hands one to the disk within the step in
which it was filled, and `_land` says that it is safe within the step in which the disk answered. Definitions, new
segments, salvage and what fails are for the task, `run`, which sleeps meanwhile.
"""

import logging
import math
import time
from typing import Final

import attrs
import trio

from amq.definitions.store import StoreError, StoreFull
from amq.journal import frame
from amq.journal.batch import Work
from amq.journal.salvage import Damaged
from amq.server.disk_thread import DiskThread
from amq.server.errors import StorageFailed
from amq.server.gathering import gathered
from amq.server.journal_room import AGAIN, SLICE_PAUSE, JournalRoom

LOGGER: Final = logging.getLogger(__name__)

# Seconds that an acknowledgement may wait for company, and after which a MARK vouches for the last frame.
LAZY: Final = 0.1
MARK_AFTER: Final = 0.02
DEFINING: Final = "defining"
# Frames up to this size are given to the kernel at once, and only the sync is waited for elsewhere.
SMALL: Final = 1 << 14


@attrs.define(eq=False)
class JournalWriter(JournalRoom):
    """See JournalRoom for the fields."""

    # Waits for the disk on the short way.
    _short_thread: DiskThread = attrs.field(factory=DiskThread, init=False)
    # The frame that is on the short way, its place, and when it set out.
    _flying: Work | None = attrs.field(default=None, init=False)
    _offset: int = attrs.field(default=0, init=False)
    _departed: float = attrs.field(default=0.0, init=False)
    # A batch that was taken and could not go the short way.
    _left: Work | None = attrs.field(default=None, init=False)
    # What went wrong on the short way.
    _failure: Exception | None = attrs.field(default=None, init=False)
    # The task sleeps in `_nap` until then at the latest, or until it is called.
    _asleep: bool = attrs.field(default=False, init=False)
    _nap: trio.CancelScope = attrs.field(factory=trio.CancelScope, init=False)
    _wake: trio.Event = attrs.field(factory=trio.Event, init=False)
    # When something that is not urgent is to be written (seconds of the trio clock).
    _lazy_due: float = attrs.field(default=math.inf, init=False)
    _bounds: list[tuple[int, int, int]] = attrs.field(factory=list, init=False)
    _ended: trio.Event = attrs.field(factory=trio.Event, init=False)

    def kick(self) -> None:
        """Something may have been handed in. Costs two comparisons when not."""
        journal = self.broker.journal
        if journal.urgent:
            if self._asleep and self._flying is None:
                self._depart()
        elif journal.settled and self._lazy_due == math.inf:
            self._lazy_due = trio.current_time() + LAZY
            self._sleep_until(self._lazy_due)

    async def run(self) -> None:
        """Until `finish`, or until cancelled. Raises StorageFailed."""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._watch)
                nursery.start_soon(self.statistics.report)
                nursery.start_soon(self._fill)
                nursery.start_soon(self._short_thread.serve, self._land)
                await self._serve()
                nursery.cancel_scope.cancel()
        finally:
            self._thread.close()
            self._short_thread.close()

    async def _serve(self) -> None:
        try:
            while not self._finishing:
                await self._sleep()
                await self._work()
            await self._end()
        except (OSError, StoreError, Damaged) as error:
            path = getattr(error, "filename", None) or self.files.disk.where()
            raise StorageFailed("write to", path, error) from error
        finally:
            self._asleep = False
            self._ended.set()

    async def finish(self, bounds: list[tuple[int, int, int]]) -> None:
        """Have what is left written, and last of all that this was a stop in good order, with those `bounds`."""
        self._bounds = bounds
        self._finishing = True
        self._call()
        await self._ended.wait()

    async def _end(self) -> None:
        journal = self.broker.journal
        await self._write_left()
        while not journal.idle():
            await self._write(journal.take())
        journal.say_clean(self._bounds)
        await self._write(journal.take())
        # Nothing comes after it that could vouch for it.
        await self._mark()
        await self._disk(self.files.sync)

    # -- the short way --

    def _depart(self) -> None:
        """Hand the present batch to the disk, or have the task do it when there is more to it."""
        journal = self.broker.journal
        if journal.work.changes or not journal.work.size or self._salvage is not None or self._garbage():
            self._call()
            return
        work = journal.take()
        if self.files.log.room() < frame.frame_size(work.size):
            self._left = work
            self._call()
            return
        self._flying = work
        try:
            self._offset, pieces = self.files.log.place(work)
            self._began = time.monotonic()
            self._departed = time.perf_counter()
            self._write_and_sync(self._offset, pieces, work.size <= SMALL)
        except Exception as error:
            # Not only a disk that fails: whoever has filled the batch could do nothing about it, and it must not be
            # waited for without end.
            self._failure = error
            self._call()

    def _write_and_sync(self, offset: int, pieces: list[bytes], at_once: bool) -> None:
        """Have a thread do it; `at_once`: all but the sync, which takes the time."""
        if at_once:
            self.files.put(offset, pieces)
            self._short_thread.start(self.files.sync)
        else:
            self._short_thread.start(lambda: self.files.append(offset, pieces))

    def _land(self, failure: BaseException | None) -> None:
        """The disk has answered."""
        work = self._flying
        assert work is not None, "something was handed to the disk"
        self._began = None
        if isinstance(failure, OSError):
            self._failure = failure
            self._call()
            return
        if failure is not None:
            raise failure
        self._flying = None
        seconds = time.perf_counter() - self._departed
        marked = self._written is None
        self._wrote(work, self._offset, seconds)
        self._safe(work)
        if not self._asleep:
            self._wake.set()
        elif self.files.log.droppable() is not None:
            self._call()
        elif marked:
            self._sleep_until(trio.current_time() + MARK_AFTER)
        self.flush()

    # -- when --

    def _call(self) -> None:
        """Wake the task."""
        self._asleep = False
        self._wake.set()

    def _sleep_until(self, moment: float) -> None:
        """The task, if it sleeps, is to wake up then at the latest."""
        if moment < self._nap.deadline:
            self._nap.deadline = moment

    async def _sleep(self) -> None:
        """Until the task is called or something is due, and nothing is on the short way."""
        self._wake = trio.Event()
        if not (self.broker.journal.urgent or self._left or self._finishing):
            self._asleep = True
            with trio.CancelScope(deadline=self._due()) as self._nap:
                await self._wake.wait()
            self._asleep = False
        while self._flying is not None:
            if self._failure is not None:
                raise self._failure
            self._wake = trio.Event()
            await self._wake.wait()

    def _due(self) -> float:
        """When the task has something to do by itself (seconds of the trio clock)."""
        due = self._lazy_due
        if self._written is not None:
            due = min(due, self._written + MARK_AFTER)
        if self._salvage is not None or self._garbage(anew=True):
            due = min(due, trio.current_time() + SLICE_PAUSE)
        return due

    async def _watch(self) -> None:
        """Tell the operator of a disk that does not answer."""
        told = False
        while True:
            await trio.sleep(self.stall_seconds / 4)
            began = self._began
            stalled = began is not None and time.monotonic() - began > self.stall_seconds
            if stalled and not told:
                LOGGER.error("the disk has not answered for %g s: nothing is confirmed meanwhile", self.stall_seconds)
            elif told and not stalled:
                LOGGER.warning("the disk answers again")
            told = stalled

    # -- what --

    async def _work(self) -> None:
        """What the task was called for, or what is due."""
        journal = self.broker.journal
        now = trio.current_time()
        lazy = now >= self._lazy_due
        if lazy:
            self._lazy_due = math.inf
        if journal.urgent or self._left or (lazy and not journal.idle()):
            await self._turn()
        elif self._written is not None and now >= self._written + MARK_AFTER:
            await self._mark()
        elif self._salvage is not None or self._garbage():
            await self._turn()
        await self._drop()

    async def _write_left(self) -> None:
        left, self._left = self._left, None
        if left is not None:
            await self._write(left)

    async def _turn(self) -> None:
        await self._write_left()
        copied = await self._salvage_slice()
        await self._write(self.broker.journal.take())
        self._salvaged(copied)
        await self._drop()
        self.flush()

    async def _write(self, work: Work) -> None:
        """Make a batch safe, and say so."""
        if work.changes:
            await self._define(work)
        if work.heads:
            size = frame.frame_size(work.size)
            if self.files.log.room() < size:
                await self._roll(size, work)
            await self._append(work)
        self._safe(work)

    def _safe(self, work: Work) -> None:
        """All of a batch is on the disk."""
        self.broker.journal.landed(work)
        for queue in work.forgotten:
            self.files.log.forget_queue(queue)
        self.broker.durable(work.ticket)

    async def _define(self, work: Work) -> None:
        """Make changes of definitions safe; on a full disk, wait until there is room for them."""
        wanted = await gathered(work.changes)
        while True:
            try:
                await self.store.txn(puts=wanted.puts, deletes=wanted.deletes, prefixes=wanted.prefixes)
                break
            except StoreFull as error:
                if self._finishing:
                    raise
                LOGGER.debug("%s", error)
                self._say_short(DEFINING, True)
                await self._free(work)
                self.flush()
                await trio.sleep(AGAIN)
        self._say_short(DEFINING, False)

    async def _mark(self) -> None:
        """Vouch for the last frame."""
        self._written = None
        if self.files.log.room() >= frame.FRAME_HEADER:
            offset, pieces = self.files.log.place_mark()
            await self._disk(lambda: self.files.put(offset, pieces))
