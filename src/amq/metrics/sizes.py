"""How much a queue holds, in memory and on disk."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

import attrs

from amq.connection.ledger import Subscriber
from amq.message import Message
from amq.metrics.memory import MESSAGE, QUEUE
from amq.metrics.sampler import Sampler
from amq.queues.base import Queue
from amq.queues.classic import ClassicQueue
from amq.queues.span import GONE
from amq.queues.stored import StoredQueue

# So many messages are looked at in one place.
PROBED: Final = 16


@attrs.frozen
class Sizes:
    """Messages of a queue and octets of their bodies: ready, those of them that are at hand, and unacknowledged.

    `persistent_share` is how many of all are persistent, 0 to 1.
    """

    ready: int
    ready_octets: int
    at_hand: int
    at_hand_octets: int
    unacked: int
    unacked_octets: int
    persistent_share: float

    @property
    def messages(self) -> int:
        """All."""
        return self.ready + self.unacked

    @property
    def octets(self) -> int:
        """Of all."""
        return self.ready_octets + self.unacked_octets

    @property
    def persistent(self) -> int:
        """About how many messages are persistent."""
        return round(self.messages * self.persistent_share)

    @property
    def persistent_octets(self) -> int:
        """About how many octets their bodies have."""
        return round(self.octets * self.persistent_share)

    @property
    def memory(self) -> int:
        """About how many octets of memory the queue takes."""
        return QUEUE + MESSAGE * (self.at_hand + self.unacked) + self.at_hand_octets + self.unacked_octets


def sizes_of(sampler: Sampler, queue: Queue) -> Sizes:
    """How much it is now."""
    ready = queue.ready_count()
    cold = 0
    if isinstance(queue, StoredQueue):
        cold = sum([fifo.cold_count for _, fifo in queue.backlog.levels_in_order()])
    octets = min(queue.in_memory()[1], queue.size) if cold else queue.size
    unacked_octets = sampler.unacked_octets(queue)
    return Sizes(ready, queue.size, ready - cold, octets, queue.unacked, unacked_octets, persistent_share(queue))


def persistent_share(queue: Queue) -> float:
    """The share of persistent messages, by a look at both ends of the queue and at what its consumers hold.

    That is exact where there are few. In a queue that is not durable nothing is persistent.
    """
    if not queue.durable or not isinstance(queue, ClassicQueue):
        return 0.0
    probes = [message.properties.persistent for message in _probed(queue)]
    return sum(probes) / len(probes) if probes else 1.0


def _probed(queue: ClassicQueue) -> Iterator[Message]:
    for _, fifo in queue.backlog.levels_in_order():
        yield from [message for _, message in fifo.returned[:PROBED]]
        yield from _ends(fifo.ready)
        if fifo.tail is not fifo.ready:
            yield from _ends(fifo.tail)
    if queue.unacked:
        for consumer in islice(queue.consumers.all, PROBED):
            if isinstance(consumer, Subscriber):
                held = islice(consumer.ledger.unacked.values(), PROBED)
                yield from [delivery[3] for delivery in held if delivery[1] is queue]


def _ends(messages: Sequence[Message]) -> Iterator[Message]:
    count = len(messages)
    places = range(count) if count <= 2 * PROBED else [*range(PROBED), *range(-PROBED, 0)]
    for place in places:
        if messages[place] is not GONE:
            yield messages[place]
