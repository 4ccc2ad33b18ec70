"""Records on their way to the disk, and the numbers that stand for them.

Whoever hands in a record gets a ticket; tickets only grow, and everything up to `durable` is safe. A batch that
does not `keep` takes no records: nothing then waits for anything.
"""

from amq.destination import Destination
from amq.message import Message


class Batch:
    """What was handed in since the last `take`, in order."""

    __slots__ = ("keeps", "ticket", "durable", "records")

    def __init__(self, keeps: bool) -> None:
        self.keeps = keeps
        self.ticket: int = 0
        self.durable: int = 0
        self.records: list[tuple[Message, list[Destination]]] = []

    def publish(self, message: Message, destinations: list[Destination]) -> int:
        """Record a message for the queues that keep it; returns the ticket to wait for."""
        self.records.append((message, destinations))
        self.ticket += 1
        return self.ticket

    def take(self) -> tuple[list[tuple[Message, list[Destination]]], int]:
        """The records so far and the ticket that makes all of them durable."""
        records = self.records
        self.records = []
        return records, self.ticket
