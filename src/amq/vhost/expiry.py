"""Queues that go when nobody uses them (`x-expires`, or a policy's `expires`)."""

from amq.clock import Timed
from amq.queues.base import LOOK_AGAIN, Queue
from amq.queues.stored import StoredQueue


class QueueExpiry(Timed):
    """Notes a queue as `expired` that had no consumer, declare or get for the time that its options say."""

    __slots__ = ("queue", "expired", "period")

    def __init__(self, queue: StoredQueue, expired: list[Queue]) -> None:
        self.queue = queue
        self.expired = expired
        # In ms.
        self.period: int = queue.options.expires

    def watch(self) -> None:
        """Look again when the queue would be old enough if nothing happens until then."""
        agenda = self.queue.agenda
        agenda.timers.add(min(self.queue.used_at + self.period / 1000, agenda.clock.now + LOOK_AGAIN), self)

    def due(self, now: float) -> None:
        queue = self.queue
        if queue.deleted or queue.options.expires != self.period:
            # Gone, or on other terms by now, with a timer of their own.
            return
        if queue.consumer_count():
            queue.used_at = now
        if queue.used_at + self.period / 1000 <= now:
            self.expired.append(queue)
        else:
            self.watch()


def watch_expiry(queue: StoredQueue, expired: list[Queue]) -> None:
    """Have a queue noted as expired when nobody uses it, if it is one that goes then."""
    if queue.options.expires >= 0:
        QueueExpiry(queue, expired).watch()
