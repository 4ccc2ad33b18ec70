"""Latencies, counted in buckets that widen with the value: bounded memory, and an error of at most 1/32.

Up to 64 us a bucket is one microsecond wide; above, each power of two is cut into 32 of equal width:

    0 1 2 ... 63 | 64-65 66-67 ... 126-127 | 128-131 ... | 256-263 ... |
"""

from collections.abc import Iterable
from typing import Final

# Buckets per power of two: 1 << _BITS.
_BITS: Final = 5
_LINEAR: Final = 2 << _BITS
# 2**42 us are 50 days: what takes longer is counted as that.
LONGEST: Final = (1 << 42) - 1


def bucket(us: int) -> int:
    """The largest latency that is counted together with this one; `us` from 0 to LONGEST."""
    if us < _LINEAR:
        return us
    shift = us.bit_length() - _BITS - 1
    return ((us >> shift) + 1 << shift) - 1


class Histogram:
    """How many took how long, in microseconds. `count` and `total` (their sum), `min` and `max` are exact."""

    __slots__ = ("count", "total", "min", "max", "_counts")

    def __init__(self) -> None:
        self.count: int = 0
        self.total: int = 0
        self.min: int = 0
        self.max: int = 0
        # By the upper edge of the bucket.
        self._counts: dict[int, int] = {}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Histogram):
            return NotImplemented
        return self._facts() == other._facts() and self._counts == other._counts

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<Histogram of {self.count}: {self.min} to {self.max} us>"

    @property
    def mean(self) -> float:
        """The arithmetic mean; 0 of nothing."""
        return self.total / self.count if self.count else 0.0

    def add(self, us: int, count: int = 1) -> None:
        """Count `count` (at least 1) messages that took `us` each; what is out of range counts as its nearest end."""
        us = min(max(us, 0), LONGEST)
        edge = bucket(us)
        self._counts[edge] = self._counts.get(edge, 0) + count
        if us < self.min or not self.count:
            self.min = us
        self.max = max(self.max, us)
        self.count += count
        self.total += us * count

    def merge(self, other: "Histogram") -> None:
        """Count everything that the other has counted."""
        if not other.count:
            return
        for edge, count in other._counts.items():
            self._counts[edge] = self._counts.get(edge, 0) + count
        self.min = min(self.min, other.min) if self.count else other.min
        self.max = max(self.max, other.max)
        self.count += other.count
        self.total += other.total

    def percentile(self, share: float) -> int:
        """The latency that this share of all (0 to 1) did not exceed, in microseconds; 0 of nothing.

        It is the upper edge of its bucket, so at most 1/32 too large and never too small.
        """
        wanted = share * self.count
        seen = 0
        for edge, count in self.buckets():
            seen += count
            if seen >= wanted:
                return min(edge, self.max)
        return self.max

    def buckets(self) -> list[tuple[int, int]]:
        """(upper edge in microseconds, inclusive; how many) of each bucket that has any, ascending."""
        return sorted(self._counts.items())

    @classmethod
    def of(cls, buckets: Iterable[tuple[int, int]], smallest: int, largest: int, total: int) -> "Histogram":
        """One again from what `buckets` gave, and its `min`, `max` and `total`."""
        made = cls()
        for edge, count in buckets:
            made._counts[edge] = made._counts.get(edge, 0) + count
            made.count += count
        made.min, made.max, made.total = smallest, largest, total
        return made

    def _facts(self) -> tuple[int, int, int, int]:
        return self.count, self.total, self.min, self.max
