#!/usr/bin/env python3
"""Move the same messages through amq and through RabbitMQ, in turn, and print the ratio.

    python benchmarks/compare.py [--ours HOST:PORT] [--theirs HOST:PORT] [--rounds N] [--count N] [--only NAME,...]
        [--json FILE]

Without addresses both brokers are started on free ports of 127.0.0.1 in a scratch folder and stopped afterwards: amq
with this Python, RabbitMQ from Debian's package rabbitmq-server. The load comes from amqpload.c beside this file,
compiled on first use with cc. Every run publishes COUNT messages per producer and ends when all of them are confirmed
and delivered, so a publisher that outruns its consumers gains nothing. A row: messages per second through amq,
through RabbitMQ, and the ratio, each the median over the rounds; then the end-to-end p99 of both in milliseconds.
Machines differ and are shared: quote ratios.
"""

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from amqpload import Failed, load, load_tool
from broker_process import RABBITMQ, WITH_WEB, free_port, rabbitmq_environment, wait_for
from chosen import chosen

SECONDS = 60  # for one run; what is not through by then counts as nothing
# name: (arguments of amqpload, share of --count)
SCENARIOS = {
    "transient": ([], 1.0),
    "transient-1k": (["-s", "1024"], 1.0),
    "confirm": (["-c", "500"], 1.0),
    "work-queue": (["-c", "500", "-f", "200", "-a", "50"], 1.0),
    "ack-each": (["-c", "500", "-f", "200", "-a", "1"], 1.0),
    "durable": (["-d", "-c", "500", "-f", "200", "-a", "50"], 1.0),
    "durable-1k": (["-d", "-c", "500", "-f", "200", "-a", "50", "-s", "1024"], 0.5),
    "durable-16k": (["-d", "-c", "100", "-f", "100", "-a", "10", "-s", "16384"], 0.1),
    "durable-serial": (["-d", "-c", "1", "-f", "1"], 0.02),
    "fanout-5": (["-e", "fanout", "-q", "5", "-y", "5", "-s", "100", "-c", "200"], 0.2),
    "topic": (["-e", "topic", "-c", "500"], 1.0),
    "pairs-10": (["-x", "10", "-y", "10", "-q", "10", "-c", "100", "-f", "100", "-a", "10"], 0.1),
}


@contextmanager
def running(command: list[str], port: int, environment: dict[str, str]) -> Iterator[str]:
    """A broker process; its address."""
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        wait_for(port, 60)
        yield f"127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


@contextmanager
def our_broker(address: str | None) -> Iterator[str]:
    """The broker at that address, or an amq started for it."""
    if address:
        yield address
        return
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="amq-compare-") as scratch:
        command = [sys.executable, "-m", "amq", "serve", "--data", scratch, "--listen", f"127.0.0.1:{port}"]
        with running([*command, "--log-level", "warning"], port, {**os.environ, **WITH_WEB}) as started:
            yield started


@contextmanager
def their_broker(address: str | None) -> Iterator[str | None]:
    """The broker at that address, or a RabbitMQ started for it, as Debian configures it; None where it is not there."""
    if address:
        yield address
        return
    if not RABBITMQ.exists():
        print("no RabbitMQ here, amq is measured alone: apt-get install rabbitmq-server")
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="compare-"))
    port = free_port()
    try:
        with running([str(RABBITMQ)], port, rabbitmq_environment(folder, port)) as started:
            time.sleep(2)
            yield started
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measure(address: str, arguments: list[str], count: int) -> tuple[float, float]:
    """One run: messages per second, and the end-to-end p99 in ms; zeros when it did not finish."""
    try:
        run = load(address, "-z", SECONDS, "-C", count, *arguments, patience=2 * SECONDS)
    except Failed:
        return 0.0, 0.0
    return (run.received / run.seconds if run.seconds < SECONDS - 0.5 else 0.0), run.end_to_end.p99 / 1000


@dataclass(frozen=True)
class Row:
    """A scenario, amq first: medians over the rounds, messages/s, their ratio, and p99 in ms."""

    scenario: str
    ours: float
    theirs: float
    ratio: float
    our_p99: float
    their_p99: float


def compare(ours: str, theirs: str | None, name: str, rounds: int, count: int) -> Row:
    """Run one scenario through both in turn and print its row; zeros for a broker that is not there."""
    arguments, share = SCENARIOS[name]
    rows = []
    for _ in range(rounds):
        a = measure(ours, arguments, int(count * share))
        b = measure(theirs, arguments, int(count * share)) if theirs else (0.0, 0.0)
        rows.append((a[0], b[0], a[0] / b[0] if b[0] else 0.0, a[1], b[1]))
    mid = [statistics.median(column) for column in zip(*rows, strict=True)]
    print(f"{name:<16}{mid[0]:>10.0f}{mid[1]:>10.0f}{mid[2]:>8.2f}{mid[3]:>10.2f}{mid[4]:>10.2f}", flush=True)
    return Row(name, *mid)


def main() -> None:
    """Everything, or what --only names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ours", metavar="HOST:PORT")
    parser.add_argument("--theirs", metavar="HOST:PORT")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--count", type=int, default=300_000)
    parser.add_argument("--only", default="")
    parser.add_argument("--json", type=Path, help="a file for the figures")
    options = parser.parse_args()
    # Brokers and folders go, too, when this is told to end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    names = chosen(parser, options.only, SCENARIOS)
    load_tool()
    with our_broker(options.ours) as ours, their_broker(options.theirs) as theirs:
        print(f"{'scenario':<16}{'amq/s':>10}{'theirs/s':>10}{'ratio':>8}{'p99 ms':>10}{'p99 ms':>10}")
        rows = [compare(ours, theirs, name, options.rounds, options.count) for name in names]
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1))
    ratios = [row.ratio for row in rows]
    if all(ratios):
        print(f"geometric mean of the ratios {statistics.geometric_mean(ratios):.2f}, lowest {min(ratios):.2f}")
    elif theirs:
        print("a scenario did not finish: its ratio is 0.00")


if __name__ == "__main__":
    main()
