"""What was measured of a cost curve: as JSON, as plots, as a table, and how its cost grows."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from curve_kinds import KINDS, Kind, Point

from amq.perf.plot import Chart, Series, document
from amq.perf.scale import Axis
from amq.perf.units import COUNT, OCTETS, Unit

SUPERLINEAR: Final = 1.1  # what is not more may be noise
FITTED: Final = 3  # points at least


@dataclass(frozen=True)
class Quantity:
    """Something that is measured: where more is better, it is something per second."""

    title: str
    label: str
    unit: Unit
    more_is_better: bool = True


QUANTITIES: Final = {
    "rate": Quantity("throughput", "messages/s", COUNT),
    "octets_rate": Quantity("throughput in octets", "octets of bodies/s", OCTETS),
    "drained": Quantity("draining", "messages/s", COUNT),
    "made": Quantity("how fast they are made", "made/s", COUNT),
    "memory": Quantity("memory", "main memory of the broker", OCTETS, more_is_better=False),
}


@dataclass(frozen=True)
class Curve:
    """One kind, measured with some brokers: the name of each, and its points."""

    name: str
    kind: Kind
    brokers: dict[str, Sequence[Point]]

    def column(self, broker: str, quantity: str) -> list[tuple[float, float]]:
        """(what grows, the quantity) of a broker."""
        return [(point["x"], point[quantity]) for point in self.brokers[broker] if quantity in point]

    @property
    def quantities(self) -> list[str]:
        """Those that were measured."""
        return [name for name in QUANTITIES if any(name in point for each in self.brokers.values() for point in each)]

    # -- files --

    def write(self, folder: Path, about: dict[str, Any]) -> None:
        """The plots, and beside them the numbers that they show."""
        numbers = {"curve": self.name, "x": self.kind.label, **about, "brokers": self.brokers}
        (folder / f"curve-{self.name}.json").write_text(json.dumps(numbers, indent=1) + "\n")
        self.draw(folder)

    @staticmethod
    def exists(folder: Path, name: str) -> bool:
        """Whether it was measured before."""
        return (folder / f"curve-{name}.json").exists()

    @classmethod
    def read(cls, folder: Path, name: str) -> "Curve":
        """What was measured before."""
        numbers = json.loads((folder / f"curve-{name}.json").read_text())
        return cls(name, KINDS[name], numbers["brokers"])

    def draw(self, folder: Path) -> None:
        """The plots alone."""
        for quantity in self.quantities:
            (folder / f"curve-{self.name}-{quantity}.svg").write_text(document(self.chart(quantity)), "utf-8")

    def chart(self, quantity: str) -> Chart:
        """Every broker's column, on logarithmic axes."""
        about = QUANTITIES[quantity]
        return Chart(
            f"{self.kind.title}: {about.title}",
            Axis(self.kind.label, OCTETS if self.kind.octets else COUNT, log=True),
            Axis(about.label, about.unit, log=True),
            [Series(broker, self.column(broker, quantity)) for broker in self.brokers],
            tight=True,
            note=self.kind.note,
        )

    # -- text --

    def table(self) -> str:
        """A row per point: each quantity of each broker, and how the first compares with the second."""
        lines = [f"{self.kind.title} ({self.kind.note})"]
        for quantity in self.quantities:
            about = QUANTITIES[quantity]
            columns = [dict(self.column(broker, quantity)) for broker in self.brokers]
            lines.append(f"  {about.label + ', ' + about.title:<44}" + "".join(f"{name:>18}" for name in self.brokers))
            for x in columns[0]:
                values = [column[x] for column in columns if x in column]
                shown = "".join(f"{about.unit.text(value):>18}" for value in values)
                x_text = (OCTETS if self.kind.octets else COUNT).text(x)
                lines.append(f"    {x_text:<42}{shown}{_compared(values, about)}")
            lines += [self.growth(broker, quantity) for broker in self.brokers if quantity != "octets_rate"]
        return "\n".join(lines)

    def growth(self, broker: str, quantity: str) -> str:
        """The exponent of the cost in a sentence."""
        exponent = self.exponent(broker, quantity)
        what = "memory" if quantity == "memory" else "time"
        if exponent is None:
            return f"    {broker}: too little {what} to see how it grows"
        verdict = "WORSE THAN LINEAR" if exponent > SUPERLINEAR else "no worse than linear"
        return f"    {broker}: {what} in all grows with the power {exponent:.2f}: {verdict}"

    def exponent(self, broker: str, quantity: str) -> float | None:
        """With which power of x the cost grows, in the upper half of the points; None where there is no growth.

        The cost is memory beyond that of the first point; or the time for all: of all octets of a message, and else of
        as many messages as there are things. What costs each message the same, whatever grows, has the power 1; only
        with things beside the flow (bindings, connections, channels, consumers) is 0 possible, and expected.
        """
        column = [(x, value) for x, value in self.column(broker, quantity) if x > 0]
        if quantity == "memory":
            base = self.column(broker, quantity)[0][1]
            costs = [(x, value - base) for x, value in column if value > 1.1 * base]
        else:
            amount = 1 if quantity in {"drained", "made"} or self.name == "backlog" else 0
            costs = [(x, x**amount / value) for x, value in column]
        return slope(costs[-max(FITTED, (len(costs) + 1) // 2) :])


def slope(points: Sequence[tuple[float, float]]) -> float | None:
    """Of the line through the logarithms, by least squares; None for too few points."""
    if len(points) < FITTED:
        return None
    xs, ys = zip(*((math.log(x), math.log(y)) for x, y in points), strict=True)
    mid_x, mid_y = sum(xs) / len(xs), sum(ys) / len(ys)
    spread = math.fsum((x - mid_x) ** 2 for x in xs)
    return math.fsum((x - mid_x) * (y - mid_y) for x, y in zip(xs, ys, strict=True)) / spread


def _compared(values: Sequence[float], about: Quantity) -> str:
    if len(values) < 2 or not all(values):
        return ""
    ratio = values[0] / values[1]
    worse = ratio < 1 if about.more_is_better else ratio > 1
    return f"{ratio:>10.2f} x" + ("  worse" if worse else "")
