"""Work that is too long for one go: done in slices, between which everybody else gets a turn.

A slice is bounded by a count and not by time, for the core knows no clock: a few thousand messages at most, so that it
takes a millisecond or two. One slice of one chore is done in each round of the shell's timers; chores take turns.
"""

from collections import deque
from math import nextafter
from typing import Any, Final

from amq.clock import NEVER, Clock, Timed, Timers

# What a slice looks at, frees or settles, in messages.
SLICE: Final = 2048


class Chore:
    """A piece of such work."""

    __slots__ = ()

    def slice(self) -> bool:
        """Go on for a moment; True when that was the rest."""
        raise NotImplementedError


class Chores(Timed):
    """The chores of a broker. `waiting` are those that are not through."""

    __slots__ = ("clock", "timers", "waiting", "armed")

    def __init__(self, clock: Clock, timers: Timers) -> None:
        self.clock = clock
        self.timers = timers
        self.waiting: deque[Chore] = deque()
        # Whether a timer runs.
        self.armed: bool = False

    def begin(self, chore: Chore) -> None:
        """Do a slice of it, and have the rest done, if there is any."""
        if not chore.slice():
            self.add(chore)

    def add(self, chore: Chore) -> None:
        """Have that done, from the next round on."""
        self.waiting.append(chore)
        self._again()

    def due(self, now: float) -> None:
        self.armed = False
        if not self.waiting:
            return
        chore = self.waiting.popleft()
        # One that fails would fail for ever, and the others are to go on.
        done = True
        try:
            done = chore.slice()
        finally:
            if not done:
                self.waiting.append(chore)
            if self.waiting:
                self._again()

    def finish(self) -> None:
        """Do all of it now: nobody is kept waiting any more."""
        while self.waiting:
            chore = self.waiting.popleft()
            if not chore.slice():
                self.waiting.append(chore)

    def _again(self) -> None:
        if not self.armed:
            self.armed = True
            # In the next round, not in this one, which would go on until all is done.
            self.timers.add(nextafter(self.clock.now, NEVER), self)


class Rubble(Chore):
    """What held messages that nobody wants any more: a million of them take a tenth of a second to free."""

    __slots__ = ("heap",)

    def __init__(self, heap: "Heap") -> None:
        self.heap = heap

    def slice(self) -> bool:
        heap = self.heap
        left = min(len(heap), SLICE)
        if isinstance(heap, list):
            del heap[len(heap) - left :]
        elif isinstance(heap, dict):
            for _ in range(left):
                heap.popitem()
        else:
            for _ in range(left):
                heap.pop()
        return not heap


# What can be emptied bit by bit.
Heap = list[Any] | dict[Any, Any] | deque[Any] | set[Any]
