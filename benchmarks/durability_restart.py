"""Scenarios of durability.py about a restart: what comes back, how fast, and with how much memory."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Final

from amqpload import Load
from broker_process import Broker, amq, rabbitmq, taken
from figures import BOUND, CONFIRMS, CONSUMER, MIB, NO_CONSUMER, SECONDS, SETTLED, WINDOW, Bench, Figure
from raw_client import client, message

DRAIN: Final = ("-x", 0, *CONSUMER, "-k", "-z", SECONDS)
RECOVERED: Final = r"recovered in ([\d.]+) s"


def recovery(bench: Bench) -> Iterator[Figure]:
    """A million messages of 100 octets, kill -9, start: all alike; each of another size with another header; and alike
    with every other one acknowledged.
    """
    count = bench.count(1_000_000)

    def alike(broker: Broker) -> tuple[float, int]:
        load = bench.load(broker, *CONFIRMS, *NO_CONSUMER, "-s", 100, "-C", count, "-z", SECONDS, "-Q", "q")
        return load.published, count

    def differing(broker: Broker) -> tuple[float, int]:
        messages = [message("q.0", bytes(60 + at % 81), f"id-{at:06}") for at in range(4003)]
        with client(broker.port) as publisher:
            publisher.declare_queue("q.0")
            return count / publisher.publish(messages, count, WINDOW), count

    def gaps(broker: Broker) -> tuple[float, int]:
        rate, _ = alike(broker)
        with client(broker.port) as consumer:
            consumer.acknowledge_every_other("q.0", count)
            time.sleep(SETTLED)
        return rate, count // 2

    yield from _recovery(bench, "alike", alike)
    yield from _recovery(bench, "each different", differing)
    yield from _recovery(bench, "every other acknowledged", gaps)


def _recovery(bench: Bench, name: str, fill: Callable[[Broker], tuple[float, int]]) -> Iterator[Figure]:
    """`fill` returns the rate at which it published, and how many messages are in the queue."""
    with bench.broker(amq) as broker:
        rate, count = fill(broker)
        yield Figure(f"{name}: published and confirmed", rate, "/s")
        serving = broker.peak()
        broker.kill()
        accepted = broker.start()
        recovering = broker.peak()
        said = broker.said(RECOVERED)
        if said is not None:
            yield Figure(f"{name}: log's 'recovered in'", float(said[1]), "s")
            yield Figure(f"{name}: messages recovered", count / max(float(said[1]), 0.01), "/s", least=300_000)
        yield Figure(f"{name}: spawn to accepting", accepted, "s", most=3.5)
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
