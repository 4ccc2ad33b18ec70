"""What a node without others answers: names, replicas, features, attempts, configuration."""

import time
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp

from amq.auth.passwords import verify_password
from amq.broker import Broker
from amq.config.settings import Settings
from amq.management.app import application
from amq.management.node import Node
from amq.vhost.policy import Policy
from tests.management.conftest import client_of, new_node

NODE = "amq@test"


async def put_queue(client: httpx.AsyncClient, name: str, **body: Any) -> None:
    assert (await client.put(f"/queues/%2F/{name}", json=body)).status_code == 201


# -- the cluster --


async def test_the_cluster_has_the_name_of_the_configuration_until_it_is_renamed(
    client: httpx.AsyncClient, broker: Broker
) -> None:
    assert (await client.get("/cluster-name")).json() == {"name": "amq@localhost"}
    assert (await client.put("/cluster-name", json={"name": "ours"})).status_code == 204
    assert (await client.get("/cluster-name")).json() == {"name": "ours"}
    assert (await client.get("/overview")).json()["cluster_name"] == "ours"
    assert broker.global_parameters["cluster_name"] == "ours"


@pytest.mark.parametrize("body, reason", [({}, "[{key_missing,name}]"), ({"name": 5}, "name must be text")])
async def test_a_cluster_needs_a_name(client: httpx.AsyncClient, body: Any, reason: str) -> None:
    answer = await client.put("/cluster-name", json=body)
    assert (answer.status_code, answer.json()["reason"]) == (400, reason)


async def test_there_is_nothing_to_balance(client: httpx.AsyncClient) -> None:
    assert (await client.post("/rebalance/queues")).status_code == 204


async def test_samples_are_forgotten(client: httpx.AsyncClient, node: Node) -> None:
    await put_queue(client, "q")
    for _ in range(2):
        await client.post("/exchanges/%2F/amq.default/publish", json=MESSAGE)
        await node.sampler.sample()

    def samples() -> int:
        return sum(history.octets() for history in node.sampler.histories.values())

    before = samples()
    assert (await client.delete("/reset")).status_code == 204
    assert 0 < samples() < before
    assert (await client.delete(f"/reset/{NODE}")).status_code == 204
    assert (await client.delete("/reset/elsewhere")).status_code == 404


MESSAGE = {"properties": {}, "routing_key": "q", "payload": "x", "payload_encoding": "string"}


async def test_no_queue_has_replicas(client: httpx.AsyncClient) -> None:
    await put_queue(client, "q")
    where = "/queues/quorum/%2F/q"
    for answer in (
        await client.get(f"{where}/status"),
        await client.post(f"{where}/replicas/add", json={"node": "elsewhere"}),
        await client.delete(f"{where}/replicas/delete"),
    ):
        assert (answer.status_code, answer.json()["reason"]) == (400, "classic_queue_not_supported")
    assert (await client.get("/queues/quorum/%2F/nothing/status")).status_code == 404


async def test_replicas_of_no_queue_are_soon_added_and_removed(client: httpx.AsyncClient) -> None:
    for node, status in ((NODE, 204), ("elsewhere", 404)):
        where = f"/queues/quorum/replicas/on/{node}"
        assert (await client.post(f"{where}/grow", json={"strategy": "all"})).status_code == status
        assert (await client.delete(f"{where}/shrink")).status_code == status


# -- features --


async def test_all_feature_flags_are_enabled(client: httpx.AsyncClient) -> None:
    flags = (await client.get("/feature-flags")).json()
    assert {"quorum_queue", "stream_queue", "message_containers"} <= {flag["name"] for flag in flags}
    assert {(flag["state"], flag["stability"]) for flag in flags} == {("enabled", "stable")}
    for flag in flags:
        assert (await client.put(f"/feature-flags/{flag['name']}/enable", json={})).status_code == 204
    assert (await client.put("/feature-flags/nothing/enable", json={})).status_code == 400


async def used(client: httpx.AsyncClient) -> set[str]:
    return {feature["name"] for feature in (await client.get("/deprecated-features/used")).json()}


async def test_deprecated_features_are_told_when_they_are_in_use(client: httpx.AsyncClient, broker: Broker) -> None:
    everything = {feature["name"] for feature in (await client.get("/deprecated-features")).json()}
    assert await used(client) == {"management_metrics_collection"}
    await put_queue(client, "durable", durable=True)
    assert "transient_nonexcl_queues" not in await used(client)
    await put_queue(client, "transient", durable=False)
    broker.vhosts["/"].policies.set(Policy("ha", ".*", {"ha-mode": "all"}))
    assert await used(client) == {
        "management_metrics_collection",
        "transient_nonexcl_queues",
        "classic_queue_mirroring",
    }
    assert await used(client) < everything


async def test_the_console_has_no_extensions(client: httpx.AsyncClient) -> None:
    assert (await client.get("/extensions")).json() == []


# -- logins --


async def test_logins_are_counted_until_they_are_forgotten(app: ASGIApp, client: httpx.AsyncClient) -> None:
    async with client_of(app, ("guest", "wrong")) as wrong:
        await wrong.get("/whoami")
    by_protocol = (await client.get(f"/auth/attempts/{NODE}")).json()
    assert by_protocol == [
        {"protocol": "http", "auth_attempts": 2, "auth_attempts_failed": 1, "auth_attempts_succeeded": 1}
    ]
    (by_source,) = (await client.get(f"/auth/attempts/{NODE}/source")).json()
    assert (by_source["remote_address"], by_source["username"]) == ("127.0.0.1", "guest")
    assert (await client.delete(f"/auth/attempts/{NODE}")).status_code == 204
    assert (await client.get(f"/auth/attempts/{NODE}")).json()[0]["auth_attempts"] == 1
    assert (await client.delete(f"/auth/attempts/{NODE}/source")).status_code == 204
    assert (await client.get("/auth/attempts/elsewhere")).status_code == 404


async def test_a_password_is_hashed_as_those_of_new_users_are(client: httpx.AsyncClient, broker: Broker) -> None:
    hashed = (await client.get("/auth/hash_password/s%2Fcret")).json()["ok"]
    algorithm = broker.users.algorithm
    assert verify_password(b"s/cret", hashed, algorithm)
    assert not verify_password(b"secret", hashed, algorithm)


# -- configuration --


async def test_the_configuration_is_told_without_its_secrets() -> None:
    settings = Settings(default_pass="much too secret", heartbeat=17)
    app = application(new_node(Broker(settings, time.monotonic(), time.time())))
    async with client_of(app, ("guest", "much too secret")) as client:
        answer = await client.get("/config/effective")
    shown = answer.json()
    assert (shown["heartbeat"], shown["default_user"], shown["management.path_prefix"]) == (17, "guest", "")
    assert "much too secret" not in answer.text
    assert not [key for key in shown if "pass" in key and key != "password_hashing_module"]


# -- what goes wrong --


async def test_a_defect_of_a_handler_is_logged_without_what_the_path_holds(
    node: Node, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with client_of(application(node)) as client:
        await client.get("/whoami")
        monkeypatch.delattr(node.broker.users, "algorithm")
        answer = await client.get("/auth/hash_password/TopSecret")
    assert answer.status_code == 500
    assert answer.json() == {"error": "internal_server_error", "reason": "the broker's log says more"}
    assert "answering GET /auth/hash_password/{password} failed" in caplog.text
    assert "TopSecret" not in caplog.text
