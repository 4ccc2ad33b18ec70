"""How many messages are due, by a schedule of rates that hold for a while each, over and over."""

from collections.abc import Sequence
from math import inf
from typing import Final

from amq.perf.load import Phase

# More than anybody sends at once.
NO_LIMIT: Final = 1 << 30
# Seconds between two looks at a course that may have changed.
LOOK: Final = 0.1


class Course:
    """A value that changes with time. One without phases is `constant` all the time."""

    def __init__(self, constant: float, phases: Sequence[Phase] = ()) -> None:
        self._phases: Final = tuple(phases) or (Phase(constant, inf),)
        self._round: Final = sum(phase.seconds for phase in self._phases)

    def at(self, seconds: float) -> float:
        """The value then."""
        return self._then(seconds)[0]

    def left(self, seconds: float) -> float:
        """For how many seconds it stays what it is then."""
        return self._then(seconds)[1]

    def _then(self, seconds: float) -> tuple[float, float]:
        if len(self._phases) == 1:
            return self._phases[0].value, inf
        rest = seconds % self._round
        for phase in self._phases:
            if rest < phase.seconds:
                return phase.value, phase.seconds - rest
            rest -= phase.seconds
        return self._phases[-1].value, 0.0


class Pace:
    """A schedule of messages, by a course of rates per second. A rate of 0 is a pause, an infinite one is no limit.

    Who falls behind catches up, but no more than `catch_up` seconds' worth: what was due longer ago is left out, and
    the measured rate stays under the one asked for. The first one is due at once, or a share of the distance between
    two later: `phase`, 0 to 1. One that begins with a pause is due that long after it.
    """

    def __init__(self, rates: Course, catch_up: float, phase: float = 0.0) -> None:
        self._rates: Final = rates
        self._catch_up: Final = catch_up
        self._now = 0.0
        self._due = (1.0 if rates.at(0.0) > 0 else 0.0) - phase

    def due(self, seconds: float) -> int:
        """How many are due at that moment, in seconds since the start; what `took` counted is not among them."""
        before, rate = self._rates.at(self._now), self._rates.at(seconds)
        # What it was at the last look it was until now: `wait` ends where a phase does.
        if before != inf:
            most = 1.0 + max(before, rate) * self._catch_up
            self._due = min(self._due + (seconds - self._now) * before, most)
        self._now = seconds
        return NO_LIMIT if rate == inf else int(self._due)

    def rest(self) -> None:
        """Nothing was there to be sent: nobody is late."""
        self._due = min(self._due, 1.0)

    def took(self, count: int) -> None:
        """So many of those that were due have been sent."""
        if self._rates.at(self._now) != inf:
            self._due -= count

    def late(self) -> float:
        """Seconds since the first of those that are due was due, at the rate of the last look."""
        rate = self._rates.at(self._now)
        return max(self._due - 1.0, 0.0) / rate if 0 < rate < inf else 0.0

    def step(self, seconds: float) -> int:
        """How many are due in so many seconds, at the rate of the last look; at least one."""
        return int(max(min(self._rates.at(self._now) * seconds, NO_LIMIT), 1.0))

    def wait(self) -> float:
        """Seconds until the next one is due or the rate changes; LOOK at most."""
        rate = self._rates.at(self._now)
        most = min(LOOK, self._rates.left(self._now))
        return min(max(1.0 - self._due, 0.0) / rate, most) if rate > 0 else most
