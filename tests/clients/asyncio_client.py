"""How a test uses an asyncio client, for the suite itself lives in trio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager

import aio_pika
from aio_pika.abc import AbstractChannel

from tests.clients.target import Address

PATIENCE = 10.0


def run(scenario: Awaitable[None]) -> None:
    """Run a scenario in an event loop of its own; TimeoutError when it hangs."""

    async def bounded() -> None:
        async with asyncio.timeout(3 * PATIENCE):
            await scenario

    asyncio.run(bounded())


@asynccontextmanager
async def open_channel(address: Address, **options: bool) -> AsyncIterator[AbstractChannel]:
    """A channel on a connection of its own."""
    async with await aio_pika.connect(address.url) as connection:
        yield await connection.channel(**options)
