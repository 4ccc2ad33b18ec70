"""What arguments, a policy and an operator policy come to together.

For numbers the least of all counts. In everything else arguments beat policies, and an operator's policy beats a
user's.
"""

from collections.abc import Mapping
from typing import Any

from amq.exchanges.base import alternate_name
from amq.queues.arguments import Options
from amq.queues.limits import DROP_HEAD, OVERFLOWS, Limits
from amq.vhost.policy_keys import LESSER
from amq.wire.tables import Table

Definition = Mapping[str, Any]


def merged(user: Definition, operator: Definition) -> dict[str, Any]:
    """A policy's definition with that of an operator policy."""
    both = {**user, **operator}
    for key in LESSER:
        if key in user and key in operator:
            both[key] = min(user[key], operator[key])
    return both


def options_of(declared: Options, arguments: Table, definition: Definition) -> Options:
    """A queue's options: those that it was declared with, under policies that come to `definition`."""
    options = Options()
    options.max_priority = declared.max_priority
    options.single_active = declared.single_active
    options.expires = _least(declared.expires, definition.get("expires", -1))
    options.ttl = _least(declared.ttl, definition.get("message-ttl", -1))
    options.delivery_limit = definition.get("delivery-limit", -1)
    options.consumer_timeout = definition.get("consumer-timeout", -1)
    options.dead_letter_exchange = _name(declared.dead_letter_exchange, definition.get("dead-letter-exchange"))
    options.dead_letter_routing_key = _name(declared.dead_letter_routing_key, definition.get("dead-letter-routing-key"))
    options.limits = _limits(declared, arguments, definition)
    return options


def alternate_of(arguments: Table, definition: Definition) -> bytes | None:
    """The alternate exchange of an exchange."""
    return _name(alternate_name(arguments), definition.get("alternate-exchange"))


def _limits(declared: Options, arguments: Table, definition: Definition) -> Limits | None:
    own = declared.limits
    length = _least(-1 if own is None else own.length, definition.get("max-length", -1))
    size = _least(-1 if own is None else own.size, definition.get("max-length-bytes", -1))
    if length < 0 and size < 0:
        return None
    argued = arguments.get("x-overflow")
    word = argued[1] if argued is not None else definition.get("overflow", "drop-head").encode()
    return Limits(length, size, OVERFLOWS.get(word, DROP_HEAD))


def _least(one: int, other: int) -> int:
    """The lesser of two numbers, either of which may be -1: not given."""
    if one < 0 or other < 0:
        return max(one, other)
    return min(one, other)


def _name(argument: bytes | None, policy: str | None) -> bytes | None:
    if argument is not None or policy is None:
        return argument
    return policy.encode("utf-8", "surrogatepass")
