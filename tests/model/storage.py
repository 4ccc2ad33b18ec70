"""What a broker keeps when it is killed, without waiting: files in memory, and a writer and a loader that are at once.

The segments are tiny, so that many are begun, dropped and salvaged in a short story. What is on disk stays there;
disks that lose what was not synced are the business of tests/faults.
"""

import errno
from collections.abc import Callable
from random import Random

from amq.broker import Broker
from amq.config.settings import Settings
from amq.definitions import entities
from amq.definitions.entry import Entry
from amq.definitions.restore import restore
from amq.journal import frame
from amq.journal.batch import Batch, Work
from amq.journal.loading import Load
from amq.journal.log import Log
from amq.journal.reading import messages
from amq.journal.record import Lsns
from amq.journal.replay import Replay, Stretch
from amq.journal.salvage import Salvage
from amq.message import Message
from amq.server.disk import Disk
from amq.server.journal_files import JournalFiles
from amq.server.storage import _fill_queues, kept_queues

SEGMENT = 1024
# Garbage that nobody minds, in octets: none, or as much as a few segments.
SPARE = (0, 0, 3000)
# Records and octets of a slice of salvage.
SLICE = (3, 600)


class Files(Disk):
    """Files in memory."""

    def __init__(self) -> None:
        self.files: dict[str, bytearray] = {}

    def names(self) -> list[str]:
        return sorted(self.files)

    def size(self, name: str) -> int:
        return len(self.files[name])

    def create(self, name: str) -> None:
        if name in self.files:
            raise FileExistsError(errno.EEXIST, name)
        self.files[name] = bytearray()

    def write(self, name: str, offset: int, pieces: list[bytes]) -> None:
        octets = b"".join(pieces)
        self.files[name][offset : offset + len(octets)] = octets

    def sync(self, name: str) -> None:
        assert name in self.files

    def read(self, name: str, offset: int, size: int) -> bytes:
        return bytes(self.files[name][offset : offset + size])

    def rename(self, old: str, new: str) -> None:
        self.files[new] = self.files.pop(old)

    def unlink(self, name: str) -> None:
        del self.files[name]

    def truncate(self, name: str, size: int) -> None:
        del self.files[name][size:]

    def allocate(self, name: str, size: int) -> None:
        self.files[name] += bytes(size)

    def sync_folder(self) -> None:
        pass

    def free(self) -> int:
        return 1 << 40

    def total(self) -> int:
        return 1 << 40

    def where(self) -> str:
        return "memory"

    def close(self) -> None:
        pass


class AtOnce(list[Load]):
    """Wishes that are fulfilled the moment they are made."""

    def __init__(self, storage: "Storage | None" = None) -> None:
        super().__init__()
        self.storage = storage
        self.served = 0

    def append(self, load: Load) -> None:
        self.served += 1
        assert not load.stale()
        lsns = load.lsns()
        if lsns is not None:
            assert self.storage is not None, "what is not kept has no number"
            load.arrived(self.storage.read(lsns))
        else:
            pieces = load.page().pieces
            assert pieces is not None
            load.arrived(load.unpack(b"".join(pieces)))


def nothing() -> None:
    """Nothing goes on."""


class Found:
    """What a recovery found, and the `order` in which queues are told."""

    def __init__(self, replay: Replay) -> None:
        self.replay = replay
        self.delivered = replay.delivered
        self.order: list[int] = []

    def alive(self, timed: set[int], known: set[int]) -> dict[int, list[Stretch]]:
        alive = self.replay.alive(timed, known)
        self.order = [number for number in alive if number in known]
        return alive


