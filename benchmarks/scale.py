#!/usr/bin/env python3
"""One node at scale, amq and RabbitMQ: idle and active connections, queues, bindings, a wide fan-out.

    python benchmarks/scale.py [--only NAME,...] [--without-rabbitmq] [--tenth]

Both brokers are started by each scene on free ports of 127.0.0.1 in a scratch folder, amq with everything that it
serves by default and RabbitMQ from Debian's package, and are stopped afterwards. RabbitMQ gets fewer queues and
bindings, because it would take an hour; the names of the figures tell how many. Where it is not installed, amq is
measured alone. `--tenth` takes a tenth of everything.
Every connection takes a file descriptor here and one there: `ulimit -Hn` has to be above 10,100. All of it takes ten
minutes; a scene by itself one or two.
"""

import argparse
import signal
import sys
import tempfile
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Final

import broker_process
from broker_process import Broker
from chosen import chosen
from scale_clients import allow_many_descriptors
from scale_scenes import SCENES, Figure, Sizes

OURS: Final = Sizes()
THEIRS: Final = Sizes(queues=10_000, durable=4_000, bindings=20_000)


def tenth(sizes: Sizes) -> Sizes:
    """The same, smaller."""
    return Sizes(
        **{each.name: type(getattr(sizes, each.name))(getattr(sizes, each.name) / 10) for each in fields(sizes)}
    )


def run(name: str, make: Callable[[Path], Broker | None], sizes: Sizes, who: str) -> list[Figure]:
    """A scene with a broker of its own; nothing where that is not installed."""
    with tempfile.TemporaryDirectory(prefix="scale-") as scratch:
        broker = make(Path(scratch))
        if broker is None:
            return []
        broker.start()
        figures = []
        try:
            for figure in SCENES[name](broker, sizes):
                figures.append(figure)
                print(f"{name:<11}{who:<10}{figure.name:<62}{figure.value:>12,.1f} {figure.unit:<7}{figure.target}")
                sys.stdout.flush()
        finally:
            broker.stop()
        return figures


def main() -> None:
    """Everything, or what --only names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help=", ".join(SCENES))
    parser.add_argument("--without-rabbitmq", action="store_true")
    parser.add_argument("--tenth", action="store_true")
    options = parser.parse_args()
    # Brokers and folders go, too, when this is told to end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    allow_many_descriptors()
    print(f"{'scene':<11}{'broker':<10}{'figure':<62}{'':>12} {'':<7}target")
    for name in chosen(parser, options.only, SCENES):
        run(name, broker_process.amq, tenth(OURS) if options.tenth else OURS, "amq")
        if not options.without_rabbitmq:
            run(name, broker_process.rabbitmq, tenth(THEIRS) if options.tenth else THEIRS, "RabbitMQ")


if __name__ == "__main__":
    main()
