"""A run as a view that stays in place on a terminal, with rich: rates, latencies, totals, what was noticed."""

from collections import deque
from typing import Final

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from amq.perf.histogram import Histogram
from amq.perf.load import Load
from amq.perf.result import COUNTS, PERCENTILES, Interval, Result
from amq.perf.units import COUNT, SECONDS
from amq.perf.watcher import Watcher

BLOCKS: Final = " ▁▂▃▄▅▆▇█"
SPARKS: Final = 32  # intervals in a line
NOTES: Final = 5  # the last ones
ALWAYS: Final = ("published", "consumed")


class LiveView(Watcher):
    """Drawn anew after each interval; `close` gives the terminal back."""

    def __init__(self, console: Console) -> None:
        self._live: Final = Live(console=console, auto_refresh=False)
        self._load = Load()
        self._heading = ""
        self._recent: Final[deque[Interval]] = deque(maxlen=SPARKS)
        self._notes: Final[deque[str]] = deque(maxlen=NOTES)
        self._totals: Final = dict.fromkeys(COUNTS, 0)
        self._consumer_latency: Final = Histogram()
        self._confirm_latency: Final = Histogram()

    def starts(self, load: Load, product: str, version: str) -> None:
        """The view appears."""
        self._load = load
        where = ", ".join(dict.fromkeys(each.shown for each in load.addresses))
        self._heading = printable(f"{load.id}: {product} {version} at {where}")
        self._live.start()
        self._draw()

    def interval(self, interval: Interval) -> None:
        """The view is drawn anew."""
        self._recent.append(interval)
        for name in COUNTS:
            self._totals[name] += getattr(interval, name)
        self._consumer_latency.merge(interval.consumer_latency)
        self._confirm_latency.merge(interval.confirm_latency)
        self._draw()

    def notes(self, text: str) -> None:
        """It is among the notes under the view."""
        self._notes.append(printable(text))
        self._draw()

    def ends(self, result: Result) -> None:
        """What the whole run has shown stays on the terminal."""
        time = Text(f"ended after {SECONDS.text(result.seconds)}")
        tables = self._rates(result), self._latencies(result)
        self._live.update(Group(Text(self._heading, style="bold"), time, *tables, *self._said()), refresh=True)
        self.close()

    def close(self) -> None:
        """Whatever happened: the cursor is shown again."""
        self._live.stop()

    # -- the view --

    def _draw(self) -> None:
        parts: list[RenderableType] = [
            Text(self._heading, style="bold"),
            self._time(),
            self._rates(None),
            self._latencies(None),
            *self._said(),
        ]
        self._live.update(Group(*parts), refresh=self._live.is_started)

    def _time(self) -> Text:
        elapsed = self._recent[-1].at if self._recent else 0.0
        shown = Text(f"{SECONDS.text(round(elapsed, 1))} elapsed")
        left = self._left(elapsed)
        if left is not None:
            shown.append(f", {SECONDS.text(round(max(0.0, left), 1))} left")
        if self._recent and self._recent[-1].blocked:
            shown.append("   blocked by the broker", style="bold red")
        return shown

    def _left(self, elapsed: float) -> float | None:
        """Seconds, as far as the load knows them or the rates let them be guessed."""
        load = self._load
        if load.seconds is not None:
            return load.seconds - elapsed
        published = self._totals["published"]
        if not load.producer_messages or not published:
            return None
        wanted = load.producer_messages * load.producers * load.producer_channels
        return elapsed * (wanted / published - 1)

    def _rates(self, result: Result | None) -> Table:
        """With a result its averages, else those up to now."""
        table = _table("", "now/s", "average/s", "total", "over time")
        table.columns[-1].justify = "left"
        elapsed = self._recent[-1].at if self._recent else 0.0
        for name in COUNTS:
            total = getattr(result, name) if result else self._totals[name]
            if not total and name not in ALWAYS:
                continue
            average = result.rate(name) if result else total / elapsed if elapsed else 0.0
            rates = [each.rate(name) for each in self._recent]
            now = COUNT.text(rates[-1]) if rates and not result else ""
            table.add_row(name, now, COUNT.text(average), f"{total:,}", sparkline(rates))
        return table

    def _latencies(self, result: Result | None) -> Table:
        table = _table("latency", *(name.replace("p999", "p99.9") for name in PERCENTILES), "max")
        for name, which in (("to consumer", "consumer_latency"), ("to confirm", "confirm_latency")):
            whole: Histogram = getattr(result, which) if result else getattr(self, f"_{which}")
            if not result and self._recent:
                now: Histogram = getattr(self._recent[-1], which)
                if now.count:
                    table.add_row(f"{name}, now", *_times(now))
            if whole.count:
                table.add_row(f"{name}, in all", *_times(whole))
        return table

    def _said(self) -> list[Text]:
        return [Text(note, style="yellow") for note in self._notes]


def sparkline(values: list[float]) -> str:
    """A line of blocks, the highest for the highest value."""
    top = max(values, default=0.0)
    if top <= 0:
        return " " * len(values)
    return "".join(BLOCKS[min(len(BLOCKS) - 1, round(value / top * (len(BLOCKS) - 1)))] for value in values)


def printable(text: str) -> str:
    """What others wrote, without what a terminal would obey."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)


def _table(*heads: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for number, head in enumerate(heads):
        table.add_column(head, justify="right" if number else "left", no_wrap=True)
    return table


def _times(counted: Histogram) -> list[str]:
    return [SECONDS.text(us / 1e6) for us in (*map(counted.percentile, PERCENTILES.values()), counted.max)]
