"""The cost curves: for each what grows, to which sizes, and how one broker is measured at each of them.

A measurement yields points: dicts with "x" and any of the QUANTITIES.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import curve_load
from broker_process import Broker
from curve_load import Flow
from curve_memory import forget_peak, peak, settled
from raw_client import Client, client

KIB: Final = 1 << 10
MIB: Final = 1 << 20
AT_ONCE: Final = 100  # connections that log in together
WARM_UP: Final = 20_000  # messages before the first that count
# The better of two rounds counts (a machine's other work makes it slower, nothing makes it faster). One that takes
# longer than LONG seconds is not repeated, one that takes less than ENOUGH with more messages.
LONG: Final = 2.0
ENOUGH: Final = 1.0
MOST_TIMES: Final = 8.0
SET_UPS: Final = 3  # connections that make the same, one after the other
LEAST_DRAINED: Final = 50_000  # messages, whose way out of the queue takes long enough to be measured

Point = dict[str, float]


@dataclass(frozen=True)
class Extent:
    """How far to go: of each curve the points up to `most` times their full extent, with `count` messages each."""

    count: int
    share: float

    def points(self, *full: int) -> list[int]:
        """Those that are to be measured, two at least."""
        few = [value for value in full if value <= full[-1] * self.share]
        return few if len(few) >= 2 else list(full[:2])


@dataclass(frozen=True)
class Kind:
    """A curve: what grows, in which unit, and how it is measured."""

    title: str
    label: str
    octets: bool
    measure: Callable[[Broker, Extent], Iterator[Point]]
    note: str


def rate(port: int, flow: Flow) -> float:
    """Messages per second through connections of their own."""
    first = _once(port, flow)
    seconds = flow.count / first
    if seconds > LONG:
        return first
    return max(first, _once(port, replace(flow, count=int(flow.count * max(1.0, min(MOST_TIMES, ENOUGH / seconds))))))


def _once(port: int, flow: Flow) -> float:
    with client(port) as publisher, client(port) as consumer:
        curve_load.declare(consumer, flow.queue)
        if flow.channels > 1:
            curve_load.open_channels(publisher, 2, flow.channels)
        curve_load.consume(consumer, flow)
        return curve_load.move(publisher, consumer, flow)


def _warm(port: int, extent: Extent) -> None:
    _once(port, Flow("q", min(WARM_UP, extent.count)))


def sizes(broker: Broker, extent: Extent) -> Iterator[Point]:
    """One queue, messages of growing size."""
    _warm(broker.port, extent)
    octets = extent.count * 2 * KIB
    for size in extent.points(*_SIZES):
        forget_peak(broker)
        flow = Flow("q", max(8, min(extent.count, octets // max(size, 1))), size)
        moved = rate(broker.port, flow)
        point = {"x": size, "rate": moved, "memory": peak(broker)}
        yield {**point, "octets_rate": moved * size} if size else point


_SIZES: Final = (0, 16, 64, 256, KIB, 4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB, 4 * MIB, 16 * MIB, 64 * MIB)


def backlog(broker: Broker, extent: Extent) -> Iterator[Point]:
    """One queue that fills up to each mark; of a longer one a part is drained then, and acknowledged."""
    with client(broker.port) as publisher:
        for mark in extent.points(1000, 10_000, 100_000, 1_000_000, 5_000_000):
            lacking = mark - curve_load.declare(publisher, "long")
            seconds = curve_load.fill(publisher, Flow("long", lacking, 100))
            point = {"x": mark, "rate": lacking / seconds, "memory": settled(broker)}
            part = min(mark // 2, extent.count)
            # What is less was on its way before it was asked for.
            if part >= LEAST_DRAINED:
                point["drained"] = _drained(broker.port, Flow("long", part, 100, prefetch=1000))
            yield point


def _drained(port: int, flow: Flow) -> float:
    """Messages per second; those that are on their way at the end go back into the queue."""
    with client(port) as consumer:
        began = time.perf_counter()
        curve_load.consume(consumer, flow)
        return flow.count / (curve_load.receive(consumer, flow) - began)


def bindings(broker: Broker, extent: Extent) -> Iterator[Point]:
    """A topic exchange with so many bindings of one queue; published are keys of 1,000 of them."""
    _warm(broker.port, extent)
    before = 0
    with client(broker.port) as control:
        curve_load.declare_exchange(control, "topics", "topic")
        curve_load.declare(control, "bound")
        for mark in extent.points(1, 10, 100, 1000, 10_000, 100_000):
            keys = [f"key.{number:07}.*" for number in range(before, mark)]
            began = time.perf_counter()
            curve_load.bind(control, "bound", "topics", keys)
            seconds = time.perf_counter() - began
            some = [f"key.{number:07}.x" for number in range(0, mark, max(1, mark // 1000))]
            flow = Flow("bound", extent.count, exchange="topics", keys=some)
            yield _made(broker, mark, (mark - before) / seconds, rate(broker.port, flow))
            before = mark


def connections(broker: Broker, extent: Extent) -> Iterator[Point]:
    """So many connections with a channel each that are open and do nothing, beside a flow."""
    _warm(broker.port, extent)
    before = 0
    with ExitStack() as idle:
        for mark in extent.points(1, 10, 100, 1000, 10_000):
            began = time.perf_counter()
            for at in range(before, mark, AT_ONCE):
                for opened in curve_load.connect(broker.port, min(AT_ONCE, mark - at)):
                    idle.callback(opened.close)
            seconds = time.perf_counter() - began
            yield _made(broker, mark, (mark - before) / seconds, rate(broker.port, Flow("q", extent.count)))
            before = mark


def channels(broker: Broker, extent: Extent) -> Iterator[Point]:
    """A connection that publishes on so many channels in turn."""
    _warm(broker.port, extent)
    for mark in extent.points(1, 10, 100, 1000, 2000):
        seconds, memory = _set_up(broker, partial(curve_load.open_channels, first=2, last=mark + 1))
        moved = rate(broker.port, Flow("q", extent.count, channels=mark))
        yield {"x": mark, "rate": moved, "made": mark / seconds, "memory": memory}


def consumers(broker: Broker, extent: Extent) -> Iterator[Point]:
    """So many consumers of one queue on one channel, with a prefetch of 20 each."""
    _warm(broker.port, extent)
    for mark in extent.points(1, 10, 100, 1000, 10_000):
        flow = Flow("shared", extent.count, consumers=mark, prefetch=20)
        with client(broker.port) as control:
            curve_load.declare(control, flow.queue)
        seconds, memory = _set_up(broker, partial(curve_load.consume, flow=flow))
        yield {"x": mark, "rate": rate(broker.port, flow), "made": mark / seconds, "memory": memory}


def _set_up(broker: Broker, make: Callable[[Client], None]) -> tuple[float, int]:
    """Seconds until a new connection has made them, the least of some rounds, and memory while they are there."""
    taken: list[float] = []
    while True:
        with client(broker.port) as opened:
            began = time.perf_counter()
            make(opened)
            taken.append(time.perf_counter() - began)
            if len(taken) == SET_UPS or taken[-1] > LONG:
                return min(taken), settled(broker)


def _made(broker: Broker, mark: int, made: float, moved: float) -> Point:
    return {"x": mark, "rate": moved, "made": made, "memory": settled(broker)}


KINDS: Final = {
    "size": Kind("Message size", "size of a body", True, sizes, "Transient, one consumer without acknowledgements."),
    "backlog": Kind("Backlog", "messages in the queue", False, backlog, "Transient messages of 100 octets."),
    "bindings": Kind(
        "Bindings", "bindings of a topic exchange", False, bindings, "1,000 different routing keys are published."
    ),
    "connections": Kind(
        "Connections", "connections that do nothing", False, connections, "Beside them messages of 16 octets flow."
    ),
    "channels": Kind(
        "Channels", "channels of a connection", False, channels, "Messages of 16 octets, on all channels in turn."
    ),
    "consumers": Kind(
        "Consumers of a queue", "consumers of one queue", False, consumers, "Prefetch 20, acknowledged by the dozen."
    ),
}
