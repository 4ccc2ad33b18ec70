"""The log: all segments, what is alive in them, and where a message is found. Opens no file.

New frames go to the last segment; only the first one is ever dropped, so a SETTLED always outlives the message that
it is about. What is still alive in the first segment when it is to go is written again at the end (salvage), under
the same LSNs: `moved` knows where.
"""

from bisect import bisect_right, insort
from typing import Final

from amq.journal import frame
from amq.journal.batch import Placed, Work
from amq.journal.record import Lsns, compact
from amq.journal.segment import Segment

# Garbage that nobody minds, in octets.
SPARE: Final = 1 << 28
PADDING: Final = bytes(8)


class Moved:
    """A RUN that was written again: `count` messages, from `start` to `end` in a segment."""

    __slots__ = ("count", "segment", "start", "end")

    def __init__(self, count: int, segment: Segment, start: int, end: int) -> None:
        self.count = count
        self.segment = segment
        self.start = start
        self.end = end


class Reading:
    """One stretch of a file to be read, and where in it RUNs begin (from its start)."""

    __slots__ = ("segment", "start", "end", "records")

    def __init__(self, segment: Segment, start: int, end: int) -> None:
        self.segment = segment
        self.start = start
        self.end = end
        self.records: list[int] = [0]


# Records that stand no further apart are read in one go.
GAP: Final = 1 << 15


