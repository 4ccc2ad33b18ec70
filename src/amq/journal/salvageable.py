"""What can still be told of a segment whose header is damaged, and of a frame of which some records are."""

from struct import Struct
from struct import error as StructError
from typing import Final
from zlib import crc32

from amq.journal import frame, record
from amq.journal.frame import Frame, Header
from amq.journal.record import HEAD, RecordError
from amq.journal.replay import records
from amq.journal.segment import segment_number

_U32: Final = Struct("<I")
_NO_SENSE: Final = (RecordError, StructError, ValueError)


class Part:
    """A segment's file as it was found. `header` is None when nothing in the file tells what is in it.

    `problem` says what is wrong with the header that stands there, "" when nothing is; `exact`: the first frame's
    number is certain.
    """

    __slots__ = ("name", "number", "size", "header", "problem", "exact")

    def __init__(self, name: str, size: int, octets: bytes) -> None:
        number = segment_number(name)
        assert number is not None, "only segments are parts"
        self.name = name
        self.number: int = number
        self.size = size
        self.header: Header | None = frame.read_segment_header(octets)
        self.problem: str = ""
        self.exact: bool = True
        if self.header is None:
            self.problem = "the header of the segment is damaged"
        elif self.header.number != number:
            self.problem = f"the segment has the name of another: its header says number {self.header.number}"

    def guess(self, octets: bytes) -> None:
        """Make up for the header with what the frames say; `octets` are those of the whole file."""
        if self.header is not None:
            return
        # A file may hold frames of an earlier life, which have lower numbers and another salt.
        latest: Frame | None = None
        salt = 0
        for found, its_salt in frames_of_any_salt(octets):
            if latest is None or found.sequence > latest.sequence:
                latest = found
                salt = its_salt
        if latest is None:
            return
        first = frame.find_frame(octets, frame.SEGMENT_HEADER, salt)
        assert first is not None, "it was found before"
        self.header = Header(salt, self.number, first.sequence, 0, 0)
        self.exact = first.start == frame.SEGMENT_HEADER


def disown(parts: list[Part]) -> None:
    """Take the frames of another segment for none: those in a file with a wrong header whose numbers do not fit in
    between those of its neighbours.
    """
    for index, part in enumerate(parts):
        if part.header is None or not part.problem:
            continue
        first = part.header.first_sequence
        before = [each.header.first_sequence for each in parts[:index] if each.header and not each.problem]
        after = [each.header.first_sequence for each in parts[index + 1 :] if each.header and not each.problem]
        if (before and first <= max(before)) or (after and first >= min(after)):
            part.header = None


def frames_of_any_salt(octets: bytes) -> list[tuple[Frame, int]]:
    """All whole frames, each with its salt."""
    found: list[tuple[Frame, int]] = []
    at = octets.find(frame.MAGIC, frame.SEGMENT_HEADER)
    while at >= 0:
        after = at + 1
        if at % 8 == 0 and at + frame.FRAME_HEADER <= len(octets):
            salt: int = _U32.unpack_from(octets, at + 32)[0]
            whole = frame.read_frame(octets, at, salt)
            if whole is not None:
                found.append((whole, salt))
                after = whole.end
        at = octets.find(frame.MAGIC, after)
    return found


def readable_records(octets: bytes, head: Frame) -> list[tuple[int, int, bool]] | None:
    """Offset and kind of every record of a frame whose header is right, and whether the record is.

    None when not even their sizes are as they were written.
    """
    if head.records_end > len(octets):
        return None
    view = memoryview(octets)
    found: list[tuple[int, int, bool]] = []
    heads: list[bytes] = []
    pos = head.records_at
    while pos < head.records_end:
        if pos + HEAD.size > head.records_end:
            return None
        size, crc, kind = HEAD.unpack_from(octets, pos)
        after = pos + 8 + size
        if not size or after > head.records_end:
            return None
        heads.append(octets[pos : pos + 8])
        found.append((pos, kind, crc32(view[pos + 8 : after]) == crc))
        pos = after
    chain = _U32.unpack_from(octets, head.start + 36)[0]
    return found if len(heads) == head.count and frame.heads_crc(heads) == chain else None


def makes_sense(octets: bytes, found: Frame) -> str | None:
    """What is wrong with the records of a frame, whose checksums are right; None when nothing is."""
    for pos, kind in records(octets, found):
        try:
            if kind == record.RUN:
                record.read_run(octets, pos)
            elif kind == record.SETTLED:
                record.read_settled(octets, pos)
            elif kind == record.CLEAN:
                record.read_clean(octets, pos)
            else:
                return f"a record of the unknown kind {kind}"
        except _NO_SENSE as error:
            return f"a record makes no sense: {error}"
    return None


def run_at(octets: bytes, pos: int) -> bool:
    """Whether the RUN there can be read."""
    try:
        record.read_run(octets, pos)
    except _NO_SENSE:
        return False
    return True
