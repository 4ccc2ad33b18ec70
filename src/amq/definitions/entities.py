"""What exists, as keys and values of the definition store. `amq.definitions.stored` reads them again.

    vhosts/%2F                                         {"description": "...", "tags": ["a"], "tracing": true}
    users/guest                                        {"password_hash": ..., "hashing_algorithm": ..., "tags": [...]}
    permissions/%2F/guest                              {"configure": ".*", "write": ".*", "read": ".*"}
    topic_permissions/%2F/guest/amq.topic              {"write": ".*", "read": ".*"}
    exchanges/%2F/logs                                 {"type": "topic", "durable": true, ..., "arguments": ""}
    exchanges/%2F/later                                {"type": "x-delayed-message", ..., "waiting_id": 6148914691236}
    queues/%2F/tasks                                   {"id": 81985529216486895, "durable": true, ...}
    bindings/%2F/logs/queue/tasks/a.%23/               {"order": 0, "arguments": ""}
    policies/%2F/short                                 {"pattern": "^q", "apply-to": "all", "definition": {...}, ...}
    operator_policies/%2F/few                          the same
    parameters/%2F/vhost-limits/limits                 {"value": {"max-queues": 100}}
    global_parameters/cluster_name                     {"value": "amq@here"}

Parts of a key are percent-encoded octets, since names need not be UTF-8; a vhost's things of one kind have a common
beginning. The last part of a binding's key is a hash of its arguments, empty when it has none. Fields have RabbitMQ's
names; `arguments` are the field table's octets on the wire, in hexadecimal, because types must survive. `id` is what
the journal calls a queue, `waiting_id` the same of the one in which an exchange keeps messages. Bindings of one
transaction have an `order`: some exchange types go by age. Fields of a vhost that say nothing are left out.
"""

import json
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import quote_from_bytes

import attrs

from amq.auth.users import User
from amq.definitions.steps import Steps, finish
from amq.exchanges.base import Binding, Exchange
from amq.journal import change as kinds
from amq.journal.change import Change
from amq.queues.base import Queue
from amq.vhost.parameters import GlobalParameter, Parameter
from amq.vhost.permission import Permission, TopicPermission
from amq.vhost.policy import Policy
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
    kinds.POLICY,
    kinds.OPERATOR_POLICY,
    kinds.PARAMETER,
)
# Changes that are seen to in one go: less than a millisecond's work.
STEP: Final = 100
# What belongs to no vhost.
GLOBAL: Final = (kinds.USER, kinds.GLOBAL_PARAMETER)


@attrs.frozen
class Writes:
    """What a batch's changes write: arguments for `Store.txn`."""

    puts: list[tuple[bytes, bytes]]
    deletes: list[bytes]
    prefixes: list[bytes]


def writes(changes: Iterable[Change]) -> Writes:
    """What changes come to, given in the order in which they happened: of those of one thing the last counts."""
    return finish(writing(changes))


def writing(changes: Iterable[Change]) -> Steps[Writes]:
    """The same in steps of STEP changes."""
    latest: dict[str | None, dict[bytes, Change]] = {}
    emptied: dict[str, None] = {}
    for number, change in enumerate(changes, 1):
        vhost = None if change.kind in GLOBAL else change.vhost
        if change.kind == kinds.VHOST and change.gone:
            # All that was in it goes with it, also what was kept but could not be restored.
            latest[vhost] = {}
            emptied[change.vhost] = None
        of_vhost = latest.setdefault(vhost, {})
        key = key_of(change)
        # In the order of the last changes.
        of_vhost.pop(key, None)
        of_vhost[key] = change
        if number % STEP == 0:
            yield
    found = Writes([], [], [_key(kind, [_octets(vhost), b""]) for vhost in emptied for kind in IN_VHOST])
    for of_vhost in latest.values():
        for order, (key, change) in enumerate(of_vhost.items()):
            if change.gone:
                found.deletes.append(key)
            else:
                found.puts.append((key, value_of(change.entity, order)))
            if order % STEP == STEP - 1:
                yield
    return found


# -- keys --


def key_of(change: Change) -> bytes:
    """The key of what has changed."""
    parts = [_octets(part) for part in change.name]
    if change.kind in GLOBAL:
        return _key(change.kind, parts)
    return _key(change.kind, [_octets(change.vhost), *parts])


def _key(kind: str, parts: list[bytes]) -> bytes:
    return "/".join([kind, *[quote_from_bytes(part, safe="") for part in parts]]).encode()


def _octets(part: object) -> bytes:
    # Half a surrogate pair is no text, but a name in JSON may have one.
    return part if isinstance(part, bytes) else str(part).encode("utf-8", "surrogatepass")


# -- values --


def value_of(entity: object, order: int = 0) -> bytes:
    """The value of a vhost, user, permission, exchange, queue, binding, policy or parameter as it is now."""
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
        return _exchange(entity)
    if isinstance(entity, Binding):
        return {"order": order, "arguments": _hex(entity.arguments)}
    if isinstance(entity, Policy):
        return policy_fields(entity)
    if isinstance(entity, Parameter | GlobalParameter):
        return {"value": entity.value}
    if isinstance(entity, User):
        return _user(entity)
    if isinstance(entity, Permission):
        return {"configure": entity.configure, "write": entity.write, "read": entity.read}
    if isinstance(entity, TopicPermission):
        return {"write": entity.write, "read": entity.read}
    assert isinstance(entity, Vhost)
    return _vhost(entity)


def _exchange(exchange: Exchange) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "type": exchange.type_name,
        "durable": exchange.durable,
        "auto_delete": exchange.auto_delete,
        "internal": exchange.internal,
        "arguments": _hex(exchange.arguments),
    }
    if exchange.waiting is not None:
        fields["waiting_id"] = exchange.waiting.id
    return fields


def _user(user: User) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "password_hash": user.password_hash,
        "hashing_algorithm": user.hashing_algorithm,
        "tags": list(user.tags),
    }
    if user.limits:
        fields["limits"] = dict(user.limits)
    return fields


def _vhost(vhost: Vhost) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "description": vhost.description,
        "tags": list(vhost.tags),
        "default_queue_type": vhost.default_queue_type,
        "tracing": vhost.tracing,
        "protected_from_deletion": vhost.protected_from_deletion,
    }
    return {key: value for key, value in fields.items() if value}


def policy_fields(policy: Policy) -> dict[str, Any]:
    """What a policy says, by RabbitMQ's names."""
    return {
        "pattern": policy.pattern,
        "apply-to": policy.apply_to,
        "definition": dict(policy.definition),
        "priority": policy.priority,
    }


def _hex(arguments: Table) -> str:
    return tables.encode(arguments).hex() if arguments else ""
