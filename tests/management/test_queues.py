"""Queues over HTTP, where it is more than what RabbitMQ was asked for."""

from typing import Any

import httpx
import pytest
import trio
import trio.testing

from amq.broker import Broker
from amq.management.app import application
from amq.management.node import Node
from amq.vhost import topology
from tests.harness.dialogue import enter, new_broker, write
from tests.management.conftest import client_of, new_node

HERE = "/queues/%2F"


async def seen(client: httpx.AsyncClient, path: str) -> Any:
    """The JSON of an answer."""
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/queues/%2F/new", {"durable": True}),
        ("DELETE", "/queues/%2F/q", None),
        ("DELETE", "/queues/%2F/q/contents", None),
        ("PUT", "/exchanges/%2F/new", {"durable": True}),
        ("DELETE", "/exchanges/%2F/x", None),
        ("POST", "/bindings/%2F/e/x/q/q", {"routing_key": "new"}),
        ("DELETE", "/bindings/%2F/e/x/q/q/k", None),
    ],
)
async def test_changes_are_on_disk_when_they_are_answered(method: str, path: str, body: Any) -> None:
    broker = new_broker(keeps=True)
    client = enter(broker, channels=[1])
    client.declare(1, "q", durable=True)
    write(broker)
    client.publish(1, "q", b"m", delivery_mode=2)
    client.say(1, "exchange.declare", exchange="x", type="direct", durable=True)
    write(broker)
    client.say(1, "queue.bind", queue="q", exchange="x", routing_key="k")
    write(broker)
    answers: list[int] = []
    async with client_of(application(new_node(broker))) as http, trio.open_nursery() as nursery:

        async def change() -> None:
            answers.append((await http.request(method, path, json=body)).status_code)

        nursery.start_soon(change)
        await trio.testing.wait_all_tasks_blocked(0.02)
        assert answers == []
        write(broker)
    assert answers[0] in (201, 204)


async def test_figures_are_those_of_this_moment(client: httpx.AsyncClient, node: Node, broker: Broker) -> None:
    amqp = enter(broker, channels=[1])
    amqp.declare(1, "q")
    for body in (b"12345", b"678", b"9"):
        amqp.publish(1, "q", body, timestamp=1_700_000_000, delivery_mode=2)
    amqp.say(1, "basic.get", queue="q")
    await node.sampler.sample()
    shown = await seen(client, f"{HERE}/q")
    assert (shown["messages"], shown["messages_ready"], shown["messages_unacknowledged"]) == (3, 2, 1)
    assert (shown["message_bytes"], shown["message_bytes_ready"], shown["message_bytes_unacknowledged"]) == (9, 4, 5)
    assert (shown["messages_ram"], shown["messages_paged_out"], shown["message_bytes_paged_out"]) == (3, 0, 0)
    assert shown["head_message_timestamp"] == 1_700_000_000
    assert shown["message_stats"]["publish"] == 3
    assert shown["message_stats"]["get"] == 1
    assert shown["memory"] > 9
    amqp.say(1, "basic.nack", delivery_tag=1, requeue=True)
    assert (await seen(client, f"{HERE}/q"))["head_message_timestamp"] == 1_700_000_000


async def test_what_is_on_disk_alone_is_paged_out() -> None:
    broker = new_broker(keeps=True)
    node = new_node(broker)
    amqp = enter(broker, channels=[1])
    amqp.declare(1, "q", durable=True)
    write(broker)
    for number in range(100):
        amqp.publish(1, "q", b"%3d" % number, delivery_mode=2)
    write(broker)
    queue = broker.vhosts["/"].queues[b"q"]
    # As the pager does it when memory is scarce.
    gone = queue.page_out(10, 1000)
    assert gone > 0
    async with client_of(application(node)) as client:
        shown = await seen(client, f"{HERE}/q")
    assert shown["messages"] == 100
    assert shown["messages_paged_out"] == gone
    assert shown["messages_ready_ram"] == 100 - gone
    assert shown["message_bytes"] == 300
    assert shown["message_bytes_paged_out"] == 3 * gone


