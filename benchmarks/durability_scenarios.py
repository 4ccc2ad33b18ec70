"""The scenarios of durability.py: each measures one thing and yields its figures."""

import os
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from broker_process import Broker, amq, rabbitmq, taken
from figures import SECONDS, Bench, Figure, Load
from raw_client import client, message

MIB: Final = 1 << 20
# Many unconfirmed messages: it is the broker that sets the pace.
WINDOW: Final = 5000
CONFIRMS: Final = ("-c", WINDOW)
CONSUMER: Final = ("-y", 1, "-f", 500, "-a", 50)
NO_CONSUMER: Final = ("-y", 0, "-k")
DRAIN: Final = ("-x", 0, *CONSUMER, "-k", "-z", SECONDS)
JOURNAL: Final = r"journal: (\d+) messages in (\d+) fsyncs .*mean ([\d.]+) ms, slowest ([\d.]+) ms"
RECOVERED: Final = r"recovered in ([\d.]+) s"
LOOK: Final = 0.05  # seconds between looks at a folder
SETTLED: Final = 3.0  # seconds until what nobody waits for is done
# Of a journal without a message that lives: garbage that nobody minds, two spares, and a segment or two in use.
BOUND: Final = (256 + 4 * 64) * MIB


def latency(bench: Bench) -> Iterator[Figure]:
    """Confirms at 2,000 persistent messages/s: how late they are, and what the disk does for them."""
    seconds = max(3, bench.count(20))
    yield from _plain_disk(bench)
    with bench.broker(amq) as broker:
        for name, consumer in (("publisher alone", NO_CONSUMER), ("with a consumer", CONSUMER)):
            load = bench.load(broker, "-r", 2000, *CONFIRMS, "-s", 100, "-z", seconds, *consumer)
            yield Figure(f"{name}: messages", load.published, "/s", least=1950)
            yield Figure(f"{name}: confirm p50", load.p50, "ms")
            yield Figure(f"{name}: confirm p99", load.p99, "ms", most=5)
            yield Figure(f"{name}: confirm max", load.slowest, "ms")
            broker.stop()
            said = broker.said(JOURNAL)
            if said is not None:
                messages, syncs = int(said[1]), int(said[2])
                yield Figure(f"{name}: fsyncs", syncs * 2000 / messages, "/s")
                yield Figure(f"{name}: messages per fsync", messages / syncs, "")
                yield Figure(f"{name}: fsync, mean", float(said[3]), "ms")
                yield Figure(f"{name}: fsync, slowest", float(said[4]), "ms")
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


def recovery(bench: Bench) -> Iterator[Figure]:
    """A million messages of 100 octets, kill -9, start: all alike; and each of another size with another header."""

    def alike(broker: Broker, count: int) -> float:
        return bench.load(broker, *CONFIRMS, *NO_CONSUMER, "-s", 100, "-C", count, "-z", SECONDS, "-Q", "q").published

    def differing(broker: Broker, count: int) -> float:
        messages = [message("q.0", bytes(60 + at % 81), f"id-{at:06}") for at in range(4003)]
        with client(broker.port) as publisher:
            publisher.declare_queue("q.0")
            return count / publisher.publish(messages, count, WINDOW)

    yield from _recovery(bench, "alike", alike)
    yield from _recovery(bench, "each different", differing)


def _recovery(bench: Bench, name: str, publish: Callable[[Broker, int], float]) -> Iterator[Figure]:
    count = bench.count(1_000_000)
    with bench.broker(amq) as broker:
        yield Figure(f"{name}: published and confirmed", publish(broker, count), "/s")
        serving = broker.peak()
        broker.kill()
        accepted = broker.start()
        recovering = broker.peak()
        said = broker.said(RECOVERED)
        if said is not None:
            yield Figure(f"{name}: log's 'recovered in'", float(said[1]), "s")
            yield Figure(f"{name}: messages recovered", count / max(float(said[1]), 0.01), "/s", least=300_000)
        yield Figure(f"{name}: spawn to accepting", accepted, "s", most=max(3.0 * bench.scale, 1.0))
        yield Figure(f"{name}: peak memory while serving", serving / MIB, "MiB")
        yield Figure(f"{name}: peak memory of recovery", recovering / MIB, "MiB", most=round(serving / MIB))
        with client(broker.port) as asking:
            back = asking.declare_queue("q.0")
        yield Figure(f"{name}: messages that came back", back, "", least=count)


