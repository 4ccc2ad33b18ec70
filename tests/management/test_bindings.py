"""Bindings and exchanges over HTTP, where it is more than what RabbitMQ was asked for."""

import json
from typing import Any

import httpx
import pytest

from amq.broker import Broker
from amq.vhost import topology

PAIR = "/bindings/%2F/e/x/q/q"


@pytest.fixture
def pair(broker: Broker) -> None:
    """A topic exchange x and a queue q."""
    vhost = broker.vhosts["/"]
    topology.create_exchange(vhost, b"x", topology.type_named(b"topic"), False, False, False, {})
    topology.create_queue(vhost, b"q", False, None, False, {})


@pytest.mark.usefixtures("pair")
@pytest.mark.parametrize(
    ("routing_key", "arguments"),
    [
        ("", {}),
        ("a.*.#", {}),
        ("~", {}),
        ("a~b", {"x": 1}),
        ("/%2F +ü", {"x": {"y": [1, "z", 1.5, True]}}),
        ("k" * 255, {"": ""}),
    ],
)
async def test_where_a_binding_is_said_to_be_it_is(
    client: httpx.AsyncClient, routing_key: str, arguments: dict[str, Any]
) -> None:
    answer = await client.post(PAIR, json={"routing_key": routing_key, "arguments": arguments})
    assert answer.status_code == 201
    # Relative to the path of the request.
    where = PAIR.rpartition("/")[0] + "/" + answer.headers["location"]
    shown = await client.get(where)
    assert shown.status_code == 200, shown.text
    described = shown.json()
    assert (described["routing_key"], described["arguments"]) == (routing_key, arguments)
    assert (await client.delete(where)).status_code == 204
    assert (await client.get(where)).status_code == 404


@pytest.mark.usefixtures("pair")
async def test_a_binding_that_is_there_is_made_again_without_a_second_one(client: httpx.AsyncClient) -> None:
    for _ in range(2):
        assert (await client.post(PAIR, json={"routing_key": "k"})).status_code == 201
    assert len((await client.get(PAIR)).json()) == 1


@pytest.mark.usefixtures("pair")
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/exchanges/%2F/%FF", {}),
        ("PUT", "/queues/%2F/%FF", {}),
        ("POST", PAIR, {"routing_key": "\udfff"}),
        (
            "POST",
            "/exchanges/%2F/x/publish",
            {"routing_key": "\udfff", "properties": {}, "payload": "", "payload_encoding": "string"},
        ),
    ],
)
async def test_a_name_that_no_client_could_use_is_refused(
    client: httpx.AsyncClient, method: str, path: str, body: Any
) -> None:
    answer = await client.request(method, path, content=json.dumps(body))
    assert answer.status_code == 400
    assert answer.json()["reason"].endswith(" must be UTF-8")


@pytest.mark.usefixtures("pair")
async def test_an_exchange_that_auto_deletes_goes_with_its_last_binding(client: httpx.AsyncClient) -> None:
    await client.put("/exchanges/%2F/short", json={"type": "fanout", "auto_delete": True})
    await client.post("/bindings/%2F/e/short/q/q", json={"routing_key": "k"})
    assert (await client.delete("/bindings/%2F/e/short/q/q/k")).status_code == 204
    assert (await client.get("/exchanges/%2F/short")).status_code == 404


@pytest.mark.usefixtures("pair")
async def test_bindings_are_listed_from_every_side(client: httpx.AsyncClient) -> None:
    await client.put("/exchanges/%2F/y", json={"type": "fanout"})
    await client.post(PAIR, json={"routing_key": "k"})
    await client.post("/bindings/%2F/e/x/e/y", json={"routing_key": "e"})
    for path, keys in (
        ("/bindings", ["q", "k", "e"]),
        ("/bindings/%2F", ["q", "k", "e"]),
        ("/exchanges/%2F/x/bindings/source", ["k", "e"]),
        ("/exchanges/%2F/amq.default/bindings/source", ["q"]),
        ("/exchanges/%2F/y/bindings/destination", ["e"]),
        ("/queues/%2F/q/bindings", ["q", "k"]),
        ("/queues/%2F/none/bindings", []),
    ):
        listed = (await client.get(path)).json()
        assert [each["routing_key"] for each in listed] == keys, path


async def test_what_a_type_of_exchange_cannot_work_with_is_refused(client: httpx.AsyncClient) -> None:
    await client.put("/exchanges/%2F/h", json={"type": "headers"})
    await client.put("/queues/%2F/q", json={})
    answer = await client.post("/bindings/%2F/e/h/q/q", json={"arguments": {"x-match": "some"}})
    assert answer.status_code == 400
    assert "x-match" in answer.json()["reason"]
    answer = await client.put("/exchanges/%2F/late", json={"type": "x-delayed-message"})
    assert answer.status_code == 400


async def test_a_policy_of_an_exchange_is_named(client: httpx.AsyncClient) -> None:
    await client.put("/exchanges/%2F/x", json={})
    policy = {"pattern": "^x$", "definition": {"alternate-exchange": "amq.fanout"}, "apply-to": "exchanges"}
    await client.put("/policies/%2F/p", json=policy)
    assert (await client.get("/exchanges/%2F/x")).json()["policy"] == "p"
    assert "policy" not in (await client.get("/exchanges/%2F/amq.direct")).json()