class Log:
    """`segments` in order; the last one is written to. `sequence` is that of the next frame, `last_lsn` the highest
    LSN that was ever new here, `synced` the last frame that is safe.
    """

    __slots__ = ("segments", "starts", "sequence", "synced", "last_lsn", "moved", "moved_lsns", "salvaged")

    def __init__(self) -> None:
        self.segments: list[Segment] = []
        # The first LSN of each segment.
        self.starts: list[int] = []
        self.sequence: int = 1
        self.synced: int = 0
        self.last_lsn: int = 0
        self.moved: dict[int, Moved] = {}
        self.moved_lsns: list[int] = []
        # Octets that salvage has written again.
        self.salvaged: int = 0

    # -- writing --

    def room(self) -> int:
        """Octets left in the segment that is written to."""
        if not self.segments:
            return 0
        last = self.segments[-1]
        return last.size - last.used

    def begin(self, segment: Segment) -> None:
        """Frames go to that segment from now on; it has its header."""
        segment.used = frame.SEGMENT_HEADER
        if self.segments:
            self.segments[-1].seal()
        self.segments.append(segment)
        self.starts.append(segment.first_lsn)

    def new_segment(self, salt: int, size: int) -> Segment:
        """The next segment, before it is begun."""
        number = self.segments[-1].number + 1 if self.segments else 1
        return Segment(number, salt, size, self.sequence, self.last_lsn + 1)

    def place(self, work: Work) -> tuple[int, list[bytes]]:
        """Give a batch its place in the last segment, which has room for it: the offset, and the octets for it.

        Nothing is found there before `wrote` says that they have been written: copies of what stands elsewhere, too,
        are read meanwhile.
        """
        segment = self.segments[-1]
        offset = segment.used
        sequence = self.sequence
        chain = frame.heads_crc(work.heads)
        header = frame.frame_header(work.size, len(work.heads), sequence, self.synced, segment.salt, chain, 0)
        self.sequence = sequence + 1
        segment.used = offset + frame.frame_size(work.size)
        return offset, [header, *work.pieces, PADDING[: -work.size % 8]]

    def wrote(self, work: Work, offset: int) -> None:
        """A batch stands at its place, and is safe."""
        self.note(self.segments[-1], work, offset + frame.FRAME_HEADER)
        self.synced = self.sequence - 1

    def place_mark(self) -> tuple[int, list[bytes]]:
        """The same for a MARK."""
        segment = self.segments[-1]
        offset = segment.used
        octets = frame.mark(self.sequence, self.synced, segment.salt)
        self.sequence += 1
        segment.used += len(octets)
        return offset, [octets]

    def note(self, segment: Segment, work: Work, at: int) -> None:
        """A batch stands in a segment, its records from `at` on."""
        for run in work.runs:
            self.enter(segment, run, at + run.offset)
        for queue, lsns, octets in work.gone:
            self.settle(queue, lsns, octets)

    def enter(self, segment: Segment, run: Placed, offset: int) -> None:
        """A RUN stands in a segment at an offset."""
        if run.lsn > self.last_lsn:
            segment.lsns.append(run.lsn)
            segment.offsets.append(offset)
            self.last_lsn = run.lsn + run.count - 1
        else:
            if run.lsn not in self.moved:
                insort(self.moved_lsns, run.lsn)
            self.moved[run.lsn] = Moved(run.count, segment, offset, offset + run.size)
        segment.enter(run)

    # -- settling --

    def settle(self, queue: int, lsns: Lsns, octets: int) -> None:
        """Messages are gone from a queue; `octets` of bodies, -1 when nobody knows."""
        low, high = (lsns.start, lsns.stop - 1) if isinstance(lsns, range) else (min(lsns), max(lsns))
        if not self.moved_lsns or low > self.moved_lsns[-1] + self.moved[self.moved_lsns[-1]].count - 1:
            segment = self.home(low)
            if segment is not None and segment is self.home(high):
                segment.settle(queue, lsns, octets)
                return
        self._settle_apart(queue, lsns, octets)

    def _settle_apart(self, queue: int, lsns: Lsns, octets: int) -> None:
        if isinstance(lsns, range):
            self._settle_range(queue, lsns, octets)
            return
        parts: dict[Segment, list[int]] = {}
        for lsn in lsns:
            segment = self.segment_of(lsn)
            if segment is not None:
                parts.setdefault(segment, []).append(lsn)
        for segment, part in parts.items():
            share = octets * len(part) // len(lsns) if octets >= 0 else -1
            segment.settle(queue, compact(part), share)

    def _settle_range(self, queue: int, lsns: range, octets: int) -> None:
        start = lsns.start
        while start < lsns.stop:
            segment, stop = self._stretch(start, lsns.stop)
            if segment is not None:
                share = octets * (stop - start) // len(lsns) if octets >= 0 else -1
                segment.settle(queue, range(start, stop), share)
            start = stop

    def _stretch(self, start: int, stop: int) -> tuple[Segment | None, int]:
        """The segment that holds a message, and up to which LSN, `stop` at most, it holds those that follow."""
        at = bisect_right(self.moved_lsns, start)
        if at < len(self.moved_lsns):
            stop = min(stop, self.moved_lsns[at])
        if at > 0:
            first = self.moved_lsns[at - 1]
            moved = self.moved[first]
            if start < first + moved.count:
                return moved.segment, min(stop, first + moved.count)
        at = bisect_right(self.starts, start)
        if at < len(self.starts):
            stop = min(stop, self.starts[at])
        return self.home(start), stop

    def forget_queue(self, queue: int) -> None:
        """A queue is deleted: nothing of it is alive any more."""
        for segment in self.segments:
            if queue in segment.alive:
                segment.forget(queue)

    # -- finding --

    def home(self, lsn: int) -> Segment | None:
        """The segment in which a message was new; None when that is gone."""
        at = bisect_right(self.starts, lsn) - 1
        return self.segments[at] if at >= 0 else None

    def moved_run(self, lsn: int) -> Moved | None:
        """The RUN in which a message was written again."""
        at = bisect_right(self.moved_lsns, lsn) - 1
        if at < 0:
            return None
        first = self.moved_lsns[at]
        moved = self.moved[first]
        return moved if lsn < first + moved.count else None

    def moved_end(self) -> int:
        """The LSN from which on nothing was written again."""
        return max([lsn + moved.count for lsn, moved in self.moved.items()], default=0)

    def segment_of(self, lsn: int) -> Segment | None:
        """The segment that holds a message."""
        moved = self.moved_run(lsn)
        return moved.segment if moved is not None else self.home(lsn)

    def readings(self, lsns: Lsns) -> list[Reading]:
        """What to read to get these messages; `lsns` ascending, all of them alive."""
        found: list[Reading] = []
        last = -1
        index = -1
        segment: Segment | None = None
        for lsn in lsns:
            if lsn <= last:
                continue
            moved = self.moved_run(lsn)
            if moved is not None:
                start, end = moved.start, moved.end
                last = self.moved_lsns[bisect_right(self.moved_lsns, lsn) - 1] + moved.count - 1
                holder: Segment | None = moved.segment
            else:
                holder = self.home(lsn)
                assert holder is not None, "a message that is alive stands somewhere"
                index = holder.index_of(lsn)
                start, end = holder.span_of(index)
                after = index + 1
                last = holder.lsns[after] - 1 if after < len(holder.lsns) else lsn
            if found and holder is segment and found[-1].end <= start <= found[-1].end + GAP:
                found[-1].records.append(start - found[-1].start)
                found[-1].end = end
            elif not (found and holder is segment and start == found[-1].start + found[-1].records[-1]):
                assert holder is not None
                found.append(Reading(holder, start, end))
                segment = holder
        return found

    # -- space --

    def droppable(self) -> Segment | None:
        """The first segment, if nothing in it is needed any more."""
        if len(self.segments) < 2:
            return None
        first = self.segments[0]
        return first if not first.alive and not first.readers else None

    def drop(self) -> Segment:
        """Let the first segment go."""
        self.starts.pop(0)
        segment = self.segments.pop(0)
        if self.moved_lsns:
            stale = [lsn for lsn, moved in self.moved.items() if moved.segment is segment]
            for lsn in stale:
                self.unmove(lsn)
        return segment

    def unmove(self, lsn: int) -> None:
        """Forget where a RUN was written again."""
        del self.moved[lsn]
        del self.moved_lsns[bisect_right(self.moved_lsns, lsn) - 1]

    def total(self) -> int:
        """Octets of all segments that hold something."""
        return sum([segment.used for segment in self.segments])

    def live(self) -> int:
        """Octets that are needed, roughly."""
        return sum([segment.live_octets() for segment in self.segments])

    def wants_salvage(self, spare: int = SPARE) -> bool:
        """Whether there is so much garbage that the first segment should be copied and dropped."""
        return len(self.segments) > 1 and self.total() > 2 * self.live() + spare
