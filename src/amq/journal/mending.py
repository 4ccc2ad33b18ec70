"""Writes again what is alive of the segments that a survey has read, as a journal that lacks nothing.

Frames are numbered anew, without gaps. RUNs stand in the order in which they were, cut down to the messages and queues
that are alive, each message in one RUN only, and there is nothing else: no MARK but the last, no SETTLED, no CLEAN.
Recovery counts, and may rely on what a whole journal is like; what was settled of messages that are lost, or a
copy of which the half is lost, would mislead it.
"""

from amq.journal import frame, record
from amq.journal.census import Living, Runs
from amq.journal.frame import Frame, Header
from amq.journal.log import PADDING
from amq.journal.record import HEAD, Run
from amq.journal.replay import records
from amq.journal.survey import Scan, Survey


class Mender:
    """Makes segments out of those that were read, one after the other; `survey` is that of all of them.

    `number` and `sequence` are those of the next segment and of the next frame, `last_lsn` the highest LSN so far. All
    that is written vouches for what stands before it, so it must be safe as a whole before any of it is used.
    """

    __slots__ = ("census", "strays", "placed", "number", "sequence", "last_lsn")

    def __init__(self, survey: Survey) -> None:
        self.census = survey.census
        # RUNs that go where their lost originals were: first LSN and the one after the last, the lowest at the end.
        self.strays: list[tuple[int, int, bytes]] = []
        self.placed: set[tuple[Runs, int]] = set()
        for runs, index, octets in survey.strays:
            run = record.read_run(octets, 0)
            living = self.census.living(runs, index)
            self.strays += [(each[0], each[1], _part(octets, 0, run, each)) for each in living]
            self.placed.add((runs, index))
        self.strays.sort(reverse=True)
        self.number: int = survey.parts[0].number
        self.sequence: int = 1
        self.last_lsn: int = survey.base - 1

    def mend(self, scan: Scan, index: int, octets: bytes, salt: int, created: int) -> list[bytes]:
        """The octets of the next segment, with what is alive of one that was read, the `index`-th, whose octets these
        are; empty when nothing is.

        `salt` is a new one of 32 random bits, `created` now, in ms since 1970.
        """
        runs = self.census.segments[index]
        first_lsn = self.last_lsn + 1
        pieces: list[bytes] = []
        first_sequence = self.sequence
        seen = 0
        for found, good in scan.frames:
            places = _runs(octets, found, good)
            kept = []
            for at, pos in enumerate(places, seen):
                kept += self._living(octets, pos, runs, at)
            seen += len(places)
            if kept:
                pieces += self._frame(kept, salt)
        if not pieces:
            return []
        header = Header(salt, self.number, first_sequence, created, first_lsn)
        # Vouches for the frame before it, as nothing comes after it.
        pieces.append(frame.mark(self.sequence, self.sequence - 1, salt))
        self.sequence += 1
        self.number += 1
        return [header.pack(), *pieces]

    def _frame(self, kept: list[bytes], salt: int) -> list[bytes]:
        size = sum(map(len, kept))
        chain = frame.heads_crc([each[:8] for each in kept])
        header = frame.frame_header(size, len(kept), self.sequence, self.sequence - 1, salt, chain, 0)
        self.sequence += 1
        return [header, *kept, PADDING[: -size % 8]]

    def _living(self, octets: bytes, pos: int, runs: Runs, index: int) -> list[bytes]:
        """A RUN as it is, or smaller ones for what of it is alive."""
        run = record.read_run(octets, pos)
        if (runs, index) in self.placed:
            # If they are not written yet, nothing with higher LSNs is.
            return self._strays_before(run.lsn + run.count)
        kept: list[bytes] = []
        for each in self.census.living(runs, index):
            if index not in runs.copies:
                kept += self._strays_before(each[0])
                self.last_lsn = each[1] - 1
            kept.append(_part(octets, pos, run, each))
        return kept

    def _strays_before(self, lsn: int) -> list[bytes]:
        """The next RUNs whose originals are lost, with lower LSNs than that."""
        found: list[bytes] = []
        while self.strays and self.strays[-1][0] < lsn:
            _, after, octets = self.strays.pop()
            self.last_lsn = after - 1
            found.append(octets)
        return found


def _part(octets: bytes, pos: int, run: Run, living: Living) -> bytes:
    """A RUN of some of the messages of one, for some of its queues."""
    first, after, queues = living
    if (first, after - first, list(queues)) == (run.lsn, run.count, list(run.queues)):
        size, _, _ = HEAD.unpack_from(octets, pos)
        return octets[pos : pos + 8 + size]
    return b"".join(record.part_of(octets, pos, run, first, after - first, list(queues)))


def _runs(octets: bytes, found: Frame, good: list[int] | None) -> list[int]:
    """Where the RUNs of a frame stand that can be used."""
    if good is not None:
        return good
    return [pos for pos, kind in records(octets, found) if kind == record.RUN]
