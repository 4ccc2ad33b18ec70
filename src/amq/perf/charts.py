"""Runs of a load as charts: rates and latencies over time, how latencies are spread, percentiles.

One run has its kinds of figures together in a chart; of several runs each chart shows one kind, beside each other.
"""

import math
from collections.abc import Callable, Sequence
from typing import Final

from amq.perf.histogram import Histogram
from amq.perf.plot import Chart, Point, Series
from amq.perf.result import Interval, Result
from amq.perf.scale import Axis
from amq.perf.units import COUNT, PERCENT, PERCENTILE, SECONDS

BARS: Final = 12  # of a histogram, per power of ten
RATES: Final = ("published", "confirmed", "consumed")
OVER_TIME: Final = {"median": 0.5, "p75": 0.75, "p95": 0.95, "p99": 0.99, "p99.9": 0.999}
COMPARED: Final = ("median", "p99")
MOST_POINTS: Final = 400  # of a line: more cannot be seen
LATENCIES: Final = {
    "consumer_latency": "Latency from publishing to consuming",
    "confirm_latency": "Latency from publishing to the confirmation",
}

Runs = Sequence[tuple[str, Result]]


def charts(runs: Runs) -> list[Chart]:
    """Everything that there are figures for; each run has its name."""
    made = _rates(runs)
    for which, title in LATENCIES.items():
        having = [(name, result) for name, result in runs if histogram(result, which).count]
        if having:
            made += [
                *_over_time(having, which, title),
                _spread(having, which, title),
                _percentiles(having, which, title),
            ]
    return made


def histogram(shown: Result | Interval, which: str) -> Histogram:
    """One of LATENCIES of a run or an interval."""
    return shown.consumer_latency if which == "consumer_latency" else shown.confirm_latency


# -- over time --


def _rates(runs: Runs) -> list[Chart]:
    kinds = [kind for kind in RATES if any(getattr(result, kind) for _, result in runs)]
    if len(runs) == 1:
        series = [_rate(kind, runs[0][1], kind) for kind in kinds]
        return [_timeline("Rates over time", "messages/s", series)] if series else []
    return [
        _timeline(
            f"{kind.capitalize()} over time",
            "messages/s",
            [_rate(name, result, kind) for name, result in runs if getattr(result, kind)],
        )
        for kind in kinds
    ]


def _rate(name: str, result: Result, kind: str) -> Series:
    return Series(name, _timed(result, lambda each: each.rate(kind)))


def _over_time(runs: Runs, which: str, title: str) -> list[Chart]:
    def series(name: str, result: Result, percentile: str) -> Series:
        share = OVER_TIME[percentile]
        return Series(name, _timed(result, lambda each: _seconds(histogram(each, which), share)))

    if len(runs) == 1:
        lines = [series(percentile, runs[0][1], percentile) for percentile in OVER_TIME]
        return [_timeline(f"{title}, over time", "latency", lines, latency=True)]
    return [
        _timeline(
            f"{title}: {percentile} over time",
            "latency",
            [series(name, result, percentile) for name, result in runs],
            latency=True,
        )
        for percentile in COMPARED
    ]


def _timeline(title: str, label: str, series: list[Series], latency: bool = False) -> Chart:
    y = Axis(label, SECONDS, log=True) if latency else Axis(label, COUNT)
    return Chart(title, Axis("time since the start", SECONDS), y, series, tight=True)


def _timed(result: Result, value: Callable[[Interval], float | None]) -> list[Point]:
    """A point per interval, at its end; none where there are too many of them for the eye."""
    every = math.ceil(len(result.intervals) / MOST_POINTS)
    return [(each.at, value(each)) for each in result.intervals[:: every or 1]]


def _seconds(counted: Histogram, share: float) -> float | None:
    return counted.percentile(share) / 1e6 if counted.count else None


# -- of the whole --


def _spread(runs: Runs, which: str, title: str) -> Chart:
    series = [Series(name, bars(histogram(result, which)), "steps") for name, result in runs]
    return Chart(
        f"{title}: how often",
        Axis("latency", SECONDS, log=True),
        Axis("of all messages", PERCENT),
        series,
        tight=True,
        note=f"Each power of ten is cut into {BARS} steps.",
    )


def bars(counted: Histogram) -> list[Point]:
    """(where a bar begins in seconds, its part of all in percent), and the end of the last bar."""
    counts: dict[int, int] = {}
    for edge, count in counted.buckets():
        bar = math.floor(math.log10(max(edge, 1)) * BARS + 1e-9)
        counts[bar] = counts.get(bar, 0) + count
    first, last = min(counts), max(counts)
    made: list[Point] = [
        (_bar_begin(bar), 100 * counts.get(bar, 0) / counted.count) for bar in range(first - 1, last + 2)
    ]
    return [*made, (_bar_begin(last + 2), 0.0)]


def _bar_begin(bar: int) -> float:
    return float(10 ** (bar / BARS - 6))


def _percentiles(runs: Runs, which: str, title: str) -> Chart:
    return Chart(
        f"{title}: percentiles",
        Axis("percentile", PERCENTILE, log=True),
        Axis("latency", SECONDS, log=True),
        [Series(name, _thinned(percentile_points(histogram(result, which)))) for name, result in runs],
        tight=True,
    )


def percentile_points(counted: Histogram) -> list[Point]:
    """(1 / the part of all that took longer, latency in seconds); the slowest of all counts as one of them."""
    made: list[Point] = []
    seen = 0
    for edge, count in counted.buckets():
        made.append((counted.count / (counted.count - seen), min(edge, counted.max) / 1e6))
        seen += count
    return [*made, (float(counted.count), counted.max / 1e6)]


def _thinned(points: list[Point]) -> list[Point]:
    every = math.ceil(len(points) / MOST_POINTS)
    return [*points[:-1:every], points[-1]]
