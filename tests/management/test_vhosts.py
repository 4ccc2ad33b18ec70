"""Vhosts over HTTP, as RabbitMQ answers."""

from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp

from amq.broker import Broker
from amq.config.access import LimitSettings
from amq.config.settings import Settings
from amq.management.app import application
from amq.vhost import topology
from amq.vhost.permission import Permission, TopicPermission
from tests.harness.dialogue import enter
from tests.management.asking import CREATED, DONE, MISSING, ask, bad
from tests.management.conftest import client_of, new_node


def shown(name: str, **fields: Any) -> dict[str, Any]:
    """A vhost without figures."""
    described = {"description": "", "tags": [], **fields}
    tracing = described.pop("tracing", False)
    return {
        "name": name,
        "default_queue_type": "undefined",
        **described,
        "metadata": described,
        "tracing": tracing,
        "cluster_state": {"amq@test": "running"},
    }


async def test_a_vhost_is_made_described_anew_and_deleted(client: httpx.AsyncClient, broker: Broker) -> None:
    assert await ask(client, "PUT", "/vhosts/v%2F1") == CREATED
    assert await ask(client, "PUT", "/vhosts/v%2F1") == DONE
    body = {"description": "Mine", "tags": "a, b,,a", "tracing": True, "default_queue_type": "classic"}
    assert await ask(client, "PUT", "/vhosts/v%2F1", body) == DONE
    described = shown("v/1", description="Mine", tags=["a", "b"], tracing=True, default_queue_type="classic")
    assert await ask(client, "GET", "/vhosts/v%2F1?disable_stats=true") == (200, described)
    # What is not said is reset, but for tracing.
    assert await ask(client, "PUT", "/vhosts/v%2F1", {"tags": ["x"]}) == DONE
    assert await ask(client, "GET", "/vhosts/v%2F1") == (200, shown("v/1", tags=["x"], tracing=True))
    assert await ask(client, "DELETE", "/vhosts/v%2F1") == DONE
    assert await ask(client, "DELETE", "/vhosts/v%2F1") == MISSING
    assert await ask(client, "GET", "/vhosts/v%2F1") == MISSING
    assert list(broker.vhosts) == ["/"]


async def test_who_makes_a_vhost_may_do_everything_in_it(client: httpx.AsyncClient, broker: Broker) -> None:
    await ask(client, "PUT", "/vhosts/v")
    assert broker.vhosts["v"].permissions.all() == {"guest": Permission(".*", ".*", ".*")}
    broker.vhosts["v"].permissions.clear("guest")
    await ask(client, "PUT", "/vhosts/v")
    assert broker.vhosts["v"].permissions.all() == {}, "only then"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"description": 5}, ["not_string", "description"]),
        ({"tags": 5}, "tags must be a list of texts, or one text with commas"),
        ({"tags": ["a", 5]}, "tags must be a list of texts, or one text with commas"),
        ({"tracing": "maybe"}, ["not_boolean", "maybe"]),
        ({"default_queue_type": "magic"}, "unsupported default queue type 'magic', allowed: classic"),
        ({"default_queue_type": 5}, ["not_string", "default_queue_type"]),
        ([], "not_json"),
    ],
)
async def test_a_vhost_that_cannot_be_so_is_not_made(
    client: httpx.AsyncClient, broker: Broker, body: Any, reason: Any
) -> None:
    assert await ask(client, "PUT", "/vhosts/v", body) == bad(reason)
    assert "v" not in broker.vhosts


async def test_names_that_amqp_cannot_carry_are_refused(client: httpx.AsyncClient) -> None:
    reason = "virtual host name should be less than 255 bytes, actually was 256\n"
    assert await ask(client, "PUT", f"/vhosts/{'x' * 256}") == bad(reason)


async def test_there_may_be_no_more_vhosts_than_configured() -> None:
    broker = Broker(Settings(limits=LimitSettings(vhosts=2)), 0.0, 0.0)
    async with client_of(application(new_node(broker))) as client:
        assert await ask(client, "PUT", "/vhosts/a") == CREATED
        assert await ask(client, "PUT", "/vhosts/b") == bad("cannot create vhost 'b': vhost limit of 2 is reached")
        assert await ask(client, "PUT", "/vhosts/a", {"tags": "x"}) == DONE


