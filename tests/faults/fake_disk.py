"""A disk in memory that forgets like a real one: `crash` leaves any state that the calls so far allow.

What was written since a file's last `sync` may be there or not, each sector of 512 octets by itself, in any version
that it had; a file that became longer may be shorter, or hold zeros. What `create`, `rename` and `unlink` did since the
last `sync_folder` may have happened or not, each by itself, as far as one does not need the other; a rename is atomic.
A file that was synced is missing all the same when its name was not. That is what POSIX leaves open, and more than ext4
(data=ordered) makes use of.

It also fails on request: with any error at the n-th call of a kind (after a failed sync the dirty pages count as clean,
and the next sync succeeds, as on Linux), when it is full, and by losing power in the middle of any operation.
"""

import errno
import os
from random import Random

import attrs

from amq.server.disk import Disk
from tests.faults.fake_disk_file import END, SECTOR, FakeFile

# How much of what is not safe a crash keeps: of each piece by chance, all up to some moment, or one of the extremes.
TORN = "torn"
PREFIX = "prefix"
ALL = "all"
NONE = "none"


class PowerLoss(BaseException):
    """The machine is off. No Exception, because nobody handles this one."""


@attrs.frozen
class Operation:
    """One call that changes something, for whoever looks for a fault; `size` is that of the file for `truncate`."""

    number: int
    kind: str
    name: str
    other: str = ""
    offset: int = 0
    size: int = 0


@attrs.define(eq=False)
class Failure:
    """The `left`-th call from now on of a kind fails with that error."""

    kind: str
    left: int
    code: int


