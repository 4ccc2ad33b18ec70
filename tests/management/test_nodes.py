"""The node: what it is, what it uses."""

import os
from pathlib import Path

import httpx
import pytest
from starlette.types import ASGIApp

from amq.broker import Broker
from amq.management.node import ListenerFact, Node
from amq.management.node_json import exchange_types
from tests.harness.dialogue import enter, publish
from tests.management.conftest import client_of

# Everything that a node of RabbitMQ 3.13 tells, but for details: agents index into it.
FIELDS = set((Path(__file__).parent / "node_fields.txt").read_text().split())
PARTS = {
    "connection_readers",
    "connection_writers",
    "connection_channels",
    "connection_other",
    "queue_procs",
    "queue_slave_procs",
    "quorum_queue_procs",
    "quorum_queue_dlx_procs",
    "stream_queue_procs",
    "stream_queue_replica_reader_procs",
    "stream_queue_coordinator_procs",
    "plugins",
    "other_proc",
    "metrics",
    "mgmt_db",
    "mnesia",
    "quorum_ets",
    "other_ets",
    "binary",
    "msg_index",
    "code",
    "atom",
    "other_system",
    "allocated_unused",
    "reserved_unallocated",
    "strategy",
    "total",
}


async def test_the_one_node_tells_all_that_a_node_of_rabbitmq_tells(client: httpx.AsyncClient, node: Node) -> None:
    await node.sampler.sample()
    [shown] = (await client.get("/nodes")).json()
    told = {name for name in shown if not name.endswith("_details")}
    assert told == FIELDS
    assert (shown["name"], shown["type"], shown["running"], shown["being_drained"]) == (node.name, "disc", True, False)
    assert shown["os_pid"] == str(os.getpid())
    assert (shown["mem_used"], shown["mem_limit"], shown["disk_free_limit"]) == (1 << 26, 1 << 30, 50_000_000)
    assert shown["fd_used"] > 0
    assert shown["uptime"] >= 0
    details = {name for name in shown if name.endswith("_details")}
    assert {name for name in details if set(shown[name]) != {"rate"}} == set()
    assert len(details) == 32


async def test_the_node_by_its_name_is_the_same(client: httpx.AsyncClient, node: Node) -> None:
    await node.sampler.sample()
    [listed] = (await client.get("/nodes")).json()
    shown = (await client.get(f"/nodes/{node.name}")).json()
    assert set(shown) == set(listed)


async def test_a_node_has_samples(client: httpx.AsyncClient, node: Node) -> None:
    await node.sampler.sample()
    [shown] = (await client.get("/nodes?node_stats_age=60&node_stats_incr=5")).json()
    for name in ("mem_used", "io_seek_count", "io_sync_avg_time"):
        assert len(shown[f"{name}_details"]["samples"]) == 13


async def test_without_figures_a_node_is_a_name(client: httpx.AsyncClient, node: Node) -> None:
    [shown] = (await client.get("/nodes?disable_stats=true")).json()
    assert shown == {"name": node.name, "type": "disc", "running": True, "being_drained": False}


async def test_alarms_are_the_nodes(client: httpx.AsyncClient, node: Node) -> None:
    node.broker.set_alarm("disk", True)
    [shown] = (await client.get("/nodes")).json()
    assert (shown["mem_alarm"], shown["disk_free_alarm"]) == (False, True)


async def test_plugins_are_what_is_built_in_and_listens(client: httpx.AsyncClient, node: Node) -> None:
    node.listeners = lambda: [ListenerFact("http", "127.0.0.1", 15672)]
    [shown] = (await client.get("/nodes")).json()
    assert {"rabbitmq_management", "rabbitmq_consistent_hash_exchange"} <= set(shown["enabled_plugins"])
    assert "rabbitmq_prometheus" not in shown["enabled_plugins"]
    assert {"rabbit", "amq", "python", "trio"} <= {each["name"] for each in shown["applications"]}
    assert shown["exchange_types"] == exchange_types()


@pytest.mark.parametrize("end", ["", "/memory", "/memory/relative", "/memory/ets", "/memory/ets/x/relative"])
async def test_there_is_no_other_node(client: httpx.AsyncClient, end: str) -> None:
    assert (await client.get(f"/nodes/amq@elsewhere{end}")).status_code == 404


async def test_memory_is_told_in_rabbitmqs_parts(client: httpx.AsyncClient, node: Node) -> None:
    amqp = enter(channels=[1], broker=node.broker)
    amqp.declare(1, "q")
    amqp.send(publish(1, "q", b"x" * 10_000) * 10)
    memory = (await client.get(f"/nodes/{node.name}/memory")).json()["memory"]
    assert set(memory) == PARTS
    assert memory["strategy"] == "rss"
    assert memory["total"] == {
        "erlang": (1 << 26) - memory["allocated_unused"],
        "rss": 1 << 26,
        "allocated": 1 << 26,
    }
    assert memory["binary"] == 100_000
    assert memory["queue_procs"] > 1000
    assert memory["connection_readers"] > 1000


async def test_memory_is_told_in_percent(client: httpx.AsyncClient, node: Node) -> None:
    memory = (await client.get(f"/nodes/{node.name}/memory/relative")).json()["memory"]
    assert set(memory) == PARTS - {"strategy"}
    assert memory["total"] == 100
    assert memory["code"] == 100
    assert memory["mnesia"] == 1


async def test_memory_comes_along_when_it_is_asked_for(client: httpx.AsyncClient, node: Node) -> None:
    shown = (await client.get(f"/nodes/{node.name}?memory=true&binary=true")).json()
    assert set(shown["memory"]) == PARTS
    assert shown["binary"]["other"] == 0
    assert "queue_procs" in shown["binary"]


@pytest.mark.parametrize("end", ["", "/relative", "/management", "/management/relative"])
async def test_there_are_no_tables_of_erlangs(client: httpx.AsyncClient, node: Node, end: str) -> None:
    answer = await client.get(f"/nodes/{node.name}/memory/ets{end}")
    assert answer.json() == {"ets_tables_memory": "no_tables"}


async def test_nodes_are_for_those_who_watch(app: ASGIApp, broker: Broker) -> None:
    broker.users.add("manager", "secret", tags=["management"])
    async with client_of(app, ("manager", "secret")) as client:
        answer = await client.get("/nodes")
    assert (answer.status_code, answer.json()["reason"]) == (401, "Not monitor user")
