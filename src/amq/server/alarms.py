"""The memory alarm: looks at the memory in use and tells the broker to block and unblock publishers."""

import logging
from collections.abc import Callable
from typing import Final

import attrs
import trio

from amq.broker import Broker
from amq.server import memory

LOGGER: Final = logging.getLogger(__name__)

# How often to measure at most and at least, in s; between them as often as FASTEST, the most octets that clients could
# fill memory with in a second, demands.
LEAST_INTERVAL: Final = 0.05
INTERVAL: Final = 1.0
FASTEST: Final = 1 << 30
# An alarm is cleared only when so much of the limit is in use, lest it flap around the limit.
CLEAR_SHARE: Final = 0.95


@attrs.define(eq=False)
class MemoryAlarm:
    """Raises the broker's `memory` alarm while the process uses more than `limit` bytes.

    `used` measures; `release` gives free memory back to the system before a measure counts, for what a drained
    backlog leaves in the allocator's pools is no reason to block anybody.
    """

    broker: Broker
    limit: int
    used: Callable[[], int]
    release: Callable[[], None] = memory.release
    raised: bool = False
    _left: int = attrs.field(default=0, init=False)

    def check(self) -> bool:
        """Measure once; returns whether the alarm changed."""
        used = self.used()
        if used >= self._mark():
            self.release()
            used = self.used()
        self._left = self.limit - used
        raised = used >= self._mark()
        if raised == self.raised:
            return False
        self.raised = raised
        self.broker.set_alarm("memory", raised)
        LOGGER.info("%d MiB of memory in use, limit %d MiB", used >> 20, self.limit >> 20)
        return True

    def _mark(self) -> float:
        return self.limit * CLEAR_SHARE if self.raised else self.limit

    def interval(self) -> float:
        """When to measure again, in s: sooner when little is left. Under an alarm, measuring may take a while."""
        if self.raised:
            return INTERVAL
        return min(max(self._left / FASTEST, LEAST_INTERVAL), INTERVAL)

    async def run(self, flush: Callable[[], None]) -> None:
        """Measure until cancelled; `flush` sends what a change made the broker say."""
        while True:
            if self.check():
                flush()
            await trio.sleep(self.interval())
