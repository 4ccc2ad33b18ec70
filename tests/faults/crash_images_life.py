"""A broker's journal from recovery to its end: the real files, batches and writer, on a fake disk, in fake time.

Nothing runs in threads: what a thread would wait for is done at once, so that a seed says all that happens.
"""

from array import array
from collections.abc import AsyncGenerator, Callable, Sequence
from random import Random
from typing import TypeVar

import attrs
import trio
import trio.testing

from amq.broker import Broker
from amq.config.settings import Settings
from amq.definitions.entry import Compare, Entry, Event, Result, Scan
from amq.definitions.store import Store
from amq.journal import reading, record
from amq.journal.batch import Batch, Settled, Work
from amq.journal.replay import Replay
from amq.message import address
from amq.server.disk_thread import DiskThread
from amq.server.journal_files import JournalFiles
from amq.server.journal_writer import JournalWriter
from amq.wire import properties as props
from tests.faults.crash_images_book import Book, Content, Page, Pair
from tests.faults.fake_disk import FakeDisk

T = TypeVar("T")

SEGMENT = 6144
NOW = 1_700_000_000_000
# Priority and expiration (ms) with the content headers that say so.
HEADERS = (
    (0, -1, bytes.fromhex("003c00000000000000000000100002")),
    (7, -1, bytes.fromhex("003c0000000000000000000018000207")),
    (0, 60000, bytes.fromhex("003c0000000000000000000011000205") + b"60000"),
)
ADDRESSES = (address(b"", b"queue"), address(b"amq.topic", b"a.b.c"), address(b"x" * 100, b"k" * 200))


class NotedBatch(Batch):
    """Enters into the book what the writer takes. `page` is the batch that is being filled."""

    __slots__ = ("book", "page")

    def __init__(self, book: Book) -> None:
        super().__init__(keeps=True)
        self.book = book
        self.page = Page()

    def take(self) -> Work:
        work = super().take()
        self.page.ticket = work.ticket
        self.book.flying.append(self.page)
        self.page = Page()
        return work

    def take_settled(self, below: int, most: int) -> Work:
        """Goes ahead of the batch that was taken last."""
        work = super().take_settled(below, most)
        gone = {(queue, lsn) for queue, lsns, _ in work.gone for lsn in lsns}
        assert not gone & self.book.flying[-1].published.keys(), "an acknowledgement got ahead of its message"
        if gone:
            self.book.flying.insert(-1, Page(settled=gone))
        return work


class NotedBroker(Broker):
    """Enters into the book what the broker hears to be safe."""

    __slots__ = ("book",)
    book: Book

    def durable(self, ticket: int) -> None:
        self.book.land(ticket)
        super().durable(ticket)


class UnusedStore(Store):
    """Definitions are another file's matter, and do not change here."""

    async def get(self, key: bytes) -> Entry | None:
        raise AssertionError("get")

    async def scan(self, prefix: bytes = b"") -> Scan:
        raise AssertionError("scan")

    async def txn(
        self,
        compares: Sequence[Compare] = (),
        puts: Sequence[tuple[bytes, bytes]] = (),
        deletes: Sequence[bytes] = (),
        prefixes: Sequence[bytes] = (),
    ) -> Result:
        raise AssertionError("txn")

    def watch(self, prefix: bytes, after_revision: int) -> AsyncGenerator[list[Event], None]:
        raise AssertionError("watch")

    async def close(self) -> None:
        raise AssertionError("close")


class InlineThread(DiskThread):
    """Does what it is given itself: at once when it is waited for, otherwise when its task has its turn."""

    def __init__(self) -> None:
        self.actions: list[Callable[[], object]] = []
        self.given = trio.Event()

    async def run(self, action: Callable[[], T]) -> T:
        return action()

    def start(self, action: Callable[[], object]) -> None:
        self.actions.append(action)
        self.given.set()

    async def serve(self, landed: Callable[[BaseException | None], None]) -> None:
        while True:
            await self.given.wait()
            self.given = trio.Event()
            try:
                self.actions.pop()()
            except OSError as error:
                landed(error)
            else:
                landed(None)

    def close(self) -> None:
        pass


