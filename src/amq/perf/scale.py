"""Where a value stands on an axis, linear or logarithmic, and which of its values get a tick."""

import math
from collections.abc import Iterable

from attrs import frozen

from amq.perf.units import COUNT, Unit

ZERO_SLOT = 0.08  # of a logarithmic axis, for those who are 0


@frozen
class Axis:
    """What an axis shows. A linear one begins at 0, or at `least`; `most` is the least that it reaches to.

    Values are 0 or more.
    """

    label: str
    unit: Unit = COUNT
    log: bool = False
    least: float = 0.0
    most: float = 0.0


class Scale:
    """A linear axis from `low` to `high`; `part` is the place of a value between 0 and 1."""

    def __init__(self, unit: Unit, low: float, high: float, ticks: int) -> None:
        self.unit = unit
        step = unit.step((high - low) / ticks)
        self.low = math.floor(low / step + 1e-9) * step
        self.high = math.ceil(high / step - 1e-9) * step
        self.step = step

    def part(self, value: float) -> float:
        """0 at the axis' begin, 1 at its end; what lies beyond is moved there."""
        return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))

    def ticks(self) -> list[float]:
        """From the lowest to the highest."""
        return [self.low + number * self.step for number in range(round((self.high - self.low) / self.step) + 1)]


class Tight(Scale):
    """A linear axis that ends with its data, not with a tick: time."""

    def __init__(self, unit: Unit, low: float, high: float, ticks: int) -> None:
        super().__init__(unit, low, high, ticks)
        self.whole = super().ticks()
        self.low, self.high = low, high

    def ticks(self) -> list[float]:
        """Those between begin and end."""
        return [tick for tick in self.whole if self.low <= tick <= self.high * (1 + 1e-9)]


class Log(Scale):
    """A logarithmic axis from `low` to `high`, both above 0; where a 0 is to be shown it has a place of its own."""

    def __init__(self, unit: Unit, low: float, high: float, ticks: int, zero: bool) -> None:
        self.unit = unit
        self.low, self.high = low, high
        self.most_ticks = ticks
        self.zero = zero

    def part(self, value: float) -> float:
        """As for a linear axis."""
        begin = ZERO_SLOT if self.zero else 0.0
        if value <= 0:
            return 0.0
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return min(1.0, max(begin, begin + (1 - begin) * share))

    def ticks(self) -> list[float]:
        """Every power, or every second, third ..., so that they are not too many."""
        powers = self.unit.powers(self.low, self.high)
        kept = powers[:: math.ceil(len(powers) / self.most_ticks)]
        return [0.0, *kept] if self.zero else kept


def scale(axis: Axis, values: Iterable[float], ticks: int, tight: bool = False) -> Scale:
    """The scale on which all values are seen, with about so many ticks."""
    finite = [value for value in values if math.isfinite(value)]
    if axis.log:
        above = [value for value in (*finite, axis.most) if value > 0] or [1.0]
        zero = any(value <= 0 for value in finite)
        low, high = (min(above), max(above)) if tight and min(above) < max(above) else _bounds(axis.unit, above)
        return Log(axis.unit, low, high, ticks, zero)
    high = max((*finite, axis.most, axis.least))
    if high <= axis.least:
        high = axis.least + 1.0
    return (Tight if tight else Scale)(axis.unit, axis.least, high, ticks)


def _bounds(unit: Unit, above: list[float]) -> tuple[float, float]:
    return unit.bounds(min(above), max(above))
