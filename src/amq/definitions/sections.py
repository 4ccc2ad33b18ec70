"""The sections of a definitions document, item by item: from the fields of an object to a value."""

from collections.abc import Callable
from typing import Any, Final

from amq.auth.passwords import ALGORITHMS, DEFAULT_ALGORITHM, hash_password
from amq.auth.users import User, UserError
from amq.definitions.document import (
    BindingDefinition,
    Document,
    ExchangeDefinition,
    LimitsDefinition,
    ParameterDefinition,
    PolicyDefinition,
    QueueDefinition,
    UserPermission,
    UserTopicPermission,
    VhostDefinition,
)
from amq.definitions.fields import DocumentError, Fields
from amq.lang.pattern import PatternError, compile_pattern
from amq.vhost import parameters
from amq.vhost.parameters import GlobalParameter, ParameterError
from amq.vhost.permission import Permission, TopicPermission
from amq.vhost.policy import Policy, PolicyError

MD5: Final = "rabbit_password_hashing_md5"
# Global parameters that say which cluster a document comes from and what it had imported: this one stays what it is.
CLUSTER_ID: Final = "internal_cluster_id"
IMPORTED: Final = "imported_definition_hash_value"

# Reads an item of a section into the document; the vhost is where everything belongs, None for those that are named.
Reader = Callable[[Document, Fields, str | None], None]


# -- users --


def user_of(fields: Fields, version: str) -> User:
    """A user; `version` is that of the broker that made the document."""
    name = fields.text("name")
    if not name:
        raise fields.fault("name", "must not be empty")
    algorithm = fields.text("hashing_algorithm", _default_algorithm(version))
    try:
        return User(name, algorithm, _password_hash(fields, algorithm), tags_of(fields), limits_of(fields))
    except UserError as error:
        raise fields.fault("password_hash", str(error)) from None


def _password_hash(fields: Fields, algorithm: str) -> str:
    """The hash, empty for a user without password; or made from a `password`, which people write and nobody exports."""
    if "password_hash" in fields.values or "password" not in fields.values:
        return fields.text("password_hash", "")
    if algorithm not in ALGORITHMS:
        raise fields.fault("hashing_algorithm", f"{algorithm!r} is not known, allowed: {', '.join(ALGORITHMS)}")
    password = fields.text("password")
    try:
        return hash_password(password.encode("utf-8", "surrogatepass"), algorithm) if password else ""
    except ValueError as error:
        raise fields.fault("hashing_algorithm", str(error)) from None


def _default_algorithm(version: str) -> str:
    # Exports name the algorithm since 3.6.1; before 3.6 there was MD5 alone.
    return MD5 if version.startswith(("3.0.", "3.1.", "3.2.", "3.3.", "3.4.", "3.5.")) else DEFAULT_ALGORITHM


def tags_of(fields: Fields) -> list[str]:
    """A user's tags: a list, or before 3.9 one text with commas. Raises DocumentError."""
    value = fields.values.get("tags", [])
    words = value.split(",") if isinstance(value, str) else value
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise fields.fault("tags", "must be a list of texts")
    return [word.strip() for word in words if word.strip()]


def limits_of(fields: Fields) -> dict[str, int]:
    """A user's limits. Raises DocumentError."""
    value = fields.values.get("limits")
    if not value:
        return {}
    try:
        return parameters.check_user_limits(object_of(value))
    except ValueError as error:
        raise fields.fault("limits", str(error)) from None


def object_of(value: Any) -> Any:
    """What is meant as an object: rabbitmqctl exports some of them as lists of pairs. Anything else as it is."""
    if isinstance(value, list) and all(
        isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str) for pair in value
    ):
        return dict(value)
    return value


# -- vhosts, and what users may do in them --


def _vhost(document: Document, fields: Fields, _vhost: str | None) -> None:
    name = fields.text("name")
    if not name:
        raise fields.fault("name", "must not be empty")
    inner = fields.values.get("metadata")
    # Exports say it twice, and some of them only in there.
    described = Fields({**(inner if isinstance(inner, dict) else {}), **fields.values}, fields.path)
    document.vhosts.append(
        VhostDefinition(
            name,
            described.text("description") if described.has("description") else None,
            described.texts("tags") if described.has("tags") else None,
            described.text("default_queue_type") if described.has("default_queue_type") else None,
            described.flag("tracing", False) if described.has("tracing") else None,
            described.flag("protected_from_deletion", False) if described.has("protected_from_deletion") else None,
            fields.path,
        )
    )


def _permission(document: Document, fields: Fields, vhost: str | None) -> None:
    permission = Permission(*[_pattern(fields, key) for key in ("configure", "write", "read")])
    document.permissions.append(UserPermission(fields.text("user"), _place(fields, vhost), permission, fields.path))


