"""How long until a client is let in: from the start of the process `amq serve`, and of an embedded broker.

    python benchmarks/startup.py [ROUNDS]

"accepted" is a TCP connection, "opened" an AMQP connection up to connection.open-ok (pika).
"""

import argparse
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import pika
from broker_process import WITH_WEB, free_port

from amq import embed

LOOPBACK = "127.0.0.1"


def wait_until_accepted(port: int, process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:
        try:
            socket.create_connection((LOOPBACK, port)).close()
            return
        except ConnectionRefusedError:
            time.sleep(0.001)
    sys.exit(f"amq serve ended with status {process.returncode}")


def open_connection(port: int) -> None:
    pika.BlockingConnection(pika.ConnectionParameters(LOOPBACK, port)).close()


def spawn() -> tuple[float, float]:
    """Milliseconds from the spawn of `amq serve` until it accepted and until a connection was opened."""
    port = free_port()
    start = time.perf_counter()
    command = [sys.executable, "-m", "amq", "serve", "--in-memory", "--listen", f"{LOOPBACK}:{port}"]
    environ = {**os.environ, **WITH_WEB}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environ) as process:
        try:
            wait_until_accepted(port, process)
            accepted = time.perf_counter()
            open_connection(port)
            opened = time.perf_counter()
        finally:
            process.terminate()
    return (accepted - start) * 1000, (opened - start) * 1000


def embedded() -> tuple[float, float]:
    """The same for `embed.running`."""
    start = time.perf_counter()
    with embed.running() as broker:
        socket.create_connection((broker.host, broker.port)).close()
        accepted = time.perf_counter()
        open_connection(broker.port)
        opened = time.perf_counter()
    return (accepted - start) * 1000, (opened - start) * 1000


def report(name: str, measure: Callable[[], tuple[float, float]], rounds: int) -> None:
    measured = [measure() for _ in range(rounds)]
    for what, values in zip(("accepted", "opened"), zip(*measured, strict=True), strict=True):
        low, middle, high = min(values), statistics.median(values), max(values)
        print(f"{name:16} {what:9} median {middle:6.1f} ms   min {low:6.1f}   max {high:6.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rounds", type=int, nargs="?", default=10)
    options = parser.parse_args()
    report("amq serve", spawn, options.rounds)
    report("embed.running()", embedded, options.rounds)


if __name__ == "__main__":
    main()
