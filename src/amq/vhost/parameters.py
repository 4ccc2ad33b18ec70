"""Runtime parameters: what operators set by component and name, a vhost's limits, and global ones.

A vhost's limits are the parameter `limits` of the component `vhost-limits`; operator policies are parameters of the
component `operator_policy`, and policies have their own place. Every other component belongs to a plug-in of RabbitMQ
(shovel, federation-upstream, federation-upstream-set, ...): nobody can set its parameters, but those that come with
a document of definitions are kept, for whoever reads them again. Texts of errors are RabbitMQ's.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import attrs

from amq.journal import change
from amq.journal.batch import Batch
from amq.journal.change import Change
from amq.vhost.policy_keys import term
from amq.vhost.vhost import Vhost

VHOST_LIMITS: Final = "vhost-limits"
LIMITS: Final = "limits"
OPERATOR_POLICY: Final = "operator_policy"
POLICY: Final = "policy"
# What a vhost can limit. A negative number is no limit.
MAX_CONNECTIONS: Final = "max-connections"
MAX_QUEUES: Final = "max-queues"
LIMITED: Final = (MAX_CONNECTIONS, MAX_QUEUES)
# What a user can be limited to.
USER_LIMITED: Final = ("max-connections", "max-channels")
# Octets of a parameter's value as JSON.
LARGEST_VALUE: Final = 1_000_000


class ParameterError(ValueError):
    """A parameter cannot be set; the text says why, one line for each fault, as RabbitMQ words them."""

    def __init__(self, *problems: str) -> None:
        super().__init__("Validation failed\n\n" + "".join(f"{problem}\n" for problem in problems))
        self.problems = problems


@attrs.frozen
class Parameter:
    """A runtime parameter of a vhost; `value` is any value of JSON."""

    component: str
    name: str
    value: Any


@attrs.frozen
class GlobalParameter:
    """A runtime parameter that belongs to no vhost; `value` is any value of JSON."""

    name: str
    value: Any


# -- of a vhost --


def parameters(vhost: Vhost) -> Iterator[Parameter]:
    """Every parameter of a vhost but its operator policies, by component and name."""
    found = [Parameter(*key, value) for key, value in vhost.parameters.items()]
    if vhost.limits:
        found.append(limits_parameter(vhost))
    return iter(sorted(found, key=lambda parameter: (parameter.component, parameter.name)))


def limits_parameter(vhost: Vhost) -> Parameter:
    """A vhost's limits as the parameter that they are."""
    return Parameter(VHOST_LIMITS, LIMITS, dict(vhost.limits))


def keep(vhost: Vhost, component: str, name: str, value: object) -> None:
    """Keep the parameter of a component that does not exist here. Raises ParameterError for one that is too large."""
    check_size(name, value)
    if (component, name) not in vhost.parameters or not _same(vhost.parameters[component, name], value):
        vhost.parameters[component, name] = value
        _tell(vhost, component, name, Parameter(component, name, value))


def clear(vhost: Vhost, component: str, name: str) -> bool:
    """Remove what was kept, or with `vhost-limits` and `limits` all limits; False when there is none."""
    if (component, name) == (VHOST_LIMITS, LIMITS):
        there = bool(vhost.limits)
        set_limits(vhost, {})
        return there
    if (component, name) not in vhost.parameters:
        return False
    del vhost.parameters[component, name]
    _tell(vhost, component, name, None)
    return True


def _same(one: object, other: object) -> bool:
    """Whether two values are the same in JSON; to Python 1 and True are."""
    return json.dumps(one) == json.dumps(other)


def check_size(name: str, value: object) -> None:
    """Refuse a value that nobody needs; raises ParameterError."""
    size = len(json.dumps(value))
    if size > LARGEST_VALUE:
        raise ParameterError(f"{name} has {size} octets, {LARGEST_VALUE} are allowed")


# -- limits --


def check_limits(name: str, value: object) -> dict[str, int]:
    """A vhost's limits as a parameter of that name gives them. Raises ParameterError."""
    if isinstance(value, list):
        if value:
            raise ParameterError(f"Unrecognised terms {term(value)} in {name}")
        return {}
    if not isinstance(value, Mapping):
        raise ParameterError(f"{name} not a list {term(value)}")
    unknown = {key: found for key, found in value.items() if key not in LIMITED}
    problems = [f"Unrecognised terms {_pairs(unknown)} in {name}"] if unknown else []
    problems += wrong_limits(value, LIMITED)
    if problems:
        raise ParameterError(*problems)
    return {key: value[key] for key in LIMITED if key in value}


def wrong_limits(value: Mapping[str, object], names: tuple[str, ...]) -> list[str]:
    """What is wrong with the limits of these names."""
    return [
        f"{key} should be a number, actually was {term(value[key])}"
        for key in names
        if key in value and (isinstance(value[key], bool) or not isinstance(value[key], int))
    ]


def set_limits(vhost: Vhost, limits: Mapping[str, int]) -> None:
    """Give a vhost these limits in place of those that it has."""
    if vhost.limits != limits:
        vhost.limits = dict(limits)
        _tell(vhost, VHOST_LIMITS, LIMITS, limits_parameter(vhost) if limits else None)


def set_limit(vhost: Vhost, name: str, value: object) -> None:
    """Set one limit; raises ParameterError."""
    set_limits(vhost, {**vhost.limits, **check_limits(LIMITS, {name: value})})


def clear_limit(vhost: Vhost, name: str) -> None:
    """Remove one limit; nothing happens when there is none."""
    set_limits(vhost, {key: value for key, value in vhost.limits.items() if key != name})


def check_user_limits(value: object) -> dict[str, int]:
    """A user's limits as a request or a document gives them. Raises ValueError in RabbitMQ's words."""
    if not isinstance(value, Mapping):
        raise ValueError(f"user-limits not a list {term(value)}")
    unknown = {key: found for key, found in value.items() if key not in USER_LIMITED}
    problems = [f"Unrecognised terms {_pairs(unknown)} in user-limits"] if unknown else []
    problems += wrong_limits(value, USER_LIMITED)
    if problems:
        raise ValueError(problems[0])
    return {key: value[key] for key in USER_LIMITED if key in value}


def _pairs(fields: Mapping[str, object]) -> str:
    """Fields as Erlang shows a list of pairs, by name."""
    return "[" + ",".join(f"{{{term(key)},{term(fields[key])}}}" for key in sorted(fields)) + "]"


# -- global --


def set_global(journal: Batch, found: dict[str, object], name: str, value: object) -> None:
    """Set one of the global parameters `found`; raises ParameterError for a value that is too large."""
    check_size(name, value)
    if name not in found or not _same(found[name], value):
        found[name] = value
        journal.define(Change(change.GLOBAL_PARAMETER, "", (name,), GlobalParameter(name, value), False))


def clear_global(journal: Batch, found: dict[str, object], name: str) -> bool:
    """Remove one of the global parameters `found`; False when there is none."""
    if name not in found:
        return False
    del found[name]
    journal.define(Change(change.GLOBAL_PARAMETER, "", (name,), None, True))
    return True


def _tell(vhost: Vhost, component: str, name: str, parameter: Parameter | None) -> None:
    vhost.agenda.journal.define(Change(change.PARAMETER, vhost.name, (component, name), parameter, parameter is None))
