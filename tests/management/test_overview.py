"""Everything at a glance."""

import attrs
import httpx
import pytest
from starlette.types import ASGIApp

from amq.broker import Broker
from amq.management.node import ListenerFact, Node
from amq.vhost.permission import Permission
from tests.harness.dialogue import enter, publish
from tests.management.conftest import client_of

# What RabbitMQ 3.13 has, as far as every user may see it.
ABOUT = {
    "management_version",
    "rates_mode",
    "sample_retention_policies",
    "exchange_types",
    "product_version",
    "product_name",
    "rabbitmq_version",
    "cluster_name",
    "erlang_version",
    "erlang_full_version",
    "release_series_support_status",
    "disable_stats",
    "is_op_policy_updating_enabled",
    "enable_queue_totals",
}
TOTALS = {"message_stats", "churn_rates", "queue_totals", "object_totals", "statistics_db_event_queue"}
PLACES = {"node", "listeners", "contexts"}
OURS = {"amq_version", "default_queue_type"}


def add_user(broker: Broker, tag: str, *vhosts: str) -> tuple[str, str]:
    broker.users.add("other", "secret", tags=[tag])
    for name in vhosts:
        broker.add_vhost(name).permissions.set("other", Permission(".*", ".*", ".*"))
    return "other", "secret"


async def test_an_idle_broker_has_nothing_to_tell_of_messages(client: httpx.AsyncClient) -> None:
    shown = (await client.get("/overview")).json()
    assert set(shown) == ABOUT | TOTALS | PLACES | OURS
    assert (shown["message_stats"], shown["queue_totals"]) == ({}, {})
    assert shown["object_totals"] == {"channels": 0, "connections": 0, "consumers": 0, "exchanges": 7, "queues": 0}
    assert (shown["rabbitmq_version"], shown["product_name"]) == ("3.13.7", "RabbitMQ")
    assert shown["sample_retention_policies"]["basic"] == [600, 3600]
    assert {each["name"] for each in shown["exchange_types"]} >= {"direct", "fanout", "headers", "topic"}


async def test_totals_are_those_of_the_last_round(client: httpx.AsyncClient, node: Node) -> None:
    await node.sampler.sample()
    amqp = enter(channels=[1], broker=node.broker)
    amqp.declare(1, "q")
    amqp.send(publish(1, "q", b"x") * 4)
    amqp.consume(1, "q")
    await node.sampler.sample()
    shown = (await client.get("/overview")).json()
    assert shown["message_stats"]["publish"] == 4
    assert shown["message_stats"]["publish_details"]["rate"] > 0
    assert shown["message_stats"]["disk_writes"] == 0
    assert shown["queue_totals"]["messages_unacknowledged"] == 4
    assert shown["object_totals"] == {"channels": 1, "connections": 1, "consumers": 1, "exchanges": 7, "queues": 1}
    assert shown["churn_rates"]["queue_declared"] == 1


async def test_samples_are_shown_where_they_are_asked_for(client: httpx.AsyncClient, node: Node) -> None:
    enter(channels=[1], broker=node.broker).declare(1, "q")
    await node.sampler.sample()
    window = {"lengths_age": 60, "lengths_incr": 5, "msg_rates_age": 10, "msg_rates_incr": 5}
    shown = (await client.get("/overview", params=window)).json()
    assert len(shown["queue_totals"]["messages_details"]["samples"]) == 13
    assert len(shown["churn_rates"]["queue_created_details"]["samples"]) == 3


async def test_a_window_that_makes_no_sense_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.get("/overview?msg_rates_age=60&msg_rates_incr=0")
    assert answer.status_code == 400
    assert answer.json()["reason"] == "Invalid range parameters: age 60, incr 0"


async def test_without_figures_only_objects_are_counted(client: httpx.AsyncClient) -> None:
    shown = (await client.get("/overview?disable_stats=true&enable_queue_totals=true")).json()
    assert set(shown) == ABOUT | OURS | {"node", "object_totals"}
    assert shown["object_totals"] == {"connections": 0, "exchanges": 7, "queues": 0}
    assert (shown["disable_stats"], shown["enable_queue_totals"]) == (True, True)


async def test_who_only_manages_sees_the_totals_of_own_vhosts(app: ASGIApp, node: Node) -> None:
    auth = add_user(node.broker, "management", "mine")
    for vhost, count in (("/", 10), ("mine", 3)):
        user = {} if vhost == "/" else {"user": "other", "password": "secret"}
        amqp = enter(channels=[1], broker=node.broker, vhost=vhost, **user)
        amqp.declare(1, "q")
        amqp.send(publish(1, "q", b"x") * count)
    await node.sampler.sample()
    async with client_of(app, auth) as client:
        shown = (await client.get("/overview")).json()
    assert set(shown) == ABOUT | TOTALS | OURS
    assert shown["message_stats"]["publish"] == 3
    assert shown["queue_totals"]["messages"] == 3
    assert shown["object_totals"] == {"channels": 1, "connections": 1, "exchanges": 7, "queues": 1}


async def test_who_may_enter_no_vhost_sees_nothing_of_them(app: ASGIApp, broker: Broker) -> None:
    async with client_of(app, add_user(broker, "policymaker")) as client:
        shown = (await client.get("/overview")).json()
    assert (shown["message_stats"], shown["queue_totals"]) == ({}, {})
    assert shown["object_totals"] == {"channels": 0, "connections": 0, "exchanges": 0, "queues": 0}


async def test_who_watches_sees_everything(app: ASGIApp, broker: Broker) -> None:
    async with client_of(app, add_user(broker, "monitoring")) as client:
        shown = (await client.get("/overview")).json()
    assert set(shown) == ABOUT | TOTALS | PLACES | OURS


async def test_listeners_stand_by_protocol_and_port(client: httpx.AsyncClient, node: Node) -> None:
    node.listeners = lambda: [
        ListenerFact("http", "127.0.0.1", 15672),
        ListenerFact("amqp", "", 5673),
        ListenerFact("amqp", "127.0.0.1", 5672),
        ListenerFact("https/prometheus", "::1", 15691),
    ]
    shown = (await client.get("/overview")).json()
    told = [(each["protocol"], each["ip_address"], each["port"]) for each in shown["listeners"]]
    assert told == [
        ("amqp", "127.0.0.1", 5672),
        ("amqp", "::", 5673),
        ("http", "127.0.0.1", 15672),
        ("https/prometheus", "::1", 15691),
    ]
    contexts = [(each["description"], each["port"], each["path"]) for each in shown["contexts"]]
    assert contexts == [("RabbitMQ Management", "15672", "/"), ("RabbitMQ Prometheus", "15691", "/")]
    assert [each.get("protocol") for each in shown["contexts"]] == [None, "https/prometheus"]


@pytest.mark.parametrize("columns", ["object_totals.queues", "node,object_totals.queues"])
async def test_columns_are_picked(client: httpx.AsyncClient, columns: str) -> None:
    shown = (await client.get(f"/overview?columns={columns}")).json()
    assert shown["object_totals"] == {"queues": 0}
    assert len(shown) == len(columns.split(","))


async def test_figures_can_be_turned_off_for_everybody(client: httpx.AsyncClient, broker: Broker) -> None:
    management = attrs.evolve(broker.settings.management, disable_stats=True)
    broker.settings = attrs.evolve(broker.settings, management=management)
    shown = (await client.get("/overview")).json()
    assert shown["disable_stats"] is True
    assert "message_stats" not in shown
