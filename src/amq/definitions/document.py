"""RabbitMQ's definitions document (JSON, as 3.x and 4.x export it): what exists, as values.

Reads text and nothing else; unknown keys are ignored, as RabbitMQ ignores them. `amq.definitions.apply` makes it so.
"""

import json
from typing import Any, Final

import attrs

from amq.auth.passwords import ALGORITHMS, DEFAULT_ALGORITHM, hash_password
from amq.auth.users import User, UserError
from amq.definitions.fields import DocumentError, Fields
from amq.lang.pattern import PatternError, compile_pattern
from amq.vhost.permission import Permission, TopicPermission
from amq.wire.tables import Table

MD5: Final = "rabbit_password_hashing_md5"
# Sections that are kept as they are until there is something to apply them to.
UNAPPLIED: Final = ("global_parameters", "policies", "parameters")


@attrs.frozen
class UserPermission:
    """What a user may do in a vhost; `path` is the place in the document."""

    user: str
    vhost: str
    permission: Permission
    path: str


@attrs.frozen
class UserTopicPermission:
    """What a user may do on a topic exchange of a vhost."""

    user: str
    vhost: str
    permission: TopicPermission
    path: str


@attrs.frozen
class ExchangeDefinition:
    """An exchange."""

    vhost: str
    name: bytes
    type_name: bytes
    durable: bool
    auto_delete: bool
    internal: bool
    arguments: Table
    path: str


@attrs.frozen
class QueueDefinition:
    """A queue; its type is the argument `x-queue-type`."""

    vhost: str
    name: bytes
    durable: bool
    auto_delete: bool
    arguments: Table
    path: str


@attrs.frozen
class BindingDefinition:
    """A binding; `destination_type` is "queue" or "exchange"."""

    vhost: str
    source: bytes
    destination_type: str
    destination: bytes
    routing_key: bytes
    arguments: Table
    path: str


@attrs.frozen
class Document:
    """Everything a document defines, in its order. `warnings` name what was read but is not applied."""

    users: tuple[User, ...]
    vhosts: tuple[str, ...]
    permissions: tuple[UserPermission, ...]
    topic_permissions: tuple[UserTopicPermission, ...]
    exchanges: tuple[ExchangeDefinition, ...]
    queues: tuple[QueueDefinition, ...]
    bindings: tuple[BindingDefinition, ...]
    unapplied: dict[str, Any]
    warnings: tuple[str, ...]


def parse(text: str, vhost: str | None = None) -> Document:
    """The document in this text. `vhost` is where things belong that name none, as in the export of one vhost.

    Raises DocumentError, whose text begins with the place.
    """
    fields = Fields(_json(text), "")
    version = fields.text("rabbitmq_version", fields.text("rabbit_version", ""))
    unapplied = {section: fields.values[section] for section in UNAPPLIED if fields.values.get(section)}
    return Document(
        users=tuple(_user(item, version) for item in fields.objects("users")),
        vhosts=tuple(item.text("name") for item in fields.objects("vhosts")),
        permissions=tuple(_permission(item, vhost) for item in fields.objects("permissions")),
        topic_permissions=tuple(_topic_permission(item, vhost) for item in fields.objects("topic_permissions")),
        exchanges=tuple(_exchange(item, vhost) for item in fields.objects("exchanges")),
        queues=tuple(_queue(item, vhost) for item in fields.objects("queues")),
        bindings=tuple(_binding(item, vhost) for item in fields.objects("bindings")),
        unapplied=unapplied,
        warnings=tuple(f"{section}: not applied yet ({len(found)} found)" for section, found in unapplied.items()),
    )


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise DocumentError("", f"not JSON at line {error.lineno}, column {error.colno}: {error.msg}") from None
    except RecursionError:
        raise DocumentError("", "nested too deeply") from None


