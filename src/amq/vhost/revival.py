"""Where a dead-lettered message came from, by its x-death, and what it is like without that history."""

from typing import Final

from amq.message import Message
from amq.vhost.dead_letter import X_DEATH
from amq.wire import properties as props
from amq.wire import tables
from amq.wire.tables import Table

# What dead-lettering, and counting deliveries, write into the headers.
HISTORY: Final = (
    X_DEATH,
    *(f"x-{which}-death-{what}" for which in ("first", "last") for what in ("reason", "queue", "exchange")),
    "x-delivery-count",
)


class Death:
    """An entry of x-death: the queue that the message died in, and the address that it had been published to."""

    __slots__ = ("queue", "exchange", "routing_keys")

    def __init__(self, queue: bytes, exchange: bytes, routing_keys: list[bytes]) -> None:
        self.queue = queue
        self.exchange = exchange
        self.routing_keys = routing_keys


def death_of(message: Message, first: bool) -> Death | None:
    """The latest death of a message, or with `first` the first one; None when it has no history that can be read."""
    headers = message.properties.headers()
    message.properties.forget()
    field = headers.get(X_DEATH)
    entries = [table for kind, table in field[1] if kind == "F"] if field is not None and field[0] == "A" else []
    if not entries:
        return None
    entry = first_of(entries, headers) if first else entries[0]
    queue, exchange = _octets(entry, "queue"), _octets(entry, "exchange")
    keys = entry.get("routing-keys")
    if queue is None or exchange is None or keys is None or keys[0] != "A":
        return None
    found = [key for kind, key in keys[1] if kind == "S"]
    return Death(queue, exchange, found) if found else None


def first_of(entries: list[Table], headers: Table) -> Table:
    """The entry of the first death: an old one moves to the front when the message dies like that again."""
    named = _octets(headers, "x-first-death-queue"), _octets(headers, "x-first-death-reason")
    for entry in entries:
        if (_octets(entry, "queue"), _octets(entry, "reason")) == named:
            return entry
    return entries[-1]


def without_history(message: Message) -> Message:
    """The message as if it had never died."""
    headers = message.properties.headers()
    message.properties.forget()
    left = {name: field for name, field in headers.items() if name not in HISTORY}
    header = props.rewrite(message.header, {props.HEADERS: tables.encode(left) if left else None})
    properties = props.read(header)
    properties.ttl = message.properties.ttl
    properties.blind = message.properties.blind
    properties.forget()
    return Message(message.address, header, message.body, properties)


def _octets(table: Table, name: str) -> bytes | None:
    field = table.get(name)
    return field[1] if field is not None and field[0] == "S" else None
