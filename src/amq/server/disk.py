"""The disk as the journal sees it: named files in one folder. The only module that opens data files.

Nothing here decides anything, and nothing is retried: an OSError goes up, and whoever gets one from `write` or `sync`
must not go on (what a failed fsync has lost stays lost, however often it is repeated).
"""

import errno
import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import attrs


class Disk:
    """Files in one folder, by name. Every method raises OSError when it fails.

    What `write` and `truncate` did is safe after `sync` of that file; what `create`, `rename` and `unlink` did is
    safe after `sync_folder`. Until then a crash may keep any part of it, in any order.
    """

    def names(self) -> list[str]:
        """The names of all files, sorted."""
        raise NotImplementedError

    def size(self, name: str) -> int:
        """Length in octets."""
        raise NotImplementedError

    def create(self, name: str) -> None:
        """A new, empty file; FileExistsError when there is one."""
        raise NotImplementedError

    def write(self, name: str, offset: int, pieces: list[bytes]) -> None:
        """Put octets at an offset, all of them or OSError."""
        raise NotImplementedError

    def allocate(self, name: str, size: int) -> None:
        """Make an empty file that long, of zeros, and have room for all of it: later writes need no new blocks."""
        raise NotImplementedError

    def sync(self, name: str) -> None:
        """Make the contents of a file safe (fdatasync)."""
        raise NotImplementedError

    def read(self, name: str, offset: int, size: int) -> bytes:
        """Octets from an offset; fewer than `size` only at the end of the file."""
        raise NotImplementedError

    def rename(self, old: str, new: str) -> None:
        """Give a file another name; a file of that name is replaced."""
        raise NotImplementedError

    def unlink(self, name: str) -> None:
        """Remove a file."""
        raise NotImplementedError

    def truncate(self, name: str, size: int) -> None:
        """Cut or extend with zeros."""
        raise NotImplementedError

    def sync_folder(self) -> None:
        """Make the folder's entries safe."""
        raise NotImplementedError

    def free(self) -> int:
        """Octets that may still be written to this file system by an ordinary user."""
        raise NotImplementedError

    def total(self) -> int:
        """Octets of the whole file system."""
        raise NotImplementedError

    def where(self) -> str:
        """The folder, for people."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of every open file."""
        raise NotImplementedError


KEPT_OPEN: Final = 8
# What file systems say that cannot allocate; zeros are written there instead.
CANNOT_ALLOCATE: Final = (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS)
ZEROS: Final = bytes(1 << 20)
# What one call to pwritev takes.
IOV_MAX: Final = 1024
# PyPy has no such call: there small pieces are joined, and others written one by one, for that is cheaper than a copy.
VECTORS: Final = hasattr(os, "pwritev")
JOINED: Final = 1 << 14


def portions(pieces: list[bytes]) -> Iterator[list[bytes]]:
    """The same pieces in order, as many at a time as are written in one go."""
    start = size = 0
    for at, piece in enumerate(pieces):
        if at > start and (at - start == IOV_MAX or (not VECTORS and size + len(piece) > JOINED)):
            yield pieces[start:at]
            start = at
            size = 0
        size += len(piece)
    if start < len(pieces):
        yield pieces[start:]


def write_some(fd: int, pieces: list[bytes], offset: int) -> int:
    """Put octets into an open file; returns how many. At most IOV_MAX pieces. Raises OSError."""
    if VECTORS:
        return os.pwritev(fd, pieces, offset)
    return os.pwrite(fd, b"".join(pieces), offset)


@attrs.define(eq=False)
class FolderDisk(Disk):
    """A real folder, which must exist. Files that were written to lately stay open, a few of them. Two threads may use
    it, each with files of its own, and any number may read.
    """

    folder: Path
    _open: OrderedDict[str, int] = attrs.field(factory=OrderedDict, init=False)
    _turn: threading.Lock = attrs.field(factory=threading.Lock, init=False)

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())

    def size(self, name: str) -> int:
        return (self.folder / name).stat().st_size

    def create(self, name: str) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        fd = os.open(self.folder / name, flags, 0o600)
        with self._turn:
            self._enter(name, fd)

    def write(self, name: str, offset: int, pieces: list[bytes]) -> None:
        fd = self._descriptor(name)
        for part in portions(pieces):
            size = sum(map(len, part))
            with self._named(name):
                written = more = write_some(fd, part, offset)
                while written < size and more:
                    # The kernel writes less only when it has to: the rest makes it say why, unless there is room again.
                    more = write_some(fd, [b"".join(part)[written:]], offset + written)
                    written += more
            if written != size:
                raise OSError(errno.EIO, f"{written} of {size} octets written at {offset}", str(self.folder / name))
            offset += size

    def allocate(self, name: str, size: int) -> None:
        fd = self._descriptor(name)
        if hasattr(os, "posix_fallocate"):
            try:
                with self._named(name):
                    os.posix_fallocate(fd, 0, size)
            except OSError as error:
                if error.errno not in CANNOT_ALLOCATE:
                    raise
            else:
                return
        for offset in range(0, size, len(ZEROS)):
            self.write(name, offset, [ZEROS[: min(len(ZEROS), size - offset)]])

    def sync(self, name: str) -> None:
        fd = self._descriptor(name)
        with self._named(name):
            os.fdatasync(fd)

    def read(self, name: str, offset: int, size: int) -> bytes:
        # By a descriptor of its own: others may close theirs meanwhile.
        fd = os.open(self.folder / name, os.O_RDONLY | os.O_CLOEXEC)
        pieces = []
        try:
            while size > 0:
                with self._named(name):
                    piece = os.pread(fd, size, offset)
                if not piece:
                    break
                pieces.append(piece)
                offset += len(piece)
                size -= len(piece)
        finally:
            os.close(fd)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def rename(self, old: str, new: str) -> None:
        (self.folder / old).rename(self.folder / new)
        self._close(new)
        with self._turn:
            if old in self._open:
                self._open[new] = self._open.pop(old)

    def unlink(self, name: str) -> None:
        (self.folder / name).unlink()
        self._close(name)

    def truncate(self, name: str, size: int) -> None:
        os.ftruncate(self._descriptor(name), size)

    def sync_folder(self) -> None:
        fd = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def free(self) -> int:
        stat = os.statvfs(self.folder)
        return stat.f_bavail * stat.f_frsize

    def total(self) -> int:
        stat = os.statvfs(self.folder)
        return stat.f_blocks * stat.f_frsize

    def where(self) -> str:
        return str(self.folder)

    def close(self) -> None:
        for name in list(self._open):
            self._close(name)

    @contextmanager
    def _named(self, name: str) -> Iterator[None]:
        """Let errors say which file it was; calls with a descriptor do not know."""
        try:
            yield
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self.folder / name)) from None

    def _descriptor(self, name: str) -> int:
        with self._turn:
            fd = self._open.get(name)
            if fd is not None:
                self._open.move_to_end(name)
                return fd
            return self._enter(name, os.open(self.folder / name, os.O_RDWR | os.O_CLOEXEC))

    def _enter(self, name: str, fd: int) -> int:
        """Keep a descriptor; the one that was not used for the longest time goes."""
        self._open[name] = fd
        if len(self._open) > KEPT_OPEN:
            os.close(self._open.popitem(last=False)[1])
        return fd

    def _close(self, name: str) -> None:
        with self._turn:
            fd = self._open.pop(name, None)
            if fd is not None:
                os.close(fd)
