"""A vhost without clients: declare, publish and look."""

from amq.clock import Clock, Timers
from amq.exchanges import exchange_type
from amq.exchanges.base import Exchange
from amq.journal.batch import Batch
from amq.message import Message, address
from amq.queues.base import Agenda, Queue
from amq.queues.classic import ClassicQueue
from amq.vhost import topology
from amq.vhost.placing import place
from amq.vhost.settling import settle
from amq.vhost.vhost import Vhost
from amq.wire import properties, tables
from amq.wire.properties import shortstr
from amq.wire.tables import Field, Table

NOW = 100.0
WALL = 1_700_000_000


def furnished(keeps: bool = False) -> Vhost:
    """A vhost `/` with what every vhost has; `keeps`: its journal takes records."""
    clock = Clock(NOW, WALL)
    vhost = Vhost("/", Agenda(clock, Timers(), Batch(keeps, clock)))
    topology.furnish(vhost)
    return vhost


def declare(vhost: Vhost, name: bytes, **arguments: object) -> ClassicQueue:
    """A queue. Arguments without `x-`, underscores for hyphens; ints and bytes are given their wire types."""
    table = {"x-" + key.replace("_", "-"): field(value) for key, value in arguments.items()}
    queue = topology.create_queue(vhost, name, False, None, False, table)
    assert isinstance(queue, ClassicQueue)
    return queue


def field(value: object) -> Field:
    """A value with its type on the wire."""
    if isinstance(value, bool):
        return ("t", value)
    return ("I", value) if isinstance(value, int) else ("S", value)


def exchange(vhost: Vhost, name: bytes, kind: bytes = b"direct", auto_delete: bool = False, **table: Field) -> Exchange:
    cls = exchange_type(kind)
    assert cls is not None
    arguments = {key.replace("_", "-"): value for key, value in table.items()}
    return topology.create_exchange(vhost, name, cls, False, auto_delete, False, arguments)


def publish(
    vhost: Vhost,
    key: bytes,
    headers: Table | None = None,
    exchange: bytes = b"",
    ttl: int = -1,
    persistent: bool = False,
    **more: list[bytes],
) -> None:
    """Publish `m`; `CC` and `BCC` as keyword arguments. Everything that follows from it happens."""
    table = dict(headers or {})
    if "CC" in more:
        table["CC"] = ("A", [("S", copy) for copy in more["CC"]])
    changes: dict[int, bytes | None] = {properties.HEADERS: tables.encode(table)}
    if ttl >= 0:
        changes[properties.EXPIRATION] = shortstr(b"%d" % ttl)
    if persistent:
        changes[properties.DELIVERY_MODE] = b"\2"
    header = properties.rewrite(bytes(14), changes)
    read = properties.read(header)
    read.ttl = ttl
    read.blind = more.get("BCC")
    message = Message(address(exchange, key), header, b"m", read)
    keys = [key, *more.get("CC", []), *more.get("BCC", [])]
    place(vhost.agenda.journal, message, vhost.route(vhost.exchanges[exchange], keys, message).queues)
    settle(vhost)


def take(queue: Queue) -> Message:
    """Get and acknowledge a message, which must be there."""
    found = queue.get()
    assert found is not None
    queue.settle(found[0], found[1])
    return found[1]


def reject(vhost: Vhost, queue: Queue) -> None:
    """Get a message, which must be there, and reject it for good."""
    found = queue.get()
    assert found is not None
    queue.reject(found[0], found[1])
    settle(vhost)


def deaths(message: Message) -> list[dict[str, object]]:
    """The x-death tables, without the types of their values."""
    return [
        {key: value for key, (_, value) in table.items()} for _, table in message.properties.headers()["x-death"][1]
    ]
