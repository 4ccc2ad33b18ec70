"""Dead-lettering: a message that left its queue goes to the queue's dead-letter exchange, with its history.

The history is the header `x-death`: an array of tables, one for each pair of queue and reason, the latest first.
"""

from typing import Final

from amq.message import Message, address
from amq.queues.base import REJECTED, Queue
from amq.vhost.placing import place_instead
from amq.vhost.vhost import Vhost
from amq.wire import properties as props
from amq.wire import tables
from amq.wire.tables import Field, Table

X_DEATH: Final = "x-death"
# What fits the field.
MIN_COUNT: Final = -(1 << 63)
MAX_COUNT: Final = (1 << 63) - 1


def bury(vhost: Vhost, queue: Queue, message: Message, reason: str) -> None:
    """Publish a message to the dead-letter exchange of the queue that it left; nothing happens when that is missing.

    The queue's dead-letter routing key, if it has one, replaces the message's routing keys, and with them the CC
    header. A queue that the message has already been in is left out when it went round without anybody having
    rejected it.
    """
    exchange, key = queue.dead_letter_exchange, queue.dead_letter_routing_key
    target = None if exchange is None else vhost.exchanges.get(exchange)
    if target is None:
        if queue.keeps and message.lsn:
            queue.forget(message)
        return
    tracer = vhost.agenda.tracer
    if tracer is not None:
        tracer.dead_lettered(queue, message, reason)
    keys = routing_keys(message)
    headers = dict(message.properties.headers())
    record(headers, queue.name, reason, int(vhost.agenda.clock.wall()), message, keys)
    blind = message.properties.blind or []
    if key is not None:
        keys, blind = [key], []
        headers.pop("CC", None)
    dead = readdressed(message, target.name, keys[0], blind, headers)
    queues = vhost.route(target, keys + blind, dead).queues
    message.properties.forget()
    dead.properties.forget()
    history = headers[X_DEATH][1]
    queues = [found for found in queues if reason == REJECTED or not in_cycle(found.name, history)]
    place_instead(vhost.agenda.journal, dead, queues, queue, message)


def routing_keys(message: Message) -> list[bytes]:
    """The routing key and those of CC."""
    keys = [message.routing_key()]
    field = message.properties.headers().get("CC")
    if field is not None and field[0] == "A":
        keys += [item[1] for item in field[1] if item[0] == "S"]
    return keys


def readdressed(message: Message, exchange: bytes, key: bytes, blind: list[bytes], headers: Table) -> Message:
    """The message as it goes on: new address and headers, and no expiration, which counted for the queue it left."""
    header = props.rewrite(message.header, {props.HEADERS: tables.encode(headers), props.EXPIRATION: None})
    properties = props.read(header)
    properties.blind = blind or None
    return Message(address(exchange, key), header, message.body, properties)


def record(headers: Table, queue: bytes, reason: str, now: int, message: Message, keys: list[bytes]) -> None:
    """Enter a death into the headers; `now` in seconds since 1970."""
    deaths = history(headers)
    entry: Table | None = None
    for index, field in enumerate(deaths):
        table = field[1]
        if field[0] == "F" and _text(table, "queue") == queue and _text(table, "reason") == reason.encode():
            entry = dict(table)
            count = entry.get("count", ("l", 0))[1]
            # The publisher may have set it to anything.
            entry["count"] = _counted(count + 1) if isinstance(count, int) else ("l", 1)
            del deaths[index]
            break
    if entry is None:
        entry = first_death(queue, reason, now, message, keys)
    headers[X_DEATH] = ("A", [("F", entry), *deaths])
    exchange = message.exchange()
    for which in ("first", "last") if "x-first-death-reason" not in headers else ("last",):
        headers[f"x-{which}-death-reason"] = ("S", reason.encode())
        headers[f"x-{which}-death-queue"] = ("S", queue)
        headers[f"x-{which}-death-exchange"] = ("S", exchange)


def first_death(queue: bytes, reason: str, now: int, message: Message, keys: list[bytes]) -> Table:
    """The entry for a queue and reason that the message did not die of before."""
    entry: Table = {}
    expiration = message.properties.expiration
    if expiration is not None:
        entry["original-expiration"] = ("S", expiration)
    entry["count"] = ("l", 1)
    entry["reason"] = ("S", reason.encode())
    entry["queue"] = ("S", queue)
    entry["time"] = ("T", now)
    entry["exchange"] = ("S", message.exchange())
    entry["routing-keys"] = ("A", [("S", key) for key in keys])
    return entry


def history(headers: Table) -> list[Field]:
    """The entries of x-death, a copy, one for each queue and reason, as RabbitMQ before 3.5 did not write them.

    A header of that name that is no array counts as none.
    """
    field = headers.get(X_DEATH)
    if field is None or field[0] != "A":
        return []
    entries: dict[tuple[bytes | None, bytes | None], Table] = {}
    for kind, table in field[1]:
        if kind == "F":
            key = (_text(table, "queue"), _text(table, "reason"))
            known = entries.get(key)
            if known is None:
                entries[key] = dict(table)
            else:
                known["count"] = _counted(_count(known) + _count(table))
    return [("F", table) for table in entries.values()]


def _counted(count: int) -> Field:
    return "l", max(MIN_COUNT, min(count, MAX_COUNT))


def _count(table: Table) -> int:
    """How many deaths an entry stands for; the publisher may have set it to anything."""
    count = table.get("count", ("l", 1))[1]
    return count if isinstance(count, int) else 1


def in_cycle(queue: bytes, deaths: list[Field]) -> bool:
    """True when the message died in that queue before, and since then by nobody's rejection."""
    for kind, table in deaths:
        if kind != "F":
            continue
        if _text(table, "reason") == REJECTED.encode():
            return False
        if _text(table, "queue") == queue:
            return True
    return False


def _text(table: Table, name: str) -> bytes | None:
    field = table.get(name)
    return field[1] if field is not None and field[0] == "S" else None
