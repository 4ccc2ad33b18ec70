"""tx: publishes and acknowledgements of a channel that wait for commit."""

from amq.connection.ledger import Delivery
from amq.message import Message
from amq.queues.base import Queue


class Publication:
    """A publish that was checked and routed when it came, and is enqueued at commit."""

    __slots__ = ("message", "queues", "mandatory")

    def __init__(self, message: Message, queues: list[Queue], mandatory: bool) -> None:
        self.message = message
        self.queues = queues
        self.mandatory = mandatory


class Transaction:
    """What has gathered since tx.select, the last commit or the last rollback.

    `acked`, `rejected` (dropped or dead-lettered) and `requeued` hold deliveries taken from the channel's ledger.
    """

    __slots__ = ("publications", "acked", "rejected", "requeued")

    def __init__(self) -> None:
        self.publications: list[Publication] = []
        self.acked: list[Delivery] = []
        self.rejected: list[Delivery] = []
        self.requeued: list[Delivery] = []

    def deliveries(self) -> list[Delivery]:
        """All that was settled, in any way."""
        return self.acked + self.rejected + self.requeued
