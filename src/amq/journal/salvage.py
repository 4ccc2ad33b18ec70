"""Salvage: what is alive in the first segment is written again at the end of the log, so that the segment can go.

It is done in slices, between which the log goes on. A slice and whatever was settled by then reach the disk in one
frame, so nothing that is settled can come back with a copy.
"""

from typing import Final
from zlib import crc32

from amq.journal import record
from amq.journal.batch import Batch, Placed
from amq.journal.log import Log
from amq.journal.record import HEAD, Run
from amq.journal.segment import Segment

# RUNs of fewer messages are looked up before they are read; so many that are passed over cost as much as one that is
# read.
SHORT: Final = 16
PASSED: Final = 16


class Damaged(Exception):
    """A record of the segment is not what was written; `offset` says where it stands in the file."""

    def __init__(self, segment: Segment, offset: int) -> None:
        super().__init__(f"{segment.name}: offset {offset}: a message that is needed is damaged")


class Salvage:
    """Copies one segment, whose `octets` these are. `copied` counts octets."""

    __slots__ = ("log", "segment", "octets", "next", "moved", "gone", "seen", "copied")

    def __init__(self, log: Log, segment: Segment, octets: bytes) -> None:
        self.log = log
        self.segment = segment
        self.octets = octets
        # Which of the RUNs that were new here comes next, and where those stand that were copied here before.
        self.next: int = 0
        self.moved: list[int] = [each.start for each in log.moved.values() if each.segment is segment]
        # By queue id what is settled, and how many parts of `segment.settled` are in it.
        self.gone: dict[int, set[int]] = {}
        self.seen: dict[int, int] = {}
        self.copied: int = 0

    def slice(self, batch: Batch, records: int, octets: int) -> bool:
        """Look at so many records at most, or copy so many octets. Returns whether that was all.

        The batch must be taken and noted before anything else happens to the log. Raises Damaged.
        """
        self._note_settled()
        segment = self.segment
        left = records * PASSED
        stop = self.copied + octets
        while left > 0 and self.copied < stop:
            if self.next < len(segment.lsns):
                if self.all_gone(self.next):
                    left -= 1
                else:
                    self.copy(segment.offsets[self.next], batch)
                    left -= PASSED
                self.next += 1
            elif self.moved:
                self.copy(self.moved.pop(), batch)
                left -= PASSED
            else:
                return True
        return False

    def all_gone(self, index: int) -> bool:
        """Whether it is known without reading it that nothing of a RUN is alive: most are, in a segment that is worth
        the trouble.
        """
        lsns = self.segment.lsns
        first = lsns[index]
        after = lsns[index + 1] if index + 1 < len(lsns) else first + SHORT
        if after - first >= SHORT:
            return False
        for queue in self.segment.alive:
            gone = self.gone.get(queue)
            if gone is None:
                return False
            for lsn in range(first, after):
                if lsn not in gone:
                    return False
        return True

    def _note_settled(self) -> None:
        for queue, parts in self.segment.settled.items():
            gone = self.gone.setdefault(queue, set())
            for part in parts[self.seen.get(queue, 0) :]:
                gone.update(part)
            self.seen[queue] = len(parts)

    def copy(self, offset: int, batch: Batch) -> None:
        """Write again what is alive of one RUN."""
        octets = self.octets
        size, crc, _ = HEAD.unpack_from(octets, offset)
        if crc32(memoryview(octets)[offset + 8 : offset + 8 + size]) != crc:
            raise Damaged(self.segment, offset)
        run = record.read_run(octets, offset)
        first = run.lsn
        holders = self.holders(run, first)
        for lsn in range(first + 1, run.lsn + run.count + 1):
            following = self.holders(run, lsn) if lsn < run.lsn + run.count else None
            if following != holders:
                if holders:
                    self.write(offset, run, first, lsn - first, holders, batch)
                first = lsn
                holders = following or []

    def holders(self, run: Run, lsn: int) -> list[int]:
        """The queues in which a message is alive."""
        if self.log.moved_lsns and self.log.segment_of(lsn) is not self.segment:
            # A copy of it is further on already: the last salvage was interrupted.
            return []
        alive = self.segment.alive
        gone = self.gone
        return [queue for queue in run.queues if queue in alive and lsn not in gone.get(queue, ())]

    def write(self, offset: int, run: Run, lsn: int, count: int, queues: list[int], batch: Batch) -> None:
        """Append part of a RUN to the batch."""
        work = batch.work
        at = work.add(record.part_of(self.octets, offset, run, lsn, count, queues))
        work.runs.append(Placed(lsn, count, run.body_size, queues, at, work.size - at))
        # What is settled from now on must not get ahead of this copy.
        work.first_lsn = min(work.first_lsn, lsn)
        self.copied += work.size - at
