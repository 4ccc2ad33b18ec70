"""Moving messages over HTTP: to where, which, and what stays where it is."""

from __future__ import annotations

from functools import partial
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp

from amq.management.node import Node
from amq.queues.looking import look
from amq.vhost import topology
from amq.vhost.permission import Permission, TopicPermission
from amq.wire.tables import Table
from tests.lang.selectors import message
from tests.management.conftest import client_of
from tests.management.standing import bodies, put, queue, vhost
from tests.queues.build import Taker


async def move(client: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
    answer = await client.post("/amq/queues/%2F/q/move", json=body)
    assert answer.status_code == 200, answer.text
    report = answer.json()
    assert isinstance(report, dict)
    return report


def exchange(node: Node, name: str, kind: str, **bound: str) -> None:
    """An exchange with bindings: queue names and keys."""
    made = topology.create_exchange(
        vhost(node), name.encode(), topology.type_named(kind.encode()), True, False, False, {}
    )
    for to, key in bound.items():
        topology.bind(vhost(node), made, vhost(node).queues[to.encode()], key.encode(), {})


async def test_messages_move_to_a_queue_as_they_are_and_in_order(node: Node, client: httpx.AsyncClient) -> None:
    q, target = queue(node, "q"), queue(node, "target")
    sent = [put(node, q, f"{number}", headers={"x": ("I", number)}, message_id=f"m{number}") for number in range(3)]
    report = await move(client, to={"queue": "target"})
    assert report == {
        "dry_run": False,
        "moved": 3,
        "left": 0,
        "scanned": 3,
        "next": None,
        "routes": [{"exchange": "", "routing_key": "q", "queues": ["target"], "messages": 3}],
        "problems": [],
    }
    assert (bodies(q), q.ready_count(), q.size) == ([], 0, 0)
    moved = look(target, -1, 10).seen
    assert [seen.message.header for seen in moved] == [each.header for each in sent]
    assert [seen.message.address for seen in moved] == [each.address for each in sent]
    assert not any(seen.redelivered for seen in moved)
    assert target.size == 3


async def test_those_that_a_selector_takes_move_up_to_a_limit(node: Node, client: httpx.AsyncClient) -> None:
    q, target = queue(node, "q"), queue(node, "target")
    for number in range(10):
        put(node, q, f"{number}", priority=number % 2)
    some = {"selector": "priority = 1", "to": {"queue": "target"}}
    dry = await move(client, **some, limit=2, dry_run=True)
    assert (dry["dry_run"], dry["moved"], dry["scanned"], dry["next"]) == (True, 2, 4, 3)
    assert [(each["position"], each["queues"], each["problem"]) for each in dry["messages"]] == [
        (1, ["target"], None),
        (3, ["target"], None),
    ]
    assert bodies(target) == []
    report = await move(client, **some, limit=2)
    assert (report["moved"], report["next"]) == (2, 3)
    assert (await move(client, **some, **{"from": report["next"]}))["moved"] == 3
    assert bodies(target) == ["1", "3", "5", "7", "9"]
    assert bodies(q) == ["0", "2", "4", "6", "8"]
    assert (await move(client, to={"queue": "target"}, message_id="none"))["moved"] == 0


async def test_messages_move_to_an_exchange_with_a_key_or_their_own(node: Node, client: httpx.AsyncClient) -> None:
    q, a, b = queue(node, "q"), queue(node, "a"), queue(node, "b")
    exchange(node, "x", "direct", a="q", b="other")
    put(node, q, "0")
    report = await move(client, to={"exchange": "x"})
    assert report["routes"] == [{"exchange": "x", "routing_key": "q", "queues": ["a"], "messages": 1}]
    put(node, q, "1")
    await move(client, to={"exchange": "x", "routing_key": "other"})
    (moved,) = look(b, -1, 10).seen
    assert (moved.message.exchange(), moved.message.routing_key()) == (b"x", b"other")
    assert (bodies(q), bodies(a), bodies(b)) == ([], ["0"], ["1"])


async def test_a_message_goes_to_each_queue_that_its_exchange_leads_to(node: Node, client: httpx.AsyncClient) -> None:
    q, a, b = queue(node, "q"), queue(node, "a"), queue(node, "b")
    exchange(node, "x", "fanout", a="", b="")
    put(node, q, "0")
    report = await move(client, to={"exchange": "x"})
    assert report["routes"][0]["queues"] == ["a", "b"]
    assert (bodies(a), bodies(b)) == (["0"], ["0"])


async def test_copies_for_others_take_the_message_along(node: Node, client: httpx.AsyncClient) -> None:
    q, other = queue(node, "q"), queue(node, "cc")
    exchange(node, "x", "direct", cc="cc")
    put(node, q, "0", headers={"CC": ("A", [("S", b"cc")])})
    assert (await move(client, to={"exchange": "x"}))["moved"] == 1
    assert bodies(other) == ["0"]


async def test_what_cannot_go_stays_where_it_is(node: Node, client: httpx.AsyncClient) -> None:
    q = queue(node, "q")
    exchange(node, "nowhere", "direct")
    exchange(node, "back", "fanout", q="")
    for _ in range(12):
        put(node, q, "0")
    unroutable = await move(client, to={"exchange": "nowhere"})
    assert (unroutable["moved"], unroutable["left"]) == (0, 12)
    assert unroutable["problems"] == [{"reason": "no queue would get it", "messages": 12, "positions": list(range(10))}]
    for target in ({"queue": "q"}, {"exchange": "back"}):
        circular = await move(client, to=target)
        assert circular["problems"][0]["reason"] == "it would come back to the queue that it is in"
    assert q.ready_count() == 12


LIMITED: Table = {"x-max-length": ("I", 2), "x-overflow": ("S", b"reject-publish")}
LIMITED_DLX: Table = {**LIMITED, "x-overflow": ("S", b"reject-publish-dlx"), "x-dead-letter-exchange": ("S", b"")}


@pytest.mark.parametrize("arguments", [LIMITED, LIMITED_DLX])
async def test_a_queue_that_is_full_gets_no_more(arguments: Table, node: Node, client: httpx.AsyncClient) -> None:
    q, target = queue(node, "q"), queue(node, "target", arguments)
    for number in range(5):
        put(node, q, f"{number}")
    report = await move(client, to={"queue": "target"})
    assert (report["moved"], report["left"]) == (2, 3)
    assert report["problems"][0]["reason"] == "a queue that would get it is full"
    assert (bodies(q), bodies(target)) == (["2", "3", "4"], ["0", "1"])


async def test_one_full_queue_of_several_holds_the_message_back_from_all(node: Node, client: httpx.AsyncClient) -> None:
    q, free, full = queue(node, "q"), queue(node, "free"), queue(node, "full", {**LIMITED, "x-max-length": ("I", 0)})
    exchange(node, "x", "fanout", free="", full="")
    put(node, q, "0")
    assert (await move(client, to={"exchange": "x"}))["left"] == 1
    assert (bodies(q), bodies(free), bodies(full)) == (["0"], [], [])


async def test_a_moved_message_lives_as_long_as_it_says_from_now_on(node: Node, client: httpx.AsyncClient) -> None:
    q, target = queue(node, "q"), queue(node, "target")
    put(node, q, "0", expiration="60000")
    # As when it was read from the disk.
    seen = look(q, -1, 1).seen[0]
    seen.message.properties.ttl = -1
    await move(client, to={"queue": "target"})
    assert q.deadlines == {}
    left = target.deadlines[0] - node.broker.clock.now
    assert 59 < left <= 60


async def test_what_nobody_may_write_to_gets_nothing(node: Node, app: ASGIApp) -> None:
    q = queue(node, "q")
    queue(node, "target")
    queue(node, "mine")
    exchange(node, "x", "topic", mine="#")
    put(node, q, "0")
    node.broker.users.add("eve", "eve", tags={"management"})
    vhost(node).permissions.set("eve", Permission("", "^(mine|x)$", "^q$"))
    vhost(node).permissions.set_topic("eve", TopicPermission("x", "^allowed$", ".*"))
    async with client_of(app, ("eve", "eve")) as client:
        for to in ({"queue": "target"}, {"exchange": ""}, {"exchange": "amq.fanout"}):
            answer = await client.post("/amq/queues/%2F/q/move", json={"to": to})
            assert answer.status_code == 401
        forbidden = await move(client, to={"exchange": "x"})
        assert forbidden["problems"][0]["reason"].startswith("write access to topic 'q' in exchange 'x' in vhost '/'")
        assert bodies(q) == ["0"]
        assert (await move(client, to={"exchange": "x", "routing_key": "allowed"}))["moved"] == 1
        answer = await client.post("/amq/queues/%2F/target/move", json={"to": {"queue": "mine"}})
        assert answer.status_code == 401


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, 'to must be {"queue": NAME} or {"exchange": NAME, "routing_key": KEY}'),
        ({"to": {"queue": "a", "exchange": "b"}}, 'to must be {"queue": NAME} or'),
        ({"to": "a"}, 'to must be {"queue": NAME} or'),
        ({"to": {"queue": 5}}, "to.queue must be a string"),
        ({"to": {"exchange": "", "routing_key": 5}}, "to.routing_key must be a string"),
        ({"to": {"exchange": "", "routing_key": "x" * 256}}, "to.routing_key has at most 255 octets, not 256"),
        ({"to": {"exchange": "amq.rabbitmq.trace"}}, "exchange 'amq.rabbitmq.trace' in vhost '/' is internal"),
        ({"to": {"queue": "target"}, "selector": 5}, "selector must be a string"),
        ({"to": {"queue": "target"}, "selector": "colour = 1"}, "selector, line 1, column 1: there is no 'colour'"),
        ({"to": {"queue": "target"}, "message_id": 5}, "message_id must be a string"),
        ({"to": {"queue": "target"}, "limit": True}, "limit must be a whole number from 1 to 50000, not True"),
        ({"to": {"queue": "target"}, "dry_run": "perhaps"}, "dry_run must be true or false"),
    ],
)
async def test_mistakes_are_told(body: dict[str, Any], reason: str, node: Node, client: httpx.AsyncClient) -> None:
    q = queue(node, "q")
    queue(node, "target")
    put(node, q)
    answer = await client.post("/amq/queues/%2F/q/move", json=body)
    assert answer.status_code == 400
    assert answer.json()["reason"].startswith(reason)
    assert q.ready_count() == 1


