"""How long messages are held up while somebody lists 10,000 queues over HTTP.

    python benchmarks/management_stall.py [QUEUES] [SECONDS]

A client publishes 1,000 messages per second and consumes them; of each is measured how long it was under way. Meanwhile
another process asks for the list of queues again and again: in pages, page by page, sorted by a figure, and as a whole.
What counts is how much longer the slowest message takes than while nobody asks (target: less than 10 ms). Both ends and
the broker share the machine: on a busy one, run it several times.
"""

import argparse
import base64
import contextlib
import multiprocessing
import os
import re
import select
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from broker_process import WITH_WEB, Broker, free_port
from raw_client import BODY, Client, frame, method, short

QUEUES: Final = 10_000
SECONDS: Final = 5.0
INTERVAL: Final = 0.001  # seconds between two messages
TARGET: Final = 10.0  # ms
FLOW: Final = "flow"
PATHS: Final = {
    "nobody asks": "",
    "pages of 100": "/api/queues?page={page}&page_size=100",
    "pages of 500": "/api/queues?page={page}&page_size=500",
    "pages of 100, sorted by a figure": "/api/queues?page={page}&page_size=100&sort=messages",
    "pages of 100, filtered by a name": "/api/queues?page=1&page_size=100&name=q0001&use_regex=true",
    "all, some columns": "/api/queues?columns=name,messages",
    "all": "/api/queues",
}


def flow(port: int, seconds: float) -> list[float]:
    """Publish and consume for so long; how many ms each message was under way."""
    client = Client(port)
    client.ask((60, 20), b"\0\0" + short(FLOW) + short("c") + b"\x02" + bytes(4), (60, 21))
    connection = client.socket
    connection.setblocking(False)
    publish = method(1, (60, 40), b"\0\0" + short("") + short(FLOW) + b"\0")
    head = publish + frame(2, 1, struct.pack(">HHQH", 60, 0, 8, 0))
    under_way: list[float] = []
    # The body is the moment of sending, behind the end of the header's frame and the head of its own.
    mark = re.compile(re.escape(struct.pack(">BHI", BODY, 1, 8)) + b"(.{8})\xce", re.DOTALL)
    pending = b""
    begin = due = time.perf_counter()
    while (now := time.perf_counter()) < begin + seconds:
        if now >= due:
            connection.sendall(head + frame(BODY, 1, struct.pack(">d", now)))
            due += INTERVAL
        if not select.select([connection], [], [], max(due - time.perf_counter(), 0))[0]:
            continue
        pending += connection.recv(1 << 16)
        arrived = time.perf_counter()
        end = 0
        for found in mark.finditer(pending):
            under_way.append((arrived - struct.unpack(">d", found[1])[0]) * 1000)
            end = found.end()
        pending = pending[end:]
    client.close()
    return under_way


def ask(port: int, path: str, queues: int, pipe: Connection) -> None:
    """Ask for that over and over until the pipe says so; then tell how often, and how many octets came."""
    authorization = base64.b64encode(b"guest:guest").decode()
    count = octets = 0
    with socket.create_connection(("127.0.0.1", port)) as connection, connection.makefile("rb") as stream:
        while not pipe.poll():
            size = 100 if "page_size=100" in path else 500
            page = count % max(queues // size, 1) + 1
            request = (
                f"GET {path.format(page=page)} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {authorization}\r\n\r\n"
            )
            connection.sendall(request.encode())
            status = stream.readline()
            if b"200" not in status:
                sys.exit(f"{path}: {status.decode()}")
            length = 0
            while (line := stream.readline().strip()) != b"":
                name, _, value = line.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
            octets += len(stream.read(length))
            count += 1
    pipe.send((count, octets))


@contextlib.contextmanager
def asking(port: int, path: str, queues: int) -> Iterator[Connection]:
    """Somebody asks meanwhile; nobody with an empty path."""
    ours, theirs = multiprocessing.Pipe()
    if not path:
        theirs.send((0, 0))
        yield ours
        return
    asker = multiprocessing.Process(target=ask, args=(port, path, queues, theirs))
    asker.start()
    # Whoever waits for an asker that has failed is to hear of it.
    theirs.close()
    try:
        yield ours
    finally:
        asker.join()


def furnish(port: int, count: int) -> None:
    """Declare the queues, each with a message in it."""
    client = Client(port)
    client.declare_queue(FLOW)
    for number in range(count - 1):
        client.declare_queue(f"q{number:05}")
        publish = method(1, (60, 40), b"\0\0" + short("") + short(f"q{number:05}") + b"\0")
        client.socket.sendall(publish + frame(2, 1, struct.pack(">HHQH", 60, 0, 1, 0)) + frame(BODY, 1, b"x"))
    client.close()


def measure(port: int, http: int, queues: int, seconds: float) -> float:
    """Print what each kind of list costs; returns the worst of it (ms)."""
    quiet = worst = 0.0
    print(f"{'':34} {'p50':>7} {'p99':>7} {'slowest':>8}  ms   lists  KiB each")
    for name, path in PATHS.items():
        with asking(http, path, queues) as pipe:
            time.sleep(0.3)
            under_way = sorted(flow(port, seconds))
            if path:
                pipe.send("enough")
            count, octets = pipe.recv()
        p50, p99, slowest = (under_way[int(len(under_way) * share)] for share in (0.5, 0.99, 0.99999))
        print(f"{name:34} {p50:7.2f} {p99:7.2f} {slowest:8.2f}      {count:5} {octets / max(count, 1) / 1024:9.0f}")
        if path:
            worst = max(worst, slowest - quiet)
        else:
            quiet = slowest
    return worst


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("queues", type=int, nargs="?", default=QUEUES)
    parser.add_argument("seconds", type=float, nargs="?", default=SECONDS, help="for each kind of list")
    options = parser.parse_args()
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="amq-stall-") as scratch:
        log = Path(scratch, "log")
        command = [sys.executable, "-m", "amq", "serve", "--in-memory", "--listen", f"127.0.0.1:{port}"]
        broker = Broker(command, {**os.environ, **WITH_WEB, "PYTHONUNBUFFERED": "1"}, port, log)
        broker.start()
        try:
            furnish(port, options.queues)
            time.sleep(6)
            found = re.search(r"api +http://127\.0\.0\.1:(\d+)", log.read_text())
            if found is None:
                sys.exit(f"no HTTP API: {log.read_text()}")
            worst = measure(port, int(found[1]), options.queues, options.seconds)
        finally:
            with contextlib.suppress(subprocess.TimeoutExpired):
                broker.stop()
    print(f"held up by {worst:.1f} ms more than while nobody asks; the target is less than {TARGET:.0f} ms")


if __name__ == "__main__":
    main()
