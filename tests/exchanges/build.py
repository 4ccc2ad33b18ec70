"""Queues, messages and bindings for the tests of routing."""

from amq.destination import Destination
from amq.exchanges.base import Binding, Exchange
from amq.message import Message, address
from amq.queues.base import Queue
from amq.wire import properties, tables
from amq.wire.tables import Table


class NamedQueue(Queue):
    """A queue that can only be reached."""

    __slots__ = ()

    def __init__(self, name: bytes) -> None:
        Destination.__init__(self, name)

    def __repr__(self) -> str:
        return self.name.decode()


A, B, C, D = [NamedQueue(name) for name in (b"a", b"b", b"c", b"d")]


def exchange(cls: type[Exchange], name: bytes = b"x", **arguments: tables.Field) -> Exchange:
    """An exchange of that type; underscores in the names of arguments stand for hyphens."""
    table = {key.replace("_", "-"): field for key, field in arguments.items()}
    cls.check_arguments(table)
    return cls(name, durable=False, auto_delete=False, internal=False, arguments=table)


def bind(
    source: Exchange, destination: Destination, routing_key: bytes = b"", arguments: Table | None = None
) -> Binding:
    """Check and make a binding."""
    source.check_binding(routing_key, arguments or {})
    binding = Binding(source, destination, routing_key, arguments or {})
    source.bind(binding)
    return binding


def message(headers: Table | None = None, message_id: bytes | None = None, timestamp: int | None = None) -> Message:
    """A message with these properties, as it comes from the wire."""
    changes: dict[int, bytes | None] = {}
    if headers is not None:
        changes[properties.HEADERS] = tables.encode(headers)
    if message_id is not None:
        changes[properties.MESSAGE_ID] = properties.shortstr(message_id)
        changes[properties.CORRELATION_ID] = properties.shortstr(message_id[::-1])
    if timestamp is not None:
        changes[properties.TIMESTAMP] = timestamp.to_bytes(8, "big")
    header = properties.rewrite(bytes(14), changes)
    return Message(address(b"x", b""), header, b"", properties.read(header))


PLAIN = message()


def reached(source: Exchange, routing_key: bytes = b"", sent: Message = PLAIN) -> list[Destination]:
    """What one exchange finds for one routing key, each once, in the order of their names."""
    found: list[Destination] = []
    source.route(routing_key, sent, found)
    return sorted(set(found), key=_name)


def _name(destination: Destination) -> bytes:
    return destination.name
