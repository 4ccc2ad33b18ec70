"""What must be true of queues, consumers and channels between any two chunks, whatever was sent."""

from collections import Counter
from collections.abc import Iterable

from amq.connection.channel import Channel
from amq.connection.connection import Connection
from amq.connection.ledger import Delivery
from amq.queues.base import Queue
from amq.queues.classic import ClassicQueue
from amq.vhost.vhost import Vhost


def check_books(vhost: Vhost, connections: Iterable[Connection]) -> None:
    """Raise AssertionError when what queues believe and what channels believe does not agree."""
    out: Counter[Queue] = Counter()
    for connection in connections:
        for channel in connection.channels.values():
            if not channel.closing:
                out.update(delivery[1] for delivery in check_channel(channel))
    for queue in vhost.queues.values():
        assert isinstance(queue, ClassicQueue)
        assert queue.unacked == out[queue], (queue.name, queue.unacked, out[queue])
        check_consumers(queue)


def check_channel(channel: Channel) -> list[Delivery]:
    """The channel counts what its consumers hold; returns all deliveries that are out on it."""
    transaction = channel.publisher.transaction
    settled = [] if transaction is None else transaction.deliveries()
    deliveries = [*channel.ledger.unacked.values(), *settled]
    held = [delivery for delivery in deliveries if delivery[0] is not None]
    assert channel.ledger.outstanding == len(held), (channel.ledger.outstanding, len(held))
    assert all(delivery[5] < channel.ledger.next_tag for delivery in deliveries)
    return deliveries


def check_consumers(queue: ClassicQueue) -> None:
    """Who stands in a ring is a consumer, stands there once and can take something, as far as is known."""
    consumers = queue.consumers
    standing = [consumer for _, ring in consumers.rings for consumer in ring]
    assert len(set(standing)) == len(standing)
    assert set(standing) <= set(consumers.all)
    assert not any(consumer.blocked for consumer in standing)
    taking_part = [consumer for consumer in consumers.all if not consumer.blocked]
    if not consumers.single_active:
        assert len(taking_part) == len(standing)
    else:
        assert len(standing) <= 1
    for consumer in consumers.all:
        assert consumer.ledger.subscribers[consumer.tag] is consumer  # type: ignore[attr-defined]