def _user(fields: Fields, version: str) -> User:
    name = fields.text("name")
    tags = tags_of(fields)
    if not name:
        raise fields.fault("name", "must not be empty")
    algorithm = fields.text("hashing_algorithm", _default_algorithm(version))
    try:
        return User(name, algorithm, _password_hash(fields, algorithm), tags)
    except UserError as error:
        raise fields.fault("password_hash", str(error)) from None


def _password_hash(fields: Fields, algorithm: str) -> str:
    """The hash, empty for a user without password; or made from a `password`, which people write and nobody exports."""
    if "password_hash" in fields.values or "password" not in fields.values:
        return fields.text("password_hash", "")
    if algorithm not in ALGORITHMS:
        raise fields.fault("hashing_algorithm", f"{algorithm!r} is not known, allowed: {', '.join(ALGORITHMS)}")
    password = fields.text("password")
    return hash_password(password.encode("utf-8", "surrogatepass"), algorithm) if password else ""


def _default_algorithm(version: str) -> str:
    # Exports name the algorithm since 3.6.1; before 3.6 there was MD5 alone.
    return MD5 if version.startswith(("3.0.", "3.1.", "3.2.", "3.3.", "3.4.", "3.5.")) else DEFAULT_ALGORITHM


def tags_of(fields: Fields) -> frozenset[str]:
    """A user's tags: a list, or before 3.9 one text with commas. Raises DocumentError."""
    value = fields.values.get("tags", [])
    words = value.split(",") if isinstance(value, str) else value
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise fields.fault("tags", "must be a list of texts")
    return frozenset(word.strip() for word in words if word.strip())


def _vhost(fields: Fields, default: str | None) -> str:
    return fields.text("vhost", default)


def _permission(fields: Fields, vhost: str | None) -> UserPermission:
    patterns = [_pattern(fields, key) for key in ("configure", "write", "read")]
    return UserPermission(fields.text("user"), _vhost(fields, vhost), Permission(*patterns), fields.path)


def _topic_permission(fields: Fields, vhost: str | None) -> UserTopicPermission:
    exchange, write, read = fields.text("exchange"), _pattern(fields, "write"), _pattern(fields, "read")
    permission = TopicPermission(exchange, write, read)
    return UserTopicPermission(fields.text("user"), _vhost(fields, vhost), permission, fields.path)


def _pattern(fields: Fields, key: str) -> str:
    pattern = fields.text(key)
    try:
        compile_pattern(pattern)
    except PatternError as error:
        raise fields.fault(key, str(error)) from None
    return pattern


def _exchange(fields: Fields, vhost: str | None) -> ExchangeDefinition:
    return ExchangeDefinition(
        vhost=_vhost(fields, vhost),
        name=fields.name("name"),
        type_name=fields.name("type"),
        durable=fields.flag("durable", True),
        auto_delete=fields.flag("auto_delete", False),
        internal=fields.flag("internal", False),
        arguments=fields.table("arguments"),
        path=fields.path,
    )


def _queue(fields: Fields, vhost: str | None) -> QueueDefinition:
    arguments = fields.table("arguments")
    queue_type = fields.text("type", "classic")
    if queue_type != "classic":
        arguments.setdefault("x-queue-type", ("S", queue_type.encode()))
    return QueueDefinition(
        vhost=_vhost(fields, vhost),
        name=fields.name("name"),
        durable=fields.flag("durable", True),
        auto_delete=fields.flag("auto_delete", False),
        arguments=arguments,
        path=fields.path,
    )


def _binding(fields: Fields, vhost: str | None) -> BindingDefinition:
    destination_type = fields.text("destination_type")
    if destination_type not in ("queue", "exchange"):
        raise fields.fault("destination_type", f"{destination_type!r} is not known, allowed: queue, exchange")
    return BindingDefinition(
        vhost=_vhost(fields, vhost),
        source=fields.name("source"),
        destination_type=destination_type,
        destination=fields.name("destination"),
        routing_key=fields.name("routing_key", ""),
        arguments=fields.table("arguments"),
        path=fields.path,
    )
