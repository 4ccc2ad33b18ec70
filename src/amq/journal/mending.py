"""Writes again what a survey could read, as a journal that lacks nothing.

Frames are numbered anew, without gaps. Left out are MARKs, the note of a stop in good order (there is no order to speak
of), and what was settled of messages that are lost: recovery counts, and must not count those.
"""

from amq.journal import frame, record
from amq.journal.census import Census
from amq.journal.frame import Frame, Header
from amq.journal.log import PADDING
from amq.journal.record import HEAD
from amq.journal.replay import records
from amq.journal.survey import Scan


class Mender:
    """Makes segments out of those that were read, one after the other; `census` is that of all of them.

    `number` and `sequence` are those of the next segment and of the next frame. All that is written vouches for what
    stands before it, so it must be safe as a whole before any of it is used.
    """

    __slots__ = ("census", "number", "sequence")

    def __init__(self, census: Census, number: int) -> None:
        self.census = census
        self.number = number
        self.sequence: int = 1

    def mend(self, scan: Scan, octets: bytes, salt: int, created: int) -> list[bytes]:
        """The octets of the next segment, with what can be used of one that was read, whose octets these are.

        `salt` is a new one of 32 random bits, `created` now, in ms since 1970.
        """
        header = Header(salt, self.number, self.sequence, created, scan.first_lsn)
        self.number += 1
        pieces = [header.pack()]
        for found, good in scan.frames:
            kept = self._kept(octets, found, good)
            if kept:
                pieces += self._frame(kept, salt)
        # Vouches for the frame before it, as nothing comes after it.
        pieces.append(frame.mark(self.sequence, self.sequence - 1, salt))
        self.sequence += 1
        return pieces

    def _frame(self, kept: list[bytes], salt: int) -> list[bytes]:
        size = sum(map(len, kept))
        chain = frame.heads_crc([each[:8] for each in kept])
        header = frame.frame_header(size, len(kept), self.sequence, self.sequence - 1, salt, chain, 0)
        self.sequence += 1
        return [header, *kept, PADDING[: -size % 8]]

    def _kept(self, octets: bytes, found: Frame, good: list[int] | None) -> list[bytes]:
        """The records of a frame that go on."""
        if good is not None:
            return [_record(octets, pos) for pos in good]
        kept: list[bytes] = []
        for pos, kind in records(octets, found):
            if kind == record.RUN:
                kept.append(_record(octets, pos))
            elif kind == record.SETTLED:
                kept += self._settled(octets, pos)
        return kept

    def _settled(self, octets: bytes, pos: int) -> list[bytes]:
        queue, lsns = record.read_settled(octets, pos)
        published = self.census.published.get(queue)
        if published is None:
            return []
        if not isinstance(lsns, range):
            there = [lsn for lsn in lsns if published.has(lsn)]
            return [b"".join(record.settled(queue, record.compact(there)))] if there else []
        parts = published.inside(lsns.start, lsns.stop)
        return [b"".join(record.settled(queue, range(start, stop))) for start, stop in parts]


def _record(octets: bytes, pos: int) -> bytes:
    size, _, _ = HEAD.unpack_from(octets, pos)
    return octets[pos : pos + 8 + size]
