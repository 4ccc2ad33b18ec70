"""Runs of a load as tables of HTML: what was moved, how long it took, what was asked for, what went wrong."""

import json
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import attrs

from amq.perf.charts import LATENCIES, Runs, histogram
from amq.perf.histogram import Histogram
from amq.perf.load import Address, Load, Phase
from amq.perf.markup import element, text
from amq.perf.result import COUNTS, PERCENTILES, Result
from amq.perf.units import COUNT, SECONDS

LONGEST: Final = 120  # characters of what a broker says of itself

Cells = Sequence[str]


def table(heads: Cells, rows: Sequence[Cells], caption: str) -> str:
    """A table of texts; the first cell of a row is its head."""
    head = element("tr", "".join(text("th", name, scope="col") for name in heads))
    body = "".join(
        element("tr", text("th", row[0], scope="row") + "".join(text("td", cell) for cell in row[1:])) for row in rows
    )
    inner = text("caption", caption) + element("thead", head) + element("tbody", body)
    return element("div", element("table", inner), class_="wide", role="region", tabindex="0", aria_label=caption)


def broker(result: Result) -> str:
    """The broker's name and version."""
    named = f"{result.product} {result.version}".strip() or "a broker without a name"
    return named if len(named) <= LONGEST else named[: LONGEST - 1] + "…"


def summary(runs: Runs) -> str:
    """Who was measured, when, and how much it moved."""
    counts = [name for name in COUNTS if any(getattr(result, name) for _, result in runs)]
    rows: list[Cells] = [
        ["broker", *(broker(result) for _, result in runs)],
        ["started", *(_moment(result.started) for _, result in runs)],
        ["lasted", *(SECONDS.text(result.seconds) for _, result in runs)],
    ]
    for name in counts:
        rates = [result.rate(name) for _, result in runs]
        rows.append([f"{name}, messages/s", *(_rate(rate, rates[0], len(runs)) for rate in rates)])
    rows += [[name, *(f"{getattr(result, name):,}" for _, result in runs)] for name in counts]
    for name, told in _ODD.items():
        if any(told(result) for _, result in runs):
            rows.append([name, *(told(result) or "-" for _, result in runs)])
    return table(["", *(name for name, _ in runs)], rows, "What was moved")


def _rate(rate: float, first: float, runs: int) -> str:
    shown = COUNT.text(rate)
    return shown if runs == 1 or not first else f"{shown} ({rate / first:.2f} ×)"


def _blocked(result: Result) -> str:
    seconds = sum(each.seconds for each in result.intervals if each.blocked)
    return SECONDS.text(seconds) if seconds else ""


_ODD: Final[dict[str, Callable[[Result], str]]] = {
    "held up by the broker (blocked)": _blocked,
    "consumed without being of this load": lambda result: f"{result.unexpected:,}" if result.unexpected else "",
    "errors": lambda result: f"{len(result.errors):,}" if result.errors else "",
}


def latencies(runs: Runs) -> str:
    """The percentiles of each latency and run."""
    made = []
    for which, title in LATENCIES.items():
        having = [(name, histogram(result, which)) for name, result in runs if histogram(result, which).count]
        if having:
            columns = [_times(counted) for _, counted in having]
            rows = list(zip(_TIMES, *columns, strict=True))
            made.append(table(["", *(name for name, _ in having)], rows, title))
    return "".join(made)


_TIMES: Final = ("least", "mean", *(name.replace("p999", "p99.9") for name in PERCENTILES), "most")


def _times(counted: Histogram) -> Cells:
    times = (counted.min, counted.mean, *map(counted.percentile, PERCENTILES.values()), counted.max)
    return [SECONDS.text(us / 1e6) for us in times]


def errors(runs: Runs) -> str:
    """What went wrong; nothing where nothing did."""
    items = [text("li", f"{name}: {error}") for name, result in runs for error in result.errors]
    return element("h2", "What went wrong") + element("ul", "".join(items)) if items else ""


def options(runs: Runs) -> str:
    """What was asked for: what differs from the defaults or between the runs, and folded away the rest."""
    default = _shown(Load())
    asked = [_shown(result.load) for _, result in runs]
    notable = [name for name in default if any(each[name] != default[name] for each in asked)]
    heads = ["", *(name for name, _ in runs)]
    rest = [name for name in default if name not in notable]

    def rows(names: list[str]) -> list[Cells]:
        return [[name.replace("_", " "), *(each[name] for each in asked)] for name in names]

    made = table(heads, rows(notable), "What was asked for") if notable else ""
    folded = element("summary", "Everything that was left at its default")
    return made + element("details", folded + table(heads, rows(rest), "Defaults"))


def _shown(load: Load) -> dict[str, str]:
    return {field.name: _value(getattr(load, field.name)) for field in attrs.fields(Load)}


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value in ((), {}, ""):
        return "-"
    if isinstance(value, Address):
        return value.shown
    if isinstance(value, Phase):
        return f"{_value(value.value)} for {SECONDS.text(value.seconds)}"
    if isinstance(value, tuple):
        more = f" and {len(value) - 10:,} more" if len(value) > 10 else ""
        return ", ".join(_value(each) for each in value[:10]) + more
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return f"{value:,.10g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(float(seconds)))