async def test_policies_are_named_and_their_effect_is_shown(client: httpx.AsyncClient) -> None:
    await client.put(f"{HERE}/q", json={})
    definition = {"pattern": "^q", "definition": {"max-length": 5, "expires": 99_000_000}}
    await client.put("/policies/%2F/p", json=definition)
    await client.put("/operator-policies/%2F/o", json={"pattern": "^q", "definition": {"max-length": 3}})
    shown = await seen(client, f"{HERE}/q")
    assert (shown["policy"], shown["operator_policy"]) == ("p", "o")
    assert shown["effective_policy_definition"] == {"max-length": 3, "expires": 99_000_000}
    (listed,) = await seen(client, HERE)
    assert (listed["policy"], listed["operator_policy"]) == ("p", "o")
    (bare,) = await seen(client, f"{HERE}?disable_stats=true&enable_queue_totals=true")
    assert bare["policy"] == "p"


async def test_an_exclusive_queue_names_its_owner(client: httpx.AsyncClient, broker: Broker) -> None:
    amqp = enter(broker, channels=[1])
    amqp.declare(1, "own", exclusive=True)
    owner = (await seen(client, f"{HERE}/own"))["owner_pid_details"]
    assert owner["name"] == str(amqp.connection.peer)
    assert (await client.delete(f"{HERE}/own")).status_code == 400


async def test_a_queue_says_since_when_it_is_idle(client: httpx.AsyncClient, node: Node, broker: Broker) -> None:
    topology.create_queue(broker.vhosts["/"], b"q", False, None, False, {})
    assert "idle_since" not in await seen(client, f"{HERE}/q")
    broker.vhosts["/"].queues[b"q"].used_at -= 60
    assert "idle_since" in await seen(client, f"{HERE}/q")
    # Lists leave it out, unless columns are asked for.
    assert "idle_since" not in (await seen(client, HERE))[0]
    assert "idle_since" in (await seen(client, "/queues/detailed"))[0]
    enter(broker, channels=[1]).publish(1, "q", b"m")
    await node.sampler.sample()
    assert "idle_since" not in await seen(client, f"{HERE}/q")


async def test_others_have_turns_while_very_many_are_listed(client: httpx.AsyncClient, broker: Broker) -> None:
    vhost = broker.vhosts["/"]
    for number in range(5000):
        topology.create_queue(vhost, b"q%d" % number, False, None, False, {})
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await trio.lowlevel.checkpoint()
            turns += 1

    async with trio.open_nursery() as nursery:
        nursery.start_soon(count)
        listed = await seen(client, "/queues")
        assert len(listed) == 5000
        # In slices of about a millisecond this takes a hundred of them.
        assert turns > 20
        before = turns
        page = await seen(client, "/queues?page=50&page_size=100&sort=messages&sort_reverse=true")
        assert (page["page_count"], page["item_count"], page["total_count"]) == (50, 100, 5000)
        assert turns > before
        nursery.cancel_scope.cancel()


async def test_a_queue_that_goes_while_it_is_listed_does_no_harm(client: httpx.AsyncClient, broker: Broker) -> None:
    vhost = broker.vhosts["/"]
    for number in range(2000):
        topology.create_queue(vhost, b"q%d" % number, False, None, False, {})

    async def delete() -> None:
        for queue in list(vhost.queues.values()):
            await trio.lowlevel.checkpoint()
            topology.delete_queue(vhost, queue)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(delete)
        assert isinstance(await seen(client, "/queues"), list)
        assert isinstance(await seen(client, "/bindings"), list)


@pytest.mark.parametrize("field", ["messages", "messages_ready", "messages_unacknowledged", "consumers", "name"])
async def test_pages_are_sorted_alike_whether_descriptions_are_needed_or_not(
    client: httpx.AsyncClient, broker: Broker, field: str
) -> None:
    amqp = enter(broker, channels=[1])
    for name, count in (("a", 2), ("b", 3), ("c", 1), ("d", 2)):
        amqp.declare(1, name)
        for _ in range(count):
            amqp.publish(1, name)
        if count == 2:
            amqp.get(1, name, no_ack=False)
        if count == 1:
            amqp.consume(1, name, name)
            amqp.hear_all()
    for reverse in ("false", "true"):
        query = f"sort={field}&sort_reverse={reverse}"
        whole = [each["name"] for each in await seen(client, f"{HERE}?{query}")]
        paged = await seen(client, f"{HERE}?{query}&page=1&page_size=10&columns=name")
        assert [each["name"] for each in paged["items"]] == whole


async def test_another_node_is_out_of_reach(client: httpx.AsyncClient) -> None:
    for node, status in (("amq@test", 201), ("amq", 204), ("rabbit@elsewhere", 400), (5, 400)):
        answer = await client.put(f"{HERE}/q", json={"node": node})
        assert answer.status_code == status
