"""How amounts are written for a reader, and which of them are round.

A unit writes a value with at most three digits that matter ("1.25M", "16 KiB", "340 µs"), and says where a reader
expects the ticks of an axis.
"""

import math
from typing import Final

ROUND: Final = (1.0, 2.0, 5.0)


def digits(value: float) -> str:
    """At most three digits that matter, and no zeros behind the point."""
    if abs(value) >= 99.95 or value == int(value):
        return f"{value:.0f}"
    if abs(value) < 0.995:
        return f"{value:.3g}"
    return f"{value:.{1 if abs(value) >= 9.995 else 2}f}".rstrip("0").rstrip(".")


class Unit:
    """Plain counts with decimal prefixes: 950, 1.5k, 20M."""

    prefixes: tuple[tuple[float, str], ...] = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))

    def text(self, value: float) -> str:
        """A value for a reader."""
        if value == 0 or not math.isfinite(value):
            return "0" if value == 0 else "-"
        for size, name in self.prefixes:
            # What is rounded up to the next prefix is written with that one: 999,960 is 1M.
            if abs(value) >= size * 0.9995:
                return digits(value / size) + name
        return self.small(value)

    def small(self, value: float) -> str:
        """A value under the least of the prefixes."""
        return digits(value)

    def step(self, least: float) -> float:
        """The smallest round distance of ticks that is at least so much; `least` is above 0."""
        power = 10.0 ** math.floor(math.log10(least))
        for factor in ROUND:
            if factor * power >= least * (1 - 1e-9):
                return factor * power
        return 10 * power

    def powers(self, low: float, high: float) -> list[float]:
        """The ticks of a logarithmic axis from `low` to `high`, both above 0 and themselves among the ticks' kind."""
        return _powers(10.0, low, high)

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        """Where a logarithmic axis that shows all from `low` to `high`, above 0, begins and ends."""
        return _bounds(10.0, low, high)


class Octets(Unit):
    """Sizes with binary prefixes: 16 B, 4 KiB, 1.5 GiB."""

    prefixes = ((2.0**40, " TiB"), (2.0**30, " GiB"), (2.0**20, " MiB"), (2.0**10, " KiB"))

    def small(self, value: float) -> str:
        """Octets."""
        return digits(value) + " B"

    def step(self, least: float) -> float:
        """1, 2, 5, 10, 20 ... 500 of a prefix."""
        prefix = 1024.0 ** max(0, math.floor(math.log(least, 1024)))
        found = prefix * super().step(least / prefix)
        return found if found < 1000 * prefix else 1024 * prefix

    def powers(self, low: float, high: float) -> list[float]:
        """Powers of 2, or of 4, 16 or 64 where those are too many."""
        for base in (2.0, 4.0, 16.0):
            if high <= low * base**5:
                return _powers(base, low, high)
        return _powers(64.0, low, high)

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        """Powers of 2."""
        return _bounds(2.0, low, high)


class Seconds(Unit):
    """Durations: 340 µs, 1.5 ms, 12 s, 90 min."""

    prefixes = ((36000.0, " h"), (600.0, " min"), (1.0, " s"), (1e-3, " ms"), (1e-6, " µs"))
    _sizes: Final = {" h": 3600.0, " min": 60.0}

    def text(self, value: float) -> str:
        """A value for a reader; what is longer than 10 minutes in minutes, than 10 hours in hours."""
        for least, name in self.prefixes[:2]:
            if value >= least:
                return digits(value / self._sizes[name]) + name
        return super().text(value)

    def small(self, value: float) -> str:
        """Nanoseconds."""
        return digits(value * 1e9) + " ns"

    def step(self, least: float) -> float:
        """Seconds in tens, minutes and hours as clocks have them."""
        for step in (10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0, 14400.0):
            if 5 < least <= step:
                return step
        return super().step(least)


class Percentiles(Unit):
    """Of a part of all, p, the axis has 1 / (1 - p): each power of ten is a nine more."""

    def text(self, value: float) -> str:
        """1 is 0 %, 2 is 50 %, 10 is 90 %, 1000 is 99.9 %."""
        if value <= 1:
            return "0 %"
        decimals = max(0, math.ceil(math.log10(value) - 1e-9) - 2)
        return f"{100 * (1 - 1 / value):.{decimals}f} %"


class Percent(Unit):
    """Parts of a hundred."""

    prefixes = ()

    def small(self, value: float) -> str:
        """12.5 %."""
        return digits(value) + " %"


COUNT: Final = Unit()
PERCENT: Final = Percent()
OCTETS: Final = Octets()
SECONDS: Final = Seconds()
PERCENTILE: Final = Percentiles()


def _powers(base: float, low: float, high: float) -> list[float]:
    first = math.ceil(math.log(low, base) - 1e-9)
    last = math.floor(math.log(high, base) + 1e-9)
    return [base**power for power in range(first, last + 1)]


def _bounds(base: float, low: float, high: float) -> tuple[float, float]:
    first = math.floor(math.log(low, base) + 1e-9)
    last = math.ceil(math.log(high, base) - 1e-9)
    return base**first, base ** max(last, first + 1)