@attrs.define(eq=False)
class FakeDisk(Disk):
    """Files in memory. `capacity` counts octets in whole sectors, of files that have names."""

    capacity: int = 1 << 40
    operations: list[Operation] = attrs.field(factory=list, init=False)
    _entries: dict[str, FakeFile] = attrs.field(factory=dict, init=False)
    _stable: dict[str, FakeFile] = attrs.field(factory=dict, init=False)
    # What happened to names since the last sync of the folder, with the file that it happened to.
    _pending: list[tuple[Operation, FakeFile]] = attrs.field(factory=list, init=False)
    _failures: list[Failure] = attrs.field(factory=list, init=False)
    # How many of them a failed sync has left behind.
    _forgotten: int = attrs.field(default=0, init=False)
    _cut: Failure | None = attrs.field(default=None, init=False)
    # The operation in which power was lost.
    _last: int = attrs.field(default=END, init=False)

    # -- what the journal calls --

    def names(self) -> list[str]:
        self._powered()
        return sorted(self._entries)

    def size(self, name: str) -> int:
        return len(self._file(name).cache)

    def create(self, name: str) -> None:
        self._powered()
        if name in self._entries:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), name)
        operation = self._begin("create", name)
        self._entries[name] = file = FakeFile()
        self._pending.append((operation, file))
        self._end()

    def write(self, name: str, offset: int, pieces: list[bytes]) -> None:
        file = self._file(name)
        octets = b"".join(pieces)
        try:
            operation = self._begin("write", name, offset=offset, size=len(octets))
        except OSError:
            file.write(self.operations[-1].number, offset, octets[: len(octets) // 2])
            raise
        fits = self._fitting(file, offset, len(octets))
        file.write(operation.number, offset, octets[:fits])
        if fits < len(octets):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), name)
        self._end()

    def allocate(self, name: str, size: int) -> None:
        file = self._file(name)
        operation = self._begin("allocate", name, size=size)
        fits = self._fitting(file, 0, size)
        file.write(operation.number, 0, bytes(fits))
        if fits < size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), name)
        self._end()

    def sync(self, name: str) -> None:
        file = self._file(name)
        try:
            self._begin("sync", name)
        except OSError:
            file.forget()
            raise
        # Before it took effect: whoever loses power in a sync does not know what of it happened.
        self._end()
        file.sync()

    def read(self, name: str, offset: int, size: int) -> bytes:
        return bytes(self._file(name).cache[offset : offset + size])

    def rename(self, old: str, new: str) -> None:
        file = self._file(old)
        operation = self._begin("rename", old, new)
        self._entries[new] = self._entries.pop(old)
        self._pending.append((operation, file))
        self._end()

    def unlink(self, name: str) -> None:
        file = self._file(name)
        operation = self._begin("unlink", name)
        del self._entries[name]
        self._pending.append((operation, file))
        self._end()

    def truncate(self, name: str, size: int) -> None:
        file = self._file(name)
        operation = self._begin("truncate", name, size=size)
        file.truncate(operation.number, size)
        self._end()

    def sync_folder(self) -> None:
        self._powered()
        try:
            self._begin("sync_folder", "")
        except OSError:
            self._forgotten = len(self._pending)
            raise
        self._end()
        # What a failed sync has left clean is written with the next change of the folder, and not before.
        if len(self._pending) > self._forgotten:
            self._stable = dict(self._entries)
            self._pending.clear()
            self._forgotten = 0

    def free(self) -> int:
        self._powered()
        return self._free() * SECTOR

    def total(self) -> int:
        return self.capacity

    def where(self) -> str:
        return "memory"

    def close(self) -> None:
        """Nothing stays open here."""

    # -- faults --

    def fail(self, kind: str, nth: int = 1, code: int = errno.EIO) -> None:
        """Let the `nth` call of that kind ("sync", "write", ...) from now on fail; half of a failed write is done."""
        self._failures.append(Failure(kind, nth, code))

    def cut_power(self, nth: int, kind: str = "") -> None:
        """Lose power in the `nth` operation (of that kind) from now on: it and all that follow raise PowerLoss."""
        self._cut = Failure(kind, nth, 0)

    @property
    def dead(self) -> bool:
        """Whether power is lost."""
        return len(self.operations) > self._last

    def revive(self) -> None:
        """Go on after a cut as if only the process had died: the page cache is what it was."""
        self._cut = None
        self._last = END

    def flip(self, name: str, bit: int) -> None:
        """Turn one bit of a file over, on the platter too; they are counted from the first octet's lowest."""
        self._entries[name].flip(bit)

    def crash(self, random: Random, mode: str = TORN) -> "FakeDisk":
        """Another disk with what this one may hold after a loss of power now; this one stays what it is."""
        if mode == TORN:
            return self._torn(random)
        if mode == PREFIX:
            return self._at(random.randrange(len(self.operations) + 1), random.randrange(8))
        return self._at(END if mode == ALL else -1, 0)

    # -- how --

    def _torn(self, random: Random) -> "FakeDisk":
        chance = random.choice((0.1, 0.5, 0.9))
        # The journal of ext4 keeps the order of what happens to names; other file systems do not.
        happened = self._pending[: random.randint(0, len(self._pending))]
        if random.random() < 0.5:
            happened = [change for change in self._pending if random.random() < chance]
        names = self._names_after(happened)
        return self._holding({name: file.torn(random, chance) for name, file in names.items()})

    def _at(self, moment: int, sectors: int) -> "FakeDisk":
        names = self._names_after([change for change in self._pending if change[0].number < moment])
        return self._holding({name: file.at(moment, sectors) for name, file in names.items()})

    def _names_after(self, changes: list[tuple[Operation, FakeFile]]) -> dict[str, FakeFile]:
        """The names on the platter after these changes, without those that need one that is not among them."""
        names = dict(self._stable)
        for operation, file in changes:
            if operation.kind == "create":
                names.setdefault(operation.name, file)
            elif names.get(operation.name) is file:
                del names[operation.name]
                if operation.kind == "rename":
                    names[operation.other] = file
        return names

    def _holding(self, contents: dict[str, bytearray]) -> "FakeDisk":
        disk = FakeDisk(self.capacity)
        for name, content in contents.items():
            disk._entries[name] = FakeFile(bytes(content))
        disk._stable = dict(disk._entries)
        return disk

    def _file(self, name: str) -> FakeFile:
        self._powered()
        file = self._entries.get(name)
        if file is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
        return file

    def _free(self) -> int:
        """How many sectors nobody has."""
        return self.capacity // SECTOR - sum(len(file.allocated) for file in self._entries.values())

    def _fitting(self, file: FakeFile, offset: int, size: int) -> int:
        """How many of so many octets there is space for."""
        free = self._free()
        while size and file.growth(offset, offset + size) > free:
            size = max(0, (offset + size - 1) // SECTOR * SECTOR - offset)
        return size

    def _begin(self, kind: str, name: str, other: str = "", offset: int = 0, size: int = 0) -> Operation:
        operation = Operation(len(self.operations), kind, name, other, offset, size)
        self.operations.append(operation)
        cut = self._cut
        if cut is not None and cut.kind in ("", kind):
            cut.left -= 1
            if not cut.left:
                self._last = operation.number
        for failure in self._failures:
            if failure.kind == kind:
                failure.left -= 1
                if not failure.left:
                    raise OSError(failure.code, os.strerror(failure.code), name)
        return operation

    def _end(self) -> None:
        if self.dead:
            raise PowerLoss(f"in {self.operations[-1]}")

    def _powered(self) -> None:
        if self.dead:
            raise PowerLoss(f"since {self.operations[self._last]}")
