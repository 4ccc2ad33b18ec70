"""The classic queue: first in, first out, or by priority; limits, expiry and dead-lettering where asked for.

A queue with none of those appends a message and remembers that it was touched; everything else stands behind
`guarded` or a dict that is empty.
"""

from typing import Final

from amq.chores import Chore
from amq.clock import NEVER, Timed
from amq.message import Message
from amq.queues.arguments import Options
from amq.queues.backlog import SPAN, Fifo
from amq.queues.base import (
    ACKNOWLEDGED,
    DELIVERY_LIMIT,
    EXPIRED,
    LOOK_AGAIN,
    MAXLEN,
    REJECTED,
    REQUEUED,
    Agenda,
    Consumer,
)
from amq.queues.consumers import NOBODY, Consumers
from amq.queues.limits import DROP_HEAD, REJECT_PUBLISH_DLX
from amq.queues.returned import counted
from amq.queues.stored import UNUSED, StoredQueue, delivered_before
from amq.wire.tables import Table

# Heads that are dropped in one go, and so many for each message that comes in while there are more than that.
DROPS: Final = 1024
FEW: Final = 2


class HeadExpiry(Timed):
    """Looks after a queue's head when its time is over."""

    __slots__ = ("queue", "deadline")

    def __init__(self, queue: "ClassicQueue") -> None:
        self.queue = queue
        # The earliest deadline that a timer is running for.
        self.deadline: float = NEVER

    def due(self, now: float) -> None:
        if now < self.deadline:
            # That of a head which is gone.
            return
        self.deadline = NEVER
        if not self.queue.deleted:
            self.queue.drop_expired()


class Dropping(Chore):
    """Drops heads that there were too many of."""

    __slots__ = ("queue",)

    def __init__(self, queue: "ClassicQueue") -> None:
        self.queue = queue

    def slice(self) -> bool:
        queue = self.queue
        queue.dropping = False
        if not queue.deleted:
            queue.enforce_limits()
            queue.drop_expired()
            queue.touch()
        # What is left has a chore of its own.
        return True


