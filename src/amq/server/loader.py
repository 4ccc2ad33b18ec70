"""Reads messages back that are not in memory, before they are needed if all goes well."""

from collections import deque
from collections.abc import Callable
from functools import partial

import attrs
import trio

from amq.broker import Broker
from amq.journal.loading import Load
from amq.journal.log import Reading
from amq.journal.reading import Unreadable, messages
from amq.journal.record import Lsns
from amq.message import Message
from amq.server.errors import StorageFailed
from amq.server.journal_files import JournalFiles
from amq.server.paging import Paging


@attrs.define(eq=False)
class Loader:
    """Serves `broker.journal.wanted`, one wish after the other; `flush` sends what became ready to be sent."""

    broker: Broker
    files: JournalFiles
    paging: Paging
    flush: Callable[[], None]
    _wanted: deque[Load] = attrs.field(factory=deque, init=False)
    _wake: trio.Event = attrs.field(factory=trio.Event, init=False)

    def kick(self) -> None:
        """Something may be wanted. Costs a comparison when not."""
        if self.broker.journal.wanted:
            self._wake.set()

    async def run(self) -> None:
        """Until cancelled. Raises StorageFailed."""
        journal = self.broker.journal
        while True:
            if not journal.wanted:
                self._wake = trio.Event()
                await self._wake.wait()
            self._wanted.extend(journal.wanted)
            journal.wanted = []
            while self._wanted:
                await self._serve(self._wanted.popleft())

    async def _serve(self, load: Load) -> None:
        lsns = load.lsns()
        if load.stale():
            # Whoever waits for the head of the queue looks again all the same.
            found: list[Message] = []
        elif lsns is None:
            found = await self._from_page(load)
        else:
            found = await self._from_journal(lsns)
        self.broker.take_in(load, found)
        self.flush()

    async def _from_page(self, load: Load) -> list[Message]:
        page = load.page()
        if page.pieces is not None:
            return load.unpack(b"".join(page.pieces))
        # It may be dropped meanwhile, and its file must stay open all the same.
        page.reading = True
        try:
            return load.unpack(await trio.to_thread.run_sync(partial(self.paging.read, page)))
        except OSError as error:
            raise StorageFailed("read", self.paging.folder, error) from error
        finally:
            page.reading = False

    async def _from_journal(self, lsns: Lsns) -> list[Message]:
        readings = self.files.log.readings(lsns)
        for reading in readings:
            reading.segment.readers += 1
        try:
            octets = await trio.to_thread.run_sync(partial(self._read, readings))
            return messages(lsns, readings, octets)
        except (OSError, Unreadable) as error:
            raise StorageFailed("read", self.files.disk.where(), error) from error
        finally:
            for reading in readings:
                reading.segment.readers -= 1

    def _read(self, readings: list[Reading]) -> list[bytes]:
        return [self.files.read(reading) for reading in readings]
