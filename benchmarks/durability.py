#!/usr/bin/env python3
"""Measure what it costs amq to keep messages on disk, and what a restart gives back: figures beside their targets.

    python benchmarks/durability.py [--only NAME,...] [--scale SHARE] [--folder DIR] [--json] [--rabbitmq-count N]

Scenarios:

* `idle`: start and size of an empty folder;
* `latency`: confirms at 2,000 persistent messages/s, and the fsyncs behind them;
* `recovery`: a million messages of 100 octets after kill -9: alike and published in bulk; each with a size and a header
  of its own; alike, with every other one acknowledged;
* `queues`: 10,000 durable queues, each bound to an exchange;
* `space`: GiBs that pass by messages which stay;
* `backlog`: 5 million messages of 100 octets and 200,000 of 10 KiB: published, kill -9, drained; RabbitMQ, from
  Debian's package, does the same with N and N/25 of them (nothing with 0).

compare.py has the throughput of durable queues. The whole takes minutes and some GiB in DIR (the system's folder for
temporary files): let it be on the disk that matters, and the machine otherwise idle. `--scale 0.01` does a hundredth of
everything; the targets are those of the full size. Memory is resident memory, its peaks are the kernel's own; rates
count until the last confirm or delivery. What was just written is in the system's cache, so recovery and draining
measure the broker more than the disk. Exit status 1: a target was missed at full size.
"""

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Final

from chosen import chosen
from durability_disk import idle, latency, space
from durability_restart import backlog, queues, recovery
from figures import Bench, Figure, shown

SCENARIOS: Final[dict[str, Callable[[Bench], Iterator[Figure]]]] = {
    "idle": idle,
    "latency": latency,
    "recovery": recovery,
    "queues": queues,
    "space": space,
    "backlog": backlog,
}
VERDICTS: Final = {True: "ok", False: "MISSED", None: ""}


def row(scenario: str, figure: Figure) -> str:
    """A figure as a line of the table."""
    value = f"{shown(figure.value)} {figure.unit}".rstrip()
    return f"{scenario:<10}{figure.name:<48}{value:>18}  {figure.target:<20}{VERDICTS[figure.met]}".rstrip()


def entry(scenario: str, figure: Figure) -> dict[str, object]:
    """A figure for JSON."""
    return {
        "scenario": scenario,
        "figure": figure.name,
        "value": figure.value,
        "unit": figure.unit,
        "target": figure.target or None,
        "met": figure.met,
    }


def main() -> None:
    """Everything, or what --only names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", metavar="NAME,...", help=", ".join(SCENARIOS))
    parser.add_argument("--scale", type=float, default=1.0, metavar="SHARE")
    parser.add_argument("--folder", type=Path, metavar="DIR")
    parser.add_argument("--rabbitmq-count", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--json", action="store_true", help="print one JSON document, and the table on stderr")
    options = parser.parse_args()
    # Brokers and folders go, too, when this is told to end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    names = chosen(parser, options.only, SCENARIOS)
    bench = Bench(options.scale, options.folder, options.rabbitmq_count)
    table = sys.stderr if options.json else sys.stdout
    print(f"scale {options.scale:g}, {os.cpu_count()} cores", file=table)
    entries = []
    for name in names:
        before = Figure("load average before", os.getloadavg()[0], "")
        for figure in chain([before], SCENARIOS[name](bench)):
            print(row(name, figure), file=table, flush=True)
            entries.append(entry(name, figure))
    if options.json:
        print(json.dumps({"scale": options.scale, "figures": entries}, indent=1))
    sys.exit(options.scale >= 1 and any(each["met"] is False for each in entries))


if __name__ == "__main__":
    main()