def backlog(bench: Bench) -> Iterator[Figure]:
    """Five million messages of 100 octets and 200,000 of 10 KiB: published, kill -9, started, drained."""
    sizes = (("100 B", "small", 100, bench.count(5_000_000)), ("10 KiB", "large", 10_240, bench.count(200_000)))
    peaks: dict[str, int] = {}
    drained: dict[str, float] = {}
    with bench.broker(amq) as broker:
        for name, queue, size, count in sizes:
            yield from _publish(bench, broker, name, queue, size, count)
            peaks[f"publishing {name}"] = broker.peak()
        broker.kill()
        yield Figure("spawn to accepting, both backlogs", broker.start(), "s")
        peaks["recovery"] = broker.peak()
        for name, queue, size, count in sizes:
            broker.forget_peak()
            load = _drain(bench, broker, queue, size, count)
            peaks[f"draining {name}"] = broker.peak()
            drained[name] = load.delivered
            yield Figure(f"{name}: drained", load.delivered, "/s")
            yield Figure(f"{name}: messages delivered", load.received, "", least=count)
        for phase, octets in peaks.items():
            yield Figure(f"peak memory, {phase}", octets / MIB, "MiB", most=1536)
        time.sleep(SETTLED)
        yield Figure("memory after draining", broker.resident() / MIB, "MiB")
        yield Figure("data folder after draining", taken(broker.log.parent / "data") / MIB, "MiB", most=BOUND / MIB)
    yield from _rabbitmq_backlog(bench, drained)


