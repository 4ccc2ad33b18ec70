"""Messages followed live: who hears of what, and that nobody waits for those who listen."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from functools import partial
from typing import Any

import httpx
import pika
import pytest
import trio
from starlette.types import ASGIApp

from amq.management import trace
from amq.management.node import Node
from amq.management.trace import BUFFERED, MOST_TAPS, Filter, Following, events, filter_in, pattern
from amq.vhost import tracing
from amq.vhost.permission import Permission
from amq.vhost.tracing import PUBLISHED, Event
from tests.harness.process import BrokerProcess
from tests.lang.selectors import message
from tests.management.conftest import client_of
from tests.management.standing import queue, vhost

Told = dict[str, Any]


class Listener:
    """Reads one stream of events."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    async def next(self) -> list[Told]:
        """What the next part of the stream tells."""
        with trio.fail_after(10):
            return parsed(await self.stream.__anext__())


def parsed(part: bytes) -> list[Told]:
    """The events in a part of a stream."""
    found = []
    for block in part.decode().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines())
        if lines:
            found.append(json.loads(lines["data"]))
            assert lines["event"] == found[-1]["event"]
    return found


@asynccontextmanager
async def following(node: Node, **query: str) -> AsyncIterator[Listener]:
    """A client that follows vhost `/`."""
    tap = Following(node, await filter_in(query), int(query.get("truncate", "1000")), "auto")
    async with aclosing(events(node, vhost(node), tap)) as stream:
        listener = Listener(stream)
        assert await listener.next() == [{"event": "following", "vhost": "/"}]
        yield listener


async def publish(
    client: httpx.AsyncClient, key: str, payload: str = "", exchange: str = "amq.default", **properties: Any
) -> None:
    answer = await client.post(
        f"/exchanges/%2F/{exchange}/publish",
        json={"routing_key": key, "payload": payload, "payload_encoding": "string", "properties": properties},
    )
    assert answer.status_code == 200, answer.text


async def get(client: httpx.AsyncClient, name: str, ackmode: str) -> None:
    wanted = {"count": 1, "ackmode": ackmode, "encoding": "auto"}
    assert len((await client.post(f"/queues/%2F/{name}/get", json=wanted)).json()) == 1


async def test_a_message_is_followed_from_its_publisher_to_its_death_and_end(
    node: Node, client: httpx.AsyncClient
) -> None:
    dead = {"x-dead-letter-exchange": ("S", b""), "x-dead-letter-routing-key": ("S", b"dead")}
    queue(node, "q", dead)
    queue(node, "dead")
    async with following(node) as listener:
        await publish(client, "q", "größe", message_id="m1", headers={"x": 1})
        (published,) = await listener.next()
        await get(client, "q", "reject_requeue_false")
        delivered, rejected, died = await listener.next()
        await get(client, "dead", "ack_requeue_true")
        again, requeued = await listener.next()
        await get(client, "dead", "ack_requeue_false")
        last, acknowledged = await listener.next()
    shown = {
        "payload_bytes": 7,
        "exchange": "",
        "routing_key": "q",
        "properties": {"message_id": "m1", "headers": {"x": 1}},
        "payload": "größe",
        "payload_encoding": "string",
    }
    assert published | shown | {"event": "published", "queues": ["q"]} == published
    assert delivered | shown | {"event": "delivered", "queues": ["q"], "redelivered": False} == delivered
    assert died | shown | {"event": "dead-lettered", "queues": ["q"], "reason": "rejected"} == died
    assert rejected | shown | {"event": "rejected", "queues": ["q"]} == rejected
    assert "connection" not in died
    assert [(each["event"], each["queues"]) for each in (again, requeued, last, acknowledged)] == [
        ("delivered", ["dead"]),
        ("requeued", ["dead"]),
        ("delivered", ["dead"]),
        ("acknowledged", ["dead"]),
    ]
    assert [again["redelivered"], last["redelivered"]] == [False, True]
    assert published["time"].endswith("+00:00")


@pytest.mark.parametrize(
    ("query", "heard"),
    [
        ({}, ["a", "b", "c"]),
        ({"message_id": "b"}, ["b"]),
        ({"routing_key": "order.new"}, ["a"]),
        ({"routing_key": "order.*"}, ["a", "b"]),
        ({"routing_key": "#"}, ["a", "b", "c"]),
        ({"queue": "q"}, ["a", "b"]),
        ({"exchange": "amq.topic"}, ["a", "b"]),
        ({"exchange": "amq.default"}, ["c"]),
        ({"selector": "body = 'y' OR routing_key LIKE '%.new'"}, ["a", "b"]),
        ({"selector": "body = 'y'", "queue": "other"}, []),
        ({"message_id": "", "queue": "", "selector": ""}, ["a", "b", "c"]),
    ],
)
async def test_everybody_hears_what_he_asked_for(
    query: dict[str, str], heard: list[str], node: Node, client: httpx.AsyncClient
) -> None:
    q = queue(node, "q")
    queue(node, "other")
    await client.post("/bindings/%2F/e/amq.topic/q/q", json={"routing_key": "order.*"})
    assert q.name == b"q"
    async with following(node, **query) as listener, following(node) as everything:
        await publish(client, "order.new", "x", "amq.topic", message_id="a")
        await publish(client, "order.paid", "y", "amq.topic", message_id="b")
        await publish(client, "other", "z", message_id="c")
        assert len(await everything.next()) == 3
        found = await listener.next() if heard else parsed(b"".join(listener_waiting(node)))
        assert [told["properties"]["message_id"] for told in found] == heard


