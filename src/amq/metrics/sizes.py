"""How much a queue holds, in memory and on disk."""

import attrs

from amq.metrics.memory import MESSAGE, QUEUE
from amq.metrics.sampler import Sampler
from amq.queues.base import Queue
from amq.queues.stored import StoredQueue


@attrs.frozen
class Sizes:
    """Messages of a queue and octets of their bodies: ready, those of them that are at hand, and unacknowledged."""

    ready: int
    ready_octets: int
    at_hand: int
    at_hand_octets: int
    unacked: int
    unacked_octets: int
    durable: bool

    @property
    def messages(self) -> int:
        """All."""
        return self.ready + self.unacked

    @property
    def octets(self) -> int:
        """Of all."""
        return self.ready_octets + self.unacked_octets

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
    return Sizes(ready, queue.size, ready - cold, octets, queue.unacked, unacked_octets, queue.durable)
