#!/usr/bin/env python3
"""What grows costs: throughput and memory of amq and RabbitMQ against one thing after the other, as plots.

    python benchmarks/curves.py [--only NAME,...] [--quick] [--without-rabbitmq] [--without-amq] [--folder docs/images]
        [--draw]

Curves: size (0 B to 64 MiB), backlog (to 5 million messages), bindings (to 100,000), connections (to 10,000), channels
(to 2,000), consumers (of one queue, to 10,000). Each broker is started anew for each curve, amq with this Python,
RabbitMQ from Debian's package; each curve takes a minute or three, and some memory and open files. Per curve there are
the numbers (curve-NAME.json) and a plot for each quantity (curve-NAME-QUANTITY.svg). The table says with which power of
what grows the cost grows, over the upper half of the points. Numbers of a broker that is left out stay as they were;
with --draw nothing is measured, table and plots are made of the numbers that are there. Machines differ and are shared:
quote ratios.
"""

import argparse
import os
import platform
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import curve_load
from broker_process import Broker, amq, rabbitmq
from chosen import chosen
from curve_kinds import KINDS, Extent, Point
from curve_report import Curve

IMAGES: Final = Path(__file__).resolve().parents[1] / "docs" / "images"
FULL: Final = Extent(count=200_000, share=1.0)
QUICK: Final = Extent(count=10_000, share=0.01)
BROKERS: Final[dict[str, Callable[[Path], Broker | None]]] = {"amq": amq, "RabbitMQ": rabbitmq}


@contextmanager
def running(make: Callable[[Path], Broker | None]) -> Iterator[Broker | None]:
    """A broker on an empty folder; None where it is not installed."""
    folder = Path(tempfile.mkdtemp(prefix="amq-curves-"))
    broker = make(folder)
    try:
        if broker:
            broker.start()
            curve_load.ready(broker.port)
        yield broker
    finally:
        if broker:
            broker.kill()
        shutil.rmtree(folder, ignore_errors=True)


def measure(folder: Path, name: str, kind: str, extent: Extent) -> None:
    """One curve of one broker, beside those of others that were measured before; progress goes to stderr."""
    with running(BROKERS[kind]) as broker:
        if broker is None:
            print(f"no {kind} here: left out", file=sys.stderr)
            return
        # What amq says is the version that it is compatible with.
        label = kind if kind == "amq" else f"{kind} {curve_load.version(broker.port)}"
        points: list[Point] = []
        try:
            for point in KINDS[name].measure(broker, extent):
                points.append(point)
                shown = "  ".join(f"{quantity} {value:,.0f}" for quantity, value in point.items())
                print(f"{name}  {label}  {shown}", file=sys.stderr, flush=True)
        finally:
            # Whoever gives up keeps what there is.
            if points:
                keep(folder, name, label, points)


def keep(folder: Path, name: str, label: str, points: list[Point]) -> None:
    """Write down what was measured of a broker, beside the others."""
    others = Curve.read(folder, name).brokers if Curve.exists(folder, name) else {}
    kept = {other: column for other, column in others.items() if other.split()[0] != label.split()[0]}
    brokers = {**kept, label: points}
    Curve(name, KINDS[name], dict(sorted(brokers.items(), key=lambda each: each[0] != "amq"))).write(folder, about())


def redraw(folder: Path, names: list[str]) -> None:
    """Of the curves that were measured, table and plots."""
    for name in names:
        if Curve.exists(folder, name):
            curve = Curve.read(folder, name)
            curve.draw(folder)
            print(f"{curve.table()}\n")


def about() -> dict[str, Any]:
    """When and where."""
    return {
        "measured": time.strftime("%Y-%m-%d", time.gmtime()),
        "cpus": os.cpu_count(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
    }


def main() -> None:
    """All curves, or those that --only names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="names of curves, separated by commas")
    parser.add_argument("--quick", action="store_true", help="only the lower points, with few messages")
    parser.add_argument("--without-rabbitmq", action="store_true")
    parser.add_argument("--without-amq", action="store_true")
    parser.add_argument("--folder", type=Path, default=IMAGES, help="where plots and numbers go (docs/images)")
    parser.add_argument("--draw", action="store_true", help="measure nothing, draw what was measured")
    options = parser.parse_args()
    names = chosen(parser, options.only, KINDS)
    if options.draw:
        redraw(options.folder, names)
        return
    # Whoever ends this ends the broker as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    options.folder.mkdir(parents=True, exist_ok=True)
    left_out = {"amq": options.without_amq, "RabbitMQ": options.without_rabbitmq}
    for name in names:
        began = time.perf_counter()
        for kind in BROKERS:
            if not left_out[kind]:
                measure(options.folder, name, kind, QUICK if options.quick else FULL)
        print(f"{Curve.read(options.folder, name).table()}\n  took {time.perf_counter() - began:.0f} s\n", flush=True)


if __name__ == "__main__":
    main()
