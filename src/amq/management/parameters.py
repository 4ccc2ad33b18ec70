"""Runtime parameters: /api/parameters of vhosts, and /api/global-parameters."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from amq.management.answers import Answer, created, no_content, ok
from amq.management.call import Call
from amq.management.endpoint import ADMINISTRATOR, POLICYMAKER, Endpoint
from amq.management.entities_json import checked_name, octets_in, required
from amq.management.entity_schemas import LIST_QUERY, TEXT, page_of, record
from amq.management.errors import BadRequest, NotAuthorised, NotFound
from amq.management.listing import listing
from amq.management.policies import check_quota, policy_in, policy_value, unmarked
from amq.management.roles import REFUSALS
from amq.management.visible import listed_vhosts
from amq.vhost import parameters
from amq.vhost.parameters import LIMITS, OPERATOR_POLICY, POLICY, VHOST_LIMITS, Parameter, ParameterError
from amq.vhost.policy import Policy
from amq.vhost.policy_keys import term
from amq.vhost.vhost import Vhost

# What an operator policy as a parameter says.
POLICY_KEYS: Final = ("apply-to", "definition", "pattern", "priority")
OPTIONAL: Final = "apply-to"
ELSEWHERE: Final = "policies may not be set using this method"


# -- of vhosts --


def parameter_json(vhost: Vhost, parameter: Parameter) -> dict[str, Any]:
    """A parameter as the API and exports show it."""
    return {
        "value": parameter.value,
        "vhost": vhost.name,
        "component": parameter.component,
        "name": parameter.name,
    }


def parameters_of(vhost: Vhost) -> Iterator[Parameter]:
    """All parameters of a vhost, operator policies among them. Policies are not, though RabbitMQ keeps them as such."""
    yield from parameters.parameters(vhost)
    for policy in vhost.operator_policies.all():
        yield _as_parameter(OPERATOR_POLICY, policy)


def _as_parameter(component: str, policy: Policy) -> Parameter:
    return Parameter(component, policy.name, policy_value(policy))


async def list_all(call: Call) -> Answer:
    """GET /parameters."""
    return await _listed(call, listed_vhosts(call), None)


async def list_of_component(call: Call) -> Answer:
    """GET /parameters/{component}: none for one that does not exist."""
    return await _listed(call, listed_vhosts(call), call.path["component"])


async def list_of_vhost(call: Call) -> Answer:
    """GET /parameters/{component}/{vhost}."""
    return await _listed(call, [call.vhost], call.path["component"])


async def _listed(call: Call, vhosts: Iterable[Vhost], component: str | None) -> Answer:
    found = [
        (vhost, parameter)
        for vhost in vhosts
        for parameter in parameters_of(vhost)
        if component in (None, parameter.component)
    ]
    return await listing(call, found, lambda one: parameter_json(*one), sorts=("vhost", "component", "name"))


async def show(call: Call) -> Answer:
    """GET /parameters/{component}/{vhost}/{name}."""
    return ok(parameter_json(call.vhost, _named(call)))


def _named(call: Call) -> Parameter:
    """The parameter that the path names. Raises NotFound."""
    vhost, component, name = call.vhost, call.path["component"], call.path["name"]
    policy = vhost.policies.get(name) if component == POLICY else None
    if policy is not None:
        return _as_parameter(component, policy)
    for parameter in parameters_of(vhost):
        if (parameter.component, parameter.name) == (component, name):
            return parameter
    raise NotFound()


async def put(call: Call) -> Answer:
    """PUT /parameters/{component}/{vhost}/{name}."""
    body = call.json()
    vhost, component, name = call.vhost, call.path["component"], call.path["name"]
    required(body, "value")
    value = body["value"]
    try:
        there = _set(call, vhost, component, name, value)
    except ParameterError as error:
        raise BadRequest(unmarked(str(error))) from None
    await call.node.safe()
    return no_content() if there else created()


def _set(call: Call, vhost: Vhost, component: str, name: str, value: Any) -> bool:
    """Set it; returns whether it was there. Raises ParameterError or BadRequest."""
    _check_role(call, component)
    if component == POLICY:
        raise BadRequest(ELSEWHERE)
    if component == OPERATOR_POLICY:
        policy = _operator_policy(name, value)
        there = vhost.operator_policies.get(name) is not None
        if not there:
            check_quota(call, component)
        call.node.work(lambda: vhost.operator_policies.set(policy))
        return there
    if component != VHOST_LIMITS:
        raise ParameterError(f"component {component} not found")
    limits = parameters.check_limits(name, value)
    if name != LIMITS:
        raise ParameterError(f"the parameter of {VHOST_LIMITS} is called {LIMITS}, not {name}")
    there = bool(vhost.limits)
    if not there:
        check_quota(call, component)
    call.node.work(lambda: parameters.set_limits(vhost, limits))
    return there


def _check_role(call: Call, component: str) -> None:
    """Raises NotAuthorised: what bounds policymakers is not theirs to change, whichever way they come."""
    if component in (OPERATOR_POLICY, VHOST_LIMITS) and not call.has_role(ADMINISTRATOR):
        raise NotAuthorised(REFUSALS[ADMINISTRATOR])


def _operator_policy(name: str, value: Any) -> Policy:
    checked_name(octets_in(name), "policy name")
    if not isinstance(value, dict):
        raise ParameterError(f"{name} not a list {term(value)}")
    unknown = sorted(key for key in value if key not in POLICY_KEYS)
    shown = ",".join(f"{{{term(key)},{term(value[key])}}}" for key in unknown)
    problems = [f"Unrecognised terms [{shown}] in {name}"] if unknown else []
    problems += [f'Key "{key}" not found in {name}' for key in POLICY_KEYS if key not in value and key != OPTIONAL]
    if problems:
        raise ParameterError(*problems)
    return policy_in(name, value, True)


async def delete(call: Call) -> Answer:
    """DELETE /parameters/{component}/{vhost}/{name}."""
    vhost, component, name = call.vhost, call.path["component"], _named(call).name
    _check_role(call, component)
    if component == POLICY:
        raise BadRequest(ELSEWHERE)
    if component == OPERATOR_POLICY:
        call.node.work(lambda: vhost.operator_policies.clear(name))
    else:
        call.node.work(lambda: parameters.clear(vhost, component, name))
    await call.node.safe()
    return no_content()


# -- global ones --


def global_json(name: str, value: object) -> dict[str, Any]:
    """A global parameter as the API and exports show it."""
    return {"name": name, "value": value}


async def list_global(call: Call) -> Answer:
    """GET /global-parameters."""
    found = list(call.node.broker.global_parameters.items())
    return await listing(call, found, lambda one: global_json(*one), sorts=("name",))


async def show_global(call: Call) -> Answer:
    """GET /global-parameters/{name}."""
    name = _global_name(call)
    return ok(global_json(name, call.node.broker.global_parameters[name]))


async def put_global(call: Call) -> Answer:
    """PUT /global-parameters/{name}."""
    body = call.json()
    name, broker = call.path["name"], call.node.broker
    required(body, "value")
    there = name in broker.global_parameters
    try:
        checked_name(octets_in(name), "parameter name")
        call.node.work(lambda: parameters.set_global(broker.journal, broker.global_parameters, name, body["value"]))
    except ParameterError as error:
        raise BadRequest(str(error)) from None
    await call.node.safe()
    return no_content() if there else created()


async def delete_global(call: Call) -> Answer:
    """DELETE /global-parameters/{name}."""
    name, broker = _global_name(call), call.node.broker
    call.node.work(lambda: parameters.clear_global(broker.journal, broker.global_parameters, name))
    await call.node.safe()
    return no_content()


def _global_name(call: Call) -> str:
    """The name in the path. Raises NotFound when there is no such parameter."""
    name = call.path["name"]
    if name not in call.node.broker.global_parameters:
        raise NotFound()
    return name


PARAMETER: Final = record("", value={}, vhost=TEXT, component=TEXT, name=TEXT)
GLOBAL: Final = record("", name=TEXT, value={})
_VALUE: Final = record("value", value={})
_ONE: Final = "/parameters/{component}/{vhost}/{name}"
_GLOBAL: Final = "/global-parameters/{name}"
_SET: Final = {201: "set for the first time", 204: "replaced", 400: "it cannot be so"}
_GONE: Final = "there is no such parameter"
_NO_VHOST: Final = "there is no such vhost"

TABLE: Final = (
    Endpoint(
        "GET",
        "/parameters",
        POLICYMAKER,
        list_all,
        "All parameters of vhosts",
        {200: page_of(PARAMETER)},
        query=LIST_QUERY,
    ),
    Endpoint(
        "GET",
        "/parameters/{component}",
        POLICYMAKER,
        list_of_component,
        "The parameters of a component",
        {200: page_of(PARAMETER)},
        query=LIST_QUERY,
    ),
    Endpoint(
        "GET",
        "/parameters/{component}/{vhost}",
        POLICYMAKER,
        list_of_vhost,
        "The parameters of a component in a vhost",
        {200: page_of(PARAMETER), 404: _NO_VHOST},
        query=LIST_QUERY,
    ),
    Endpoint("GET", _ONE, POLICYMAKER, show, "One parameter", {200: PARAMETER, 404: _GONE}),
    Endpoint("PUT", _ONE, POLICYMAKER, put, "Set a parameter", {**_SET, 404: _NO_VHOST}, body=_VALUE),
    Endpoint("DELETE", _ONE, POLICYMAKER, delete, "Clear a parameter", {204: "cleared", 404: _GONE}),
    Endpoint(
        "GET",
        "/global-parameters",
        POLICYMAKER,
        list_global,
        "All global parameters",
        {200: page_of(GLOBAL)},
        query=LIST_QUERY,
    ),
    Endpoint("GET", _GLOBAL, POLICYMAKER, show_global, "One global parameter", {200: GLOBAL, 404: _GONE}),
    Endpoint("PUT", _GLOBAL, POLICYMAKER, put_global, "Set a global parameter", _SET, body=_VALUE),
    Endpoint("DELETE", _GLOBAL, POLICYMAKER, delete_global, "Clear a global parameter", {204: "cleared", 404: _GONE}),
)
