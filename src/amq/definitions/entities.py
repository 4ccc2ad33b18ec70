"""What exists, as keys and values of the definition store, both ways.

    vhosts/%2F                                         {}
    users/guest                                        {"password_hash": ..., "hashing_algorithm": ..., "tags": [...]}
    permissions/%2F/guest                              {"configure": ".*", "write": ".*", "read": ".*"}
    topic_permissions/%2F/guest/amq.topic              {"write": ".*", "read": ".*"}
    exchanges/%2F/logs                                 {"type": "topic", "durable": true, ..., "arguments": ""}
    exchanges/%2F/later                                {"type": "x-delayed-message", ..., "waiting_id": 6148914691236}
    queues/%2F/tasks                                   {"id": 81985529216486895, "durable": true, ...}
    bindings/%2F/logs/queue/tasks/a.%23/               {"order": 0, "arguments": ""}

Parts of a key are percent-encoded octets, since names need not be UTF-8; a vhost's things of one kind have a common
beginning. The last part of a binding's key is a hash of its arguments, empty when it has none. Fields have RabbitMQ's
names; `arguments` are the field table's octets on the wire, in hexadecimal, because types must survive. `id` is what
the journal calls a queue, `waiting_id` the same of the one in which an exchange keeps messages. Bindings of one
transaction have an `order`: some exchange types go by age.
"""

import json
from collections.abc import Callable, Iterable
from typing import Any, Final
from urllib.parse import quote_from_bytes, unquote_to_bytes

import attrs

from amq.auth.users import User
from amq.definitions.document import (
    BindingDefinition,
    ExchangeDefinition,
    QueueDefinition,
    UserPermission,
    UserTopicPermission,
    tags_of,
)
from amq.definitions.fields import DocumentError, Fields
from amq.exchanges.base import Binding, Exchange
from amq.journal import change as kinds
from amq.journal.change import Change
from amq.queues.base import Queue
from amq.vhost.permission import Permission, TopicPermission
from amq.vhost.vhost import Vhost
from amq.wire import tables
from amq.wire.tables import Table

# What a vhost has of its own, and what goes with it.
IN_VHOST: Final = (
    kinds.PERMISSION,
    kinds.TOPIC_PERMISSION,
    kinds.EXCHANGE,
    kinds.QUEUE,
    kinds.BINDING,
    "parameters",
    "policies",
)


@attrs.frozen
class VhostDefinition:
    """A vhost."""

    name: str


@attrs.frozen
class KeepingExchange(ExchangeDefinition):
    """An exchange that keeps messages; `waiting_id` is what the journal calls the queue in which it does."""

    waiting_id: int


@attrs.frozen
class NumberedQueue(QueueDefinition):
    """A queue; `queue_id` is what the journal calls it."""

    queue_id: int


@attrs.frozen
class OrderedBinding(BindingDefinition):
    """A binding; `order` is its place among those of its revision."""

    order: int


Definition = (
    VhostDefinition
    | User
    | UserPermission
    | UserTopicPermission
    | ExchangeDefinition
    | KeepingExchange
    | NumberedQueue
    | OrderedBinding
)


@attrs.frozen
class Writes:
    """What a batch's changes write: arguments for `Store.txn`."""

    puts: list[tuple[bytes, bytes]]
    deletes: list[bytes]
    prefixes: list[bytes]


def writes(changes: Iterable[Change]) -> Writes:
    """What changes come to, given in the order in which they happened: of those of one thing the last counts."""
    latest: dict[str | None, dict[bytes, Change]] = {}
    emptied: dict[str, None] = {}
    for change in changes:
        vhost = None if change.kind == kinds.USER else change.vhost
        if change.kind == kinds.VHOST and change.gone:
            # All that was in it goes with it, also what was kept but could not be restored.
            latest[vhost] = {}
            emptied[change.vhost] = None
        of_vhost = latest.setdefault(vhost, {})
        key = key_of(change)
        # In the order of the last changes.
        of_vhost.pop(key, None)
        of_vhost[key] = change
    found = Writes([], [], [_key(kind, [_octets(vhost), b""]) for vhost in emptied for kind in IN_VHOST])
    for of_vhost in latest.values():
        for order, (key, change) in enumerate(of_vhost.items()):
            if change.gone:
                found.deletes.append(key)
            else:
                found.puts.append((key, value_of(change.entity, order)))
    return found


# -- keys --


def key_of(change: Change) -> bytes:
    """The key of what has changed."""
    parts = [_octets(part) for part in change.name]
    if change.kind == kinds.USER:
        return _key(change.kind, parts)
    return _key(change.kind, [_octets(change.vhost), *parts])


def _key(kind: str, parts: list[bytes]) -> bytes:
    return "/".join([kind, *[quote_from_bytes(part, safe="") for part in parts]]).encode()


def _octets(part: object) -> bytes:
    # Half a surrogate pair is no text, but a name in JSON may have one.
    return part if isinstance(part, bytes) else str(part).encode("utf-8", "surrogatepass")


def _text(part: bytes) -> str:
    return part.decode("utf-8", "surrogatepass")


# -- values --


