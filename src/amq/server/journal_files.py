"""The journal's files: recovery at the start, frames appended, segments begun and dropped.

Everything here waits for the disk and runs in a worker thread, one call at a time (but for `read`). The order of
writes, syncs and renames is what a crash at any moment leaves intact:

* a segment gets its name when its header, and what recovery copied into it, is safe; then the folder is synced;
* a frame is written and synced before anybody is told that it is safe;
* the first segment gives up its name, and the folder is synced, before the next one may.
"""

import errno
import os
import time
from typing import Final

import attrs

from amq.journal import frame
from amq.journal.log import Log, Reading
from amq.journal.replay import Corrupt, End, Replay, survey
from amq.journal.segment import Segment, segment_name, segment_number
from amq.server.disk import Disk

SPARE_SUFFIX: Final = ".spare"
# The first segment of a new journal is small: a start is to take no time.
FIRST_BYTES: Final = 1 << 22
LEAST_BYTES: Final = 1 << 20
# A segment takes at most this part of its file system.
PART: Final = 16
ZEROS: Final = bytes(1 << 20)
FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
# Spares that are kept ready; one of them is for what frees space.
SPARES: Final = 2


class NoRoom(Exception):
    """The file system has no room for another segment."""


@attrs.define(eq=False)
class JournalFiles:
    """`segment_bytes` is how large segments are made, in octets; on a small file system they are smaller."""

    disk: Disk
    segment_bytes: int
    log: Log = attrs.field(factory=Log, init=False)
    spares: list[str] = attrs.field(factory=list, init=False)
    # Octets of the file system.
    total: int = attrs.field(default=0, init=False)
    _named: int = attrs.field(default=0, init=False)

    # -- at the start --

    def recover(self) -> Replay:
        """Read what is there and make a new last segment. Raises OSError, Corrupt, and NoRoom when nothing fits."""
        self.total = self.disk.total()
        self.segment_bytes = max(LEAST_BYTES, min(self.segment_bytes, self.total // PART))
        self._keep_spares()
        headers = self._headers()
        end = self._survey(headers)
        if end is not None and end.empty:
            # A start that was followed by nothing: its segment is used again.
            name, _, header = headers.pop()
            self._to_spares(name)
            end = self._survey(headers) or End(0, header.first_sequence, header.first_sequence - 1, [], True)
        headers.append(self._new_last(headers, end))
        replay = Replay(self.log, headers)
        for index, (name, size, _) in enumerate(headers):
            replay.read(index, self.disk.read(name, 0, size))
        # Behind what counts there may be frames that do not: they go, and with them the unused rest of the file.
        for segment in self.log.segments[:-1]:
            if segment.size > segment.used:
                self.disk.truncate(segment.name, segment.used)
                segment.size = segment.used
        self.log.synced = self.log.sequence - 1
        return replay

    def _headers(self) -> list[tuple[str, int, frame.Header]]:
        found = []
        previous = None
        for name in self.disk.names():
            number = segment_number(name)
            if number is None:
                continue
            header = frame.read_segment_header(self.disk.read(name, 0, frame.SEGMENT_HEADER))
            if header is None or header.number != number:
                raise Corrupt(name, 0, 0, "the header of the segment is damaged")
            if previous is not None and number != previous + 1:
                raise Corrupt(segment_name(previous + 1), 0, 0, "the segment is missing")
            previous = number
            found.append((name, self.disk.size(name), header))
        return found

    def _survey(self, headers: list[tuple[str, int, frame.Header]]) -> End | None:
        if not headers:
            return None
        name, size, header = headers[-1]
        return survey(name, self.disk.read(name, 0, size), header)

    def _new_last(self, headers: list[tuple[str, int, frame.Header]], end: End | None) -> tuple[str, int, frame.Header]:
        """A new segment behind the others, with copies of the frames that may never have been safe."""
        number = headers[-1][2].number + 1 if headers else 1
        first = 1 if end is None else end.synced + 1
        header = frame.Header(_salt(), number, first, _now())
        pieces = [frame.segment_header(header.salt, number, first, header.created)]
        size = frame.SEGMENT_HEADER
        if end is not None and end.unvouched:
            octets = self.disk.read(headers[-1][0], 0, end.at)
            for found in end.unvouched:
                pieces += _copied(octets, found, first - 1, header.salt)
                size += found.end - found.start
        spare = self._spare_for(size, FIRST_BYTES)
        self.disk.write(spare, 0, pieces)
        return self._name_segment(spare, number), self.disk.size(segment_name(number)), header

    # -- writing --

    def append(self, offset: int, pieces: list[bytes]) -> None:
        """Write a frame at its place in the last segment and make it safe. Raises OSError."""
        name = self.log.segments[-1].name
        self.disk.write(name, offset, pieces)
        self.disk.sync(name)

    def append_mark(self, offset: int, pieces: list[bytes]) -> None:
        """Write a MARK; nobody waits for it to be safe. Raises OSError."""
        self.disk.write(self.log.segments[-1].name, offset, pieces)

    def roll(self, size: int, last_spare: bool) -> Segment:
        """Make the next segment, with room for a frame of `size`, for the log to begin. Raises NoRoom, and OSError.

        The last spare is only for what frees space, `last_spare`, unless another one can be made in its place.
        """
        wanted = size + frame.SEGMENT_HEADER
        if not last_spare and len(self.spares) < SPARES:
            self.prepare()
        spare = self._spare_for(wanted, self.segment_bytes)
        segment = self.log.new_segment(_salt(), self.disk.size(spare))
        self.disk.write(spare, 0, [frame.segment_header(segment.salt, segment.number, segment.first_sequence, _now())])
        self._name_segment(spare, segment.number)
        return segment

    def prepare(self) -> None:
        """Have one more spare, unless there are enough. Raises NoRoom, and OSError."""
        if len(self.spares) < SPARES:
            self.spares.append(self._make_spare(self.segment_bytes))

    def release(self, segment: Segment) -> None:
        """A segment was dropped: let its file go, or use it again. Raises OSError."""
        self._to_spares(segment.name)

    # -- reading --

    def read(self, reading: Reading) -> bytes:
        """The octets of a stretch. Raises OSError."""
        return self.disk.read(reading.segment.name, reading.start, reading.end - reading.start)

    def close(self) -> None:
        """Let go of the files."""
        self.disk.close()

    # -- spares --

    def _keep_spares(self) -> None:
        for name in self.disk.names():
            if name.endswith(SPARE_SUFFIX):
                self._named = max(self._named, int(name.partition(".")[0]))
                if self.disk.size(name) >= self.segment_bytes and len(self.spares) < SPARES:
                    self.spares.append(name)
                else:
                    self.disk.unlink(name)

    def _spare_for(self, size: int, usual: int) -> str:
        """A spare of at least so many octets, taken from those that are ready or made."""
        for name in self.spares:
            if self.disk.size(name) >= size:
                self.spares.remove(name)
                return name
        return self._make_spare(max(size, usual))

    def _make_spare(self, size: int) -> str:
        """Write zeros now: later writes then need no new blocks, which is faster and cannot fail for lack of them."""
        self._named += 1
        name = f"{self._named:010}{SPARE_SUFFIX}"
        try:
            self.disk.create(name)
            for offset in range(0, size, len(ZEROS)):
                self.disk.write(name, offset, [ZEROS[: min(len(ZEROS), size - offset)]])
            self.disk.sync(name)
        except OSError as error:
            if error.errno in FULL:
                self.disk.unlink(name)
                raise NoRoom from None
            raise
        return name

    def _name_segment(self, spare: str, number: int) -> str:
        self.disk.sync(spare)
        name = segment_name(number)
        self.disk.rename(spare, name)
        self.disk.sync_folder()
        return name

    def _to_spares(self, name: str) -> None:
        """Take a segment's name away for good; its salt is what makes the old frames in it void."""
        if self.disk.size(name) >= self.segment_bytes and len(self.spares) < SPARES:
            self._named += 1
            spare = f"{self._named:010}{SPARE_SUFFIX}"
            self.disk.rename(name, spare)
            self.disk.sync_folder()
            self.spares.append(spare)
        else:
            self.disk.unlink(name)
            self.disk.sync_folder()


def _copied(octets: bytes, found: frame.Frame, synced: int, salt: int) -> list[bytes]:
    """A frame for another segment."""
    payload = octets[found.records_at : found.end]
    size = found.records_end - found.records_at
    chain = int.from_bytes(octets[found.start + 36 : found.start + 40], "little")
    header = frame.frame_header(size, found.count, found.sequence, synced, salt, chain, found.flags)
    return [header, payload]


def _salt() -> int:
    return int.from_bytes(os.urandom(4), "little")


def _now() -> int:
    return int(time.time() * 1000)
