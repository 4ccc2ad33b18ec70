"""The delayed message exchange: keeps a message for as long as its header `x-delay` says, and routes it then.

It routes as the type in its argument `x-delayed-type` does. A message without the header, or with one that is not a
positive number, is routed at once. Like the RabbitMQ plug-in, it hands a message that has waited on with the header
negated: consumers can tell, and another delayed exchange on the way does not delay it again. Unlike it, waiting
counts as routed, so a mandatory message is not returned.
"""

from heapq import heappop, heappush
from typing import Final

from amq.clock import Timed
from amq.destination import Destination
from amq.errors import PRECONDITION_FAILED, ChannelFault
from amq.exchanges.base import Binding, Exchange
from amq.exchanges.registry import exchange_type
from amq.message import Message
from amq.queues.base import LOOK_AGAIN, Agenda, Queue
from amq.wire import properties as props
from amq.wire import tables
from amq.wire.tables import INTEGERS, Table

DELAY: Final = "x-delay"
TYPE: Final = "x-delayed-type"
# Ten years in ms; who asks for more gets that.
MAX_DELAY: Final = 315_360_000_000


class Delayed(Exchange):
    """Routes by `inner`, an exchange of the type that it was declared with; `waiting` keeps what is not due yet."""

    __slots__ = ("inner", "waiting")
    type_name = "x-delayed-message"

    def __init__(self, name: bytes, durable: bool, auto_delete: bool, internal: bool, arguments: Table) -> None:
        super().__init__(name, durable, auto_delete, internal, arguments)
        kind = inner_type(arguments)
        assert kind is not None, "check_arguments has seen to it"
        self.inner = kind(name, durable, auto_delete, internal, arguments)
        self.waiting: Waiting | None = None

    @classmethod
    def check_arguments(cls, arguments: Table) -> None:
        """Refuse to be declared without the type to route by.

        Raises ChannelFault(406).
        """
        kind = inner_type(arguments)
        if kind is None or kind is cls:
            raise ChannelFault(PRECONDITION_FAILED, f"Invalid argument, '{TYPE}' must be an existing exchange type")
        kind.check_arguments(arguments)

    def attend(self, agenda: Agenda) -> None:
        self.inner.attend(agenda)
        self.waiting = Waiting(self, agenda)

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
    """Messages that wait for their time, in memory. To the router it is a queue; nobody else meets it."""

    __slots__ = ("exchange", "heap", "count", "timer")

    def __init__(self, exchange: Delayed, agenda: Agenda) -> None:
        super().__init__(exchange.name, False, None, False, {}, agenda)
        self.exchange = exchange
        self.heap: list[tuple[float, int, Message]] = []
        # Messages of the same moment go on in their order.
        self.count: int = 0
        self.timer = Due(self)

    def enqueue(self, message: Message) -> bool:
        deadline = self.agenda.clock.now + delay_of(message) / 1000
        self.count += 1
        heappush(self.heap, (deadline, self.count, released(message)))
        self.timer.watch()
        return True

    def release(self, now: float) -> None:
        """Let go of every message whose time has come."""
        heap = self.heap
        while heap and heap[0][0] <= now:
            self.agenda.released.append((self.exchange, heappop(heap)[2]))

    def ready_count(self) -> int:
        return len(self.heap)

    def consumer_count(self) -> int:
        return 0


class Due(Timed):
    """Wakes a Waiting when its first message is due."""

    __slots__ = ("waiting", "deadline")

    def __init__(self, waiting: Waiting) -> None:
        self.waiting = waiting
        # What a timer is running for; 0: none is.
        self.deadline: float = 0.0

    def watch(self) -> None:
        """Have a timer run for the first message."""
        waiting = self.waiting
        if not waiting.heap:
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
        waiting = self.waiting
        if waiting.exchange.deleted:
            waiting.heap.clear()
            return
        waiting.release(now)
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
    """The message as it goes on after its delay: the header negated."""
    headers = dict(message.properties.headers())
    headers[DELAY] = ("l", -delay_of(message))
    header = props.rewrite(message.header, {props.HEADERS: tables.encode(headers)})
    properties = props.read(header)
    properties.ttl = message.properties.ttl
    properties.blind = message.properties.blind
    return Message(message.address, header, message.body, properties)
