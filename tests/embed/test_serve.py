"""The broker in a trio program."""

from __future__ import annotations

import asyncio

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


@pytest.mark.parametrize(
    "error",
    [SystemExit(3), KeyboardInterrupt(), ExceptionGroup("mine", [LookupError()]), asyncio.CancelledError()],
    ids=repr,
)
def test_whatever_ends_the_block_ends_the_program(error: BaseException) -> None:
    async def program() -> None:
        async with embed.serve():
            raise error

    with pytest.raises(type(error)) as caught:
        trio.run(program)
    assert caught.value is error


async def test_an_error_on_the_way_out_of_a_cancelled_block_is_not_lost() -> None:
    with pytest.raises(LookupError, match="cleaning up"), trio.CancelScope() as scope:
        async with embed.serve():
            scope.cancel()
            try:
                await trio.sleep_forever()
            finally:
                raise LookupError("cleaning up")


async def test_restarts_wait_for_each_other() -> None:
    async with embed.serve() as broker:
        async with trio.open_nursery() as nursery:
            for _ in range(4):
                nursery.start_soon(broker.restart)
        assert await trio.to_thread.run_sync(talk, broker.url) == b"hello"


async def test_a_restart_at_the_end_of_the_block_leaves_no_open_port() -> None:
    async def restart(broker: embed.EmbeddedBroker) -> None:
        with pytest.raises(RuntimeError, match="the broker has stopped"):
            while True:
                await broker.restart()

    async with trio.open_nursery() as nursery, embed.serve() as broker:
        nursery.start_soon(restart, broker)
        await trio.lowlevel.checkpoint()
    with pytest.raises(OSError, match="connect"):
        await trio.open_tcp_stream(broker.host, broker.port)


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
