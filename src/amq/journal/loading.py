"""A wish for messages that are not in memory, and those that need not be."""

from amq.journal.record import Lsns
from amq.message import Message


class Page:
    """Octets that go to a paging file, or are there.

    `pieces` are they until they have been written, and None from then on; `place` is where, which the shell knows how
    to read; None before that. `dropped`: nobody wants them any more. `reading`: they are being read all the same.
    """

    __slots__ = ("pieces", "place", "dropped", "reading")

    def __init__(self, pieces: list[bytes]) -> None:
        self.pieces: list[bytes] | None = pieces
        self.place: object = None
        self.dropped: bool = False
        self.reading: bool = False


class Load:
    """Messages of one place that are to be read; `arrived` is then called with them, in their order."""

    __slots__ = ()

    def lsns(self) -> Lsns | None:
        """Their numbers in the journal, ascending; None when they are on a page."""
        raise NotImplementedError

    def page(self) -> Page:
        """The page, if they have no numbers."""
        raise NotImplementedError

    def stale(self) -> bool:
        """Nobody wants them any more."""
        raise NotImplementedError

    def unpack(self, octets: bytes) -> list[Message]:
        """The messages on a page."""
        raise NotImplementedError

    def arrived(self, messages: list[Message]) -> None:
        """They are here."""
        raise NotImplementedError
