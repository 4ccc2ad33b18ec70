"""Segments and frames: how records stand in files. All numbers are little-endian.

    segment header, 64 octets
        magic "AMQJSEG1" | version u16 | 0 u16 | salt u32 | number u64 | first sequence u64 |
        created u64, ms since 1970 | first LSN u64 | 0, 12 octets | crc u32 of all before it

    frame, at a multiple of 8
        0   magic "AMQF"
        4   crc u32 of octets 8 to 47
        8   payload size u32, without padding
        12  records u32
        16  sequence u64: frames are numbered through all segments, without gaps
        24  synced u64: every frame up to this one was safe when this one was built
        32  salt u32 of the segment: what an earlier life of the file left behind has another
        36  crc u32 of the heads (size and crc) of all records: no record of another frame fits
        40  flags u32: 1 = MARK, which has no records and vouches for the frames before it
        44  0 u32
        48  the records, and zeros up to a multiple of 8

Every octet of a payload is covered once: by the crc of its record. A frame is believed as a whole or not at all.
"""

from struct import Struct
from typing import Final
from zlib import crc32

from amq.journal.record import HEAD

SEGMENT_MAGIC: Final = b"AMQJSEG1"
VERSION: Final = 1
MAGIC: Final = b"AMQF"
MARK: Final = 1
SEGMENT_HEADER: Final = 64
FRAME_HEADER: Final = 48

_SEGMENT: Final = Struct("<8sHHIQQQQ12x")
_FRAME: Final = Struct("<IIQQIIII")
_U32: Final = Struct("<I")


class Header:
    """A segment's header. New messages in it have LSNs from `first_lsn` on."""

    __slots__ = ("salt", "number", "first_sequence", "created", "first_lsn")

    def __init__(self, salt: int, number: int, first_sequence: int, created: int, first_lsn: int) -> None:
        self.salt = salt
        self.number = number
        self.first_sequence = first_sequence
        self.created = created
        self.first_lsn = first_lsn

    def pack(self) -> bytes:
        """The first octets of a segment."""
        fixed = _SEGMENT.pack(
            SEGMENT_MAGIC, VERSION, 0, self.salt, self.number, self.first_sequence, self.created, self.first_lsn
        )
        return fixed + _U32.pack(crc32(fixed))


class Frame:
    """A whole, valid frame in a segment: its records stand from `records_at` to `records_end`, the next at `end`."""

    __slots__ = ("sequence", "synced", "flags", "count", "start", "records_at", "records_end", "end")

    def __init__(self, sequence: int, synced: int, flags: int, count: int, start: int, size: int) -> None:
        self.sequence = sequence
        self.synced = synced
        self.flags = flags
        self.count = count
        self.start = start
        self.records_at: int = start + FRAME_HEADER
        self.records_end: int = self.records_at + size
        self.end: int = padded(self.records_end)


def padded(size: int) -> int:
    """The next multiple of 8."""
    return (size + 7) & ~7


def frame_size(payload: int) -> int:
    """Octets that a frame with so much payload takes in its file."""
    return FRAME_HEADER + padded(payload)


def read_segment_header(octets: bytes) -> Header | None:
    """The header that `octets` begin with; None when it is none or damaged."""
    if len(octets) < SEGMENT_HEADER or crc32(octets[:60]) != _U32.unpack_from(octets, 60)[0]:
        return None
    magic, version, _, salt, number, first, created, first_lsn = _SEGMENT.unpack_from(octets)
    if magic != SEGMENT_MAGIC or version != VERSION:
        return None
    return Header(salt, number, first, created, first_lsn)


def heads_crc(heads: list[bytes]) -> int:
    """What ties records to their frame; `heads` are the first 8 octets of each."""
    return crc32(b"".join(heads))


def frame_header(payload: int, count: int, sequence: int, synced: int, salt: int, chain: int, flags: int) -> bytes:
    """The 48 octets before the records; `chain` is the crc of their heads."""
    tail = _FRAME.pack(payload, count, sequence, synced, salt, chain, flags, 0)
    return b"%b%b%b" % (MAGIC, _U32.pack(crc32(tail)), tail)


def mark(sequence: int, synced: int, salt: int) -> bytes:
    """A whole MARK frame."""
    return frame_header(0, 0, sequence, synced, salt, 0, MARK)


def read_head(octets: bytes, at: int, salt: int) -> Frame | None:
    """The frame whose header stands at `at`, its records not looked at; None when there is none under that salt."""
    if octets[at : at + 4] != MAGIC or at + FRAME_HEADER > len(octets):
        return None
    if crc32(octets[at + 8 : at + FRAME_HEADER]) != _U32.unpack_from(octets, at + 4)[0]:
        return None
    size, count, sequence, synced, found, _, flags, _ = _FRAME.unpack_from(octets, at + 8)
    if found != salt:
        return None
    return Frame(sequence, synced, flags, count, at, size)


def records_valid(octets: bytes, frame: Frame) -> bool:
    """Whether the records of a frame are all there and unaltered."""
    if frame.end > len(octets):
        return False
    view = memoryview(octets)
    pos = frame.records_at
    end = frame.records_end
    heads: list[bytes] = []
    while pos < end:
        if pos + HEAD.size > end:
            return False
        size, crc, _ = HEAD.unpack_from(octets, pos)
        after = pos + 8 + size
        if not size or after > end or crc32(view[pos + 8 : after]) != crc:
            return False
        heads.append(octets[pos : pos + 8])
        pos = after
    chain = _U32.unpack_from(octets, frame.start + 36)[0]
    return len(heads) == frame.count and heads_crc(heads) == (chain if heads else 0)


def read_frame(octets: bytes, at: int, salt: int) -> Frame | None:
    """The whole, valid frame at `at`; None when there is none."""
    frame = read_head(octets, at, salt)
    return frame if frame is not None and records_valid(octets, frame) else None


def find_frame(octets: bytes, at: int, salt: int) -> Frame | None:
    """The next valid frame at `at` or behind it; None when there is none."""
    while True:
        at = octets.find(MAGIC, at)
        if at < 0:
            return None
        if at % 8 == 0:
            frame = read_frame(octets, at, salt)
            if frame is not None:
                return frame
        at += 1
