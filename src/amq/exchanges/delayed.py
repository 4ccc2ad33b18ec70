"""The delayed message exchange: keeps a message for as long as its header `x-delay` says, and routes it then.

It routes as the type in its argument `x-delayed-type` does. A message without the header, or with one that is not a
positive number, is routed at once. Like the RabbitMQ plug-in, it hands a message that has waited on with the header
negated: consumers can tell, and another delayed exchange on the way does not delay it again. Unlike it, waiting
counts as routed, so a mandatory message is not returned, and what waits is as safe as in a queue: persistent messages
in a durable exchange are in the journal before they are confirmed.
"""

from collections import deque
from heapq import heappop, heappush
from math import nextafter
from typing import ClassVar, Final

from amq.chores import SLICE, Rubble
from amq.clock import NEVER, Timed
from amq.destination import Destination
from amq.errors import PRECONDITION_FAILED, ChannelFault
from amq.exchanges.base import Binding, Exchange
from amq.exchanges.registry import exchange_type
from amq.journal.replay import Stretch
from amq.message import Message
from amq.queues.backlog import Fifo
from amq.queues.base import LOOK_AGAIN, Agenda, Queue
from amq.queues.emptying import Emptying
from amq.queues.stored import ColdLoad
from amq.wire import properties as props
from amq.wire import tables
from amq.wire.tables import INTEGERS, Table

DELAY: Final = "x-delay"
TYPE: Final = "x-delayed-type"
# Ten years in ms; who asks for more gets that.
MAX_DELAY: Final = 315_360_000_000


class Delayed(Exchange):
    """Routes by `inner`, an exchange of the type that it was declared with; `waiting` keeps what is not due yet."""

    __slots__ = ("inner",)
    type_name: ClassVar[str] = "x-delayed-message"

    def __init__(self, name: bytes, durable: bool, auto_delete: bool, internal: bool, arguments: Table) -> None:
        super().__init__(name, durable, auto_delete, internal, arguments)
        kind = inner_type(arguments)
        assert kind is not None, "check_arguments has seen to it"
        self.inner = kind(name, durable, auto_delete, internal, arguments)

    @classmethod
    def check_arguments(cls, arguments: Table) -> None:
        """Refuse to be declared without the type to route by.

        Raises ChannelFault(406).
        """
        kind = inner_type(arguments)
        if kind is None or kind is cls:
            raise ChannelFault(PRECONDITION_FAILED, f"Invalid argument, '{TYPE}' must be an existing exchange type")
        kind.check_arguments(arguments)

    def attend(self, agenda: Agenda, waiting_id: int = 0) -> None:
        self.inner.attend(agenda)
        self.waiting = Waiting(self, agenda, waiting_id)

    def onward(self, message: Message) -> Message:
        return released(message)

    def check_binding(self, routing_key: bytes, arguments: Table) -> None:
        self.inner.check_binding(routing_key, arguments)

    def bind(self, binding: Binding) -> list[Message]:
        self.bindings[binding.identity] = binding
        return self.inner.bind(binding)

    def unbind(self, binding: Binding) -> None:
        del self.bindings[binding.identity]
        self.inner.unbind(binding)

    def route(self, routing_key: bytes, message: Message, found: list[Destination]) -> None:
        self.route_all([routing_key], message, found)

    def route_all(self, routing_keys: list[bytes], message: Message, found: list[Destination]) -> None:
        """Append the place where messages wait, for one that must, and where it goes for all others."""
        if self.waiting is not None and delay_of(message) > 0:
            found.append(self.waiting)
        else:
            self.inner.route_all(routing_keys, message, found)


