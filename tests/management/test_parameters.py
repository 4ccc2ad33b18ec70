"""Runtime parameters over HTTP, as RabbitMQ answers."""

from typing import Any

import httpx
import pytest

from amq.broker import Broker
from amq.config.settings import Settings
from amq.management.app import application
from amq.vhost import parameters
from amq.vhost.policy import Policy
from tests.management.asking import CREATED, DONE, MISSING, NO_VHOST, ask, bad, invalid
from tests.management.conftest import client_of, new_node

LIMITS = "/parameters/vhost-limits/%2F/limits"
OPERATOR = {"pattern": "x", "definition": {"expires": 5}, "priority": 0}


def shown(component: str, name: str, value: Any) -> dict[str, Any]:
    return {"value": value, "vhost": "/", "component": component, "name": name}


async def test_limits_are_set_shown_and_cleared_as_a_parameter(client: httpx.AsyncClient, broker: Broker) -> None:
    assert await ask(client, "PUT", LIMITS, {"value": {"max-queues": 3}}) == CREATED
    assert await ask(client, "PUT", LIMITS, {"value": {"max-connections": 5}}) == DONE
    assert broker.vhosts["/"].limits == {"max-connections": 5}
    found = shown("vhost-limits", "limits", {"max-connections": 5})
    assert await ask(client, "GET", LIMITS) == (200, found)
    for path in ("/parameters", "/parameters/vhost-limits", "/parameters/vhost-limits/%2F"):
        assert await ask(client, "GET", path) == (200, [found])
    assert await ask(client, "DELETE", LIMITS) == DONE
    assert await ask(client, "DELETE", LIMITS) == MISSING


async def test_operator_policies_are_parameters_too_and_policies_only_to_look_at(
    client: httpx.AsyncClient, broker: Broker
) -> None:
    place = "/parameters/operator_policy/%2F/o"
    assert await ask(client, "PUT", place, {"value": OPERATOR}) == CREATED
    assert await ask(client, "PUT", place, {"value": {**OPERATOR, "apply-to": "queues"}}) == DONE
    value = {**OPERATOR, "apply-to": "queues"}
    assert await ask(client, "GET", "/parameters") == (200, [shown("operator_policy", "o", value)])
    assert broker.vhosts["/"].operator_policies.get("o") is not None
    assert await ask(client, "DELETE", place) == DONE
    broker.vhosts["/"].policies.set(Policy("p", "x", {"expires": 5}))
    value = {**OPERATOR, "apply-to": "all"}
    assert await ask(client, "GET", "/parameters/policy/%2F/p") == (200, shown("policy", "p", value))
    assert await ask(client, "GET", "/parameters") == (200, [])
    elsewhere = bad("policies may not be set using this method")
    assert await ask(client, "PUT", "/parameters/policy/%2F/p", {"value": OPERATOR}) == elsewhere
    assert await ask(client, "DELETE", "/parameters/policy/%2F/p") == elsewhere


async def test_parameters_of_plug_ins_can_be_looked_at_and_cleared_but_not_set(
    client: httpx.AsyncClient, broker: Broker
) -> None:
    place = "/parameters/shovel/%2F/s"
    assert await ask(client, "PUT", place, {"value": {"a": 1}}) == invalid("component shovel not found")
    parameters.keep(broker.vhosts["/"], "shovel", "s", {"a": 1})
    assert await ask(client, "GET", place) == (200, shown("shovel", "s", {"a": 1}))
    assert await ask(client, "DELETE", place) == DONE
    assert await ask(client, "GET", place) == MISSING
    assert await ask(client, "GET", "/parameters/shovel") == (200, [])


@pytest.mark.parametrize(
    ("path", "body", "answer"),
    [
        ("vhost-limits/%2F/limits", {}, bad("[{key_missing,value}]")),
        ("vhost-limits/%2F/limits", {"value": 1}, invalid("limits not a list 1")),
        (
            "vhost-limits/%2F/limits",
            {"value": {"max-queues": "x"}},
            invalid('max-queues should be a number, actually was &lt;&lt;"x"&gt;&gt;'),
        ),
        (
            "vhost-limits/%2F/foo",
            {"value": {}},
            invalid("the parameter of vhost-limits is called limits, not foo"),
        ),
        ("operator_policy/%2F/s", {"value": 1}, invalid("s not a list 1")),
        (
            "operator_policy/%2F/s",
            {"value": {"x": 1}},
            invalid(
                'Unrecognised terms [{&lt;&lt;"x"&gt;&gt;,1}] in s',
                'Key "definition" not found in s',
                'Key "pattern" not found in s',
                'Key "priority" not found in s',
            ),
        ),
        ("x/nowhere/s", {"value": 1}, NO_VHOST),
    ],
)
async def test_parameters_that_cannot_be_are_refused(
    client: httpx.AsyncClient, path: str, body: Any, answer: Any
) -> None:
    assert await ask(client, "PUT", f"/parameters/{path}", body) == answer


@pytest.mark.parametrize("value", [1, "t", None, [], {}, {"a": [1, "x", None, 1.5]}])
async def test_global_parameters_hold_any_value(client: httpx.AsyncClient, value: Any) -> None:
    place = "/global-parameters/g"
    assert await ask(client, "GET", place) == MISSING
    assert await ask(client, "PUT", place, {"value": value}) == CREATED
    assert await ask(client, "PUT", place, {"value": value}) == DONE
    assert await ask(client, "GET", place) == (200, {"name": "g", "value": value})
    assert await ask(client, "GET", "/global-parameters") == (200, [{"name": "g", "value": value}])
    assert await ask(client, "DELETE", place) == DONE
    assert await ask(client, "DELETE", place) == MISSING


async def test_a_global_parameter_needs_a_value(client: httpx.AsyncClient) -> None:
    assert await ask(client, "PUT", "/global-parameters/g", {"x": 1}) == bad("[{key_missing,value}]")


async def test_the_clusters_name_is_a_global_parameter(client: httpx.AsyncClient, broker: Broker) -> None:
    await ask(client, "PUT", "/global-parameters/cluster_name", {"value": "here"})
    assert broker.cluster_name() == "here"


async def test_there_may_be_no_more_parameters_of_a_component_than_configured() -> None:
    broker = Broker(Settings(parameter_limits={"vhost-limits": 0, "operator_policy": 0}), 0.0, 0.0)
    async with client_of(application(new_node(broker))) as client:
        answer = invalid("component vhost-limits is limited to 0 per node")
        assert await ask(client, "PUT", LIMITS, {"value": {"max-queues": 3}}) == answer
        assert await ask(client, "PUT", "/vhost-limits/%2F/max-queues", {"value": 3}) == answer
        answer = invalid("component operator_policy is limited to 0 per node")
        assert await ask(client, "PUT", "/parameters/operator_policy/%2F/o", {"value": OPERATOR}) == answer


@pytest.mark.parametrize("number", ["1e999", "NaN", "-Infinity"])
async def test_a_number_that_could_not_be_shown_again_is_no_json(client: httpx.AsyncClient, number: str) -> None:
    answer = await client.put("/global-parameters/g", content=f'{{"value": {number}}}')
    assert (answer.status_code, answer.json()) == bad("not_json")
    assert await ask(client, "GET", "/global-parameters") == (200, [])
