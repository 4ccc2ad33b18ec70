"""The moment, as the shell last told it, and what falls due later.

The core never reads a clock: whoever holds the socket passes `now` in, and deadlines are numbers that are compared.
"""

from heapq import heappop, heappush
from typing import Final

NEVER: Final = float("inf")


class Clock:
    """`now` is monotonic time in seconds; wall time follows from it by a fixed offset that the shell may correct."""

    __slots__ = ("now", "offset")

    def __init__(self, now: float, wall: float) -> None:
        self.now = now
        self.offset: float = wall - now

    def wall(self) -> float:
        """Seconds since 1970."""
        return self.now + self.offset


class Timed:
    """Something that wants to be called at a time."""

    __slots__ = ()

    def due(self, now: float) -> None:
        """The deadline has passed. Timers are never withdrawn: look whether there is still something to do."""
        raise NotImplementedError


class Timers:
    """Deadlines in order."""

    __slots__ = ("heap", "count")

    def __init__(self) -> None:
        self.heap: list[tuple[float, int, Timed]] = []
        # Breaks ties in the order of arrival, so that Timed objects are never compared.
        self.count: int = 0

    def add(self, deadline: float, timed: Timed) -> None:
        """Call `timed.due` once, at `deadline` (monotonic seconds) or soon after it."""
        self.count += 1
        heappush(self.heap, (deadline, self.count, timed))

    def next_deadline(self) -> float | None:
        """When to call `advance` next; None while nothing is planned."""
        return self.heap[0][0] if self.heap else None

    def advance(self, now: float) -> None:
        """Call everything that is due."""
        heap = self.heap
        while heap and heap[0][0] <= now:
            heappop(heap)[2].due(now)
