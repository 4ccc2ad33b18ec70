"""A run as plain lines, one per interval, as PerfTest writes them; and what stands at the end."""

from collections.abc import Callable, Iterator

from amq.perf.histogram import Histogram
from amq.perf.load import Load
from amq.perf.result import Interval, Result
from amq.perf.watcher import Watcher

# Shown of the latencies.
SHOWN = (("median", 0.5), ("75th", 0.75), ("95th", 0.95), ("99th", 0.99))


class Lines(Watcher):
    """Gives each line to `say`; with `quiet` only what is wrong and the summary."""

    def __init__(self, say: Callable[[str], None], quiet: bool = False) -> None:
        self._say = say
        self._quiet = quiet
        self._load = Load()

    def starts(self, load: Load, product: str, version: str) -> None:
        """Who is loaded."""
        self._load = load
        if not self._quiet:
            where = ", ".join(dict.fromkeys(each.shown for each in load.addresses))
            self._say(f"id: {load.id}, {product} {version} at {where}".replace("  ", " "))

    def interval(self, interval: Interval) -> None:
        """One line."""
        if not self._quiet:
            self._say(f"id: {self._load.id}, time: {interval.at:.3f}s, {', '.join(_rates(self._load, interval))}")

    def notes(self, text: str) -> None:
        """One line."""
        self._say(f"id: {self._load.id}, {text}")

    def ends(self, result: Result) -> None:
        """The averages."""
        for line in summary(result):
            self._say(f"id: {result.load.id}, {line}")


def summary(result: Result) -> Iterator[str]:
    """What a whole run has shown."""
    load = result.load
    for name, text in (("published", "sending"), ("consumed", "receiving")):
        if getattr(load, "producers" if name == "published" else "consumers"):
            yield f"{text} rate avg: {result.rate(name):.0f} msg/s ({getattr(result, name)} messages)"
    for name in ("confirmed", "nacked", "returned", "acked"):
        count = getattr(result, name)
        if count:
            yield f"{name}: {count} messages"
    if result.unexpected:
        yield f"received and not published by a load tool: {result.unexpected} messages, left out of the latencies"
    for name, histogram in (("consumer", result.consumer_latency), ("confirm", result.confirm_latency)):
        if histogram.count:
            yield f"{name} latency min/median/75th/95th/99th/max {_latencies(histogram)}/{histogram.max} µs"


def _rates(load: Load, interval: Interval) -> Iterator[str]:
    if load.producers:
        yield f"sent: {interval.rate('published'):.0f} msg/s"
    if load.mandatory:
        yield f"returned: {interval.rate('returned'):.0f} msg/s"
    if load.confirm:
        yield f"confirmed: {interval.rate('confirmed'):.0f} msg/s"
        yield f"nacked: {interval.rate('nacked'):.0f} msg/s"
    if load.consumers:
        yield f"received: {interval.rate('consumed'):.0f} msg/s"
    if interval.blocked:
        yield "blocked"
    names = "/".join(["min", *(name for name, _ in SHOWN)])
    for name, histogram in (("consumer", interval.consumer_latency), ("confirm", interval.confirm_latency)):
        if histogram.count:
            yield f"{names} {name} latency: {_latencies(histogram)} µs"


def _latencies(histogram: Histogram) -> str:
    return "/".join([str(histogram.min), *(str(histogram.percentile(share)) for _, share in SHOWN)])
