#!/usr/bin/env python3
"""Latency at a steady rate, through amq, through RabbitMQ, and through as little as can stand between two clients.

    python benchmarks/latency.py [--rates N,...] [--curve] [--seconds N] [--rounds N] [--json FILE]

One publisher sends N messages of 16 octets per second with at most 100 unconfirmed, one consumer with a prefetch of 100
acknowledges each: transient, and persistent on a durable queue. `--curve` is `--rates 1000,5000,20000,50000`. The
brokers are started in scratch folders, RabbitMQ from Debian's package rabbitmq-server where that is installed.

`nothing` is relay.c: it answers, hands on and confirms, and does nothing else. Its rows are the noise of the machine:
sockets, scheduler, both clients. Rows are medians over the rounds, in microseconds. A message's time runs from its send
to its delivery. The publisher naps between two sends, as in compare.py, and would see confirms only when it wakes up;
so they are measured in runs of their own, in which it waits for them. msg/s under the rate: the window was full. A
write of 4 KiB with fdatasync is shown beside the durable rows, whose confirms wait for one.

Exit status 1: at 5,000 messages per second the median is more than 100 us, or p99 more than 1 ms, above `nothing`.
"""

import argparse
import json
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from amqpload import Delay, Load, compiled, load
from broker_process import free_port
from compare import our_broker, running, their_broker

RATE: Final = 5_000
CURVE: Final = "1000,5000,20000,50000"
STEADY: Final = ("-c", 100, "-f", 100)
KINDS: Final[dict[str, tuple[str, ...]]] = {"transient": (), "durable": ("-d",)}
# What the issue of latency asks for at RATE, in us above `nothing`.
MOST_P50: Final = 100
MOST_P99: Final = 1_000
SYNCS: Final = 300
BLOCK: Final = 4096


@dataclass(frozen=True)
class Row:
    """One broker at one rate, in us: medians over the rounds."""

    kind: str
    rate: int
    broker: str
    delivered: float
    end_to_end: Delay
    confirm: Delay


@contextmanager
def nothing() -> Iterator[str]:
    """The address of a relay."""
    port = free_port()
    with running([compiled("relay"), str(port)], port, dict(os.environ)) as address:
        yield address


def middle(delays: list[Delay]) -> Delay:
    """The median of each percentile."""
    columns = zip(*((d.p50, d.p99, d.p999, d.slowest) for d in delays), strict=True)
    return Delay(*(statistics.median(column) for column in columns))


def measure(addresses: dict[str, str], kind: str, rate: int, seconds: int, rounds: int) -> list[Row]:
    """All brokers in turn, as often as there are rounds."""
    arguments: tuple[str | int, ...] = (*STEADY, *KINDS[kind], "-r", rate, "-z", seconds)
    plain: dict[str, list[Load]] = {name: [] for name in addresses}
    prompt: dict[str, list[Load]] = {name: [] for name in addresses}
    for _ in range(rounds):
        for name, address in addresses.items():
            plain[name].append(load(address, *arguments))
            prompt[name].append(load(address, *arguments, "-i"))
    return [
        Row(
            kind,
            rate,
            name,
            statistics.median(run.delivered for run in plain[name]),
            middle([run.end_to_end for run in plain[name]]),
            middle([run.confirm for run in prompt[name]]),
        )
        for name in addresses
    ]


def shown(delay: Delay) -> str:
    """The columns of a delay."""
    return f"{delay.p50:>8.0f}{delay.p99:>8.0f}{delay.p999:>8.0f}{delay.slowest:>8.0f}"


def show(row: Row, floor: Row) -> None:
    """Print a row, and how far it is above `nothing`."""
    above = row.end_to_end.p50 - floor.end_to_end.p50, row.end_to_end.p99 - floor.end_to_end.p99
    print(
        f"{row.kind:<10}{row.rate:>7,} {row.broker:<9}{row.delivered:>8,.0f}{shown(row.end_to_end)}{shown(row.confirm)}"
        + ("" if row is floor else f"   {above[0]:+.0f} p50, {above[1]:+.0f} p99"),
        flush=True,
    )


def missed(row: Row, floor: Row) -> bool:
    """Whether amq is further above `nothing` than it should be."""
    p50 = row.end_to_end.p50 - floor.end_to_end.p50
    p99 = row.end_to_end.p99 - floor.end_to_end.p99
    return row.broker == "amq" and row.rate == RATE and (p50 > MOST_P50 or p99 > MOST_P99)


def synced() -> Delay:
    """A write of one block and its fdatasync, in us, over and over in one file."""
    taken = []
    with tempfile.TemporaryFile(buffering=0) as file:
        file.write(bytes(SYNCS * BLOCK))
        os.fsync(file.fileno())
        for number in range(SYNCS):
            began = time.perf_counter()
            os.pwrite(file.fileno(), b"x" * BLOCK, number * BLOCK)
            os.fdatasync(file.fileno())
            taken.append((time.perf_counter() - began) * 1e6)
    taken.sort()
    return Delay(taken[SYNCS // 2], taken[SYNCS * 99 // 100], taken[SYNCS * 999 // 1000], taken[-1])


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rates", default=str(RATE))
    parser.add_argument("--curve", action="store_const", dest="rates", const=CURVE)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    # Brokers and folders go, too, when this is told to end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    rows: list[Row] = []
    late = False
    with ExitStack() as stack:
        addresses = {"nothing": stack.enter_context(nothing()), "amq": stack.enter_context(our_broker(None))}
        if theirs := stack.enter_context(their_broker(None)):
            addresses["RabbitMQ"] = theirs
        heads = "".join(f"{name:>8}" for name in ("p50", "p99", "p99.9", "max"))
        print(f"{'us':<27}{'msg/s':>8}{'end to end':>32}{'confirm':>32}\n{'':<35}{heads}{heads}   above nothing")
        for kind in KINDS:
            for rate in map(int, options.rates.split(",")):
                found = measure(addresses, kind, rate, options.seconds, options.rounds)
                for row in found:
                    show(row, found[0])
                    late = late or missed(row, found[0])
                rows += found
        disk = synced()
        print(f"{'write of 4 KiB and fdatasync':<67}{shown(disk)}")
    if options.json:
        figures = {"rows": [asdict(row) for row in rows], "fdatasync": asdict(disk)}
        options.json.write_text(json.dumps(figures, indent=1))
    sys.exit(1 if late else 0)


if __name__ == "__main__":
    main()
