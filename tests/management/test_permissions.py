"""Permissions over HTTP, as RabbitMQ answers."""

from typing import Any

import httpx
import pytest

from amq.broker import Broker
from amq.vhost.permission import Permission
from tests.management.asking import CREATED, DONE, MISSING, ask, bad

ALL = {"configure": ".*", "write": ".*", "read": ".*"}
NOBODY = bad("vhost_or_user_not_found")


@pytest.fixture(autouse=True)
def _user(broker: Broker) -> None:
    broker.users.add("u", "x")


async def test_permissions_are_set_shown_and_cleared(client: httpx.AsyncClient, broker: Broker) -> None:
    place = "/permissions/%2F/u"
    assert await ask(client, "GET", place) == MISSING
    assert await ask(client, "PUT", place, ALL) == CREATED
    assert await ask(client, "PUT", place, {"configure": "", "write": "^a", "read": "b$"}) == DONE
    assert broker.vhosts["/"].permissions.get("u") == Permission("", "^a", "b$")
    shown = {"user": "u", "vhost": "/", "configure": "", "write": "^a", "read": "b$"}
    assert await ask(client, "GET", place) == (200, shown)
    assert await ask(client, "GET", "/permissions") == (200, [{"user": "guest", "vhost": "/", **ALL}, shown])
    assert await ask(client, "DELETE", place) == DONE
    assert await ask(client, "DELETE", place) == MISSING


async def test_topic_permissions_are_set_shown_and_cleared(client: httpx.AsyncClient) -> None:
    place = "/topic-permissions/%2F/u"
    assert await ask(client, "PUT", place, {"exchange": "x", "write": "^{username}", "read": ""}) == CREATED
    assert await ask(client, "PUT", place, {"exchange": "amq.topic", "write": "a", "read": "b"}) == DONE
    one = {"user": "u", "vhost": "/", "exchange": "amq.topic", "write": "a", "read": "b"}
    other = {"user": "u", "vhost": "/", "exchange": "x", "write": "^{username}", "read": ""}
    for path in (place, "/topic-permissions"):
        assert await ask(client, "GET", path) == (200, [one, other])
    assert await ask(client, "GET", f"{place}/x") == (200, [other])
    assert await ask(client, "DELETE", f"{place}/x") == DONE
    assert await ask(client, "DELETE", f"{place}/x") == MISSING
    assert await ask(client, "GET", f"{place}/x") == MISSING
    assert await ask(client, "DELETE", place) == DONE
    assert await ask(client, "DELETE", place) == MISSING
    assert await ask(client, "GET", place) == MISSING


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, "[{key_missing,configure},{key_missing,write},{key_missing,read}]"),
        ({"configure": ""}, "[{key_missing,write},{key_missing,read}]"),
        ({**ALL, "write": 5}, ["not_string", "write"]),
        ({**ALL, "configure": "ab("}, ["invalid_regexp", "ab(", ["missing )", 3]]),
        ([], "not_json"),
    ],
)
async def test_permissions_that_cannot_be_are_refused(
    client: httpx.AsyncClient, broker: Broker, body: Any, reason: Any
) -> None:
    assert await ask(client, "PUT", "/permissions/%2F/u", body) == bad(reason)
    assert broker.vhosts["/"].permissions.get("u") is None


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, "[{key_missing,exchange},{key_missing,write},{key_missing,read}]"),
        ({"exchange": 5, "write": "", "read": ""}, ["not_string", "exchange"]),
        ({"exchange": "x", "write": "", "read": "("}, ["invalid_regexp", "(", ["missing )", 1]]),
    ],
)
async def test_topic_permissions_that_cannot_be_are_refused(client: httpx.AsyncClient, body: Any, reason: Any) -> None:
    assert await ask(client, "PUT", "/topic-permissions/%2F/u", body) == bad(reason)


async def test_permissions_need_a_vhost_and_a_user(client: httpx.AsyncClient) -> None:
    topic = {"exchange": "x", "write": "", "read": ""}
    for place in ("%2F/nobody", "nowhere/u", "nowhere/nobody"):
        assert await ask(client, "PUT", f"/permissions/{place}", ALL) == NOBODY
        assert await ask(client, "PUT", f"/topic-permissions/{place}", topic) == NOBODY
        assert await ask(client, "GET", f"/permissions/{place}") == MISSING
        assert await ask(client, "DELETE", f"/permissions/{place}") == MISSING
        assert await ask(client, "GET", f"/topic-permissions/{place}") == MISSING
        assert await ask(client, "DELETE", f"/topic-permissions/{place}") == MISSING