class Storage:
    """A data folder. `flying` is a batch that was taken and is not on disk yet.

    Not `at_once`: whoever tells the story reads back what is wanted.
    """

    def __init__(self, seed: int, at_once: bool) -> None:
        self.random = Random(seed)
        self.at_once = at_once
        self.disk = Files()
        self.entries: dict[bytes, Entry] = {}
        self.starts = 0
        self.spare = self.random.choice(SPARE)
        self.flying: Work | None = None
        self.salvage: Salvage | None = None
        # The rest of it is on its way.
        self.copied: Salvage | None = None
        # A crash has ended a salvage: some messages stand in two segments from then on.
        self.interrupted = False
        # What goes on while the disk is busy with a frame.
        self.meanwhile: Callable[[], None] = nothing
        # A MARK stands behind the last frame.
        self.vouched = False
        self.files: JournalFiles
        self.broker: Broker

    def open(self, settings: Settings, now: float, wall: float) -> tuple[Broker, list[int]]:
        """A broker with what the folder holds, and the ids of the queues that got something back, in that order."""
        self.starts += 1
        self.files = JournalFiles(self.disk, SEGMENT)
        replay = self.files.recover()
        journal = Batch(keeps=True)
        journal.next_lsn = replay.next_lsn
        journal.safe_lsn = replay.next_lsn - 1
        journal.pages = []
        if self.at_once:
            journal.wanted = AtOnce(self)
        self.broker = Broker(settings, now, wall, journal, b"%d" % self.starts, defaults=False)
        self.interrupted = self.interrupted or self.salvage is not None or self.copied is not None
        self.flying = self.salvage = self.copied = None
        restored = restore(self.entries.values(), self.broker)
        assert not restored.warnings
        if not self.broker.vhosts:
            self.broker.add_defaults()
            self.take()
            self.land()
        found = Found(replay)
        _fill_queues(self.broker, found, restored.missing)
        return self.broker, found.order

    # -- writing --

    def take(self) -> None:
        """A batch is on its way."""
        journal = self.broker.journal
        assert self.flying is None
        self.salvage_slice()
        self.flying = journal.take()

    def land(self, told: bool = True) -> None:
        """The batch is on disk, and the broker is told so."""
        work = self.flying
        assert work is not None
        self.flying = None
        if work.changes:
            self.define(work)
        if work.heads:
            log = self.files.log
            size = frame.frame_size(work.size)
            if log.room() < size:
                log.begin(self.files.roll(size, False))
            offset, pieces = log.place(work)
            self.meanwhile()
            self.files.append(offset, pieces)
            self.vouched = False
            log.wrote(work, offset)
            if self.random.random() < 0.3:
                self.mark()
        if not told:
            return
        self.broker.journal.landed(work)
        for queue in work.forgotten:
            self.files.log.forget_queue(queue)
        self.broker.durable(work.ticket)
        if self.copied is not None:
            self.copied.segment.alive.clear()
            self.copied = None
        self.drop()

    def mark(self) -> None:
        """Vouch for what was written, if there is room for that."""
        log = self.files.log
        if log.room() >= frame.FRAME_HEADER:
            self.files.put(*log.place_mark())
            self.vouched = True

    def define(self, work: Work) -> None:
        """Changes of definitions."""
        wanted = entities.writes(work.changes)
        for prefix in wanted.prefixes:
            self.entries = {key: entry for key, entry in self.entries.items() if not key.startswith(prefix)}
        for key in wanted.deletes:
            self.entries.pop(key, None)
        for key, value in wanted.puts:
            self.entries[key] = Entry(key, value, work.ticket + (self.starts << 32))

    def salvage_slice(self) -> None:
        """Copy part of the first segment into the batch, if there is garbage."""
        log = self.files.log
        if self.salvage is None and log.wants_salvage(self.spare):
            first = log.segments[0]
            self.salvage = Salvage(log, first, self.disk.read(first.name, 0, first.used))
        if self.salvage is not None:
            room = self.broker.journal.work.size + 2 * SEGMENT
            if log.room() < room:
                log.begin(self.files.roll(room, True))
            if self.salvage.slice(self.broker.journal, *SLICE):
                self.copied, self.salvage = self.salvage, None

    def drop(self) -> None:
        log = self.files.log
        while log.droppable() is not None:
            self.files.release(log.drop())

    def stop(self) -> bool:
        """A stop in good order, when no client is left; False: the next start cannot be sure that it was one."""
        if self.flying is not None:
            self.land()
        while not self.broker.journal.idle():
            self.take()
            self.land()
        bounds = [
            (queue.id, priority, lsn)
            for queue in kept_queues(self.broker)
            for priority, lsn in queue.delivered_bounds()
        ]
        self.broker.journal.say_clean(bounds)
        self.flying = self.broker.journal.take()
        self.land()
        self.mark()
        return self.vouched

    # -- reading --

    def read(self, lsns: Lsns) -> list[Message]:
        """Messages from the journal."""
        readings = self.files.log.readings(lsns)
        return messages(lsns, readings, [self.files.read(each) for each in readings])

    def alive(self) -> dict[int, list[int]]:
        """What a recovery would find now: LSNs by queue id."""
        replay = Replay(Log())
        segments = self.files.log.segments
        for index, segment in enumerate(segments):
            octets = self.disk.read(segment.name, 0, segment.size)
            header = frame.read_segment_header(octets)
            assert header is not None
            before = segments[index + 1].first_sequence if index + 1 < len(segments) else None
            replay.read(segment.name, header, octets, before)
        known = {queue.id for queue in kept_queues(self.broker)}
        return {
            number: [lsn for each in stretches for lsn in range(each.first, each.first + each.count)]
            for number, stretches in replay.alive(set(), known).items()
            if stretches
        }
