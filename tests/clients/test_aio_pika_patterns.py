"""aio-pika's own patterns: RPC with its headers exchange of lost calls, and the master with its workers."""

from __future__ import annotations

import asyncio

import aio_pika
import pytest
from aio_pika.patterns import RPC, Master

from tests.clients.asyncio_client import PATIENCE, open_channel, run
from tests.clients.target import Address, Names


def test_rpc_pattern_answers_and_carries_exceptions(server: Address, names: Names) -> None:
    async def multiply(*, x: int, y: int) -> int:
        return x * y

    async def fail() -> None:
        raise ValueError("no")

    async def scenario() -> None:
        async with open_channel(server) as serving, open_channel(server) as calling:
            service = await RPC.create(serving)
            product, failing = names("multiply"), names("fail")
            await service.register(product, multiply, auto_delete=True)
            await service.register(failing, fail, auto_delete=True)
            client = await RPC.create(calling)
            answers = await asyncio.gather(*(client.call(product, {"x": n, "y": n}) for n in range(5)))
            assert answers == [0, 1, 4, 9, 16]
            with pytest.raises(ValueError, match="no"):
                await client.call(failing)
            with pytest.raises(aio_pika.exceptions.MessageProcessError):
                await client.call(names("unregistered"))
            await client.close()
            await service.close()

    run(scenario())


def test_rpc_call_that_nobody_serves_in_time_expires_into_the_callers_dead_letters(
    server: Address, names: Names
) -> None:
    async def scenario() -> None:
        async with open_channel(server) as channel:
            client = await RPC.create(channel)
            idle = await channel.declare_queue(
                names("idle"), auto_delete=True, arguments={"x-dead-letter-exchange": RPC.DLX_NAME}
            )
            with pytest.raises(asyncio.TimeoutError):
                await client.call(idle.name, expiration=0.05)
            await client.close()

    run(scenario())


def test_master_pattern_distributes_tasks(server: Address, names: Names) -> None:
    async def scenario() -> None:
        async with open_channel(server) as working, open_channel(server) as ordering:
            seen: asyncio.Queue[int] = asyncio.Queue()

            async def work(*, task_id: int) -> None:
                await seen.put(task_id)

            name = names("master")
            worker = await Master(working).create_worker(name, work, auto_delete=True)
            master = Master(ordering)
            for task_id in range(5):
                await master.create_task(name, {"task_id": task_id})
            assert [await asyncio.wait_for(seen.get(), PATIENCE) for _ in range(5)] == list(range(5))
            await worker.close()

    run(scenario())
