"""The broker in a trio program."""

from __future__ import annotations

import pika
import pytest
import trio

from amq import embed


def talk(url: str) -> bytes:
    """A conversation in a thread: trio has no client of its own here."""
    connection = pika.BlockingConnection(pika.URLParameters(f"{url}?heartbeat=0"))
    channel = connection.channel()
    channel.queue_declare("q", durable=True)
    channel.basic_publish("", "q", b"hello")
    body: bytes = channel.basic_get("q", auto_ack=True)[2]
    connection.close()
    return body


async def test_it_serves_clients_while_the_program_goes_on() -> None:
    async with embed.serve() as broker:
        assert await trio.to_thread.run_sync(talk, broker.url) == b"hello"


async def test_its_port_is_closed_at_the_end() -> None:
    async with embed.serve() as broker:
        stream = await trio.open_tcp_stream(broker.host, broker.port)
        await stream.aclose()
    with pytest.raises(OSError, match="connect"):
        await trio.open_tcp_stream(broker.host, broker.port)


async def test_an_error_in_the_block_comes_out_as_it_is() -> None:
    with pytest.raises(LookupError, match="mine"):
        async with embed.serve():
            raise LookupError("mine")


async def test_a_cancelled_program_stops_it() -> None:
    with trio.CancelScope() as scope:
        async with embed.serve() as broker:
            stream = await trio.open_tcp_stream(broker.host, broker.port)
            scope.cancel()
            await trio.sleep_forever()
    assert scope.cancelled_caught
    async with stream:
        while await stream.receive_some():
            pass


async def test_it_can_be_restarted() -> None:
    async with embed.serve() as broker:
        port = broker.port
        assert await trio.to_thread.run_sync(talk, broker.url) == b"hello"
        await broker.restart()
        assert broker.port == port
        assert await trio.to_thread.run_sync(talk, broker.url) == b"hello"


async def test_another_vhost_has_an_url_of_its_own() -> None:
    async with embed.serve() as broker:
        broker.add_vhost("jobs/nightly")
        assert broker.url_of("jobs/nightly").endswith("/jobs%2Fnightly")
        assert await trio.to_thread.run_sync(talk, broker.url_of("jobs/nightly")) == b"hello"
