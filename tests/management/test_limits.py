"""Limits of vhosts and users over HTTP, as RabbitMQ answers."""

from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp

from amq.broker import Broker
from amq.vhost import parameters
from tests.management.asking import DONE, MISSING, NO_VHOST, ask, bad, invalid
from tests.management.conftest import client_of


async def test_a_vhosts_limits_are_set_shown_and_cleared_one_by_one(client: httpx.AsyncClient, broker: Broker) -> None:
    assert await ask(client, "GET", "/vhost-limits/%2F") == (200, [])
    assert await ask(client, "PUT", "/vhost-limits/%2F/max-queues", {"value": 5}) == DONE
    assert await ask(client, "PUT", "/vhost-limits/%2F/max-connections", {"value": -1}) == DONE
    shown = [{"vhost": "/", "value": {"max-queues": 5, "max-connections": -1}}]
    assert await ask(client, "GET", "/vhost-limits/%2F") == (200, shown)
    assert await ask(client, "GET", "/vhost-limits") == (200, shown)
    for _ in range(2):
        assert await ask(client, "DELETE", "/vhost-limits/%2F/max-queues") == DONE
    assert broker.vhosts["/"].limits == {"max-connections": -1}


@pytest.mark.parametrize(
    ("name", "body", "answer"),
    [
        ("max-queues", {}, bad("[{key_missing,value}]")),
        ("max-queues", {"value": "5"}, invalid('max-queues should be a number, actually was <<"5">>')),
        ("max-queues", {"value": None}, invalid("max-queues should be a number, actually was null")),
        ("foo", {"value": 1}, invalid('Unrecognised terms [{<<"foo">>,1}] in limits')),
    ],
)
async def test_a_vhosts_limits_that_cannot_be_are_refused(
    client: httpx.AsyncClient, broker: Broker, name: str, body: Any, answer: Any
) -> None:
    assert await ask(client, "PUT", f"/vhost-limits/%2F/{name}", body) == answer
    assert broker.vhosts["/"].limits == {}


async def test_a_vhost_that_is_not_there_has_no_limits(client: httpx.AsyncClient) -> None:
    assert await ask(client, "GET", "/vhost-limits/v") == MISSING
    assert await ask(client, "PUT", "/vhost-limits/v/max-queues", {"value": 1}) == NO_VHOST
    assert await ask(client, "DELETE", "/vhost-limits/v/max-queues") == MISSING


async def test_a_users_limits_are_set_shown_and_cleared_one_by_one(client: httpx.AsyncClient, broker: Broker) -> None:
    assert await ask(client, "PUT", "/user-limits/guest/max-channels", {"value": 5}) == DONE
    assert await ask(client, "PUT", "/user-limits/guest/max-connections", {"value": 0}) == DONE
    shown = [{"user": "guest", "value": {"max-channels": 5, "max-connections": 0}}]
    assert await ask(client, "GET", "/user-limits/guest") == (200, shown)
    assert await ask(client, "GET", "/user-limits") == (200, shown)
    for _ in range(2):
        assert await ask(client, "DELETE", "/user-limits/guest/max-connections") == DONE
    guest = broker.users.get("guest")
    assert guest is not None
    assert guest.limits == {"max-channels": 5}


@pytest.mark.parametrize(
    ("path", "body", "answer"),
    [
        ("guest/max-channels", {}, bad("[{key_missing,value}]")),
        ("guest/max-channels", {"value": 1.5}, bad("max-channels should be a number, actually was 1.5")),
        ("guest/foo", {"value": 1}, bad('Unrecognised terms [{<<"foo">>,1}] in user-limits')),
        ("nobody/max-channels", {"value": 1}, bad(["no_such_user", "nobody"])),
    ],
)
async def test_a_users_limits_that_cannot_be_are_refused(
    client: httpx.AsyncClient, path: str, body: Any, answer: Any
) -> None:
    assert await ask(client, "PUT", f"/user-limits/{path}", body) == answer


async def test_a_user_that_is_not_there_has_no_limits(client: httpx.AsyncClient) -> None:
    assert await ask(client, "GET", "/user-limits/nobody") == MISSING
    assert await ask(client, "DELETE", "/user-limits/nobody/max-channels") == MISSING


async def test_who_is_no_administrator_sees_its_own_limits_and_those_of_its_vhosts(
    app: ASGIApp, broker: Broker
) -> None:
    broker.users.add("u", "x", ["management"])
    for name in ("u", "guest"):
        broker.users.set_limits(name, {"max-channels": 5})
    parameters.set_limits(broker.vhosts["/"], {"max-queues": 1})
    async with client_of(app, ("u", "x")) as client:
        own = [{"user": "u", "value": {"max-channels": 5}}]
        assert await ask(client, "GET", "/user-limits") == (200, own)
        assert await ask(client, "GET", "/user-limits/u") == (200, own)
        assert await ask(client, "GET", "/user-limits/guest") == (200, [])
        assert await ask(client, "GET", "/vhost-limits") == (200, [])
