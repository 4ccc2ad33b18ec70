"""Figures for Prometheus, as the node serves them, and who may see them."""

import attrs
import httpx
import pytest

from amq.config.web import PrometheusSettings
from amq.management.figures import figures_of
from amq.management.node import Node
from tests.harness.process import BrokerProcess
from tests.metrics.scraping import series


def client_of(node: Node, auth: tuple[str, str] | None = None, **settings: bool | str) -> httpx.AsyncClient:
    prometheus = PrometheusSettings(**settings)  # type: ignore[arg-type]
    node.broker.settings = attrs.evolve(node.broker.settings, prometheus=prometheus)
    transport = httpx.ASGITransport(figures_of(node), client=("127.0.0.1", 50_000))
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", auth=auth)


async def test_anybody_may_see_them_unless_it_is_configured_otherwise(node: Node) -> None:
    async with client_of(node) as client:
        answer = await client.get("/metrics")
    assert answer.status_code == 200
    [(labels, _)] = series(answer.text)["rabbitmq_identity_info"]
    assert labels["rabbitmq_node"] == node.name
    assert labels["rabbitmq_cluster_permanent_id"].startswith("rabbitmq-cluster-id-")


@pytest.mark.parametrize(
    ("tag", "status"),
    [("administrator", 200), ("monitoring", 200), ("policymaker", 401), ("management", 401), ("", 401)],
)
async def test_with_authentication_they_are_for_those_who_watch(node: Node, tag: str, status: int) -> None:
    node.broker.users.add("user", "secret", tags=[tag] if tag else [])
    async with client_of(node, ("user", "secret"), authentication_enabled=True) as client:
        assert (await client.get("/metrics")).status_code == status


@pytest.mark.parametrize("auth", [None, ("guest", "wrong"), ("nobody", "guest")])
async def test_with_authentication_nobody_else_sees_anything(node: Node, auth: tuple[str, str] | None) -> None:
    async with client_of(node, auth, authentication_enabled=True) as client:
        answer = await client.get("/metrics/per-object")
    assert (answer.status_code, answer.content) == (401, b"")
    assert answer.headers["www-authenticate"] == 'Basic realm="RabbitMQ Prometheus"'


async def test_they_can_be_elsewhere(node: Node) -> None:
    async with client_of(node, path="/figures") as client:
        assert (await client.get("/figures/per-object")).status_code == 200
        assert (await client.get("/metrics")).status_code == 404
        assert (await client.get("/")).headers["location"] == "/figures"


async def test_a_series_per_object_can_be_what_there_is(node: Node) -> None:
    async with client_of(node, return_per_object_metrics=True) as client:
        found = series((await client.get("/metrics")).text)
    [(labels, _)] = found["rabbitmq_identity_info"]
    assert labels["rabbitmq_endpoint"] == "per-object"


def test_a_process_serves_them_on_a_port_of_their_own(process: BrokerProcess) -> None:
    answer = httpx.get(f"http://127.0.0.1:{process.figures_port}/metrics", timeout=10)
    assert answer.status_code == 200
    found = series(answer.text)
    [(_, resident)] = found["rabbitmq_process_resident_memory_bytes"]
    assert resident > 1 << 20
    assert {"amq_journal_fsyncs_total", "process_cpu_seconds_total"} <= found.keys()