def listener_waiting(node: Node) -> list[bytes]:
    """What waits for the client that came first."""
    tracer = vhost(node).agenda.tracer
    assert isinstance(tracer, tracing.Tracing)
    tap = tracer.taps[0]
    assert isinstance(tap, Following)
    return list(tap.waiting)


async def test_who_is_too_slow_misses_events_and_is_told_how_many(node: Node) -> None:
    tap = Following(node, Filter(), 10, "auto")
    of = message(b"x" * 1000)
    for _ in range(BUFFERED + 7):
        tap.take(Event(PUBLISHED, of, [b"q"], None))
    assert len(tap.waiting) == BUFFERED
    told = parsed(b"".join(tap.take_all()))
    assert len(told) == BUFFERED + 1
    assert told[0]["payload"] == "x" * 10
    assert told[-1] == {"event": "dropped", "events": 7}
    assert tap.take_all() == []


async def test_what_was_not_asked_for_is_not_missed(node: Node) -> None:
    tap = Following(node, Filter(message_id=b"m"), 10, "auto")
    for _ in range(BUFFERED + 7):
        tap.take(Event(PUBLISHED, message(), [b"q"], None))
    assert (len(tap.waiting), tap.dropped) == (0, 0)


async def test_nothing_is_left_of_a_client_that_has_gone(node: Node, client: httpx.AsyncClient) -> None:
    queue(node, "q")
    async with following(node):
        assert vhost(node).agenda.tracer is not None
    assert vhost(node).agenda.tracer is None
    await publish(client, "q")


async def test_the_end_of_the_vhost_is_the_end_of_the_stream(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace, "LOOK", 0.01)
    async with following(node) as listener:
        node.work(partial(node.broker.delete_vhost, "/"))
        with pytest.raises(StopAsyncIteration):
            await listener.next()


async def test_only_so_many_may_follow(node: Node, client: httpx.AsyncClient) -> None:
    taps = [Following(node, Filter(), 0, "auto") for _ in range(MOST_TAPS)]
    for tap in taps:
        tracing.tap(vhost(node), tap)
    answer = await client.get("/amq/trace/%2F")
    assert (answer.status_code, answer.json()["error"]) == (503, "too_many_traces")


async def test_mistakes_are_told_and_others_may_not_follow(node: Node, client: httpx.AsyncClient, app: ASGIApp) -> None:
    for query, reason in (
        ({"selector": "colour = 1"}, "selector, line 1, column 1: there is no 'colour'"),
        ({"truncate": "-1"}, "truncate must be a whole number from 0 to 1048576"),
        ({"encoding": "x"}, "encoding must be"),
        ({"routing_key": "x" * 256}, "routing_key has at most 255 octets, not 256"),
    ):
        answer = await client.get("/amq/trace/%2F", params=query)
        assert answer.status_code == 400
        assert answer.json()["reason"].startswith(reason)
    node.broker.users.add("eve", "eve", tags={"monitoring"})
    vhost(node).permissions.set("eve", Permission(".*", ".*", ".*"))
    async with client_of(app, ("eve", "eve")) as other:
        assert (await other.get("/amq/trace/%2F")).status_code == 401


def test_many_wildcards_do_not_make_a_pattern_slow() -> None:
    keys = pattern(".".join(["#.a"] * 40))
    assert not trace.fits(keys, message(routing_key=b".".join([b"a"] * 39 + [b"b"] * 40)))
    assert trace.fits(keys, message(routing_key=b".".join([b"a"] * 100)))


def test_a_stream_of_a_real_broker(process: BrokerProcess, api: httpx.Client) -> None:
    with api.stream("GET", "/amq/trace/%2F", params={"queue": "q"}) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.iter_lines()
        assert next(line for line in lines if line.startswith("event:")) == "event: following"
        with pika.BlockingConnection(pika.URLParameters(process.url)) as connection:
            channel = connection.channel()
            channel.queue_declare("q")
            channel.basic_publish("", "elsewhere", b"no")
            channel.basic_publish("", "q", b"yes")
            assert next(line for line in lines if line.startswith("event:")) == "event: published"
            told = json.loads(next(lines).removeprefix("data: "))
            assert (told["payload"], told["queues"], told["user"]) == ("yes", ["q"], "guest")