@attrs.define(eq=False)
class InlineWriter(JournalWriter):
    """Waits for the disk itself."""

    _thread: DiskThread = attrs.field(factory=InlineThread, init=False)
    _short_thread: DiskThread = attrs.field(factory=InlineThread, init=False)


@attrs.define(eq=False)
class Life:
    """One broker. `alive` is what it believes to be in its queues, in order; `starved`: the disk has no room."""

    disk: FakeDisk
    book: Book
    random: Random
    files: JournalFiles = attrs.field(init=False)
    batch: NotedBatch = attrs.field(init=False)
    replay: Replay = attrs.field(init=False)
    writer: JournalWriter = attrs.field(init=False)
    alive: dict[int, list[int]] = attrs.field(init=False)
    settled: dict[int, Settled] = attrs.field(factory=dict, init=False)
    starved: bool = attrs.field(default=False, init=False)
    # How often.
    starvations: int = attrs.field(default=0, init=False)
    # Bodies of one size and batches of one shape: then what a file held before fits what comes.
    regular: bool = attrs.field(default=False)
    store: Store = attrs.field(factory=UnusedStore)
    # False: the writer has time for everything after each step.
    hasty: bool = attrs.field(default=True)
    # What a clean stop is to say: queue, priority, LSN.
    bounds: list[tuple[int, int, int]] = attrs.field(factory=list, init=False)

    def recover(self) -> dict[Pair, Content]:
        """Start on the disk as it is; returns what is alive, with contents as read from the files."""
        self.files = JournalFiles(self.disk, SEGMENT)
        self.replay = self.files.recover()
        self.batch = NotedBatch(self.book)
        self.batch.next_lsn = self.replay.next_lsn
        self.batch.limit = self.files.segment_bytes // 4
        self.batch.safe_lsn = self.replay.next_lsn - 1
        found = self._found()
        self.alive = {queue: [] for queue in self.book.known}
        for queue, lsn in found:
            self.alive[queue].append(lsn)
        return found

    async def serve(self, steps: "Sequence[Callable[[Life], None]]", clean: bool) -> None:
        """Do these steps, with some time in between for the writer, and then stop: `clean`, or die.

        Raises a group with PowerLoss or StorageFailed.
        """
        broker = NotedBroker(Settings(), 0.0, NOW / 1000, self.batch, defaults=False)
        broker.book = self.book
        self.writer = InlineWriter(broker, self.files, self.store, 1e9, lambda: None, self._set_starved)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.writer.run)
            for step in steps:
                step(self)
                if not self.hasty:
                    self.writer.kick()
                    await trio.sleep(1)
                elif self.random.random() < 0.5:
                    self.writer.kick()
                    # 0: for what is urgent; then for a MARK, and for what is not urgent.
                    await trio.sleep(self.random.choice((0, 0, 0, 0.037, 0.37)))
                    await trio.testing.wait_all_tasks_blocked()
            await self.feed()
            if clean:
                await self.writer.finish(self.bounds)
            nursery.cancel_scope.cancel()

    async def feed(self) -> None:
        """Consume all there is, on a full disk, until it is full no more; not for ever, though."""
        for _ in range(20):
            if not self.starved:
                return
            for queue in self.alive:
                self.acknowledge(queue, self.alive[queue])
            self.writer.kick()
            await trio.sleep(1)

    # -- what clients cause --

    def publish(self) -> None:
        """One message or several with bodies of one size, to some of the queues."""
        random = self.random
        count = random.choice((1, 1, 1, 2, 5, 20))
        size = random.choice((0, 1, random.randrange(60), random.randrange(60), random.randrange(600), 2000))
        known = sorted(self.alive)
        if self.regular:
            count, size, known = 1, 400, known[:1]
        bodies = [random.randbytes(size) for _ in range(count if count * size < 8000 else 1)]
        queues = random.sample(known, min(len(known), random.choice((1, 1, 1, 2, 3))))
        priority, ttl, header = HEADERS[0] if self.regular else random.choice(HEADERS)
        where = ADDRESSES[0] if self.regular else random.choice(ADDRESSES)
        self.publish_to(queues, bodies, where, (priority, ttl, header))

    def publish_to(
        self,
        queues: list[int],
        bodies: list[bytes],
        where: bytes = ADDRESSES[0],
        kind: tuple[int, int, bytes] = HEADERS[0],
    ) -> None:
        """Messages with these bodies, of one size, to these queues; none while publishers have to wait."""
        if self.starved or self.batch.behind():
            return
        priority, ttl, header = kind
        properties = props.read(header)
        properties.ttl = ttl
        lsn = self.batch.next_lsn
        self.batch.next_lsn += len(bodies)
        self.batch.run(lsn, bodies, where, header, properties, queues)
        expires = NOW + ttl if ttl >= 0 else record.NEVER
        for i, body in enumerate(bodies):
            for queue in queues:
                self.batch.page.published[queue, lsn + i] = Content(where, header, body, priority, expires)
                self.alive[queue].append(lsn + i)

    def settle(self) -> None:
        """Some messages leave a queue: the oldest, any, or all."""
        random = self.random
        queue = random.choice(sorted(self.alive))
        waiting = self.alive[queue]
        if waiting:
            count = random.choice((1, 1, random.randint(1, len(waiting)), len(waiting)))
            self._settle(queue, waiting[:count] if random.random() < 0.5 else random.sample(waiting, count))

    def catch_up(self) -> None:
        """All that is waiting is consumed, but for a few."""
        for queue in sorted(self.alive):
            kept = self.random.choice((0, 0, 0, 1, 3))
            self._settle(queue, self.alive[queue][: max(0, len(self.alive[queue]) - kept)])

    def acknowledge(self, queue: int, lsns: list[int]) -> None:
        """Messages leave a queue, and nobody waits for that to be safe."""
        if lsns:
            settled = self.settled.setdefault(queue, Settled(queue))
            if not settled.lsns:
                self.batch.settled.append(settled)
            settled.lsns += lsns
            settled.octets += self._leave(queue, lsns)

    def bind(self) -> None:
        """A transaction is committed."""
        self.batch.bind_settled()

    def delete(self) -> None:
        """A queue goes, and another comes."""
        queue = self.random.choice(sorted(self.alive))
        del self.alive[queue]
        self.batch.forget_queue(queue)
        self.batch.urgent = True
        self.batch.page.deleted.add(queue)
        new = self.random.getrandbits(63) or 1
        self.book.known.add(new)
        self.alive[new] = []

    # -- how --

    def _set_starved(self, starved: bool) -> None:
        self.starved = starved
        self.starvations += starved

    def _settle(self, queue: int, lsns: list[int]) -> None:
        """Bound to this batch, or whenever it suits."""
        if not lsns or self.random.random() < 0.6:
            self.acknowledge(queue, lsns)
            return
        octets = self._leave(queue, lsns)
        self.batch.settle_now(queue, record.compact(lsns), octets)

    def _leave(self, queue: int, lsns: list[int]) -> int:
        gone = set(lsns)
        self.alive[queue] = [lsn for lsn in self.alive[queue] if lsn not in gone]
        self.batch.page.settled.update((queue, lsn) for lsn in lsns)
        return sum(len(self._body(queue, lsn)) for lsn in lsns)

    def _body(self, queue: int, lsn: int) -> bytes:
        for page in [self.batch.page, *self.book.flying]:
            if (queue, lsn) in page.published:
                return page.published[queue, lsn].body
        return self.book.safe[queue, lsn].body

    def _found(self) -> dict[Pair, Content]:
        """What is alive after recovery, each queue's messages in their order."""
        found = {}
        for queue, stretches in self.replay.alive(set(), set(self.book.known)).items():
            lsns = array("Q")
            for stretch in stretches:
                lsns.extend(range(stretch.first, stretch.first + stretch.count))
            assert list(lsns) == sorted(set(lsns)), f"queue {queue} is out of order: {list(lsns)}"
            readings = self.files.log.readings(lsns)
            octets = [self.files.read(each) for each in readings]
            messages = iter(reading.messages(lsns, readings, octets) if lsns else [])
            for stretch in stretches:
                size = 0
                for lsn in range(stretch.first, stretch.first + stretch.count):
                    each = next(messages)
                    size += len(each.body)
                    found[queue, lsn] = Content(each.address, each.header, each.body, stretch.priority, stretch.expires)
                assert size == stretch.octets, f"{size} octets in {stretch.octets}"
        return found
