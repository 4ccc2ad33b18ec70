"""Policies over HTTP, as RabbitMQ answers, and what one would do before it is set."""

from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp

from amq.broker import Broker
from amq.config.settings import Settings
from amq.management.app import application
from amq.management.policies import SHOWN
from amq.vhost import topology
from amq.vhost.permission import Permission
from amq.vhost.policy import Policy, effective_definition
from amq.vhost.vhost import Vhost
from tests.management.asking import CREATED, DONE, MISSING, NO_VHOST, ask, bad, invalid
from tests.management.conftest import client_of, new_node

EXPIRES = {"pattern": "^q", "definition": {"expires": 5000}}
KINDS = ("policies", "operator-policies")


def shown(name: str, **fields: Any) -> dict[str, Any]:
    return {
        "vhost": "/",
        "name": name,
        "pattern": "^q",
        "apply-to": "all",
        "definition": {"expires": 5000},
        "priority": 0,
        **fields,
    }


def queue(vhost: Vhost, name: str) -> Any:
    return topology.create_queue(vhost, name.encode(), True, None, False, {})


@pytest.mark.parametrize("kind", KINDS)
async def test_a_policy_is_set_shown_replaced_and_cleared(client: httpx.AsyncClient, broker: Broker, kind: str) -> None:
    q = queue(broker.vhosts["/"], "q")
    place = f"/{kind}/%2F/p%2F1"
    assert await ask(client, "PUT", place, EXPIRES) == CREATED
    assert effective_definition(q) == {"expires": 5000}
    assert await ask(client, "GET", place) == (200, shown("p/1"))
    body = {"pattern": "q", "definition": {"max-length": 1}, "priority": -2, "apply-to": "queues", "name": "other"}
    assert await ask(client, "PUT", place, body) == DONE
    changed = shown("p/1", pattern="q", definition={"max-length": 1}, priority=-2, **{"apply-to": "queues"})
    assert await ask(client, "GET", f"/{kind}/%2F") == (200, [changed])
    assert await ask(client, "GET", f"/{kind}") == (200, [changed])
    assert await ask(client, "DELETE", place) == DONE
    assert await ask(client, "DELETE", place) == MISSING
    assert await ask(client, "GET", place) == MISSING
    assert effective_definition(q) == {}


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ({}, bad("[{key_missing,pattern},{key_missing,definition}]")),
        ({"pattern": "x"}, bad("[{key_missing,definition}]")),
        ({"pattern": "x", "definition": {}}, invalid("no policy provided")),
        ({"pattern": "x", "definition": []}, invalid("definition should be an object")),
        ({"pattern": 5, "definition": {"expires": 1}}, invalid("pattern should be a binary but was 5")),
        (
            {"pattern": "x", "definition": {"expires": 1}, "priority": None},
            invalid("priority should be a number, actually was null"),
        ),
        ({"pattern": "x", "definition": {"expires": 1}, "apply-to": 5}, invalid("apply-to should be a string")),
        ({"pattern": "x", "definition": {"expires": 0}}, invalid("0 is not a valid queue expiry")),
        ([], bad("not_json")),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
async def test_a_policy_that_cannot_be_is_refused(
    client: httpx.AsyncClient, broker: Broker, kind: str, body: Any, answer: Any
) -> None:
    assert await ask(client, "PUT", f"/{kind}/%2F/p", body) == answer
    assert broker.vhosts["/"].policies.all() == broker.vhosts["/"].operator_policies.all() == []


async def test_only_what_is_said_of_policies_is_shielded_from_browsers(client: httpx.AsyncClient) -> None:
    body = {"pattern": "x", "definition": {"foo": 1}}
    problem = '[{<<"foo">>,1}] are not recognised policy settings'
    shielded = problem.replace("<", "&lt;").replace(">", "&gt;")
    assert await ask(client, "PUT", "/policies/%2F/p", body) == invalid(shielded)
    assert await ask(client, "PUT", "/operator-policies/%2F/p", body) == invalid(problem)


@pytest.mark.parametrize("kind", KINDS)
async def test_policies_belong_to_a_vhost(client: httpx.AsyncClient, kind: str) -> None:
    assert await ask(client, "PUT", f"/{kind}/v/p", EXPIRES) == NO_VHOST
    assert await ask(client, "GET", f"/{kind}/v") == MISSING
    assert await ask(client, "GET", f"/{kind}/v/p") == MISSING
    assert await ask(client, "DELETE", f"/{kind}/v/p") == MISSING


async def test_policymakers_set_policies_where_they_may_enter_and_operator_policies_nowhere(
    app: ASGIApp, broker: Broker
) -> None:
    broker.add_vhost("v")
    broker.users.add("u", "x", ["policymaker"])
    broker.vhosts["/"].permissions.set("u", Permission("", "", ""))
    async with client_of(app, ("u", "x")) as client:
        assert await ask(client, "PUT", "/policies/%2F/p", EXPIRES) == CREATED
        assert (await ask(client, "PUT", "/policies/v/p", EXPIRES))[0] == 401
        for kind in ("operator-policies", "amq/operator-policies"):
            method, end = ("PUT", "p") if kind == "operator-policies" else ("POST", "preview")
            assert (await ask(client, method, f"/{kind}/%2F/{end}", EXPIRES))[0] == 401
        assert (await ask(client, "PUT", "/parameters/operator_policy/%2F/p", {"value": EXPIRES}))[0] == 401
        assert await ask(client, "GET", "/policies") == (200, [shown("p")])


