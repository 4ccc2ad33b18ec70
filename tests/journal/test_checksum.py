"""Checksums of stretches are put together without looking at their octets again."""

from random import Random
from zlib import crc32

import pytest

from amq.journal.checksum import UNKNOWN, LongBody, combined, continued
from amq.journal.record import RUN, seal

SIZES = (0, 1, 2, 7, 255, 256, 65537, (1 << 20) + 3)


@pytest.mark.parametrize("size", SIZES)
def test_two_checksums_make_that_of_both_stretches(size: int) -> None:
    random = Random(size)
    first, second = random.randbytes(37), random.randbytes(size)
    assert combined(crc32(first), crc32(second), size) == crc32(first + second)


def test_a_long_body_knows_its_checksum_whatever_pieces_it_came_in() -> None:
    octets = Random(1).randbytes(100_000)
    body = LongBody()
    for start, stop in ((0, 1), (1, 1), (1, 131), (131, 99_999), (99_999, 100_000)):
        body.add(octets[start:stop])
    assert (body, body.crc) == (octets, crc32(octets))
    assert continued(crc32(b"before"), body) == crc32(b"before" + octets)


def test_a_body_that_is_not_summed_up_has_a_checksum_when_it_is_asked_for() -> None:
    octets = Random(3).randbytes(5000)
    body = LongBody(summed=False)
    body.add(octets)
    assert (body, body.crc) == (octets, UNKNOWN)
    assert continued(crc32(b"before"), body) == crc32(b"before" + octets)


def test_a_record_of_a_long_body_is_that_of_the_same_octets() -> None:
    octets = Random(2).randbytes(5000)
    body = LongBody()
    body.add(octets)
    assert b"".join(seal(RUN, [b"front", body])) == b"".join(seal(RUN, [b"front", octets]))
