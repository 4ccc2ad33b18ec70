"""HTTP on sockets: clients that are slow, silent or too many, with any application."""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio

from amq.config.settings import Listener
from amq.server import http
from amq.server.http import HttpServer, PatientStream
from amq.server.listener import open_doors

Message = MutableMapping[str, Any]
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
BODY = b"x" * 5_000_000


async def app(
    scope: Message, _receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """Answers a long body, or fails on /broken."""
    if scope["path"] == "/broken":
        raise ValueError("broken")
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(BODY))]})
    await send({"type": "http.response.body", "body": BODY})


@asynccontextmanager
async def served() -> AsyncIterator[tuple[int, trio.Event]]:
    """The port at which the application is served, and the event that ends it."""
    doors = await open_doors((Listener("127.0.0.1", 0),), None)
    stopping = trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(HttpServer(app, doors, 5.0).run, stopping)
        yield doors[0].port, stopping
        stopping.set()
    doors[0].listener.socket.close()


async def heard(stream: trio.SocketStream) -> bytes:
    """Everything that comes until the end."""
    octets = b""
    try:
        async for chunk in stream:
            octets += chunk
    except trio.BrokenResourceError:
        octets += b"<broken>"
    return octets


async def test_a_body_is_sent_in_pieces() -> None:
    async with served() as (port, _), await trio.open_tcp_stream("127.0.0.1", port) as client:
        await client.send_all(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        head, _, body = (await heard(client)).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert body == BODY


async def test_a_client_that_takes_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "STALL", 0.05)
    ours, theirs = trio.socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    with theirs:
        stream = PatientStream(trio.SocketStream(ours))
        with pytest.raises(trio.BrokenResourceError, match="took nothing"):
            await stream.send_all(BODY)
        await stream.aclose()


async def test_a_client_that_takes_nothing_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "STALL", 0.05)
    async with served() as (port, _), await trio.open_tcp_stream("127.0.0.1", port) as client:
        await client.send_all(GET)
        await trio.sleep(0.3)
        # What was in the buffers comes, and then the end.
        assert len(await heard(client)) < len(BODY)


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost:", b"\r\n\r\n"])
async def test_a_client_that_says_nothing_is_sent_away(sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "KEEP_ALIVE", 0.05)
    async with served() as (port, _), await trio.open_tcp_stream("127.0.0.1", port) as client:
        await client.send_all(sent)
        assert b"200" not in await heard(client)


async def test_of_too_many_clients_the_idlest_is_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MOST_CLIENTS", 2)
    async with served() as (port, _):
        first = await trio.open_tcp_stream("127.0.0.1", port)
        await trio.sleep(0.01)
        others = [await trio.open_tcp_stream("127.0.0.1", port) for _ in range(2)]
        assert await heard(first) == b""
        for stream in others:
            await stream.send_all(b"GET /broken HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert (await heard(stream)).startswith(b"HTTP/1.1 500")
        for stream in [first, *others]:
            await stream.aclose()


async def test_those_that_do_not_go_leave_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MOST_CLIENTS", 0)
    monkeypatch.setattr(http, "LEAVING", 0)
    async with served() as (port, _), await trio.open_tcp_stream("127.0.0.1", port) as client:
        assert await heard(client) in (b"", b"<broken>")


async def test_a_defect_of_the_application_is_answered_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    async with served() as (port, _), await trio.open_tcp_stream("127.0.0.1", port) as client:
        await client.send_all(b"GET /broken HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert (await heard(client)).startswith(b"HTTP/1.1 500")
    assert "ValueError: broken" in caplog.text


async def test_a_stop_cuts_off_who_does_not_take_its_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "GRACE", 0.05)
    async with served() as (port, stopping), await trio.open_tcp_stream("127.0.0.1", port) as client:
        await client.send_all(GET)
        await trio.sleep(0.1)
        stopping.set()
        await trio.sleep(0.2)
        assert len(await heard(client)) < len(BODY)
