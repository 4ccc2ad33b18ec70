"""How much a queue may hold, and what happens to what is too much."""

from typing import Final

DROP_HEAD: Final = 0
REJECT_PUBLISH: Final = 1
REJECT_PUBLISH_DLX: Final = 2

OVERFLOWS: Final[dict[bytes, int]] = {
    b"drop-head": DROP_HEAD,
    b"reject-publish": REJECT_PUBLISH,
    b"reject-publish-dlx": REJECT_PUBLISH_DLX,
}


class Limits:
    """Bounds on ready messages: `length` in messages, `size` in octets of their bodies; -1: none."""

    __slots__ = ("length", "size", "overflow")

    def __init__(self, length: int, size: int, overflow: int) -> None:
        self.length = length
        self.size = size
        self.overflow = overflow

    def exceeded(self, length: int, size: int) -> bool:
        """True when a queue of that length and size is over a bound."""
        return (0 <= self.length < length) or (0 <= self.size < size)
