"""The CRC-32 of octets that are too many for one go: of pieces, as they come, and of two stretches in a row.

How it is put together is what zlib's crc32_combine does: appending n octets to a message multiplies its checksum, taken
as a polynomial over GF(2), by x to the power of 8 n.
"""

from typing import Final
from zlib import crc32

# From so many octets on a body is gathered as a LongBody.
LONG: Final = 1 << 20
UNKNOWN: Final = -1

# CRC-32's polynomial, lowest power in the highest bit, and 1 and x in the same writing.
_POLYNOMIAL: Final = 0xEDB88320
_ONE: Final = 1 << 31
_X: Final = 1 << 30


class LongBody(bytearray):
    """A body that grows by one frame at a time, and is never changed once it is whole; `crc` is its CRC-32.

    To join its pieces or to look at all of it in one go would keep everybody else waiting for tens of milliseconds. One
    that no disk will see is not `summed` up, which would be a third of its cost: its `crc` is UNKNOWN.
    """

    __slots__ = ("crc",)

    def __init__(self, summed: bool = True) -> None:
        super().__init__()
        self.crc: int = 0 if summed else UNKNOWN

    def add(self, piece: bytes) -> None:
        """Append what came next."""
        self.extend(piece)
        if self.crc != UNKNOWN:
            self.crc = crc32(piece, self.crc)


def continued(crc: int, octets: bytes | LongBody) -> int:
    """The checksum of what `crc` is that of, followed by these octets."""
    if isinstance(octets, LongBody) and octets.crc != UNKNOWN:
        return combined(crc, octets.crc, len(octets))
    return crc32(octets, crc)


def combined(first: int, second: int, size: int) -> int:
    """The checksum of two stretches together, the second one of so many octets."""
    power = _POWERS[3]
    at = 3
    factor = _ONE
    while size:
        if size & 1:
            factor = _times(power, factor)
        size >>= 1
        at += 1
        power = _POWERS[at % len(_POWERS)]
    return _times(factor, first) ^ second


def _times(one: int, other: int) -> int:
    """The product of two polynomials, modulo that of the CRC."""
    product = 0
    mask = _ONE
    while mask:
        if one & mask:
            product ^= other
        mask >>= 1
        other = (other >> 1) ^ _POLYNOMIAL if other & 1 else other >> 1
    return product


def _powers() -> list[int]:
    """x to the power of 2**n; the 33rd would be x itself again."""
    found = [_X]
    for _ in range(31):
        found.append(_times(found[-1], found[-1]))
    return found


_POWERS: Final = _powers()
