"""What routing through a topic exchange costs with 10 bindings, and with 100,000 bindings in 1,000 queues.

    python benchmarks/topic_routing.py [--keys N] [--rounds N]

Patterns and keys are the same in every run. Both exchanges route the same keys, so that words, and the number of
queues that a key finds, are alike; what differs is how much else is bound. Prints microseconds per route of the best
round and how many queues a key finds; the ratio is the project's promise (at most 2.0).
"""

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "src"))

from amq.destination import Destination
from amq.exchanges.base import Binding, Exchange
from amq.exchanges.router import route
from amq.exchanges.topic import Topic
from amq.message import Message, address
from amq.queues.base import Queue
from amq.wire.properties import Properties

QUEUES = 1_000
BINDINGS = 100_000
PATTERNS = (
    b"a%d.*.b7",
    b"#.x%d",
    b"logs.eu.app%d.*",
    b"metrics.%d.#",
    b"*.order.%d",
    b"eu.*.device%d.#",
    b"exact.key.%d",
)


class BoundQueue(Queue):
    """A queue that is only there to be found."""

    __slots__ = ()

    def __init__(self, name: bytes) -> None:
        Destination.__init__(self, name)


def exchange(bindings: int) -> Exchange:
    """A topic exchange with so many bindings of the patterns, dealt out to at most QUEUES queues."""
    topic = Topic(b"t", durable=False, auto_delete=False, internal=False, arguments={})
    queues = [BoundQueue(b"q%d" % i) for i in range(min(QUEUES, bindings))]
    for i in range(bindings):
        pattern = PATTERNS[i % len(PATTERNS)] % (i // len(PATTERNS))
        topic.bind(Binding(topic, queues[i % len(queues)], pattern, {}))
    return topic


def keys(count: int, numbers: int) -> list[bytes]:
    """Keys that the patterns of the first `numbers` numbers match, in a fixed order that visits them all over."""
    made: list[bytes] = []
    for i in range(count):
        n = i * 7919 % numbers
        made.append((b"a%d.c.b7", b"u.v.w.x%d", b"logs.eu.app%d.warn", b"metrics.%d.cpu.load")[i % 4] % n)
    return made


def measure(topic: Exchange, published: list[bytes], rounds: int) -> tuple[float, float]:
    """Microseconds per route in the best round, and queues found per key."""
    message = Message(address(b"t", b""), b"", b"", Properties())
    exchanges = {b"t": topic}
    best = float("inf")
    found = 0
    for _ in range(rounds):
        found = 0
        start = time.perf_counter()
        for key in published:
            found += len(route(exchanges, topic, [key], message).queues)
        best = min(best, time.perf_counter() - start)
    return best / len(published) * 1e6, found / len(published)


def main() -> None:
    """Measure both and print them."""
    parser = argparse.ArgumentParser(description="Topic routing: few bindings against many.")
    parser.add_argument("--keys", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    few, few_found = measure(exchange(10), keys(options.keys, 1), options.rounds)
    topic = exchange(BINDINGS)
    many, many_found = measure(topic, keys(options.keys, BINDINGS // len(PATTERNS)), options.rounds)
    hot, hot_found = measure(topic, keys(options.keys, 1), options.rounds)
    print(f"{'bindings':>9} {'us/route':>9} {'queues/key':>11}")
    print(f"{10:9,} {few:9.2f} {few_found:11.2f}")
    print(f"{BINDINGS:9,} {many:9.2f} {many_found:11.2f}   keys spread over all bindings")
    print(f"{BINDINGS:9,} {hot:9.2f} {hot_found:11.2f}   the same few keys as with 10 bindings")
    print(f"ratio {many / few:.2f} (spread), {hot / few:.2f} (same keys)")


if __name__ == "__main__":
    main()
