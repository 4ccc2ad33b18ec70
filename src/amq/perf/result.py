"""What a run has shown: counts and latencies per interval and of the whole; as JSON, and from it again.

docs/how-to/load-test.md describes the document; units are in the names.
"""

from collections.abc import Iterable
from typing import Any, Final

import attrs

from amq.perf.histogram import Histogram
from amq.perf.load import Load, Phase, address

SCHEMA: Final = 1
# What is counted, in the order of a message's way.
COUNTS: Final = ("published", "confirmed", "nacked", "returned", "consumed", "acked")
PERCENTILES: Final = {"p50": 0.5, "p75": 0.75, "p95": 0.95, "p99": 0.99, "p999": 0.999}
# More intervals than that are put together in pairs, so that a run of days needs no more memory than one of an hour.
MOST_INTERVALS: Final = 2000


class ResultError(ValueError):
    """A document that is no result of `amq perf`."""


@attrs.frozen(kw_only=True)
class Interval:
    """What happened in one interval: counts of it alone, not since the start."""

    at: float  # its end, in seconds since the start
    seconds: float  # its length
    published: int = 0
    confirmed: int = 0  # published and taken by the broker (basic.ack)
    nacked: int = 0  # published and refused by the broker (basic.nack)
    returned: int = 0  # published, mandatory, and no queue took it
    consumed: int = 0
    acked: int = 0  # consumed and acknowledged, or rejected with --nack
    blocked: bool = False  # whether a broker said connection.blocked, at least for a part of it
    consumer_latency: Histogram = attrs.Factory(Histogram)  # from publishing to consuming
    confirm_latency: Histogram = attrs.Factory(Histogram)  # from publishing to the broker's confirmation

    def rate(self, name: str) -> float:
        """How many per second; `name` is one of COUNTS."""
        count: int = getattr(self, name)
        return count / self.seconds if self.seconds > 0 else 0.0

    def document(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "at_seconds": round(self.at, 6),
            "seconds": round(self.seconds, 6),
            "blocked": self.blocked,
            **{f"{name}_messages": getattr(self, name) for name in COUNTS},
            **{f"{name}_messages_per_second": round(self.rate(name), 3) for name in COUNTS},
            "consumer_latency": _latency(self.consumer_latency),
            "confirm_latency": _latency(self.confirm_latency),
        }


