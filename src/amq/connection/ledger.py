"""What one channel has been given and has not yet acknowledged.

A delivery is noted under its tag with all that is needed to settle it or to put it back: the consumer (None for
basic.get), the queue, the position there, the message, when it went out, and the tag itself.
"""

from collections.abc import Iterable

from amq.connection.outbox import Outbox
from amq.errors import PRECONDITION_FAILED, ChannelFault
from amq.message import Message
from amq.queues.base import Consumer, Queue
from amq.tally import Tally
from amq.wire.tables import Table

Delivery = tuple["Subscriber | None", Queue, int, Message, float, int]


class Subscriber(Consumer):
    """A consumer whose deliveries stand in a ledger: `credit` is how many more it may be given (prefetch)."""

    __slots__ = ("queue", "credit", "ledger")

    def __init__(
        self,
        tag: bytes,
        no_ack: bool,
        exclusive: bool,
        priority: int,
        arguments: Table,
        queue: Queue,
        credit: int,
        ledger: "Ledger",
    ) -> None:
        super().__init__(tag, no_ack, exclusive, priority, arguments)
        self.queue = queue
        self.credit = credit
        self.ledger = ledger

    def relieve(self) -> None:
        """Something was settled or sent: take part again if that made room, unless cancelled by now."""
        if self.blocked and self.ledger.subscribers.get(self.tag) is self and self.room() > 0:
            self.queue.unblock(self)


