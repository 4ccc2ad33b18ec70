"""The bodies of requests: how much strangers may send, and everybody together."""

import httpx
import pytest
import trio
from starlette.requests import Request
from starlette.types import ASGIApp, Message

from amq.management import bodies
from amq.management.bodies import MOST_TOGETHER, SMALL, USUAL, Bodies
from amq.management.errors import ApiError, BadRequest
from tests.management.conftest import client_of

SCRIPT = {"x-requested-with": "test"}
LARGE = 10_000_000


def request_with(*chunks: bytes) -> Request:
    """A request whose body arrives in these pieces."""
    left = list(chunks)

    async def receive() -> Message:
        if not left:
            await trio.sleep_forever()
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left) or len(chunks) == 1}

    return Request({"type": "http", "method": "POST", "path": "/", "headers": []}, receive)


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded"])
async def test_who_has_not_logged_in_can_send_little(app: ASGIApp, kind: str) -> None:
    async with client_of(app, None) as client:
        headers = {**SCRIPT, "content-type": kind}
        answer = await client.post("/login", content=b"a=b&" * (SMALL // 4 + 1), headers=headers)
    assert answer.status_code == 400
    assert answer.json()["reason"] == f"Exceeded HTTP request body size limit of {SMALL} bytes"


async def test_who_has_logged_in_can_send_more(client: httpx.AsyncClient) -> None:
    payload = {"routing_key": "", "properties": {}, "payload": "x" * 1_000_000, "payload_encoding": "string"}
    assert (await client.post("/exchanges/%2F/amq.direct/publish", json=payload)).json() == {"routed": False}


async def test_requests_that_are_no_messages_and_no_definitions_are_short(client: httpx.AsyncClient) -> None:
    answer = await client.put("/queues/%2F/q", content=b" " * (USUAL + 1))
    assert answer.json()["reason"] == f"Exceeded HTTP request body size limit of {USUAL} bytes"
    document = b'{"queues": []' + b" " * USUAL + b"}"
    assert (await client.post("/definitions", content=document)).status_code == 204


async def test_room_is_given_back_whatever_becomes_of_a_request() -> None:
    room = Bodies(LARGE)
    async with room.of(request_with(b"a" * SMALL, b"b"), LARGE) as body:
        assert (len(body), room.together) == (SMALL + 1, SMALL + 1)
    assert room.together == 0
    with pytest.raises(BadRequest):
        async with room.of(request_with(b"a" * LARGE, b"b"), LARGE):
            raise AssertionError("it is too large")
    assert room.together == 0


async def test_small_bodies_take_no_room() -> None:
    room = Bodies(LARGE)
    room.together = MOST_TOGETHER
    async with room.of(request_with(b"a" * (SMALL - 1), b"b"), LARGE) as body:
        assert len(body) == SMALL
    with pytest.raises(ApiError) as refused:
        async with room.of(request_with(b"a" * SMALL, b"b"), LARGE):
            raise AssertionError("there is no room for it")
    assert (refused.value.status, refused.value.error, room.together) == (503, "busy", MOST_TOGETHER)


async def test_a_body_that_does_not_arrive_is_not_waited_for(autojump_clock: trio.testing.MockClock) -> None:
    room = Bodies(LARGE)
    with pytest.raises(ApiError) as refused:
        async with room.of(request_with(b"a" * (SMALL + 1)), LARGE):
            raise AssertionError("it has not arrived")
    assert (refused.value.status, room.together) == (408, 0)
    assert autojump_clock.current_time() == bodies.ARRIVAL
