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
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from typing import Final

import attrs

from amq.journal import frame
from amq.journal.log import Log, Reading
from amq.journal.replay import Corrupt, End, Replay, survey
from amq.journal.segment import Segment, segment_name, segment_number
from amq.server.disk import Disk

SPARE_SUFFIX: Final = ".spare"
PROBE: Final = "probe"
# The first segment of a new journal is small: a start is to take no time.
FIRST_BYTES: Final = 1 << 22
LEAST_BYTES: Final = 1 << 20
# On a full disk a segment may be as small as this.
LEAST_SPARE: Final = 1 << 16
# Each segment may be so many times as large as the one before it.
GROWTH: Final = 4
# A segment takes at most this part of its file system.
PART: Final = 16
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
    # Something at the end of the last segment may not be safe.
    _unsynced: bool = attrs.field(default=False, init=False)
    _names: Iterator[int] = attrs.field(factory=count, init=False)

    # -- at the start --

    def recover(self) -> Replay:
        """Read what is there and make a new last segment. Raises OSError, Corrupt, and NoRoom when nothing fits."""
        self.total = self.disk.total()
        self.segment_bytes = max(LEAST_BYTES, min(self.segment_bytes, self.total // PART))
        self._sync_names()
        self._keep_spares()
        headers = self._headers()
        found = len(headers)
        end = self._end(headers)
        replay = Replay(self.log)
        for index, (name, header) in enumerate(headers):
            before = headers[index + 1][1].first_sequence if index + 1 < len(headers) else end.synced + 1
            replay.read(name, header, self._whole(name), before)
        self._new_last(headers, end, replay)
        if len(headers) < found or any(each.count for each in end.unvouched):
            # There was another start since that stop, or the next one could not tell that there was this one.
            replay.delivered = None
        # Behind what counts there may be frames that do not: they go, and with them the unused rest of the file.
        for segment in self.log.segments[:-1]:
            if segment.size > segment.used:
                self.disk.truncate(segment.name, segment.used)
                segment.size = segment.used
        self.log.synced = self.log.sequence - 1
        return replay

    def _sync_names(self) -> None:
        """What a process that was killed did to the folder may be known to the kernel alone, and forgotten yet."""
        try:
            if PROBE not in self.disk.names():
                self.disk.create(PROBE)
            # Something must change, or a sync that failed before might be taken for one that was not needed.
            self.disk.unlink(PROBE)
        except OSError as error:
            if error.errno not in FULL:
                raise
        self.disk.sync_folder()

    def _whole(self, name: str) -> bytes:
        return self.disk.read(name, 0, self.disk.size(name))

    def _headers(self) -> list[tuple[str, frame.Header]]:
        found: list[tuple[str, frame.Header]] = []
        for name in self.disk.names():
            number = segment_number(name)
            if number is None:
                continue
            header = frame.read_segment_header(self.disk.read(name, 0, frame.SEGMENT_HEADER))
            if header is None or header.number != number:
                raise Corrupt(name, 0, 0, "the header of the segment is damaged")
            if found and number != found[-1][1].number + 1:
                raise Corrupt(segment_name(found[-1][1].number + 1), 0, 0, "the segment is missing")
            found.append((name, header))
        return found

    def _end(self, headers: list[tuple[str, frame.Header]]) -> End:
        """Where the log ends; a last segment without frames, from a start that was followed by nothing, goes."""
        if not headers:
            return End(0, 1, 0, [], True)
        name, header = headers[-1]
        end = survey(name, self._whole(name), header)
        if not end.empty or len(headers) < 2:
            return end
        # It says that everything before it was safe.
        before, last = headers[-2]
        end = survey(before, self._whole(before), last)
        if end.sequence < header.first_sequence:
            raise Corrupt(before, end.at, end.sequence, "a frame that was safe cannot be read")
        headers.pop()
        self._to_spares(name)
        return End(end.at, header.first_sequence, header.first_sequence - 1, [], False)

    def _new_last(self, headers: list[tuple[str, frame.Header]], end: End, replay: Replay) -> None:
        """A new segment behind the others, with copies of the frames that may never have been safe."""
        number = headers[-1][1].number + 1 if headers else 1
        header = frame.Header(_salt(), number, end.synced + 1, _now(), self.log.last_lsn + 1)
        pieces = [header.pack()]
        if end.unvouched:
            octets = self.disk.read(headers[-1][0], 0, end.at)
            for found in end.unvouched:
                pieces += _copied(octets, found, end.synced, header.salt)
        size = sum(map(len, pieces))
        try:
            spare = self._spare_for(size, FIRST_BYTES)
        except NoRoom:
            if not headers:
                raise
            # Killed on a full disk: what is left of the last segment will do.
            self.disk.truncate(headers[-1][0], end.at)
            self.disk.sync(headers[-1][0])
            spare = self._spare_for(size, FIRST_BYTES)
        self.disk.write(spare, 0, pieces)
        name = self._name_segment(spare, number)
        replay.read(name, header, self._whole(name), None)

    # -- writing --

    def append(self, offset: int, pieces: list[bytes]) -> None:
        """Write a frame at its place in the last segment and make it safe. Raises OSError."""
        self.put(offset, pieces)
        self.sync()

    def put(self, offset: int, pieces: list[bytes]) -> None:
        """Write a frame at its place in the last segment, to be made safe by `sync`. Raises OSError."""
        self.disk.write(self.log.segments[-1].name, offset, pieces)
        self._unsynced = True

    def sync(self) -> None:
        """Make the last segment safe as it is. Raises OSError."""
        self.disk.sync(self.log.segments[-1].name)
        self._unsynced = False

    def roll(self, size: int, last_spare: bool) -> Segment:
        """Make the next segment, with room for a frame of `size`, for the log to begin. Raises NoRoom, and OSError.

        The last spare is only for what frees space, `last_spare`, unless another one can be made in its place.
        """
        if self._unsynced:
            # The header of the new segment says that everything before it is safe, the MARK included.
            self.sync()
        while not last_spare and len(self.spares) < SPARES:
            self.prepare()
        spare = self._spare_for(size + frame.SEGMENT_HEADER, self._usual())
        segment = self.log.new_segment(_salt(), self.disk.size(spare))
        header = frame.Header(segment.salt, segment.number, segment.first_sequence, _now(), segment.first_lsn)
        self.disk.write(spare, 0, [header.pack()])
        self._name_segment(spare, segment.number)
        return segment

    def prepare(self) -> None:
        """Have one more spare. Raises NoRoom, and OSError. This may run beside the other calls."""
        self.spares.append(self._make_spare(self._usual()))

    def wants_spare(self) -> bool:
        """Whether it is time to have one more spare made, before the last segment is full."""
        last = self.log.segments[-1]
        return len(self.spares) < SPARES and last.used > last.size // 4

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
        names = [name for name in self.disk.names() if name.endswith(SPARE_SUFFIX) and name.partition(".")[0].isdigit()]
        names.sort(key=self.disk.size, reverse=True)
        for name in names:
            if self.disk.size(name) >= min(FIRST_BYTES, self.segment_bytes) and len(self.spares) < SPARES:
                self.spares.append(name)
            else:
                self.disk.unlink(name)
        self._names = count(max([int(name.partition(".")[0]) for name in names], default=0) + 1)

    def _usual(self) -> int:
        """How large the next segment should be: who writes little needs little."""
        return min(self.segment_bytes, max(FIRST_BYTES, GROWTH * self.log.segments[-1].size))

    def _spare_for(self, size: int, usual: int) -> str:
        """A spare of at least so many octets, taken from those that are ready or made. Raises NoRoom."""
        for name in self.spares:
            if self.disk.size(name) >= size:
                self.spares.remove(name)
                return name
        wanted = max(size, usual)
        while True:
            try:
                return self._make_spare(wanted)
            except NoRoom:
                if wanted <= max(size, LEAST_SPARE):
                    raise
                wanted = max(size, wanted // 4)

    def _make_spare(self, size: int) -> str:
        """Have the blocks now: later writes are faster then, and cannot fail for lack of them."""
        name = self._new_name()
        try:
            self.disk.create(name)
            self.disk.allocate(name, size)
            self.disk.sync(name)
        except OSError as error:
            if error.errno in FULL:
                # It may not even have been made, for lack of an inode.
                with suppress(FileNotFoundError):
                    self.disk.unlink(name)
                raise NoRoom from None
            raise
        return name

    def _new_name(self) -> str:
        return f"{next(self._names):010}{SPARE_SUFFIX}"

    def _name_segment(self, spare: str, number: int) -> str:
        self.disk.sync(spare)
        name = segment_name(number)
        self.disk.rename(spare, name)
        self.disk.sync_folder()
        return name

    def _to_spares(self, name: str) -> None:
        """Take a segment's name away for good; its salt is what makes the old frames in it void."""
        if self.log.segments and self.disk.size(name) >= self._usual() and len(self.spares) < SPARES:
            spare = self._new_name()
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
