"""The disk alarm: looks at the free space where the data are, and tells the broker to block and unblock publishers."""

import logging
from collections.abc import Callable
from typing import Final

import attrs
import trio

from amq.broker import Broker

LOGGER: Final = logging.getLogger(__name__)

# How often to measure at most and at least, in s, as RabbitMQ does; between them as often as FASTEST, the most octets
# that the journal could fill a disk with in a second, demands.
LEAST_INTERVAL: Final = 0.1
INTERVAL: Final = 10.0
FASTEST: Final = 1 << 30


@attrs.define(eq=False)
class DiskAlarm:
    """Raises the broker's `disk` alarm while fewer than `limit` bytes are free, or while the journal finds no room.

    `free` measures, in a thread, for it may hang with the disk; it raises OSError.
    """

    broker: Broker
    limit: int
    free: Callable[[], int]
    raised: bool = attrs.field(default=False, init=False)
    # The journal found no room and has not found any since: a quota, or space that is kept for root.
    starved: bool = attrs.field(default=False, init=False)
    # Free bytes when they were last measured; None before that.
    _free: int | None = attrs.field(default=None, init=False)
    # Whether the last measure failed, which is logged once.
    _blind: bool = attrs.field(default=False, init=False)
    _wake: trio.Event = attrs.field(factory=trio.Event, init=False)

    def kick(self, starved: bool) -> bool:
        """The journal found no room (True), or found some again (False): act on it, and measure soon.

        Returns whether the alarm changed; what the broker has to say of it is for the caller to send.
        """
        self.starved = starved
        self._wake.set()
        return self._decide()

    async def check(self) -> bool:
        """Measure once; returns whether the alarm changed. What cannot be measured changes nothing."""
        try:
            self._free = await trio.to_thread.run_sync(self.free, abandon_on_cancel=True)
        except OSError as error:
            if not self._blind:
                LOGGER.error("free disk space cannot be measured: %s", error)
            self._blind = True
            return False
        self._blind = False
        return self._decide()

    def interval(self) -> float:
        """When to measure again, in s: sooner when little is left, and soon while publishers are blocked."""
        if self._free is None:
            return INTERVAL
        return min(max((self._free - self.limit) / FASTEST, LEAST_INTERVAL), INTERVAL)

    async def run(self, flush: Callable[[], None]) -> None:
        """Measure until cancelled; `flush` sends what a change made the broker say."""
        while True:
            self._wake = trio.Event()
            if await self.check():
                flush()
            with trio.move_on_after(self.interval()):
                await self._wake.wait()

    def _decide(self) -> bool:
        low = self._free is not None and self._free < self.limit
        raised = low or self.starved
        if raised == self.raised:
            return False
        self.raised = raised
        state = "insufficient" if raised else "sufficient"
        if self.starved and not low:
            LOGGER.info("the journal finds no room on the disk, whatever is said to be free")
        free = "not known" if self._free is None else self._free
        LOGGER.info("Free disk space is %s. Free bytes: %s. Limit: %d", state, free, self.limit)
        self.broker.set_alarm("disk", raised)
        return True
