"""A small maker of charts as SVG: lines, areas and steps, on linear and logarithmic axes.

It knows nothing of what it shows. A chart follows the reader's light or dark theme, is legible on a telephone and on
paper, tells its series apart by marks and dashes as well as by colours that the colour-blind can tell apart, and
describes itself in words to those who do not see it.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Final

from attrs import frozen

from amq.perf.markup import element, text
from amq.perf.scale import Axis, scale

WIDTH: Final = 480.0
HEIGHT: Final = 300.0
TOP: Final = 12.0
RIGHT: Final = 16.0
LINE: Final = 19.0  # height of a line of text
CHARACTER: Final = 8.2  # width of one, at the size that small screens get
SWATCH: Final = 30.0
GAP: Final = 14.0
MARKED: Final = 20  # a series of more points than these has no marks
COLOURS: Final = 6  # then they begin again, with the next dash
DASHES: Final = ("", "7 4", "2 4")

LIGHT: Final = ("#0a66a8", "#c44e00", "#00795a", "#9b3d76", "#7a6200", "#4a4a55")
DARK: Final = ("#5cb8f0", "#ff9b57", "#3fd1a4", "#e39ac4", "#e5cf5a", "#b8b8c4")


def _palette(ground: str, ink: str, faint: str, colours: Sequence[str]) -> str:
    series = "".join(f"--plot-{number}:{colour};" for number, colour in enumerate(colours))
    return f".plot{{--plot-ground:{ground};--plot-ink:{ink};--plot-faint:{faint};{series}}}"


STYLE: Final = (
    _palette("#fff", "#26262b", "#dcdce2", LIGHT)
    + "@media screen and (prefers-color-scheme:dark){"
    + _palette("#17181c", "#e4e4e8", "#3a3b42", DARK)
    + "}.plot text{font:13px system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;fill:var(--plot-ink)}"
    ".plot .plot-title{font-weight:600;font-size:15px}.plot .plot-label{opacity:.8}"
    ".plot .plot-ground{fill:var(--plot-ground)}"
    ".plot .plot-grid{stroke:var(--plot-faint);stroke-width:1}.plot .plot-axis{stroke:var(--plot-ink);stroke-width:1}"
    ".plot .plot-line{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}"
    ".plot .plot-area{fill-opacity:.18}.plot .plot-mark{stroke:var(--plot-ground);stroke-width:1}"
    + "".join(
        f".plot .plot-c{number}{{stroke:var(--plot-{number})}}.plot .plot-f{number}{{fill:var(--plot-{number})}}"
        for number in range(COLOURS)
    )
    + "@media (max-width:430px){.plot text{font-size:15.5px}.plot .plot-title{font-size:16.5px}}"
)

Point = tuple[float, float | None]


@frozen
class Series:
    """Points by rising x; one whose y is None interrupts the line.

    `look` is "line", "area" (a line with what is under it) or "steps": each y holds until the next point's x, and the
    last point only ends the step before it.
    """

    name: str
    points: Sequence[Point]
    look: str = "line"

    def known(self) -> list[tuple[float, float]]:
        """Those of the points that have a y."""
        return [(x, y) for x, y in self.points if y is not None and math.isfinite(y)]


@frozen
class Chart:
    """What is drawn. Where `tight` the x axis ends with the data instead of with a round number."""

    title: str
    x: Axis
    y: Axis
    series: Sequence[Series]
    tight: bool = False
    note: str = ""


def svg(chart: Chart, identity: str = "plot", styled: bool = True) -> str:
    """The chart as one <svg>; `identity` is unlike that of others in the same page.

    Where `styled` is False, the page has STYLE itself.
    """
    drawing = _Drawing(chart)
    content = (
        text("title", chart.title, id=f"{identity}-title")
        + text("desc", description(chart), id=f"{identity}-desc")
        + (element("style", STYLE) if styled else "")
        + drawing.drawn()
    )
    return element(
        "svg",
        content,
        xmlns="http://www.w3.org/2000/svg",
        class_="plot",
        viewBox=f"0 0 {WIDTH:g} {drawing.height:g}",
        role="img",
        aria_labelledby=f"{identity}-title {identity}-desc",
    )


def document(chart: Chart) -> str:
    """The chart as a file of its own."""
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + svg(chart) + "\n"


def description(chart: Chart) -> str:
    """The chart in words."""
    parts = [chart.note] if chart.note else []
    parts.append(f"{chart.y.label} against {chart.x.label}.")
    for series in chart.series:
        known = series.known()
        if not known:
            parts.append(f"{series.name}: no data.")
            continue
        (first, begin), (last, end) = known[0], known[-1]
        top_x, top = max(known, key=lambda point: point[1])
        x, y = chart.x.unit.text, chart.y.unit.text
        parts.append(f"{series.name}: {y(begin)} at {x(first)}, {y(end)} at {x(last)}, at most {y(top)} at {x(top_x)}.")
    return " ".join(parts)


class _Drawing:
    """A chart, laid out: title, legend, label of the y axis, the plot, ticks and label of the x axis."""

    def __init__(self, chart: Chart) -> None:
        self.chart = chart
        known = [point for series in chart.series for point in series.known()]
        self.x = scale(chart.x, [x for x, _ in known], 6, chart.tight)
        self.y = scale(chart.y, [y for _, y in known], 9 if chart.y.log else 5)
        self.titles = _wrapped(chart.title, 48)
        self.legend = _legend_rows([series.name for series in chart.series])
        labels = max(len(self.y.unit.text(tick)) for tick in self.y.ticks())
        self.left = 14 + labels * CHARACTER * 1.05
        self.top = TOP + LINE * (len(self.titles) + len(self.legend) + 1) + 8
        self.height = max(HEIGHT, self.top + 190)
        self.bottom = self.height - 2 * LINE - 8

    def drawn(self) -> str:
        """The elements, those in front last."""
        return "".join(
            [
                element("rect", class_="plot-ground", width="100%", height="100%", rx="6"),
                *self._titles(),
                *self._legend(),
                *self._grid(),
                *self._areas(),
                *self._lines(),
            ]
        )

    def px(self, x: float) -> float:
        return self.left + self.x.part(x) * (WIDTH - RIGHT - self.left)

    def py(self, y: float) -> float:
        return self.bottom - self.y.part(y) * (self.bottom - self.top)

    def _titles(self) -> Iterable[str]:
        for number, line in enumerate(self.titles):
            yield text("text", line, class_="plot-title", x="12", y=f"{TOP + LINE * (number + 0.6):g}")

    def _legend(self) -> Iterable[str]:
        top = TOP + LINE * (len(self.titles) + 0.6) + 2
        for row, entries in enumerate(self.legend):
            y = top + row * LINE
            for number, left, name in entries:
                yield _stroke(number, f"M{left:g} {y - 4:g}h{SWATCH - 6:g}")
                yield _mark(number, left + (SWATCH - 6) / 2, y - 4, "")
                yield text("text", name, x=f"{left + SWATCH:g}", y=f"{y:g}")

    def _grid(self) -> Iterable[str]:
        right = WIDTH - RIGHT
        yield text("text", self.chart.y.label, class_="plot-label", x="12", y=f"{self.top - 13:g}")
        for tick in self.y.ticks():
            y = self.py(tick)
            yield element("path", class_="plot-grid", d=f"M{self.left:g} {y:.1f}H{right:g}")
            yield text("text", self.y.unit.text(tick), text_anchor="end", x=f"{self.left - 6:g}", y=f"{y + 4.5:.1f}")
        shown = WIDTH
        for tick in reversed(self.x.ticks()):
            x, label = self.px(tick), self.x.unit.text(tick)
            half = len(label) * CHARACTER / 2
            yield element("path", class_="plot-grid", d=f"M{x:.1f} {self.top:g}V{self.bottom:g}")
            # A label that does not fit beside the next one is left out, one at the edge moves inwards.
            middle = min(x, WIDTH - 4 - half)
            if middle + half <= shown:
                yield text("text", label, text_anchor="middle", x=f"{middle:.1f}", y=f"{self.bottom + LINE - 2:g}")
                shown = middle - half - 4
        yield element("path", class_="plot-axis", d=f"M{self.left:g} {self.bottom:g}H{right:g}")
        place = f"{self.height - 12:g}"
        yield text("text", self.chart.x.label, class_="plot-label", text_anchor="end", x=f"{right:g}", y=place)

    def _areas(self) -> Iterable[str]:
        for number, series in enumerate(self.chart.series):
            if series.look == "line":
                continue
            for run in self._runs(series):
                (first, _), (last, _) = run[0], run[-1]
                d = f"{_path(run)}L{last:.1f} {self.bottom:g}L{first:.1f} {self.bottom:g}Z"
                yield element("path", class_=f"plot-area plot-f{number % COLOURS}", d=d)

    def _lines(self) -> Iterable[str]:
        for number, series in enumerate(self.chart.series):
            d = "".join(_path(run) for run in self._runs(series))
            if d:
                yield _stroke(number, d)
            if series.look != "steps" and len(series.points) <= MARKED:
                for x, y in series.known():
                    told = f"{series.name}: {self.y.unit.text(y)} at {self.x.unit.text(x)}"
                    yield _mark(number, self.px(x), self.py(y), told)

    def _runs(self, series: Series) -> list[list[tuple[float, float]]]:
        """What is drawn without interruption, as places."""
        runs: list[list[tuple[float, float]]] = [[]]
        before: float | None = None
        for x, y in series.points:
            if series.look == "steps" and before is not None:
                runs[-1].append((self.px(x), self.py(before)))
            before = y if y is not None and math.isfinite(y) else None
            if before is None:
                runs.append([])
            else:
                runs[-1].append((self.px(x), self.py(before)))
        if series.look == "steps" and runs[-1]:
            runs[-1].pop()
        return [run for run in runs if run]


def _path(run: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in run)


def _stroke(number: int, d: str) -> str:
    dash = DASHES[number // COLOURS % len(DASHES)] or None
    return element("path", class_=f"plot-line plot-c{number % COLOURS}", stroke_dasharray=dash, d=d)


def _mark(number: int, x: float, y: float, told: str) -> str:
    """Circle, square, diamond, triangle, and so on; pointed at, it tells its values."""
    shapes = (
        f"M{x - 4:.1f} {y:.1f}a4 4 0 1 0 8 0a4 4 0 1 0-8 0Z",
        f"M{x - 3.5:.1f} {y - 3.5:.1f}h7v7h-7Z",
        f"M{x:.1f} {y - 5:.1f}l5 5l-5 5l-5-5Z",
        f"M{x:.1f} {y - 5:.1f}l4.7 8.5h-9.4Z",
        f"M{x:.1f} {y + 5:.1f}l4.7-8.5h-9.4Z",
        f"M{x - 4.5:.1f} {y - 1.5:.1f}h3v-3h3v3h3v3h-3v3h-3v-3h-3Z",
    )
    content = text("title", told) if told else ""
    d = shapes[number % len(shapes)]
    return element("path", content, class_=f"plot-mark plot-f{number % COLOURS}", d=d)


def _legend_rows(names: Sequence[str]) -> list[list[tuple[int, float, str]]]:
    """Rows of (number of the series, where its entry begins, its name); none for a single series."""
    rows: list[list[tuple[int, float, str]]] = []
    left = WIDTH
    for number, name in enumerate(names if len(names) > 1 else ()):
        shown = _shortened(name, 44)
        wide = SWATCH + len(shown) * CHARACTER + GAP
        if left + wide > WIDTH:
            rows.append([])
            left = 12.0
        rows[-1].append((number, left, shown))
        left += wide
    return rows


def _wrapped(title: str, most: int) -> list[str]:
    """A title in lines, two at most."""
    if len(title) <= most:
        return [title]
    cut = title.rfind(" ", 0, most)
    cut = cut if cut > 0 else most
    return [title[:cut], _shortened(title[cut:].strip(), most)]


def _shortened(name: str, most: int) -> str:
    return name if len(name) <= most else name[: most - 1] + "…"
