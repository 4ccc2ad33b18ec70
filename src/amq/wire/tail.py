"""What a chunk leaves over: the beginning of a frame whose rest is still to come."""

from typing import Final

from amq.wire.spec import ENVELOPE

# Type, channel and size: with these it is known how much is still to come.
_HEAD: Final = 7


class Tail:
    """Puts chunks and what was left of the ones before them together, once per frame, however small they are."""

    __slots__ = ("pieces", "lacking")

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        # Octets that the frame still needs; 0: none is begun, or it is not known.
        self.lacking: int = 0

    def join(self, data: bytes) -> bytes:
        """The next octets to look at, from the beginning of a frame; empty as long as the frame is not whole."""
        pieces = self.pieces
        if not pieces:
            return data
        pieces.append(data)
        if len(data) < self.lacking:
            self.lacking -= len(data)
            return b""
        joined = b"".join(pieces)
        pieces.clear()
        return joined

    def keep(self, rest: bytes) -> None:
        """Keep the beginning of a frame (or of nothing) for the next chunk."""
        self.lacking = 0
        if rest:
            self.pieces.append(rest)
        if len(rest) >= _HEAD:
            self.lacking = int.from_bytes(rest[3:_HEAD], "big") + ENVELOPE - len(rest)

    def drop(self) -> None:
        """Keep nothing."""
        self.pieces.clear()
        self.lacking = 0
