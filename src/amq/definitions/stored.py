"""Entries of the definition store, read: what `amq.definitions.entities` has written."""

import json
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import attrs

from amq.auth.users import User
from amq.definitions.document import (
    BindingDefinition,
    ExchangeDefinition,
    PolicyDefinition,
    QueueDefinition,
    UserPermission,
    UserTopicPermission,
)
from amq.definitions.fields import DocumentError, Fields
from amq.definitions.sections import limits_of, policy_of, tags_of
from amq.journal import change as kinds
from amq.vhost.parameters import LIMITS, VHOST_LIMITS, GlobalParameter, check_limits
from amq.vhost.permission import Permission, TopicPermission
from amq.wire import tables
from amq.wire.tables import Table


@attrs.frozen
class VhostEntry:
    """A vhost."""

    name: str
    description: str = ""
    tags: tuple[str, ...] = ()
    default_queue_type: str | None = None
    tracing: bool = False
    protected_from_deletion: bool = False


@attrs.frozen
class LimitsEntry:
    """What limits a vhost."""

    vhost: str
    limits: dict[str, int]


@attrs.frozen
class ParameterEntry:
    """A parameter of a vhost."""

    vhost: str
    component: str
    name: str
    value: Any


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
    GlobalParameter
    | VhostEntry
    | LimitsEntry
    | ParameterEntry
    | User
    | UserPermission
    | UserTopicPermission
    | PolicyDefinition
    | ExchangeDefinition
    | KeepingExchange
    | NumberedQueue
    | OrderedBinding
)


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


def _text(part: bytes) -> str:
    return part.decode("utf-8", "surrogatepass")


def _vhost(parts: list[bytes], fields: Fields) -> VhostEntry:
    return VhostEntry(
        _text(parts[0]),
        fields.text("description", ""),
        fields.texts("tags"),
        fields.text("default_queue_type", "") or None,
        fields.flag("tracing", False),
        fields.flag("protected_from_deletion", False),
    )


def _user(parts: list[bytes], fields: Fields) -> User:
    algorithm, password_hash = fields.text("hashing_algorithm"), fields.text("password_hash")
    return User(_text(parts[0]), algorithm, password_hash, tags_of(fields), limits_of(fields))


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


def _policy(parts: list[bytes], fields: Fields) -> PolicyDefinition:
    return PolicyDefinition(_text(parts[0]), policy_of(_text(parts[1]), fields, False), fields.path)


def _operator_policy(parts: list[bytes], fields: Fields) -> PolicyDefinition:
    return PolicyDefinition(_text(parts[0]), policy_of(_text(parts[1]), fields, True), fields.path)


def _parameter(parts: list[bytes], fields: Fields) -> ParameterEntry | LimitsEntry:
    vhost, component, name = [_text(part) for part in parts]
    value = fields.value("value")
    if (component, name) == (VHOST_LIMITS, LIMITS):
        return LimitsEntry(vhost, check_limits(name, value))
    return ParameterEntry(vhost, component, name, value)


def _global_parameter(parts: list[bytes], fields: Fields) -> GlobalParameter:
    return GlobalParameter(_text(parts[0]), fields.value("value"))


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
    kinds.POLICY: (2, _policy),
    kinds.OPERATOR_POLICY: (2, _operator_policy),
    kinds.PARAMETER: (3, _parameter),
    kinds.GLOBAL_PARAMETER: (1, _global_parameter),
}
