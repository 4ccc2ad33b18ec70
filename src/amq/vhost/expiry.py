"""Queues that go when nobody uses them (`x-expires`)."""

from amq.clock import Timed
from amq.queues.base import LOOK_AGAIN, Queue
from amq.vhost.vhost import Vhost


class QueueExpiry(Timed):
    """Deletes a queue that had no consumer, declare or get for `period`: given in ms, kept in s."""

    __slots__ = ("vhost", "queue", "period")

    def __init__(self, vhost: Vhost, queue: Queue, period: int) -> None:
        self.vhost = vhost
        self.queue = queue
        self.period: float = period / 1000

    def watch(self) -> None:
        """Look again when the queue would be old enough if nothing happens until then."""
        agenda = self.vhost.agenda
        agenda.timers.add(min(self.queue.used_at + self.period, agenda.clock.now + LOOK_AGAIN), self)

    def due(self, now: float) -> None:
        queue = self.queue
        if queue.deleted:
            return
        if queue.consumer_count():
            queue.used_at = now
        if queue.used_at + self.period <= now:
            self.vhost.expired.append(queue)
        else:
            self.watch()
