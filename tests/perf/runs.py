"""Results of loads that nobody ran, for the tests of their presentation."""

from typing import Any

from amq.perf.histogram import Histogram
from amq.perf.load import Load
from amq.perf.result import Interval, Result


def histogram(*latencies: int) -> Histogram:
    """Of messages that took so many microseconds."""
    made = Histogram()
    for us in latencies:
        made.add(us)
    return made


def interval(at: float, published: int = 100, consumed: int = 90, **more: Any) -> Interval:
    """One second of a run."""
    return Interval(at=at, seconds=1.0, published=published, consumed=consumed, **more)


def result(load: Load | None = None, **more: Any) -> Result:
    """A run of 3 seconds with 300 messages published and 270 consumed, in which some took a second."""
    facts: dict[str, Any] = {
        "product": "RabbitMQ",
        "version": "3.10.8",
        "started": 1.79e9,
        "seconds": 3.0,
        "publishing_seconds": 3.0,
        "consuming_seconds": 3.0,
        "published": 300,
        "consumed": 270,
        "consumer_latency": histogram(*range(100, 1000), 1_000_000),
        "intervals": tuple(
            interval(at, consumer_latency=histogram(100, 200, 300), blocked=at == 2) for at in (1.0, 2.0, 3.0)
        ),
    }
    return Result(load=load or Load(), **{**facts, **more})