def _topic_permission(document: Document, fields: Fields, vhost: str | None) -> None:
    permission = TopicPermission(fields.text("exchange"), _pattern(fields, "write"), _pattern(fields, "read"))
    document.topic_permissions.append(
        UserTopicPermission(fields.text("user"), _place(fields, vhost), permission, fields.path)
    )


def _pattern(fields: Fields, key: str) -> str:
    pattern = fields.text(key)
    try:
        compile_pattern(pattern)
    except PatternError as error:
        raise fields.fault(key, str(error)) from None
    return pattern


def _place(fields: Fields, vhost: str | None) -> str:
    return fields.text("vhost") if vhost is None else vhost


# -- parameters and policies --


def _global_parameter(document: Document, fields: Fields, _vhost: str | None) -> None:
    name, value = fields.text("name"), fields.value("value")
    _check_size(fields, name, value)
    if name not in (CLUSTER_ID, IMPORTED):
        document.global_parameters.append(GlobalParameter(name, value))


def _parameter(document: Document, fields: Fields, vhost: str | None) -> None:
    place, component, name = _place(fields, vhost), fields.text("component"), fields.text("name")
    value = fields.value("value")
    if component == parameters.VHOST_LIMITS:
        document.limits.append(LimitsDefinition(place, _limits(fields, name, value), fields.path))
    elif component == parameters.OPERATOR_POLICY:
        policy = policy_of(name, Fields(value, f"{fields.path}.value"), True)
        document.operator_policies.append(PolicyDefinition(place, policy, fields.path))
    else:
        _check_size(fields, name, value)
        document.parameters.append(ParameterDefinition(place, component, name, value, fields.path))


def _limits(fields: Fields, name: str, value: Any) -> dict[str, int]:
    try:
        return parameters.check_limits(name, object_of(value))
    except ParameterError as error:
        raise fields.fault("value", "; ".join(error.problems)) from None


def _check_size(fields: Fields, name: str, value: Any) -> None:
    try:
        parameters.check_size(name, value)
    except ParameterError as error:
        raise fields.fault("value", "; ".join(error.problems)) from None


def _policy(document: Document, fields: Fields, vhost: str | None) -> None:
    policy = policy_of(fields.text("name"), fields, False)
    document.policies.append(PolicyDefinition(_place(fields, vhost), policy, fields.path))


def policy_of(name: str, fields: Fields, operator: bool) -> Policy:
    """A policy of that name, or an operator policy. Raises DocumentError."""
    definition = object_of(fields.value("definition"))
    if not isinstance(definition, dict):
        raise fields.fault("definition", "must be an object")
    try:
        return Policy(
            name,
            fields.text("pattern"),
            definition,
            fields.values.get("priority", 0),
            fields.values.get("apply-to", "all"),
            operator,
        )
    except PolicyError as error:
        raise DocumentError(fields.path, str(error)) from None


# -- exchanges, queues and bindings --


def _exchange(document: Document, fields: Fields, vhost: str | None) -> None:
    document.exchanges.append(
        ExchangeDefinition(
            vhost=_place(fields, vhost),
            name=fields.name("name"),
            type_name=fields.name("type"),
            durable=fields.flag("durable", True),
            auto_delete=fields.flag("auto_delete", False),
            internal=fields.flag("internal", False),
            arguments=fields.table("arguments"),
            path=fields.path,
        )
    )


def _queue(document: Document, fields: Fields, vhost: str | None) -> None:
    arguments = fields.table("arguments")
    queue_type = fields.text("type", "classic")
    if queue_type != "classic":
        arguments.setdefault("x-queue-type", ("S", queue_type.encode()))
    document.queues.append(
        QueueDefinition(
            vhost=_place(fields, vhost),
            name=fields.name("name"),
            durable=fields.flag("durable", True),
            auto_delete=fields.flag("auto_delete", False),
            arguments=arguments,
            path=fields.path,
        )
    )


def _binding(document: Document, fields: Fields, vhost: str | None) -> None:
    destination_type = fields.text("destination_type")
    if destination_type not in ("queue", "exchange"):
        raise fields.fault("destination_type", f"{destination_type!r} is not known, allowed: queue, exchange")
    document.bindings.append(
        BindingDefinition(
            vhost=_place(fields, vhost),
            source=fields.name("source"),
            destination_type=destination_type,
            destination=fields.name("destination"),
            routing_key=fields.name("routing_key", ""),
            arguments=fields.table("arguments"),
            path=fields.path,
        )
    )


# All but the users.
SECTIONS: Final[dict[str, Reader]] = {
    "vhosts": _vhost,
    "permissions": _permission,
    "topic_permissions": _topic_permission,
    "global_parameters": _global_parameter,
    "parameters": _parameter,
    "policies": _policy,
    "exchanges": _exchange,
    "queues": _queue,
    "bindings": _binding,
}
# Those that the document of one vhost has.
IN_VHOST: Final = ("parameters", "policies", "exchanges", "queues", "bindings")