async def test_what_is_not_there_is_not_found(node: Node, client: httpx.AsyncClient) -> None:
    queue(node, "q")
    for to in ({"queue": "none"}, {"exchange": "none"}):
        assert (await client.post("/amq/queues/%2F/q/move", json={"to": to})).status_code == 404
    assert (await client.post("/amq/queues/%2F/none/move", json={"to": {"queue": "q"}})).status_code == 404


async def test_nothing_is_moved_while_publishers_are_blocked_but_a_dry_run_is_free(
    node: Node, client: httpx.AsyncClient
) -> None:
    q = queue(node, "q")
    queue(node, "target")
    put(node, q)
    node.broker.set_alarm("memory", True)
    answer = await client.post("/amq/queues/%2F/q/move", json={"to": {"queue": "target"}})
    assert (answer.status_code, answer.json()["error"]) == (503, "resource_alarm")
    assert "low on memory" in answer.json()["reason"]
    assert (await move(client, to={"queue": "target"}, dry_run=True))["moved"] == 1
    assert q.ready_count() == 1


async def test_many_different_routes_and_problems_do_not_make_a_report_endless(
    node: Node, client: httpx.AsyncClient
) -> None:
    q = queue(node, "q")
    target = queue(node, "target")
    topology.bind(vhost(node), vhost(node).exchanges[b"amq.topic"], target, b"#", {})
    for number in range(150):
        node.work(partial(q.enqueue, message(b"", routing_key=f"key{number}".encode())))
    report = await move(client, to={"exchange": "amq.topic"}, dry_run=True)
    assert (report["moved"], len(report["routes"]), len(report["messages"])) == (150, 100, 100)


async def test_a_consumer_of_the_target_gets_what_is_moved_at_once(node: Node, client: httpx.AsyncClient) -> None:
    q, target = queue(node, "q"), queue(node, "target")
    got = Taker()
    target.add_consumer(got)
    put(node, q, "0")
    await move(client, to={"queue": "target"})
    assert got.bodies() == [b"0"]
