"""What a run counts while it goes."""

import time
from typing import Final

from amq.perf.histogram import LONGEST, Histogram
from amq.perf.incoming import NO_STAMP
from amq.perf.result import COUNTS, Interval, thinned, together


class Meter:
    """Counts since the last interval and since the start. Times are time.monotonic_ns()."""

    def __init__(self) -> None:
        self.began: int = time.monotonic_ns()
        self.published: int = 0
        self.confirmed: int = 0
        self.nacked: int = 0
        self.returned: int = 0
        self.consumed: int = 0
        self.acked: int = 0
        self.unexpected: int = 0
        self.blocked: bool = False
        self.last_published: int = self.began
        self.last_consumed: int = self.began
        self.totals: Final[dict[str, int]] = dict.fromkeys(COUNTS, 0)
        self.consumer_latency: Final = Histogram()
        self.confirm_latency: Final = Histogram()
        self.intervals: list[Interval] = []
        self._consumer: Histogram = Histogram()
        self._confirm: Histogram = Histogram()
        self._cut: int = self.began

    def start(self) -> None:
        """Time and counts begin here."""
        for name in COUNTS:
            setattr(self, name, 0)
        self._consumer, self._confirm = Histogram(), Histogram()
        self.began = self._cut = self.last_published = self.last_consumed = time.monotonic_ns()

    def total(self, name: str) -> int:
        """Since the start; `name` is one of COUNTS."""
        count: int = getattr(self, name)
        return self.totals[name] + count

    def publish(self, count: int, now: int) -> None:
        """Published, the last of them now."""
        self.published += count
        self.last_published = now

    def settle(self, found: list[tuple[int, int]], now: int, refused: bool) -> None:
        """Confirmed or refused now: (stamp, how many)."""
        self.last_published = now
        for stamp, count in found:
            if refused:
                self.nacked += count
            else:
                self.confirmed += count
                self._confirm.add((now - stamp) // 1000, count)

    def consume(self, stamps: dict[int, int], now: int) -> None:
        """Consumed now: how many by their stamp."""
        for stamp, count in stamps.items():
            self.consumed += count
            waited = (now - stamp) // 1000
            if stamp == NO_STAMP or not 0 <= waited <= LONGEST:
                self.unexpected += count
            else:
                self._consumer.add(waited, count)
        self.last_consumed = now

    def cut(self, blocked: bool) -> Interval:
        """End the interval: what happened in it."""
        interval = self._cut_now(blocked)
        self.intervals = thinned([*self.intervals, interval])
        return interval

    def end(self, blocked: bool, shortest: float) -> Interval | None:
        """End the last interval. One shorter than `shortest` (seconds) counts with the one before: None."""
        interval = self._cut_now(blocked)
        if interval.seconds < shortest and self.intervals:
            self.intervals[-1] = together(self.intervals[-1], interval)
            return None
        self.intervals.append(interval)
        return interval

    def _cut_now(self, blocked: bool) -> Interval:
        now = time.monotonic_ns()
        interval = Interval(
            at=(now - self.began) / 1e9,
            seconds=(now - self._cut) / 1e9,
            blocked=blocked or self.blocked,
            **{name: getattr(self, name) for name in COUNTS},
            consumer_latency=self._consumer,
            confirm_latency=self._confirm,
        )
        for name in COUNTS:
            self.totals[name] += getattr(self, name)
            setattr(self, name, 0)
        self.blocked = blocked
        self.consumer_latency.merge(self._consumer)
        self.confirm_latency.merge(self._confirm)
        self._consumer, self._confirm = Histogram(), Histogram()
        self._cut = now
        return interval
