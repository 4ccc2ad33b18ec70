"""Credentials that were proven a short while ago, so that the next login with them costs microseconds.

Kept is a keyed digest of name, hash and password together: of no use without the key, which is random and in memory
only, and worth nothing once the user's hash is another.
"""

import secrets
from hashlib import blake2b
from typing import Final

from amq.clock import Clock

# So many are remembered; of more the oldest are forgotten.
MOST: Final = 4096


class Proven:
    """`lifetime` in s from the proof on; 0 remembers nothing."""

    __slots__ = ("lifetime", "_clock", "_key", "_until")

    def __init__(self, clock: Clock, lifetime: float) -> None:
        self.lifetime = lifetime
        self._clock = clock
        self._key = secrets.token_bytes(32)
        # Digest -> when it is forgotten, oldest first.
        self._until: dict[bytes, float] = {}

    def __len__(self) -> int:
        return len(self._until)

    def knows(self, name: str, password: bytes, password_hash: str) -> bool:
        """Whether this was proven a short while ago."""
        if not self._until:
            return False
        return self._until.get(self._digest(name, password, password_hash), 0.0) > self._clock.now

    def remember(self, name: str, password: bytes, password_hash: str) -> None:
        """This was proven now."""
        if self.lifetime <= 0:
            return
        until = self._until
        while until and (len(until) >= MOST or next(iter(until.values())) <= self._clock.now):
            del until[next(iter(until))]
        digest = self._digest(name, password, password_hash)
        until.pop(digest, None)
        until[digest] = self._clock.now + self.lifetime

    def forget(self) -> None:
        """Everything has to be proven anew."""
        self._until.clear()

    def _digest(self, name: str, password: bytes, password_hash: str) -> bytes:
        found = blake2b(key=self._key, digest_size=32)
        for part in (name.encode("utf-8", "surrogatepass"), password_hash.encode(), password):
            found.update(len(part).to_bytes(4, "big") + part)
        return found.digest()
