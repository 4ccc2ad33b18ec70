"""Dead letters go back to where they came from."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp

from amq.management.node import Node
from amq.queues.looking import look
from amq.queues.stored import StoredQueue
from amq.vhost import topology
from amq.vhost.permission import Permission
from amq.wire.tables import Table
from tests.lang.selectors import death, message
from tests.management.conftest import client_of
from tests.management.standing import bodies, put, queue, vhost

DEAD: Table = {"x-dead-letter-exchange": ("S", b""), "x-dead-letter-routing-key": ("S", b"dead")}


async def replay(client: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
    answer = await client.post("/amq/queues/%2F/dead/replay", json=body)
    assert answer.status_code == 200, answer.text
    report = answer.json()
    assert isinstance(report, dict)
    return report


@pytest.fixture
def dead(node: Node) -> StoredQueue:
    return queue(node, "dead")


@pytest.fixture
def work(node: Node) -> StoredQueue:
    """A queue whose dead go to `dead`, bound to amq.topic."""
    made = queue(node, "work", DEAD)
    topology.bind(vhost(node), vhost(node).exchanges[b"amq.topic"], made, b"order.#", {})
    return made


def die(node: Node, of: StoredQueue, body: str, headers: Table | None = None) -> None:
    """Publish to amq.topic, get it from a queue, and reject it."""
    made = message(body.encode(), b"amq.topic", b"order.new", headers, message_id=body)
    node.work(lambda: of.enqueue(made))
    reject(node, of)


def reject(node: Node, of: StoredQueue) -> None:
    taken = of.get()
    assert taken is not None
    node.work(lambda: of.reject(taken[0], taken[1]))


def headers_of(of: StoredQueue) -> Table:
    return look(of, -1, 1).seen[0].message.properties.headers()


async def test_a_dead_letter_goes_back_to_its_queue_as_it_was_published(
    node: Node, client: httpx.AsyncClient, work: StoredQueue, dead: StoredQueue
) -> None:
    die(node, work, "0", {"x": ("S", b"y")})
    assert (bodies(work), bodies(dead)) == ([], ["0"])
    report = await replay(client)
    assert report == {
        "dry_run": False,
        "moved": 1,
        "left": 0,
        "scanned": 1,
        "next": None,
        "routes": [{"exchange": "amq.topic", "routing_key": "order.new", "queues": ["work"], "messages": 1}],
        "problems": [],
    }
    (seen,) = look(work, -1, 10).seen
    assert (seen.message.exchange(), seen.message.routing_key()) == (b"amq.topic", b"order.new")
    assert set(headers_of(work)) >= {"x", "x-death", "x-first-death-queue"}
    reject(node, work)
    assert headers_of(dead)["x-death"][1][0][1]["count"] == ("l", 2)


async def test_the_history_is_stripped_on_request(
    node: Node, client: httpx.AsyncClient, work: StoredQueue, dead: StoredQueue
) -> None:
    die(node, work, "0", {"x": ("S", b"y")})
    die(node, work, "1")
    await replay(client, history="strip")
    first, second = look(work, -1, 10).seen
    assert first.message.properties.headers() == {"x": ("S", b"y")}
    assert second.message.properties.headers() == {}
    assert second.message.properties.message_id == b"1"


async def test_by_its_exchange_a_message_reaches_everybody_again(
    node: Node, client: httpx.AsyncClient, work: StoredQueue, dead: StoredQueue
) -> None:
    other = queue(node, "other")
    topology.bind(vhost(node), vhost(node).exchanges[b"amq.topic"], other, b"#", {})
    die(node, work, "0")
    report = await replay(client, to="exchange")
    assert report["routes"][0]["queues"] == ["other", "work"]
    assert (bodies(work), bodies(other), bodies(dead)) == (["0"], ["0"], [])


async def test_the_first_death_may_be_another_than_the_last(
    node: Node, client: httpx.AsyncClient, dead: StoredQueue
) -> None:
    start, retry = queue(node, "start"), queue(node, "retry")
    headers: Table = {
        "x-death": (
            "A",
            [death("retry", "expired", 1, "", "retry"), death("start", "rejected", 1, "amq.direct", "begin")],
        )
    }
    for number in range(2):
        put(node, dead, f"{number}", headers=headers)
    await replay(client, limit=1)
    await replay(client, death="first")
    assert (bodies(retry), bodies(start)) == (["0"], ["1"])


async def test_the_first_death_is_known_although_its_entry_has_moved_to_the_front(
    node: Node, client: httpx.AsyncClient, dead: StoredQueue
) -> None:
    start = queue(node, "start")
    queue(node, "retry")
    headers: Table = {
        "x-death": ("A", [death("start", "rejected", 2, "", "start"), death("retry", "expired", 1, "", "retry")]),
        "x-first-death-queue": ("S", b"start"),
        "x-first-death-reason": ("S", b"rejected"),
    }
    put(node, dead, "0", headers=headers)
    await replay(client, death="first")
    assert bodies(start) == ["0"]


async def test_a_dry_run_tells_what_would_go_where_and_what_cannot_and_why(
    node: Node, client: httpx.AsyncClient, work: StoredQueue, dead: StoredQueue
) -> None:
    die(node, work, "0")
    put(node, dead, "1", headers={"x-death": ("A", [death("lost", "rejected", 1, "gone", "k")])})
    put(node, dead, "2")
    put(node, dead, "3", headers={"x-death": ("A", [death("dead", "rejected", 1, "", "dead")])})
    report = await replay(client, dry_run=True)
    assert (report["moved"], report["left"]) == (1, 3)
    assert [(each["message_id"], each["queues"], each["problem"]) for each in report["messages"]] == [
        ("0", ["work"], None),
        (None, [], "queue 'lost' in vhost '/' is gone"),
        (None, [], "it has no x-death that says where it came from"),
        (None, ["dead"], "it would come back to the queue that it is in"),
    ]
    assert [each["positions"] for each in report["problems"]] == [[1], [2], [3]]
    assert bodies(dead) == ["0", "1", "2", "3"]
    by_exchange = await replay(client, dry_run=True, to="exchange", selector="body IN ('1')")
    assert by_exchange["problems"][0]["reason"] == "exchange 'gone' in vhost '/' is gone"


async def test_an_exchange_that_leads_nowhere_any_more_keeps_the_message_where_it_is(
    node: Node, client: httpx.AsyncClient, work: StoredQueue, dead: StoredQueue
) -> None:
    die(node, work, "0")
    topology.delete_queue(vhost(node), work)
    report = await replay(client, to="exchange")
    assert report["problems"] == [{"reason": "no queue would get it", "messages": 1, "positions": [0]}]
    internal = {"x-death": ("A", [death("work", "rejected", 1, "amq.rabbitmq.trace", "k")])}
    put(node, dead, "1", headers=internal)
    report = await replay(client, to="exchange", selector="body = '1'")
    assert report["problems"][0]["reason"] == "exchange 'amq.rabbitmq.trace' in vhost '/' is internal"
    assert bodies(dead) == ["0", "1"]


async def test_only_those_that_a_selector_takes_go_back(
    node: Node, client: httpx.AsyncClient, work: StoredQueue, dead: StoredQueue
) -> None:
    for number in range(4):
        die(node, work, f"{number}")
    report = await replay(client, selector="x_death.queue = 'work' AND message_id IN ('1', '2')")
    assert (report["moved"], report["scanned"]) == (2, 4)
    assert (bodies(work), bodies(dead)) == (["1", "2"], ["0", "3"])


@pytest.mark.parametrize(
    "history",
    [
        ("S", b"nonsense"),
        ("A", []),
        ("A", [("S", b"nonsense")]),
        ("A", [("F", {})]),
        ("A", [("F", {"queue": ("I", 1), "exchange": ("S", b""), "routing-keys": ("A", [("S", b"k")])})]),
        ("A", [("F", {"queue": ("S", b"work"), "exchange": ("S", b""), "routing-keys": ("A", [("I", 1)])})]),
        ("A", [("F", {"queue": ("S", b"work"), "exchange": ("S", b""), "routing-keys": ("S", b"k")})]),
        ("A", [("F", {"queue": ("S", b"work"), "exchange": ("S", b"x" * 300), "routing-keys": ("A", [("S", b"k")])})]),
    ],
)
async def test_a_history_that_a_publisher_made_up_leads_nowhere(
    history: Any, node: Node, client: httpx.AsyncClient, work: StoredQueue, dead: StoredQueue
) -> None:
    put(node, dead, "0", headers={"x-death": history})
    for to in ("queue", "exchange"):
        report = await replay(client, to=to)
        assert report["problems"][0]["reason"] == "it has no x-death that says where it came from"
    assert bodies(dead) == ["0"]


async def test_nobody_sends_messages_back_to_where_he_may_not_write(
    node: Node, app: ASGIApp, work: StoredQueue, dead: StoredQueue
) -> None:
    die(node, work, "0")
    node.broker.users.add("eve", "eve", tags={"management"})
    vhost(node).permissions.set("eve", Permission("", "^$", "^dead$"))
    async with client_of(app, ("eve", "eve")) as client:
        straight = await replay(client)
        assert straight["problems"][0]["reason"].startswith("write access to queue 'work' in vhost '/' refused")
        around = await replay(client, to="exchange")
        assert around["problems"][0]["reason"].startswith("write access to exchange 'amq.topic' in vhost '/' refused")
    assert bodies(dead) == ["0"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"death": "second"}, "death must be 'last' or 'first'"),
        ({"to": "sender"}, "to must be 'queue' or 'exchange'"),
        ({"history": []}, "history must be 'keep' or 'strip'"),
    ],
)
async def test_mistakes_are_told(
    body: dict[str, Any], reason: str, client: httpx.AsyncClient, dead: StoredQueue
) -> None:
    answer = await client.post("/amq/queues/%2F/dead/replay", json=body)
    assert (answer.status_code, answer.json()["reason"]) == (400, reason)
