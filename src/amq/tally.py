"""What has happened, as plain counts that only grow. Whoever wants rates looks twice.

Messages are counted where they are handled by the batch: by their channel, their exchange and their queue. What a vhost
comes to is the sum over those that are there and `Agenda.tally`, to which each adds its own when it goes. What was
acknowledged is not counted at all: it is what was handed out and is neither outstanding nor was given back.
"""

from bisect import bisect_left
from typing import Final

# The classes of sizes that published messages are counted in: the most octets of a body; the last class has no bound.
SIZES: Final = (100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 50_000_000, 100_000_000)
# Behind the counts of all classes stand the octets of all bodies.
OCTETS: Final = len(SIZES) + 1


def size_class(octets: int) -> int:
    """The number of the class that a body of so many octets is in."""
    return bisect_left(SIZES, octets)


class Tally:
    """Counts of messages.

    A channel counts `published`, of which `confirmed`, and those that no queue took, `returned` (mandatory) or
    `dropped`. A channel and a queue count those `delivered` to consumers and `got` by basic.get, each with a twin for
    those that needed no acknowledgement, `redelivered` among all of them, and `given_back`: requeued or rejected. A
    queue counts as `published` what was put into it. `got_empty`: a basic.get that found nothing. `acked` is used only
    where what was counted is gone.
    """

    __slots__ = (
        "published",
        "confirmed",
        "returned",
        "dropped",
        "delivered",
        "delivered_no_ack",
        "got",
        "got_no_ack",
        "got_empty",
        "redelivered",
        "given_back",
        "acked",
    )

    def __init__(self) -> None:
        self.published: int = 0
        self.confirmed: int = 0
        self.returned: int = 0
        self.dropped: int = 0
        self.delivered: int = 0
        self.delivered_no_ack: int = 0
        self.got: int = 0
        self.got_no_ack: int = 0
        self.got_empty: int = 0
        self.redelivered: int = 0
        self.given_back: int = 0
        self.acked: int = 0

    def settled(self, outstanding: int) -> int:
        """How many were acknowledged, when so many are outstanding."""
        return self.delivered + self.got - self.given_back - outstanding

    def add_publishing(self, other: "Tally") -> None:
        """Add what a channel has published."""
        self.published += other.published
        self.confirmed += other.confirmed
        self.returned += other.returned
        self.dropped += other.dropped
        self.got_empty += other.got_empty

    def add_consuming(self, other: "Tally", acked: int) -> None:
        """Add what a queue has handed out."""
        self.delivered += other.delivered
        self.delivered_no_ack += other.delivered_no_ack
        self.got += other.got
        self.got_no_ack += other.got_no_ack
        self.redelivered += other.redelivered
        self.given_back += other.given_back
        self.acked += acked


class Churn:
    """How many came and went since the start. `queues_declared` counts every queue.declare that was right.

    Messages that left their queue other than by an acknowledgement are counted by the reason, as x-death has it:
    `dead_lettered`, or `dropped` where the queue has no dead-letter exchange. `sizes` are the messages that were
    published: their number in each class, and at OCTETS the octets of their bodies.
    """

    __slots__ = (
        "connections_created",
        "connections_closed",
        "channels_created",
        "channels_closed",
        "queues_declared",
        "queues_created",
        "queues_deleted",
        "dead_lettered",
        "dropped",
        "sizes",
    )

    def __init__(self) -> None:
        self.connections_created: int = 0
        self.connections_closed: int = 0
        self.channels_created: int = 0
        self.channels_closed: int = 0
        self.queues_declared: int = 0
        self.queues_created: int = 0
        self.queues_deleted: int = 0
        self.dead_lettered: dict[str, int] = {}
        self.dropped: dict[str, int] = {}
        self.sizes: list[int] = [0] * (OCTETS + 1)

    def buried(self, reason: str, dead_lettered: bool) -> None:
        """A message left its queue for that reason."""
        counts = self.dead_lettered if dead_lettered else self.dropped
        counts[reason] = counts.get(reason, 0) + 1
