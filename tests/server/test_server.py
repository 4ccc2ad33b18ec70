"""A server in the test's own trio loop: clients that fail and clients that stay."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

import pytest
import trio

from amq.config.settings import Listener, Settings
from amq.connection.connection import Connection
from amq.server import server as server_module
from amq.server.preparing import new_broker
from amq.server.server import Server

HEADER = b"AMQP\x00\x00\x09\x01"


@pytest.fixture
async def server(nursery: trio.Nursery) -> AsyncIterator[Server]:
    settings = Settings(listeners=(Listener("127.0.0.1", 0),))
    server = Server(settings, new_broker(settings))
    await server.open()
    nursery.start_soon(server.run)
    yield server
    server.stop(0)


async def greet(server: Server) -> trio.SocketStream:
    """A client that has heard connection.start."""
    stream = await trio.open_tcp_stream("127.0.0.1", server.doors[0].port)
    await stream.send_all(HEADER)
    assert (await stream.receive_some()).startswith(b"\x01\x00\x00")
    return stream


async def at_end(stream: trio.SocketStream) -> bool:
    """Whether the stream comes to its end."""
    try:
        while await stream.receive_some():
            pass
    except trio.BrokenResourceError:
        pass
    return True


async def test_a_defect_in_serving_one_client_is_logged_and_leaves_the_others(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Defective(Connection):
        """Cannot cope with the second client's first octets."""

        __slots__ = ()

        def receive(self, data: bytes, now: float) -> bool:
            if len(self.broker.clients) > 1:
                raise RuntimeError("a defect")
            return super().receive(data, now)

    monkeypatch.setattr(server_module, "Connection", Defective)
    async with await greet(server) as first:
        async with await trio.open_tcp_stream("127.0.0.1", server.doors[0].port) as second:
            await second.send_all(HEADER)
            assert await at_end(second)
        failures = [record for record in caplog.records if record.levelno == logging.ERROR]
        assert [record.exc_info is not None for record in failures] == [True]
        assert len(server.broker.clients) == 1
        await first.send_all(b"")


async def test_cut_clients_come_to_an_end_and_new_ones_are_let_in(server: Server) -> None:
    streams = [await greet(server) for _ in range(3)]
    server.cut_clients()
    for stream in streams:
        async with stream:
            assert await at_end(stream)
    async with await greet(server):
        assert len(server.broker.clients) == 1


async def test_a_client_that_vanishes_before_it_is_served_is_nothing(server: Server) -> None:
    for _ in range(20):
        stream = await trio.open_tcp_stream("127.0.0.1", server.doors[0].port)
        await stream.aclose()
    async with await greet(server):
        assert len(server.broker.clients) == 1


async def test_stopping_ends_who_has_not_even_greeted(server: Server) -> None:
    async with await trio.open_tcp_stream("127.0.0.1", server.doors[0].port) as silent, await greet(server) as polite:
        server.stop(0.05)
        assert await at_end(silent)
        assert await at_end(polite)