async def test_vhosts_are_listed_for_who_may_see_them(client: httpx.AsyncClient, app: ASGIApp, broker: Broker) -> None:
    broker.add_vhost("b")
    broker.add_vhost("a").permissions.set("some", Permission("", "", ""))
    for name, tag in (("some", "management"), ("all", "monitoring"), ("none", "policymaker")):
        broker.users.add(name, "x", [tag])
    names: dict[str, list[str]] = {}
    for name in ("some", "all", "none"):
        async with client_of(app, (name, "x")) as other:
            _, found = await ask(other, "GET", "/vhosts?columns=name")
            names[name] = [vhost["name"] for vhost in found]
    assert names == {"some": ["a"], "all": ["/", "a", "b"], "none": []}
    status, page = await ask(client, "GET", "/vhosts?page=2&page_size=2&columns=name")
    assert (status, page["items"], page["total_count"]) == (200, [{"name": "b"}], 3)


async def test_a_vhost_that_is_protected_is_not_deleted(client: httpx.AsyncClient, broker: Broker) -> None:
    await ask(client, "PUT", "/vhosts/v")
    assert await ask(client, "POST", "/vhosts/v/deletion/protection") == DONE
    assert await ask(client, "DELETE", "/vhosts/v") == (
        412,
        {
            "error": "precondition_failed",
            "reason": "Refusing to delete virtual host 'v' because it is protected from deletion",
        },
    )
    _, found = await ask(client, "GET", "/vhosts/v")
    assert found["metadata"]["protected_from_deletion"] is True
    assert await ask(client, "DELETE", "/vhosts/v/deletion/protection") == DONE
    assert await ask(client, "DELETE", "/vhosts/v") == DONE
    assert await ask(client, "POST", "/vhosts/v/deletion/protection") == (
        404,
        {"error": "not_found", "reason": "vhost_not_found"},
    )


async def test_connections_to_a_deleted_vhost_are_closed(client: httpx.AsyncClient, broker: Broker) -> None:
    vhost = broker.add_vhost("v")
    vhost.permissions.set("guest", Permission(".*", ".*", ".*"))
    other = enter(broker, channels=[1])
    inside = enter(broker, vhost="v", channels=[1])
    topology.create_queue(vhost, b"q", True, None, False, {})
    assert await ask(client, "DELETE", "/vhosts/v") == DONE
    inside.hears_close(320, "vhost 'v' is deleted")
    other.hears_nothing()


async def test_permissions_in_a_vhost_are_listed(client: httpx.AsyncClient, broker: Broker) -> None:
    permissions = broker.vhosts["/"].permissions
    permissions.set("b", Permission("1", "2", "3"))
    permissions.set_topic("b", TopicPermission("x", "4", "5"))
    assert await ask(client, "GET", "/vhosts/%2F/permissions") == (
        200,
        [
            {"user": "b", "vhost": "/", "configure": "1", "write": "2", "read": "3"},
            {"user": "guest", "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"},
        ],
    )
    assert await ask(client, "GET", "/vhosts/%2F/topic-permissions") == (
        200,
        [{"user": "b", "vhost": "/", "exchange": "x", "write": "4", "read": "5"}],
    )
    assert await ask(client, "GET", "/vhosts/none/permissions") == MISSING


async def test_a_vhost_runs_on_this_node_alone(client: httpx.AsyncClient) -> None:
    assert await ask(client, "POST", "/vhosts/%2F/start/amq@test") == DONE
    assert await ask(client, "POST", "/vhosts/%2F/start/other") == bad("Request to node other failed with nodedown")
    no_such_vhost = 'Request to node amq@test failed with {no_such_vhost,<<"v">>}'
    assert await ask(client, "POST", "/vhosts/v/start/amq@test") == bad(no_such_vhost)


async def test_what_has_happened_in_a_vhost_is_shown(client: httpx.AsyncClient, broker: Broker) -> None:
    dialogue = enter(broker, channels=[1])
    topology.create_queue(broker.vhosts["/"], b"q", True, None, False, {})
    dialogue.publish(1, "q")
    _, found = await ask(client, "GET", "/vhosts/%2F")
    assert {"messages", "messages_ready", "messages_unacknowledged"} <= found.keys()