class ClassicQueue(StoredQueue):
    """RabbitMQ's default type of queue."""

    __slots__ = ("guarded", "limits", "head_expiry", "consumers", "held", "dropping")

    def __init__(
        self,
        name: bytes,
        durable: bool,
        owner: object | None,
        auto_delete: bool,
        arguments: Table,
        agenda: Agenda,
        options: Options,
        queue_id: int = 0,
    ) -> None:
        super().__init__(name, durable, owner, auto_delete, arguments, agenda, options, queue_id)
        self.dead_letter_exchange = options.dead_letter_exchange
        self.dead_letter_routing_key = options.dead_letter_routing_key
        self.limits = options.limits
        # Until its first message comes, too: `furnish` has to see that.
        self.guarded: bool = True
        # Both come when they are needed.
        self.head_expiry: HeadExpiry | None = None
        self.consumers: Consumers = Consumers(True) if options.single_active else NOBODY
        # How many wait for messages to come back; nothing is handed out meanwhile.
        self.held: int = 0
        # There are too many heads to drop for one go: a chore drops the next ones, and nothing is handed out meanwhile.
        self.dropping: bool = False

    def reconfigure(self, options: Options) -> None:
        """Policies have changed what counts. A time to live is that of messages that come in from now on."""
        self.options = options
        self.dead_letter_exchange = options.dead_letter_exchange
        self.dead_letter_routing_key = options.dead_letter_routing_key
        self.limits = options.limits
        self.guarded = self.demanding() or self.backlog is UNUSED
        self.enforce_limits()
        self.touch()

    def demanding(self) -> bool:
        """Whether its options have each message looked at."""
        return self.limits is not None or self.options.ttl >= 0 or self.fifo is None

    def furnish(self) -> None:
        super().furnish()
        self.guarded = self.demanding()

    def enqueue(self, message: Message) -> bool:
        if self.guarded or message.properties.ttl >= 0:
            return self.enqueue_guarded(message)
        fifo = self.fifo
        assert fifo is not None
        fifo.tail.append(message)
        if not self.touched:
            self.touched = True
            self.agenda.touched.append(self)
        return True

    def takes_all(self, ttl: int) -> bool:
        return not self.guarded and ttl < 0

    def enqueue_all(self, messages: list[Message]) -> None:
        fifo = self.fifo
        assert fifo is not None
        fifo.tail.extend(messages)
        if not self.touched:
            self.touched = True
            self.agenda.touched.append(self)

    def enqueue_guarded(self, message: Message) -> bool:
        """Enqueue where limits, expiry or priorities matter, and the first message of all."""
        if self.backlog is UNUSED:
            self.furnish()
            return self.enqueue(message)
        limits = self.limits
        if limits is not None and limits.overflow != DROP_HEAD and self.overflows(message):
            if limits.overflow == REJECT_PUBLISH_DLX and self.dead_letter_exchange is not None:
                # It never was in this queue, as far as the journal is concerned.
                refused = Message(message.address, message.header, message.body, message.properties)
                self.agenda.churn.buried(MAXLEN, True)
                self.agenda.dead.append((self, refused, MAXLEN))
            return False
        deadline = self.deadline_of(message)
        if self.deadlines or deadline != NEVER:
            # Those that wait come first, and by the clock.
            self.hand_out(False)
        position = self.backlog.push(message)
        if self.guarded:
            # Limits must know at once; for others `took` is soon enough.
            self.size += len(message.body)
        if deadline != NEVER:
            self.deadlines[position] = deadline
        if limits is not None or deadline != NEVER:
            # Consumers come before limits and expiry: what one of them takes at once counts against neither, and
            # a time to live of 0 means just that.
            self.hand_out(self.backlog.peek() == position)
            self.enforce_limits()
            self.drop_expired()
        else:
            self.touch()
        return True

    def took(self, count: int, octets: int) -> None:
        self.tally.published += count
        if not self.guarded:
            self.size += octets

    def overflows(self, message: Message) -> bool:
        """True when one more message would exceed a limit, even after consumers took what they can."""
        limits = self.limits
        assert limits is not None
        extra = len(message.body)
        if not limits.exceeded(self.backlog.size() + 1, self.size + extra):
            return False
        self.dispatch()
        return limits.exceeded(self.backlog.size() + 1, self.size + extra)

    def deadline_of(self, message: Message) -> float:
        """When a message that comes in now expires: the lesser of the queue's time to live and its own."""
        ttl = message.properties.ttl
        own = self.options.ttl
        if own >= 0 and (ttl < 0 or own < ttl):
            ttl = own
        return NEVER if ttl < 0 else self.agenda.clock.now + ttl / 1000

    def dispatch(self) -> None:
        self.touched = False
        self.hand_out(False)

    def hand_out(self, fresh: bool) -> None:
        """Give consumers all that they can take. `fresh`: the head has just come in, and may be late already."""
        if self.held or self.dropping:
            return
        backlog = self.backlog
        fifo = self.fifo
        consumers = self.consumers
        while backlog.at_hand():
            # A message that expired behind one that lives long is found when it gets to the head.
            if self.deadlines and not fresh and not (self.drop_expired() and backlog.at_hand()):
                break
            fresh = False
            consumer = consumers.next()
            if consumer is None:
                break
            if (
                fifo is not None
                and not (fifo.returned or self.guarded or self.deadlines or fifo.holes)
                and consumers.alone()
            ):
                self.hand_run(fifo, consumer)
            else:
                position, message, redelivered = backlog.pop()
                self.leave(position, message, consumer.no_ack)
                self.taken += 1
                consumer.deliver(self, position, [message], redelivered)
        if self.fetching:
            self.fetch()

    def hand_run(self, fifo: Fifo, consumer: Consumer) -> None:
        """Give the only consumer all that it can take in one call."""
        ready = fifo.ready
        count = min(len(ready), consumer.room())
        position = fifo.head
        if count == len(ready):
            run = list(ready)
            ready.clear()
        else:
            run = [ready.popleft() for _ in range(count)]
        fifo.head = position + count
        if not consumer.no_ack:
            self.unacked += count
        elif self.keeps:
            self.forget_all(run)
        self.taken += count
        if fifo.delivered:
            again = delivered_before(fifo, run)
            if again:
                self.size -= consumer.deliver(self, position, run[:again], True)
                position += again
                run = run[again:]
                if not run:
                    return
        self.size -= consumer.deliver(self, position, run, False)

    def leave(self, position: int, message: Message, settled: bool) -> None:
        """Account for a message that was popped."""
        self.size -= len(message.body)
        if settled:
            self.deadlines.pop(position, None)
            if self.keeps and message.lsn:
                self.forget(message)
        else:
            self.unacked += 1

    def get(self) -> tuple[int, Message, bool] | None:
        self.used_at = self.agenda.clock.now
        if self.deadlines:
            self.drop_expired()
        if self.fetching:
            self.fetch()
        if self.held or self.dropping or not self.backlog.at_hand():
            return None
        position, message, redelivered = self.backlog.pop()
        self.leave(position, message, False)
        self.taken += 1
        self.tally.got += 1
        if redelivered:
            self.tally.redelivered += 1
        if self.deadlines:
            # Another head now: have a timer look after it.
            self.drop_expired()
        return position, message, redelivered

    def cold_head(self) -> bool:
        return bool(self.held or self.dropping) or super().cold_head()

    def hold(self) -> None:
        self.held += 1

    def let_go(self) -> None:
        self.held -= 1
        self.touch()

    def settle(self, position: int, message: Message) -> None:
        self.unacked -= 1
        if self.deadlines:
            self.deadlines.pop(position, None)
        if self.keeps and message.lsn:
            self.forget(message)
        tracer = self.agenda.tracer
        if tracer is not None:
            tracer.settled(self, message, ACKNOWLEDGED)

    def reject(self, position: int, message: Message) -> None:
        self.unacked -= 1
        self.tally.given_back += 1
        self.deadlines.pop(position, None)
        tracer = self.agenda.tracer
        if tracer is not None:
            tracer.settled(self, message, REJECTED)
        if not self.deleted:
            self.bury(message, REJECTED)

    def requeue(self, deliveries: list[tuple[int, Message]]) -> None:
        if self.deleted:
            return
        self.unacked -= len(deliveries)
        self.tally.given_back += len(deliveries)
        limit = self.options.delivery_limit
        tracer = self.agenda.tracer
        for position, message in deliveries:
            if tracer is not None:
                tracer.settled(self, message, REQUEUED)
            if limit >= 0:
                returned = counted(message)
                if returned.returns > limit:
                    self.deadlines.pop(position, None)
                    self.bury(returned, DELIVERY_LIMIT)
                    continue
                self.backlog.put_back(position, returned)
            else:
                self.backlog.put_back(position, message)
            self.size += len(message.body)
        if self.limits is not None:
            self.enforce_limits()
        self.touch()

    def enforce_limits(self) -> None:
        """Drop heads until the queue is within its limits."""
        limits = self.limits
        if limits is None or limits.overflow != DROP_HEAD:
            return
        left = FEW if self.dropping else DROPS
        while self.backlog.at_hand() and limits.exceeded(self.backlog.size(), self.size):
            if not left:
                self.drop_later()
                break
            left -= 1
            self.drop_head(MAXLEN)
        if self.fetching:
            self.fetch()

    def page_out(self, keep: int, most: int) -> int:
        limits = self.limits
        if limits is not None and limits.overflow == DROP_HEAD:
            # Every message that comes in may cost a head, and what that is must be known at once.
            keep = max(keep, SPAN)
        return super().page_out(keep, most)

    def drop_later(self) -> None:
        """Have the next heads dropped in a while."""
        if not self.dropping:
            self.dropping = True
            self.agenda.chores.add(Dropping(self))

    def drop_expired(self) -> bool:
        """Drop heads whose time is over, and see to it that the next head is looked after in time.

        Only heads: behind one that lives long, the expired wait (and count) as they do in RabbitMQ. False: the head is
        one of very many that are dropped in slices, or not in memory.
        """
        now = self.agenda.clock.now
        deadlines = self.deadlines
        left = 0 if self.dropping else DROPS
        while deadlines:
            head = self.backlog.peek()
            if head < 0:
                return True
            deadline = deadlines.get(head, NEVER)
            if deadline > now:
                self.watch_head(min(deadline, now + LOOK_AGAIN))
                return True
            if not self.backlog.at_hand():
                self.fetch()
                return False
            if not left:
                self.drop_later()
                return False
            left -= 1
            self.drop_head(EXPIRED)
        return True

    def watch_head(self, deadline: float) -> None:
        """Have the head looked after at that moment at the latest."""
        if self.head_expiry is None:
            self.head_expiry = HeadExpiry(self)
        if deadline < self.head_expiry.deadline:
            self.head_expiry.deadline = deadline
            self.agenda.timers.add(deadline, self.head_expiry)

    def drop_head(self, reason: str) -> None:
        """Drop the head, or dead-letter it."""
        position, message, _ = self.backlog.pop()
        self.size -= len(message.body)
        self.deadlines.pop(position, None)
        self.bury(message, reason)

    def bury(self, message: Message, reason: str) -> None:
        """Leave a message to the dead-letter exchange, if the queue has one."""
        self.agenda.churn.buried(reason, self.dead_letter_exchange is not None)
        if self.dead_letter_exchange is not None:
            self.agenda.dead.append((self, message, reason))
        elif self.keeps and message.lsn:
            self.forget(message)

    def ready_count(self) -> int:
        return self.backlog.size()

    def admits(self, exclusive: bool) -> bool:
        return self.consumers.admits(exclusive)

    def add_consumer(self, consumer: Consumer) -> None:
        if self.consumers is NOBODY:
            self.consumers = Consumers(False)
        self.consumers.add(consumer)
        self.touch()

    def remove_consumer(self, consumer: Consumer) -> None:
        self.consumers.remove(consumer)
        self.used_at = self.agenda.clock.now
        self.touch()

    def cancel_consumers(self) -> None:
        for consumer in list(self.consumers.all):
            self.consumers.remove(consumer)
            consumer.cancelled()

    def unblock(self, consumer: Consumer) -> None:
        self.consumers.unblock(consumer)
        self.touch()

    def consumer_count(self) -> int:
        return len(self.consumers.all)
