"""Consistent hashing over numbered buckets: even, and moving no key that need not move.

Jump hashing (Lamping and Veach, 2014) spreads keys evenly over buckets 0 to n - 1 in O(log n) steps and, when n grows,
moves only what the new bucket takes; but it can only lose its last bucket. Others are lost as in MementoHash (Coluzzi
and others, 2023): a lost bucket remembers how many were left without it, and keys that fall on it are hashed again
over those.
"""

from typing import Final

_MASK: Final = 0xFFFFFFFFFFFFFFFF


class Buckets:
    """Buckets that come and go. Memory: one number for each bucket that is lost and not taken up again."""

    __slots__ = ("size", "lost", "left")

    def __init__(self) -> None:
        # Buckets 0 to size - 1 exist, but for those in `left`.
        self.size: int = 0
        # In the order in which they were lost; the last is the first to be taken up again.
        self.lost: list[int] = []
        # By lost bucket: how many there were without it.
        self.left: dict[int, int] = {}

    def __len__(self) -> int:
        return self.size - len(self.left)

    def add(self) -> int:
        """One more bucket; returns its number."""
        if self.lost:
            bucket = self.lost.pop()
            del self.left[bucket]
            return bucket
        self.size += 1
        return self.size - 1

    def remove(self, bucket: int) -> None:
        """Lose a bucket that exists."""
        if len(self) == 1:
            self.size = 0
            self.lost.clear()
            self.left.clear()
        elif not self.lost and bucket == self.size - 1:
            self.size -= 1
        else:
            self.left[bucket] = len(self) - 1
            self.lost.append(bucket)

    def find(self, key: int) -> int:
        """The bucket of a hashed key of 64 bits. There is at least one."""
        bucket = jump(key, self.size)
        left = self.left
        while bucket in left:
            count = left[bucket]
            bucket = scramble(key, bucket) % count
            # Lost before that: whatever took its place among the `count`.
            while left.get(bucket, -1) >= count:
                bucket = left[bucket]
        return bucket


def jump(key: int, size: int) -> int:
    """Jump consistent hash of a 64-bit key over `size` buckets."""
    bucket: int = 0
    after: int = 0
    while after < size:
        bucket = after
        key = (key * 2862933555777941757 + 1) & _MASK
        after = int((bucket + 1) * (2147483648 / ((key >> 33) + 1)))
    return bucket


def scramble(key: int, number: int) -> int:
    """Another hash of a key for each number, 64 bits. The mixing steps are those of splitmix64."""
    mixed = (key + (number + 1) * 0x9E3779B97F4A7C15) & _MASK
    mixed = ((mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9) & _MASK
    mixed = ((mixed ^ mixed >> 27) * 0x94D049BB133111EB) & _MASK
    return mixed ^ mixed >> 31