def value_of(entity: object, order: int = 0) -> bytes:
    """The value of a vhost, user, permission, exchange, queue or binding as it is now."""
    return json.dumps(_fields_of(entity, order), separators=(",", ":")).encode()


def _fields_of(entity: object, order: int) -> dict[str, Any]:
    if isinstance(entity, Queue):
        return {
            "id": entity.id,
            "durable": entity.durable,
            "auto_delete": entity.auto_delete,
            "arguments": _hex(entity.arguments),
        }
    if isinstance(entity, Exchange):
        fields: dict[str, Any] = {
            "type": entity.type_name,
            "durable": entity.durable,
            "auto_delete": entity.auto_delete,
            "internal": entity.internal,
            "arguments": _hex(entity.arguments),
        }
        if entity.waiting is not None:
            fields["waiting_id"] = entity.waiting.id
        return fields
    if isinstance(entity, Binding):
        return {"order": order, "arguments": _hex(entity.arguments)}
    if isinstance(entity, User):
        return {
            "password_hash": entity.password_hash,
            "hashing_algorithm": entity.hashing_algorithm,
            "tags": sorted(entity.tags),
        }
    if isinstance(entity, Permission):
        return {"configure": entity.configure, "write": entity.write, "read": entity.read}
    if isinstance(entity, TopicPermission):
        return {"write": entity.write, "read": entity.read}
    assert isinstance(entity, Vhost)
    return {}


def _hex(arguments: Table) -> str:
    return tables.encode(arguments).hex() if arguments else ""


# -- reading --


def read(key: bytes, value: bytes) -> Definition:
    """What an entry defines; the key is the place (`path`) that errors name.

    Raises ValueError (DocumentError and others) for what cannot be read.
    """
    path = key.decode("utf-8", "replace")
    kind, *quoted = path.split("/")
    parts = [unquote_to_bytes(part) if "%" in part else part.encode() for part in quoted]
    known = _READERS.get(kind)
    if known is None:
        raise DocumentError(path, f"what {kind!r} are is not known here")
    count, reader = known
    if len(parts) != count:
        raise DocumentError(path, f"has {len(parts)} parts after its kind, not {count}")
    return reader(parts, Fields(json.loads(value), path))


def _vhost(parts: list[bytes], _fields: Fields) -> VhostDefinition:
    return VhostDefinition(_text(parts[0]))


def _user(parts: list[bytes], fields: Fields) -> User:
    return User(_text(parts[0]), fields.text("hashing_algorithm"), fields.text("password_hash"), tags_of(fields))


def _permission(parts: list[bytes], fields: Fields) -> UserPermission:
    permission = Permission(fields.text("configure"), fields.text("write"), fields.text("read"))
    return UserPermission(_text(parts[1]), _text(parts[0]), permission, fields.path)


def _topic_permission(parts: list[bytes], fields: Fields) -> UserTopicPermission:
    permission = TopicPermission(_text(parts[2]), fields.text("write"), fields.text("read"))
    return UserTopicPermission(_text(parts[1]), _text(parts[0]), permission, fields.path)


def _exchange(parts: list[bytes], fields: Fields) -> ExchangeDefinition:
    found = ExchangeDefinition(
        vhost=_text(parts[0]),
        name=parts[1],
        type_name=fields.text("type").encode("utf-8", "surrogatepass"),
        durable=fields.flag("durable", True),
        auto_delete=fields.flag("auto_delete", False),
        internal=fields.flag("internal", False),
        arguments=_arguments(fields),
        path=fields.path,
    )
    waiting_id = fields.number("waiting_id", 0)
    return KeepingExchange(**attrs.asdict(found, recurse=False), waiting_id=waiting_id) if waiting_id else found


def _queue(parts: list[bytes], fields: Fields) -> NumberedQueue:
    return NumberedQueue(
        vhost=_text(parts[0]),
        name=parts[1],
        durable=fields.flag("durable", True),
        auto_delete=fields.flag("auto_delete", False),
        arguments=_arguments(fields),
        path=fields.path,
        queue_id=fields.number("id"),
    )


def _binding(parts: list[bytes], fields: Fields) -> OrderedBinding:
    return OrderedBinding(
        vhost=_text(parts[0]),
        source=parts[1],
        destination_type=parts[2].decode("ascii", "replace"),
        destination=parts[3],
        routing_key=parts[4],
        arguments=_arguments(fields),
        path=fields.path,
        order=fields.number("order", 0),
    )


def _arguments(fields: Fields) -> Table:
    octets = bytes.fromhex(fields.text("arguments", ""))
    return tables.decode(octets, 0)[0] if octets else {}


# By kind: how many parts a key has, and who reads it.
_READERS: Final[dict[str, tuple[int, Callable[[list[bytes], Fields], Definition]]]] = {
    kinds.VHOST: (1, _vhost),
    kinds.USER: (1, _user),
    kinds.PERMISSION: (2, _permission),
    kinds.TOPIC_PERMISSION: (3, _topic_permission),
    kinds.EXCHANGE: (2, _exchange),
    kinds.QUEUE: (2, _queue),
    kinds.BINDING: (6, _binding),
}