def _publish(bench: Bench, broker: Broker, name: str, queue: str, size: int, count: int) -> Iterator[Figure]:
    """To a queue that a consumer keeps short, then in tenths to one that grows; then `peak` is that of the latter."""
    publish = (*CONFIRMS, "-s", size, "-z", SECONDS, "-C")
    short = bench.load(broker, *publish, count // 10, *CONSUMER, "-Q", f"{queue}-short").published
    broker.forget_peak()
    part = count // 10
    parts = [part] * 9 + [count - 9 * part]
    rates = [bench.load(broker, *publish, each, *NO_CONSUMER, "-Q", queue).published for each in parts]
    growing = count / sum(each / rate for each, rate in zip(parts, rates, strict=True))
    yield Figure(f"{name}: published to a short queue", short, "/s")
    yield Figure(f"{name}: published to the backlog", growing, "/s")
    yield Figure(f"{name}: backlog over short queue", growing / short, "", least=0.7)
    yield Figure(f"{name}: first tenth of the backlog", rates[0], "/s")
    yield Figure(f"{name}: slowest tenth", min(rates), "/s")


def _drain(bench: Bench, broker: Broker, queue: str, size: int, count: int) -> Load:
    return bench.load(broker, *DRAIN, "-s", size, "-C", count, "-Q", queue)


def _rabbitmq_backlog(bench: Bench, drained: dict[str, float]) -> Iterator[Figure]:
    """The same through RabbitMQ, with fewer messages, and the ratios."""
    small = bench.count(bench.rabbitmq_count)
    with bench.scratch() as folder:
        broker = rabbitmq(folder)
        if broker is None or not bench.rabbitmq_count:
            return
        sizes = (("100 B", "small", 100, small), ("10 KiB", "large", 10_240, max(1, small // 25)))
        try:
            broker.start()
            time.sleep(SETTLED)
            for name, queue, size, count in sizes:
                publish = (*CONFIRMS, "-s", size, "-z", SECONDS, "-C", count, *NO_CONSUMER, "-Q", queue)
                yield Figure(f"{name}: RabbitMQ, published", bench.load(broker, *publish).published, "/s")
            broker.kill()
            yield Figure("RabbitMQ: spawn to accepting", broker.start(), "s")
            time.sleep(SETTLED)
            for name, queue, size, count in sizes:
                theirs = _drain(bench, broker, queue, size, count).delivered
                yield Figure(f"{name}: RabbitMQ, drained {count}", theirs, "/s")
                yield Figure(f"{name}: drain over RabbitMQ's", drained[name] / max(1.0, theirs), "", least=1)
        finally:
            broker.kill()


def queues(bench: Bench) -> Iterator[Figure]:
    """10,000 durable queues, each bound to an exchange: declared, kill -9, started."""
    count = bench.count(10_000)
    alone = max(1, count // 10)
    with bench.broker(amq) as broker:
        with client(broker.port) as first:
            first.declare_exchange("x")
        yield Figure("declared and bound, one connection", _declare(broker, 1, range(alone)), "queues/s")
        yield Figure("declared and bound, ten connections", _declare(broker, 10, range(alone, count)), "queues/s")
        yield Figure("peak memory, declaring", broker.peak() / MIB, "MiB")
        broker.kill()
        yield Figure(f"spawn to accepting, {count} queues", broker.start(), "s", most=5)
        yield Figure("peak memory, start", broker.peak() / MIB, "MiB")
        yield Figure("definitions.db", (broker.log.parent / "data" / "definitions.db").stat().st_size / MIB, "MiB")


def _declare(broker: Broker, connections: int, numbers: range) -> float:
    """Queues per second."""

    def declare(part: range) -> None:
        with client(broker.port) as declaring:
            for number in part:
                declaring.declare_queue(f"q{number}")
                declaring.bind(f"q{number}", "x", f"key{number}")

    parts = [numbers[at::connections] for at in range(connections)]
    threads = [threading.Thread(target=declare, args=(part,)) for part in parts]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(numbers) / (time.perf_counter() - began)


def space(bench: Bench) -> Iterator[Figure]:
    """GiBs pass while an old message stays unacknowledged, then beside 512 MiB that stay: files, octets written."""
    yield from _space(bench, "one old message", 1)
    yield from _space(bench, "512 MiB that stay", max(2, bench.count(32_768)))


def _space(bench: Bench, name: str, stay: int) -> Iterator[Figure]:
    size = 16_384
    count = bench.count(4 << 30) // size
    live = stay * size
    with bench.broker(amq) as broker, client(broker.port) as holding:
        data = broker.log.parent / "data"
        holding.declare_queue("old")
        holding.publish([message("old", bytes(size), "old")], stay, 64)
        holding.get("old")
        before = broker.written()
        largest = _Largest(data)
        with largest:
            load = bench.load(
                broker, "-c", 200, "-f", 200, "-a", 20, "-s", size, "-C", count, "-z", SECONDS, "-Q", "passing"
            )
            time.sleep(SETTLED)
        written = broker.written() - before
        passed = count * size
        yield Figure(f"{name}: passed by", passed / MIB, "MiB")
        yield Figure(f"{name}: rate", load.delivered, "/s")
        yield Figure(f"{name}: largest data folder", largest.octets / MIB, "MiB", most=(2 * live + BOUND) / MIB)
        yield Figure(f"{name}: data folder in the end", taken(data) / MIB, "MiB")
        yield Figure(f"{name}: written over published", written / passed, "", most=2)


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


SCENARIOS: Final[dict[str, Callable[[Bench], Iterator[Figure]]]] = {
    "idle": idle,
    "latency": latency,
    "recovery": recovery,
    "queues": queues,
    "space": space,
    "backlog": backlog,
}
