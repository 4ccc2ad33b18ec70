"""What the journal has done, in numbers."""

import logging
import time
from bisect import bisect_left
from collections import deque
from collections.abc import Callable
from typing import Final

import attrs
import trio

LOGGER: Final = logging.getLogger(__name__)

# Seconds between reports.
REPORT: Final = 60.0
# Rates are over so long, in s.
WINDOW: Final = 5.0
# Upper ends of the classes that syncs are counted in by how long they took, in s; the last class has none.
LATENCIES: Final = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)


@attrs.define(eq=False)
class JournalStatistics:
    """Counts since the start: syncs, messages that they made safe, octets of their frames, seconds they took.

    `latencies` are the syncs by how long they took: one count for each of LATENCIES, and one for what took longer.
    """

    now: Callable[[], float] = time.monotonic
    syncs: int = 0
    messages: int = 0
    octets: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    latencies: list[int] = attrs.field(factory=lambda: [0] * (len(LATENCIES) + 1), init=False)
    # Moment, syncs and messages at the ends of the last seconds, oldest first.
    _history: deque[tuple[float, int, int]] = attrs.field(factory=deque, init=False)

    def note(self, seconds: float, messages: int, octets: int) -> None:
        """A sync took so long and made so much safe."""
        now = self.now()
        if not self._history or now - self._history[-1][0] >= 1.0:
            self._history.append((now, self.syncs, self.messages))
            while len(self._history) > 1 and now - self._history[1][0] >= WINDOW:
                self._history.popleft()
        self.syncs += 1
        self.messages += messages
        self.octets += octets
        self.seconds += seconds
        self.slowest = max(self.slowest, seconds)
        self.latencies[bisect_left(LATENCIES, seconds)] += 1

    def rates(self) -> tuple[float, float]:
        """Syncs and messages per second, over the last few seconds."""
        if not self._history:
            return 0.0, 0.0
        began, syncs, messages = self._history[0]
        elapsed = max(self.now() - began, 1e-9)
        return (self.syncs - syncs) / elapsed, (self.messages - messages) / elapsed

    async def report(self) -> None:
        """Tell the operator now and then how the journal does, if it did anything; until cancelled."""
        told = 0
        while True:
            await trio.sleep(REPORT)
            if self.syncs != told:
                told = self.syncs
                LOGGER.info("journal: %s", self.describe())

    def describe(self) -> str:
        """One line for people."""
        if not self.syncs:
            return "no fsync yet"
        per = self.messages / self.syncs
        mean = 1000 * self.seconds / self.syncs
        syncs, messages = self.rates()
        return (
            f"{self.messages} messages in {self.syncs} fsyncs ({per:.1f} per fsync), {self.octets >> 20} MiB, "
            f"mean {mean:.2f} ms, slowest {1000 * self.slowest:.1f} ms; lately {syncs:.0f} fsyncs/s, "
            f"{messages:.0f} messages/s"
        )
