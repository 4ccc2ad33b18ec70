"""Paging files: messages that have no place in the journal and are too many for memory.

They are never synced, and the folder is emptied at the next start. A file goes when nothing in it is wanted any more.
"""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import attrs

from amq.journal.loading import Page
from amq.server.disk import IOV_MAX, write_some

# A new file is begun when the last one is that long, in octets.
FILE_BYTES: Final = 1 << 26


@attrs.define(eq=False)
class PagingFile:
    """One file, without a name; `pages` are those in it that may still be wanted."""

    fd: int
    used: int = 0
    pages: list[Page] = attrs.field(factory=list)


@attrs.frozen
class Place:
    """Where a page stands."""

    file: PagingFile
    offset: int
    size: int


@attrs.define(eq=False)
class Paging:
    """The paging files of one folder. `write` and `read` wait for the disk and raise OSError."""

    folder: Path
    _files: list[PagingFile] = attrs.field(factory=list, init=False)
    _numbers: Iterator[int] = attrs.field(factory=itertools.count, init=False)

    def write(self, pages: list[Page]) -> None:
        """Put pages into a file; `settle` then tells them where they are. Raises OSError."""
        for page in pages:
            pieces = page.pieces
            if pieces is None or page.dropped:
                continue
            file = self._file()
            offset = file.used
            size = sum(map(len, pieces))
            at = offset
            for start in range(0, len(pieces), IOV_MAX):
                part = pieces[start : start + IOV_MAX]
                if write_some(file.fd, part, at) != (length := sum(map(len, part))):
                    raise OSError(f"{self.folder}: not all of a page was written")
                at += length
            file.used += size
            file.pages.append(page)
            page.place = Place(file, offset, size)

    def read(self, page: Page) -> bytes:
        """The octets of a page that was written. Raises OSError."""
        place = page.place
        assert isinstance(place, Place), "it was written"
        octets = os.pread(place.file.fd, place.size, place.offset)
        if len(octets) != place.size:
            raise OSError(f"{self.folder}: a page is cut short")
        return octets

    def clear(self) -> None:
        """Close files in which nothing is wanted any more, but for one that is not full yet."""
        for file in self._files[:]:
            file.pages = [page for page in file.pages if page.reading or not page.dropped]
            if not file.pages and (file.used >= FILE_BYTES or file is not self._files[-1]):
                self._files.remove(file)
                os.close(file.fd)

    def in_use(self) -> bool:
        """Whether there is any file."""
        return bool(self._files)

    def close(self) -> None:
        """Close all files."""
        for file in self._files:
            os.close(file.fd)
        self._files = []

    def _file(self) -> PagingFile:
        if not self._files or self._files[-1].used >= FILE_BYTES:
            path = self.folder / f"{next(self._numbers)}.page"
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            # It goes with the last descriptor, whatever becomes of this process.
            path.unlink()
            self._files.append(PagingFile(fd))
        return self._files[-1]
