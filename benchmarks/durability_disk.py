"""Scenarios of durability.py about the disk: what is written, how late it is safe, and the space it takes."""

import os
import statistics
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from broker_process import amq, disk_written, taken
from figures import BOUND, CONFIRMS, CONSUMER, MIB, NO_CONSUMER, SECONDS, SETTLED, Bench, Figure
from raw_client import client, message

JOURNAL: Final = (
    r"journal: (?P<messages>\d+) messages in (?P<syncs>\d+) fsyncs \(.*\), (?P<mib>\d+) MiB, "
    r"mean (?P<mean>[\d.]+) ms, slowest (?P<slowest>[\d.]+) ms"
)
REST: Final = 60.0  # seconds for an idle broker to give space back
LOOK: Final = 0.05  # seconds between looks at a folder


def latency(bench: Bench) -> Iterator[Figure]:
    """Confirms at 2,000 persistent messages/s: how late they are, and what the disk does for them."""
    seconds = max(3, bench.count(20))
    yield from _plain_disk(bench)
    with bench.broker(amq) as broker:
        for name, consumer in (("publisher alone", NO_CONSUMER), ("with a consumer", CONSUMER)):
            load = bench.load(broker, "-r", 2000, "-i", *CONFIRMS, "-s", 100, "-z", seconds, *consumer)
            yield Figure(f"{name}: messages", load.published, "/s", least=1950)
            yield Figure(f"{name}: confirm p50", load.confirm.p50 / 1000, "ms")
            yield Figure(f"{name}: confirm p99", load.confirm.p99 / 1000, "ms", most=5)
            yield Figure(f"{name}: confirm max", load.confirm.slowest / 1000, "ms")
            broker.stop()
            said = broker.said(JOURNAL)
            if said is not None:
                messages, syncs = int(said["messages"]), int(said["syncs"])
                yield Figure(f"{name}: fsyncs", syncs * 2000 / messages, "/s")
                yield Figure(f"{name}: messages per fsync", messages / syncs, "")
                yield Figure(f"{name}: fsync, mean", float(said["mean"]), "ms")
                yield Figure(f"{name}: fsync, slowest", float(said["slowest"]), "ms")
            broker.start()


def _plain_disk(bench: Bench) -> Iterator[Figure]:
    """The disk by itself: 4 KiB written over zeros, and fdatasync."""
    octets = os.urandom(4096)
    took = []
    with bench.scratch() as folder, (folder / "file").open("wb", buffering=0) as file:
        file.write(bytes(4 * MIB))
        os.fsync(file.fileno())
        for at in range(1000):
            began = time.perf_counter()
            os.pwrite(file.fileno(), octets, at * 4096)
            os.fdatasync(file.fileno())
            took.append(1000 * (time.perf_counter() - began))
    yield Figure("this disk: write and fdatasync, p50", statistics.median(took), "ms")
    yield Figure("this disk: write and fdatasync, p99", statistics.quantiles(took, n=100)[98], "ms")


def space(bench: Bench) -> Iterator[Figure]:
    """GiBs pass while an old message stays unacknowledged, then beside 512 MiB that stay: files, octets written."""
    yield from _space(bench, "one old message", 1)
    yield from _space(bench, "512 MiB that stay", max(2, bench.count(32_768)))


def _space(bench: Bench, name: str, stay: int) -> Iterator[Figure]:
    size = 16_384
    count = bench.count(4 << 30) // size
    live = stay * size
    bound = 2 * live + BOUND
    with bench.broker(amq) as broker, client(broker.port) as holding:
        data = broker.log.parent / "data"
        holding.declare_queue("old")
        holding.publish([message("old", bytes(size), "old")], stay, 64)
        holding.get("old")
        before = disk_written(data)
        largest = _Largest(data)
        with largest:
            load = bench.load(
                broker, "-c", 200, "-f", 200, "-a", 20, "-s", size, "-C", count, "-z", SECONDS, "-Q", "passing"
            )
            time.sleep(SETTLED)
        passed = count * size
        yield Figure(f"{name}: passed by", passed / MIB, "MiB")
        yield Figure(f"{name}: rate", load.delivered, "/s")
        yield Figure(f"{name}: largest data folder", largest.octets / MIB, "MiB", most=bound / MIB)
        end = time.monotonic() + REST
        while taken(data) > bound and time.monotonic() < end:
            time.sleep(1)
        after = disk_written(data)
        yield Figure(f"{name}: data folder at rest", taken(data) / MIB, "MiB", most=bound / MIB)
        yield Figure(f"{name}: written to disk over published", (after - before) / passed, "", most=2)
        broker.stop()
        said = broker.said(JOURNAL)
        if said is not None:
            yield Figure(f"{name}: frames over published", int(said["mib"]) * MIB / (passed + live), "")


class _Largest:
    """The most that a folder takes while this is entered, in octets."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.octets = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def _look(self) -> None:
        while not self._over.wait(LOOK):
            self.octets = max(self.octets, taken(self.folder))

    def __enter__(self) -> "_Largest":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


def idle(bench: Bench) -> Iterator[Figure]:
    """A broker that nobody uses: how fast it is there, what its data folder takes."""
    with bench.scratch() as folder:
        broker = amq(folder)
        try:
            yield Figure("spawn to accepting, new folder", broker.start(), "s")
            time.sleep(SETTLED)
            yield Figure("memory", broker.resident() / MIB, "MiB")
            yield Figure("data folder", taken(folder / "data") / MIB, "MiB")
            broker.stop()
            yield Figure("data folder after a stop", taken(folder / "data") / MIB, "MiB")
            yield Figure("spawn to accepting, after a stop", broker.start(), "s")
            broker.kill()
            yield Figure("spawn to accepting, after kill -9", broker.start(), "s")
            yield Figure("data folder after three starts", taken(folder / "data") / MIB, "MiB")
        finally:
            broker.kill()
