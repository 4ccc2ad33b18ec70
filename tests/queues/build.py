"""Queues, messages and consumers for the tests of queues, without channels or connections."""

from amq.clock import Clock, Timers
from amq.message import Message, address
from amq.queues.arguments import parse
from amq.queues.backlog import Fifo
from amq.queues.base import Agenda, Consumer, Queue
from amq.queues.classic import ClassicQueue
from amq.queues.span import KeptSpan
from amq.wire import properties
from amq.wire.properties import shortstr
from amq.wire.tables import Table

START = 100.0


class Taker(Consumer):
    """A consumer that takes `credit` messages and keeps what it was given: (position, body, redelivered)."""

    __slots__ = ("credit", "taken", "was_cancelled")

    def __init__(self, tag: bytes = b"t", credit: int = 1000, priority: int = 0, **flags: bool) -> None:
        super().__init__(tag, flags.get("no_ack", False), flags.get("exclusive", False), priority, {})
        self.credit = credit
        self.taken: list[tuple[int, bytes, bool]] = []
        self.was_cancelled: bool = False

    def room(self) -> int:
        return self.credit

    def deliver(self, queue: Queue, position: int, messages: list[Message], redelivered: bool) -> int:
        self.credit -= len(messages)
        for message in messages:
            self.taken.append((position, message.body, redelivered))
            position += 1
        return sum(len(message.body) for message in messages)

    def cancelled(self) -> None:
        self.was_cancelled = True

    def bodies(self) -> list[bytes]:
        return [body for _, body, _ in self.taken]


def message(body: bytes = b"m", priority: int = 0, ttl: int = -1) -> Message:
    """A message as publishing leaves it."""
    changes: dict[int, bytes | None] = {properties.PRIORITY: bytes((priority,))}
    if ttl >= 0:
        changes[properties.EXPIRATION] = shortstr(b"%d" % ttl)
    header = properties.rewrite(bytes(14), changes)
    read = properties.read(header)
    read.ttl = ttl
    return Message(address(b"", b"q"), header, body, read)


def lsns_in(fifo: Fifo) -> list[int]:
    """The numbers of all that wait and stand in the journal, in order."""
    here = [found.lsn for place, found in fifo.returned if place in fifo.back]
    here += [found.lsn for part in {id(each): each for each in (fifo.ready, fifo.tail)}.values() for found in part]
    cold = [lsn for span in fifo.cold if isinstance(span, KeptSpan) for lsn in span.lsns]
    return sorted([lsn for lsn in here if lsn] + cold)


def agenda() -> Agenda:
    return Agenda(Clock(START, 1_700_000_000.0), Timers())


def queue(arguments: Table | None = None, there: Agenda | None = None, durable: bool = False) -> ClassicQueue:
    """A queue with these arguments."""
    table = arguments or {}
    return ClassicQueue(b"q", durable, None, False, table, there or agenda(), parse("queue 'q' in vhost '/'", table))


def later(there: ClassicQueue, seconds: float) -> None:
    """Let time pass for a queue's timers."""
    clock = there.agenda.clock
    clock.now += seconds
    there.agenda.timers.advance(clock.now)


def drain(there: ClassicQueue) -> list[bytes]:
    """Get everything that is ready."""
    bodies = []
    while (found := there.get()) is not None:
        bodies.append(found[1].body)
        there.settle(found[0], found[1])
    return bodies


def dead(there: ClassicQueue) -> list[tuple[bytes, str]]:
    """What has been left to the dead-letter exchange, and why."""
    return [(message.body, reason) for _, message, reason in there.agenda.dead]
