"""Frames and segment headers: whole and unaltered, or not believed."""

import pytest

from amq.journal import frame
from amq.journal.frame import Frame, Header
from amq.journal.log import PADDING
from amq.journal.record import compact, seal, settled

SALT = 0xDEADBEEF
MOST = (1 << 64) - 1


def framed(records: list[list[bytes]], sequence: int = 5, synced: int = 4, salt: int = SALT) -> bytes:
    """A frame with these records."""
    pieces = [piece for record in records for piece in record]
    heads = [record[0][:8] for record in records]
    size = sum(map(len, pieces))
    front = frame.frame_header(size, len(heads), sequence, synced, salt, frame.heads_crc(heads), 0)
    return b"".join([front, *pieces, PADDING[: -size % 8]])


RECORDS = [settled(1, compact([1, 2, 9])), settled(2, compact([4])), seal(1, [b"front", b"body"])]
WHOLE = framed(RECORDS)


def parts(found: Frame | None) -> tuple[int, ...] | None:
    if found is None:
        return None
    return (found.sequence, found.synced, found.flags, found.count, found.start, found.end)


def test_a_frame_is_read_where_it_stands_and_says_where_the_next_one_may() -> None:
    octets = b"?" * 8 + WHOLE + b"following"
    found = frame.read_frame(octets, 8, SALT)
    assert found is not None
    assert parts(found) == (5, 4, 0, 3, 8, 8 + len(WHOLE))
    assert octets[found.records_at : found.records_end] == b"".join(piece for record in RECORDS for piece in record)
    assert len(WHOLE) % 8 == 0
    assert len(WHOLE) == frame.frame_size(found.records_end - found.records_at)


@pytest.mark.parametrize("records", [[], RECORDS[:1], RECORDS[1:]])
def test_frames_of_any_number_of_records_are_valid(records: list[list[bytes]]) -> None:
    octets = framed(records, MOST, MOST - 1)
    assert parts(frame.read_frame(octets, 0, SALT)) == (MOST, MOST - 1, 0, len(records), 0, len(octets))


def test_a_mark_is_a_frame_without_records() -> None:
    octets = frame.mark(9, 8, SALT)
    assert parts(frame.read_frame(octets, 0, SALT)) == (9, 8, frame.MARK, 0, 0, frame.FRAME_HEADER)


def test_a_frame_of_another_life_of_the_file_is_none() -> None:
    assert frame.read_frame(WHOLE, 0, SALT + 1) is None


def test_a_frame_that_is_cut_anywhere_is_none() -> None:
    for size in range(len(WHOLE)):
        assert frame.read_frame(WHOLE[:size], 0, SALT) is None


def test_no_bit_of_a_frame_may_be_another_but_those_of_its_padding() -> None:
    found = frame.read_frame(WHOLE, 0, SALT)
    assert found is not None
    for at in range(found.records_end):
        for bit in range(8):
            octets = bytearray(WHOLE)
            octets[at] ^= 1 << bit
            assert frame.read_frame(bytes(octets), 0, SALT) is None, (at, bit)


def test_a_valid_record_of_another_frame_does_not_fit() -> None:
    other = settled(1, compact([1, 2, 8]))
    size = len(b"".join(RECORDS[0]))
    assert size == len(b"".join(other))
    octets = WHOLE[: frame.FRAME_HEADER] + b"".join(other) + WHOLE[frame.FRAME_HEADER + size :]
    assert frame.read_frame(octets, 0, SALT) is None


def test_the_next_frame_is_found_behind_rubbish_and_what_only_looks_like_one() -> None:
    torn = bytearray(WHOLE)
    torn[60] ^= 1
    rubbish = frame.MAGIC * 2 + bytes(torn) + b"?" * 8
    odd = b"?" * 4 + WHOLE + b"?" * 4
    octets = rubbish + odd + WHOLE
    assert parts(frame.find_frame(octets, 0, SALT)) == (5, 4, 0, 3, len(rubbish + odd), len(octets))
    assert frame.find_frame(octets, len(octets) - 8, SALT) is None
    assert frame.find_frame(octets, 0, SALT + 1) is None


# -- the header of a segment --

HEADER = Header(SALT, MOST, MOST - 1, 1_700_000_000_000, 1 << 63)


def test_a_header_comes_back() -> None:
    octets = HEADER.pack()
    assert len(octets) == frame.SEGMENT_HEADER
    found = frame.read_segment_header(octets + b"more")
    assert found is not None
    assert (found.salt, found.number, found.first_sequence) == (SALT, MOST, MOST - 1)
    assert (found.created, found.first_lsn) == (1_700_000_000_000, 1 << 63)


def test_no_bit_of_a_header_may_be_another_and_none_may_be_missing() -> None:
    octets = HEADER.pack()
    assert frame.read_segment_header(octets[:-1]) is None
    assert frame.read_segment_header(b"") is None
    assert frame.read_segment_header(bytes(64)) is None
    for at in range(len(octets)):
        changed = bytearray(octets)
        changed[at] ^= 0x10
        assert frame.read_segment_header(bytes(changed)) is None, at


@pytest.mark.parametrize(("size", "padded"), [(0, 0), (1, 8), (7, 8), (8, 8), (9, 16)])
def test_frames_end_at_multiples_of_eight(size: int, padded: int) -> None:
    assert frame.padded(size) == padded