@attrs.frozen(kw_only=True)
class Result:
    """A whole run. `started` is in seconds since 1970, `seconds` from the first message to the end.

    `publishing_seconds` and `consuming_seconds` go until the last message that was published and consumed: what the
    rates are taken over.
    """

    load: Load
    product: str  # as the broker names itself in its server properties
    version: str
    started: float
    seconds: float
    publishing_seconds: float
    consuming_seconds: float
    published: int = 0
    confirmed: int = 0
    nacked: int = 0
    returned: int = 0
    consumed: int = 0
    acked: int = 0
    unexpected: int = 0  # consumed, but published by something else: they have no stamp to be measured by
    consumer_latency: Histogram = attrs.Factory(Histogram)
    confirm_latency: Histogram = attrs.Factory(Histogram)
    intervals: tuple[Interval, ...] = ()
    errors: tuple[str, ...] = ()

    def rate(self, name: str) -> float:
        """How many per second, on average; `name` is one of COUNTS."""
        seconds = self.consuming_seconds if name in {"consumed", "acked"} else self.publishing_seconds
        count: int = getattr(self, name)
        return count / seconds if seconds > 0 else 0.0

    def document(self) -> dict[str, Any]:
        """As JSON has it; no password is in it."""
        return {
            "schema": SCHEMA,
            "load": _load(self.load),
            "broker": {"product": self.product, "version": self.version},
            "started_unix_seconds": round(self.started, 3),
            "seconds": round(self.seconds, 6),
            "publishing_seconds": round(self.publishing_seconds, 6),
            "consuming_seconds": round(self.consuming_seconds, 6),
            **{f"{name}_messages": getattr(self, name) for name in COUNTS},
            "unexpected_messages": self.unexpected,
            **{f"{name}_messages_per_second": round(self.rate(name), 3) for name in COUNTS},
            "consumer_latency": _latency(self.consumer_latency),
            "confirm_latency": _latency(self.confirm_latency),
            "intervals": [interval.document() for interval in self.intervals],
            "errors": list(self.errors),
        }

    @classmethod
    def from_document(cls, document: Any) -> "Result":
        """The result again. Raises ResultError for what is no such document."""
        schema = document.get("schema") if isinstance(document, dict) else None
        if schema != SCHEMA:
            raise ResultError(f"no result of amq perf with schema {SCHEMA}: {schema!r}")
        try:
            return cls(
                load=_to_load(document["load"]),
                **document["broker"],
                started=document["started_unix_seconds"],
                **{name: document[name] for name in ("seconds", "publishing_seconds", "consuming_seconds")},
                **_counts(document),
                unexpected=document["unexpected_messages"],
                intervals=tuple(_to_interval(each) for each in document["intervals"]),
                errors=tuple(document["errors"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ResultError(f"no result of amq perf: {error!r}") from None


def thinned(intervals: list[Interval]) -> list[Interval]:
    """The same as long as there are not too many; else neighbours put together in pairs, nothing lost but detail."""
    if len(intervals) < MOST_INTERVALS:
        return intervals
    pairs = zip(intervals[::2], intervals[1::2], strict=False)
    odd = intervals[-1:] if len(intervals) % 2 else []
    return [together(first, second) for first, second in pairs] + odd


def together(first: Interval, second: Interval) -> Interval:
    """Two intervals in a row as one."""
    return Interval(
        at=second.at,
        seconds=first.seconds + second.seconds,
        blocked=first.blocked or second.blocked,
        **{name: getattr(first, name) + getattr(second, name) for name in COUNTS},
        consumer_latency=_merged((first.consumer_latency, second.consumer_latency)),
        confirm_latency=_merged((first.confirm_latency, second.confirm_latency)),
    )


def _merged(histograms: Iterable[Histogram]) -> Histogram:
    made = Histogram()
    for each in histograms:
        made.merge(each)
    return made


# -- the document --


def _latency(histogram: Histogram) -> dict[str, Any]:
    return {
        "messages": histogram.count,
        "min_us": histogram.min,
        "mean_us": round(histogram.mean, 3),
        **{f"{name}_us": histogram.percentile(share) for name, share in PERCENTILES.items()},
        "max_us": histogram.max,
        "sum_us": histogram.total,
        "buckets_us_messages": [list(pair) for pair in histogram.buckets()],
    }


def _load(load: Load) -> dict[str, Any]:
    document = attrs.asdict(load)
    document["addresses"] = [each.shown for each in load.addresses]
    return document


def _to_load(document: dict[str, Any]) -> Load:
    given = dict(document)
    given["addresses"] = tuple(address(each) for each in document["addresses"])
    given["queues"] = tuple(document["queues"])
    for name in ("sizes", "rates", "consumer_latencies_us"):
        given[name] = tuple(Phase(**each) for each in document[name])
    return Load(**given)


def _to_interval(document: dict[str, Any]) -> Interval:
    return Interval(
        at=document["at_seconds"], seconds=document["seconds"], blocked=document["blocked"], **_counts(document)
    )


def _counts(document: dict[str, Any]) -> dict[str, Any]:
    return {
        **{name: document[f"{name}_messages"] for name in COUNTS},
        **{name: _histogram(document[name]) for name in ("consumer_latency", "confirm_latency")},
    }


def _histogram(document: dict[str, Any]) -> Histogram:
    pairs = [(edge, count) for edge, count in document["buckets_us_messages"]]
    return Histogram.of(pairs, document["min_us"], document["max_us"], document["sum_us"])