class Waiting(Queue):
    """Messages that wait for their time. To the router and the journal it is a queue; nobody else meets it.

    All of them are in memory. Those that stood in the journal when the broker was started come back through `fifo`, a
    stretch at a time, and nothing goes on before the last of them is here: which is due first shows only then.
    """

    __slots__ = ("exchange", "heap", "count", "timer", "fifo", "stretches")

    def __init__(self, exchange: Exchange, agenda: Agenda, waiting_id: int) -> None:
        # No queue that a client declared has an empty name: neither cycles of dead letters nor transactions that look
        # for their queues again can take it for another.
        super().__init__(b"", exchange.durable, None, False, {}, agenda, waiting_id)
        self.exchange = exchange
        self.heap: list[tuple[float, int, Message]] = []
        # Messages of the same moment go on in their order.
        self.count: int = 0
        self.timer = Due(self)
        # What has yet to be read, and when that was published.
        self.fifo = Fifo()
        self.stretches: deque[Stretch] = deque()

    def enqueue(self, message: Message) -> bool:
        self.keep(message, self.agenda.clock.now + delay_of(message) / 1000)
        message.properties.forget()
        self.timer.watch()
        return True

    def keep(self, message: Message, deadline: float) -> None:
        """Keep a message until then (monotonic seconds)."""
        self.count += 1
        heappush(self.heap, (deadline, self.count, message))

    def release(self, now: float) -> None:
        """Let go of the messages whose time has come, so many in one go."""
        heap = self.heap
        left = SLICE
        while heap and heap[0][0] <= now and left:
            left -= 1
            self.agenda.released.append((self.exchange, heappop(heap)[2]))

    def emptied(self) -> Emptying:
        # Only ever because the exchange is gone: the journal forgets all of it.
        count = self.ready_count()
        parts = [part for _, part in self.fifo.clear()]
        emptying = Emptying(0, self.agenda.journal, count, parts, {}, iter(()))
        self.agenda.chores.begin(emptying)
        self.agenda.chores.begin(Rubble(self.heap))
        self.heap = []
        self.stretches.clear()
        return emptying

    def ready_count(self) -> int:
        return len(self.heap) + self.fifo.size()

    def consumer_count(self) -> int:
        return 0

    # -- after a restart --

    def timed(self) -> bool:
        return True

    def restore(self, stretches: list[Stretch], delivered: dict[int, int] | None) -> None:
        for stretch in stretches:
            self.fifo.restore(0, range(stretch.first, stretch.first + stretch.count), stretch.octets)
        self.stretches.extend(stretches)
        self.fetch()

    def fetch(self) -> None:
        """Have the next messages read back, if any are missing."""
        span = self.fifo.wanted()
        if span is not None:
            self.agenda.journal.wanted.append(ColdLoad(self, self.fifo, span))

    def warmed(self) -> None:
        clock = self.agenda.clock
        skew = clock.wall() - clock.now
        stretches = self.stretches
        # Those that are alike share their properties.
        properties = None
        delay = 0
        while self.fifo.at_hand():
            message = self.fifo.pop()[1]
            while message.lsn >= stretches[0].first + stretches[0].count:
                stretches.popleft()
            stretch = stretches[0]
            if message.properties is not properties:
                properties = message.properties
                delay = delay_of(message)
                properties.forget()
                if stretch.expires >= 0:
                    # It counts from the end of the delay.
                    properties.ttl = stretch.expires - stretch.time
            self.keep(message, (stretch.time + delay) / 1000 - skew)
        self.fetch()
        if not self.fifo.size():
            stretches.clear()
            self.timer.watch()


class Due(Timed):
    """Wakes a Waiting when its first message is due."""

    __slots__ = ("waiting", "deadline")

    def __init__(self, waiting: Waiting) -> None:
        self.waiting = waiting
        # What a timer is running for; 0: none is.
        self.deadline: float = 0.0

    def watch(self) -> None:
        """Have a timer run for the first message, once it is known."""
        waiting = self.waiting
        if not waiting.heap or waiting.fifo.size():
            return
        agenda = waiting.agenda
        deadline = min(waiting.heap[0][0], agenda.clock.now + LOOK_AGAIN)
        if self.deadline == 0.0 or deadline < self.deadline:
            self.deadline = deadline
            agenda.timers.add(deadline, self)

    def due(self, now: float) -> None:
        if now < self.deadline:
            return
        self.deadline = 0.0
        self.waiting.release(now)
        heap = self.waiting.heap
        if heap and heap[0][0] <= now:
            # There was too much for one go: the rest is for the next round.
            self.deadline = nextafter(now, NEVER)
            self.waiting.agenda.timers.add(self.deadline, self)
        else:
            self.watch()


def inner_type(arguments: Table) -> type[Exchange] | None:
    """The type that an argument `x-delayed-type` names, or None."""
    field = arguments.get(TYPE)
    return exchange_type(field[1]) if field is not None and field[0] == "S" else None


def delay_of(message: Message) -> int:
    """How long a message is to wait, in ms; 0 or less: not at all. The header may be a number, or one in digits."""
    field = message.properties.headers().get(DELAY)
    if field is None:
        return 0
    kind, value = field
    if kind in INTEGERS:
        return min(int(value), MAX_DELAY)
    if kind == "S" and value.isdigit():
        return min(int(value[:16]), MAX_DELAY)
    return 0


def released(message: Message) -> Message:
    """The message as it goes on after its delay: the header negated, and without a number."""
    headers = dict(message.properties.headers())
    headers[DELAY] = ("l", -delay_of(message))
    header = props.rewrite(message.header, {props.HEADERS: tables.encode(headers)})
    properties = props.read(header)
    properties.ttl = message.properties.ttl
    properties.blind = message.properties.blind
    return Message(message.address, header, message.body, properties)