class Ledger:
    """Unacknowledged deliveries by tag. Tags start at 1 and count every delivery of the channel.

    `limit` is the channel's own prefetch (basic.qos with global; 0: none), `outstanding` what
    counts against it: deliveries to consumers. `tally` is the channel's.
    """

    __slots__ = ("outbox", "tally", "next_tag", "unacked", "lowest", "limit", "outstanding", "subscribers")

    def __init__(self, outbox: Outbox, tally: Tally) -> None:
        self.outbox = outbox
        self.tally = tally
        self.next_tag: int = 1
        self.unacked: dict[int, Delivery] = {}
        # No tag below this one is outstanding any more.
        self.lowest: int = 1
        self.limit: int = 0
        self.outstanding: int = 0
        # The channel's consumers by tag.
        self.subscribers: dict[bytes, Subscriber] = {}

    def take(self, tag: int, multiple: bool) -> list[Delivery]:
        """Remove and return what a client's tag names, in order of delivery.

        Raises ChannelFault(406) when nothing outstanding bears that tag; 0 with multiple is everything.
        """
        unacked = self.unacked
        if not multiple:
            delivery = unacked.pop(tag, None)
            if delivery is None:
                raise unknown(tag)
            return [delivery]
        if tag == 0:
            return self.take_all()
        if tag not in unacked:
            raise unknown(tag)
        taken: list[Delivery] = []
        # Each tag is looked at once in a channel's life: from here on nothing below is outstanding. A rollback moves
        # `lowest` back, though, perhaps by very many deliveries that needed no acknowledgement.
        numbers: Iterable[int] = range(self.lowest, tag + 1)
        if tag - self.lowest > 4 * len(unacked):
            numbers = sorted([number for number in unacked if number <= tag])
        for number in numbers:
            delivery = unacked.pop(number, None)
            if delivery is not None:
                taken.append(delivery)
        self.lowest = tag + 1
        return taken

    def many(self, tag: int, most: int) -> bool:
        """Whether a client's tag may name more than so many deliveries; 0 is everything.

        Raises ChannelFault(406) when nothing outstanding bears it.
        """
        count = len(self.unacked)
        if count <= most:
            return False
        if tag and tag not in self.unacked:
            raise unknown(tag)
        return not tag or tag - self.lowest >= most

    def some(self, tag: int, most: int) -> list[Delivery]:
        """Remove and return the next deliveries up to that tag, so many at most, in their order. `lowest` is behind the
        tag when those were the last.
        """
        unacked = self.unacked
        taken: list[Delivery] = []
        number = self.lowest
        missing = 0
        while number <= tag and len(taken) < most:
            delivery = unacked.pop(number, None)
            number += 1
            if delivery is not None:
                taken.append(delivery)
                continue
            missing += 1
            if missing > 4 * most:
                # A long stretch that is acknowledged already, or never had to be.
                missing = 0
                number = max(min(unacked, default=tag + 1), number)
        self.lowest = number
        return taken

    def take_all(self) -> list[Delivery]:
        """Remove and return everything outstanding, in order of delivery."""
        taken = [self.unacked[tag] for tag in sorted(self.unacked)]
        self.unacked.clear()
        self.lowest = self.next_tag
        return taken

    def oldest(self) -> Delivery | None:
        """The delivery that has been outstanding for the longest time."""
        unacked = self.unacked
        if not unacked:
            return None
        # Deliveries go out in the order of their tags.
        if self.lowest not in unacked:
            self.lowest = min(unacked)
        return unacked[self.lowest]

    def restore(self, deliveries: list[Delivery]) -> None:
        """Put back what was taken (tx.rollback)."""
        for delivery in deliveries:
            tag = delivery[5]
            self.unacked[tag] = delivery
            self.lowest = min(self.lowest, tag)

    def release(self, deliveries: list[Delivery]) -> None:
        """Give consumers back the room that these deliveries took."""
        for consumer, _, _, _, _, _ in deliveries:
            if consumer is not None:
                consumer.credit += 1
                self.outstanding -= 1
        if self.limit:
            self.relieve_all()
            return
        for consumer, _, _, _, _, _ in deliveries:
            if consumer is not None and consumer.blocked:
                consumer.relieve()

    def give_room(self, counts: dict[Subscriber, int]) -> None:
        """The same as `release` for so many deliveries of each consumer."""
        for consumer, count in counts.items():
            consumer.credit += count
            self.outstanding -= count
        if self.limit:
            self.relieve_all()
            return
        for consumer in counts:
            if consumer.blocked:
                consumer.relieve()

    def ack_one(self, tag: int) -> None:
        """basic.ack of a single delivery: `ack` without the lists, for it is the commonest of all methods."""
        delivery = self.unacked.pop(tag, None)
        if delivery is None:
            raise unknown(tag)
        delivery[1].settle(delivery[2], delivery[3])
        consumer = delivery[0]
        if consumer is None:
            return
        consumer.credit += 1
        self.outstanding -= 1
        if self.limit:
            self.relieve_all()
        elif consumer.blocked:
            consumer.relieve()

    def relieve_all(self) -> None:
        """Let every consumer of the channel that has room take part again."""
        for consumer in list(self.subscribers.values()):
            consumer.relieve()

    def ack(self, tag: int, multiple: bool) -> None:
        """basic.ack."""
        if not multiple:
            self.ack_one(tag)
            return
        taken = self.take(tag, multiple)
        settle(taken)
        self.release(taken)


def settle(deliveries: list[Delivery]) -> None:
    """Deliveries are acknowledged."""
    for _, queue, position, message, _, _ in deliveries:
        queue.settle(position, message)


def refuse(deliveries: list[Delivery]) -> None:
    """Deliveries are rejected for good."""
    for _, queue, position, message, _, _ in deliveries:
        queue.reject(position, message)


def put_back(deliveries: list[Delivery]) -> None:
    """Return deliveries to their queues, each queue once."""
    by_queue: dict[Queue, list[tuple[int, Message]]] = {}
    for _, queue, position, message, _, _ in deliveries:
        by_queue.setdefault(queue, []).append((position, message))
    for queue, returned in by_queue.items():
        queue.requeue(returned)


def unknown(tag: int) -> ChannelFault:
    """The fault of naming a delivery that is not outstanding."""
    return ChannelFault(PRECONDITION_FAILED, f"unknown delivery tag {tag}")
