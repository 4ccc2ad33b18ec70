"""Bytes that wait to be sent to one client."""

from typing import Final

from amq.broker import Client
from amq.interpreter import AT_ONCE

# A part of a long body is a view: everybody who is to be sent it shares the one body.
Piece = bytes | memoryview

# Octets waiting from which on consumers are given no more and the client is not read from.
HIGH_WATER: Final = AT_ONCE
# The same for a client that is read from now and then all the same, lest its heartbeats be missed.
FLOOD: Final = 1 << 22
# At most about so many octets are joined and handed out at once.
TAKE: Final = 1 << 20


class Nobody(Client):
    """Stands for a client that has gone: an outbox that held on to it would make a cycle with it, and such are found
    only by looking at everything there is.
    """

    __slots__ = ()

    def __init__(self) -> None:
        self.shell = None


NOBODY: Final = Nobody()


class Outbox:
    """Pieces of frames in order. `size` is an estimate of the octets waiting, never far too low.

    `total` only grows; who wants to know whether anything was said since a moment compares it.
    """

    __slots__ = ("pieces", "size", "total", "noted", "client", "writable")

    def __init__(self, client: Client, writable: list[Client]) -> None:
        self.pieces: list[Piece] = []
        self.size: int = 0
        self.total: int = 0
        # True while the client stands in `writable`, the broker's list of those who have something to send.
        self.noted: bool = False
        self.client = client
        self.writable = writable

    def put(self, piece: Piece) -> None:
        """Add bytes."""
        self.pieces.append(piece)
        self.grow(len(piece))

    def grow(self, size: int) -> None:
        """Account for pieces that were added to `pieces` directly."""
        self.size += size
        self.total += size
        if not self.noted:
            self.noted = True
            self.writable.append(self.client)

    def wake(self) -> None:
        """Have the shell look at this client now, even if it waits for the client to read."""
        self.noted = True
        self.writable.append(self.client)

    def close(self) -> None:
        """The client is gone: nobody will read what waits."""
        self.client = NOBODY
        self.pieces.clear()
        self.size = 0

    def full(self) -> bool:
        """True when the client reads too slowly to be sent more."""
        return self.size >= HIGH_WATER

    def flooded(self) -> bool:
        """True when so much waits that the client is not even read from for signs of life."""
        return self.size >= FLOOD

    def take(self) -> bytes:
        """The next bytes to send, empty when there are none."""
        self.noted = False
        if self.size <= TAKE:
            data = b"".join(self.pieces)
            self.pieces.clear()
            self.size = 0
            return data
        return self._take_some()

    def _take_some(self) -> bytes:
        size = 0
        count = 0
        for piece in self.pieces:
            size += len(piece)
            count += 1
            if size >= TAKE:
                break
        data = b"".join(self.pieces[:count])
        del self.pieces[:count]
        self.size = max(self.size - size, 0) if self.pieces else 0
        return data
