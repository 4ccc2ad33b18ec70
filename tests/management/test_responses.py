"""Responses that are more than a value: bodies in parts, streams, and what is large."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest
import trio
from starlette.types import ASGIApp, Message

from amq.management import responses
from amq.management.answers import Answer, event, octets, stream
from amq.management.api import LARGE, MOST_LARGE, Large
from amq.management.columns import Columns
from amq.management.responses import Parts, response

SCOPE: dict[str, Any] = {"type": "http", "method": "GET", "headers": []}


class Client:
    """The other side of ASGI. `patience`: how many messages it takes before it takes no more."""

    def __init__(self, patience: int = 1_000_000) -> None:
        self.heard: list[Message] = []
        self.gone = trio.Event()
        self.patience = patience

    async def receive(self) -> Message:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if len(self.heard) >= self.patience:
            await trio.sleep_forever()
        self.heard.append(message)

    @property
    def status(self) -> int:
        return int(self.heard[0]["status"])

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.heard)

    @property
    def complete(self) -> bool:
        return self.heard[-1]["type"] == "http.response.body" and not self.heard[-1].get("more_body", False)


def made(answer: Answer, stopping: trio.Event | None = None) -> Any:
    return response(answer, Columns({}), trio.Event() if stopping is None else stopping)


async def test_parts_are_sent_one_by_one_with_their_length_told() -> None:
    client = Client()
    await made(octets([b"[1", b",2", b"]"], "application/json"))(SCOPE, client.receive, client.send)
    assert (client.status, client.body, client.complete) == (200, b"[1,2]", True)
    assert (b"content-length", b"5") in client.heard[0]["headers"]
    assert len(client.heard) == 5


async def test_whoever_takes_a_body_too_slowly_is_left(autojump_clock: trio.testing.MockClock) -> None:
    client = Client(patience=3)
    began = trio.current_time()
    await made(octets([b"x" * 20_000] * 10, "text/plain"))(SCOPE, client.receive, client.send)
    assert trio.current_time() - began == responses.PATIENCE + 200_000 / responses.LEAST_RATE
    assert not client.complete


async def test_only_so_many_large_answers_are_kept_for_slow_clients(autojump_clock: trio.testing.MockClock) -> None:
    limiter = trio.CapacityLimiter(MOST_LARGE)
    slow = [Client(patience=1) for _ in range(MOST_LARGE)]
    late, later = Client(), Client()

    def large() -> Large:
        answer = made(octets([b"x" * LARGE], "text/plain"))
        assert isinstance(answer, Parts)
        return Large(answer, limiter)

    async with trio.open_nursery() as nursery:
        for client in slow:
            nursery.start_soon(large(), SCOPE, client.receive, client.send)
        await trio.sleep(1)
        await large()(SCOPE, late.receive, late.send)
    await large()(SCOPE, later.receive, later.send)
    assert (late.status, later.status) == (503, 200)
    assert b"ask for pages" in late.body


async def count(closed: list[bool]) -> AsyncGenerator[bytes, None]:
    try:
        for number in range(1_000_000):
            yield event(number, "count", number)
            await trio.sleep(1)
    finally:
        closed.append(True)


async def test_a_stream_ends_when_its_client_goes(autojump_clock: trio.testing.MockClock) -> None:
    client = Client()
    closed: list[bool] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(made(stream(count(closed))), SCOPE, client.receive, client.send)
        await trio.sleep(2.5)
        client.gone.set()
    assert closed == [True]
    assert client.body.count(b"event: count\nid: ") == 3
    assert b"event: count\nid: 2\ndata: 2\n\n" in client.body


async def test_a_stream_ends_in_good_order_when_the_broker_stops(autojump_clock: trio.testing.MockClock) -> None:
    client = Client()
    closed: list[bool] = []
    stopping = trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(made(stream(count(closed)), stopping), SCOPE, client.receive, client.send)
        await trio.sleep(2.5)
        stopping.set()
    assert (closed, client.complete) == ([True], True)


async def silence() -> AsyncGenerator[bytes, None]:
    await trio.sleep(100)
    yield event("at last")


async def test_a_stream_without_events_says_that_it_is_there(autojump_clock: trio.testing.MockClock) -> None:
    client = Client()
    await made(stream(silence()))(SCOPE, client.receive, client.send)
    assert client.body.count(b":\n\n") == 1 + 100 // responses.PULSE
    assert client.body.endswith(b'data: "at last"\n\n')
    assert client.complete
    assert not any(name == b"content-length" for name, _ in client.heard[0]["headers"])


async def test_the_head_of_a_stream_has_no_events() -> None:
    client = Client()
    await made(stream(silence()))({**SCOPE, "method": "HEAD"}, client.receive, client.send)
    assert (client.body, client.complete) == (b"", True)


@pytest.mark.parametrize("data, text", [({"a": "ü\n"}, 'data: {"a":"ü\\n"}\n\n'), (None, "data: null\n\n")])
def test_data_of_an_event_stay_on_one_line(data: Any, text: str) -> None:
    assert event(data) == text.encode()


# -- requests that do not come --


def posted() -> dict[str, Any]:
    return {
        "type": "http",
        "method": "POST",
        "scheme": "http",
        "path": "/api/login",
        "raw_path": b"/api/login",
        "query_string": b"",
        "headers": [],
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 15672),
    }


async def test_a_request_that_does_not_arrive_is_not_waited_for(
    app: ASGIApp, autojump_clock: trio.testing.MockClock
) -> None:
    client = Client()

    async def drip() -> Message:
        if client.heard:
            return {"type": "http.disconnect"}
        await trio.sleep(1)
        return {"type": "http.request", "body": b" ", "more_body": True}

    await app(posted(), drip, client.send)
    assert (client.status, client.complete) == (408, True)


async def test_who_goes_before_the_request_is_complete_is_answered_nothing(app: ASGIApp) -> None:
    client = Client()
    client.gone.set()
    await app(posted(), client.receive, client.send)
    assert client.heard == []


async def test_a_websocket_is_closed(app: ASGIApp) -> None:
    client = Client()
    await app({**posted(), "type": "websocket"}, client.receive, client.send)
    assert client.heard == [{"type": "websocket.close"}]