async def test_there_may_be_no_more_policies_than_configured() -> None:
    broker = Broker(Settings(parameter_limits={"policy": 1}), 0.0, 0.0)
    async with client_of(application(new_node(broker))) as client:
        assert await ask(client, "PUT", "/policies/%2F/p", EXPIRES) == CREATED
        assert await ask(client, "PUT", "/policies/%2F/p", EXPIRES) == DONE
        assert await ask(client, "PUT", "/policies/%2F/q", EXPIRES) == invalid(
            "component policy is limited to 1 per node"
        )
        assert await ask(client, "PUT", "/operator-policies/%2F/q", EXPIRES) == CREATED


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_comes_when_very_many_queues_have_their_policy(api: httpx.Client, kind: str) -> None:
    fields = {"durable": False, "auto_delete": False, "arguments": {}}
    queues = [{"name": f"q{number}", **fields} for number in range(5000)]
    assert api.post("/definitions/%2F", json={"queues": queues}).is_success
    for _ in range(5):
        api.put(f"/{kind}/%2F/p", json=EXPIRES)
        assert api.get("/queues/%2F/q4999").json()["effective_policy_definition"] == EXPIRES["definition"]
        api.delete(f"/{kind}/%2F/p")
        assert api.get("/queues/%2F/q4999").json()["effective_policy_definition"] == {}


# -- preview --


async def test_a_preview_says_what_would_match_and_win_and_become(client: httpx.AsyncClient, broker: Broker) -> None:
    vhost = broker.vhosts["/"]
    for name in ("q1", "q2", "other"):
        queue(vhost, name)
    topology.create_exchange(vhost, b"qx", topology.type_named(b"fanout"), True, False, False, {})
    vhost.policies.set(Policy("strong", "^q2", {"max-length": 9}, 5))
    vhost.operator_policies.set(Policy("cap", "^q1", {"max-length": 3}, operator=True))
    body = {"name": "new", "pattern": "^q", "definition": {"max-length": 7}, "priority": 1}
    assert await ask(client, "POST", "/amq/policies/%2F/preview", body) == (
        200,
        {
            "queues": [
                {
                    "name": "q1",
                    "wins": True,
                    "policy": "new",
                    "effective_policy_definition": {"max-length": 3},
                    "would_be": {"max-length": 3},
                },
                {
                    "name": "q2",
                    "wins": False,
                    "policy": "strong",
                    "effective_policy_definition": {"max-length": 9},
                    "would_be": {"max-length": 9},
                },
            ],
            "exchanges": [
                {
                    "name": "qx",
                    "wins": True,
                    "policy": "new",
                    "effective_policy_definition": {},
                    "would_be": {"max-length": 7},
                }
            ],
            "matched": {"queues": 2, "exchanges": 1},
            "won": {"queues": 1, "exchanges": 1},
        },
    )
    assert [policy.name for policy in vhost.policies.all()] == ["strong"], "nothing is set"


async def test_a_preview_of_a_change_is_of_the_policy_in_the_place_of_the_old_one(
    client: httpx.AsyncClient, broker: Broker
) -> None:
    vhost = broker.vhosts["/"]
    queue(vhost, "q")
    vhost.policies.set(Policy("p", "^q", {"max-length": 9}, 5))
    body = {"name": "p", "pattern": "^q", "definition": {"max-length": 7}, "priority": 1}
    _, found = await ask(client, "POST", "/amq/policies/%2F/preview", body)
    assert (found["queues"][0]["wins"], found["queues"][0]["would_be"]) == (True, {"max-length": 7})


async def test_a_preview_of_an_operator_policy_is_merged_with_the_policy(
    client: httpx.AsyncClient, broker: Broker
) -> None:
    vhost = broker.vhosts["/"]
    queue(vhost, "q")
    vhost.policies.set(Policy("p", "^q", {"max-length": 9, "expires": 5}))
    body = {"pattern": "^q", "definition": {"max-length": 7}}
    _, found = await ask(client, "POST", "/amq/operator-policies/%2F/preview", body)
    assert found["queues"][0]["would_be"] == {"max-length": 7, "expires": 5}


async def test_of_very_much_the_first_by_name_are_shown_and_all_are_counted(
    client: httpx.AsyncClient, broker: Broker
) -> None:
    for number in range(SHOWN + 3):
        queue(broker.vhosts["/"], f"q{number:04}")
    _, found = await ask(client, "POST", "/amq/policies/%2F/preview", EXPIRES)
    assert (len(found["queues"]), found["matched"]["queues"], found["won"]["queues"]) == (SHOWN, SHOWN + 3, SHOWN + 3)


@pytest.mark.parametrize("body", [{}, {**EXPIRES, "name": 5}, {"pattern": "(", "definition": {"expires": 5}}])
async def test_what_cannot_be_has_no_preview(client: httpx.AsyncClient, body: Any) -> None:
    assert (await ask(client, "POST", "/amq/policies/%2F/preview", body))[0] == 400
