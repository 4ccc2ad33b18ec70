"""A broker without I/O, a client of it, and a sampler whose clock stands still unless it is told."""

from typing import Any

import attrs

from amq.broker import Broker
from amq.metrics.sampler import Sampler
from amq.queues.base import Queue
from tests.harness.dialogue import Dialogue, enter

BEGAN = 1_700_000_000.0


@attrs.define
class WallClock:
    now: float = BEGAN

    def __call__(self) -> float:
        return self.now


@attrs.define
class Watched:
    """A client with queue `q` on channel 1, and who watches its broker."""

    client: Dialogue
    sampler: Sampler
    clock: WallClock

    @property
    def broker(self) -> Broker:
        return self.client.broker

    @property
    def queue(self) -> Queue:
        return self.broker.vhosts["/"].queues[b"q"]

    async def after(self, seconds: float) -> None:
        """Let so many seconds pass, and take a sample."""
        self.clock.now += seconds
        await self.sampler.sample()


async def watched(**options: Any) -> Watched:
    """Sampled once."""
    client = enter(channels=[1])
    client.declare(1, "q", **options)
    clock = WallClock()
    sampler = Sampler(client.broker, now=clock)
    await sampler.sample()
    return Watched(client, sampler, clock)
