"""What statistics cost with very many queues and connections: a round of the sampler, a scrape, a history.

    python -m benchmarks.metrics_cost [--queues N] [--connections N]
    python -m benchmarks.metrics_cost --memory

A broker without sockets, in this process. `held` is the longest that anybody else had to wait for a turn meanwhile: a
task that does nothing but ask for one is timed, in time of the processor, so that what else runs on the machine does
not count. `share` is of one processor, at a round every 5 s and a scrape every 15 s. With --memory, what one object of
each kind takes instead: what `amq.metrics.memory` reckons with.
"""

import argparse
import gc
import time
import tracemalloc
from collections.abc import Awaitable, Callable

import attrs
import trio

from amq.broker import Broker
from amq.config.settings import Settings
from amq.metrics import memory
from amq.metrics.facts import Process
from amq.metrics.objects import Source
from amq.metrics.prometheus import Exposition
from amq.metrics.sampler import Sampler
from amq.server.collector import THRESHOLDS
from amq.vhost import topology
from tests.harness.dialogue import Dialogue, enter, publish

ROUND = 5.0
SCRAPE = 15.0


@attrs.define
class Cost:
    """CPU time and the longest that others waited, both in s."""

    cpu: float
    held: float


async def cost_of(work: Callable[[], Awaitable[object]]) -> Cost:
    """What `work` costs, and how long it holds others up."""
    held = 0.0
    done = trio.Event()

    async def watch() -> None:
        nonlocal held
        while not done.is_set():
            began = time.thread_time()
            await trio.lowlevel.checkpoint()
            held = max(held, time.thread_time() - began)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch)
        await trio.lowlevel.checkpoint()
        began = time.process_time()
        await work()
        cpu = time.process_time() - began
        done.set()
    return Cost(cpu, held)


def tell(what: str, cost: Cost, every: float) -> None:
    """A line."""
    share = 100 * cost.cpu / every
    print(f"{what:<46} {1000 * cost.cpu:8.1f} ms CPU  {share:6.2f} % share  {1000 * cost.held:6.1f} ms held")


def fill(broker: Broker, queues: int, connections: int) -> list[Dialogue]:
    """So many queues, and clients with a channel and a consumer each."""
    vhost = broker.vhosts["/"]
    for number in range(queues):
        topology.create_queue(vhost, b"queue-%05d" % number, False, None, False, {})
    clients = []
    for number in range(connections):
        client = enter(channels=[1], broker=broker)
        client.consume(1, f"queue-{number % queues:05d}")
        clients.append(client)
    return clients


def move(broker: Broker, clients: list[Dialogue]) -> None:
    """A message through every queue."""
    names = list(broker.vhosts["/"].queues)
    for place, name in enumerate(names):
        clients[place % len(clients)].send(publish(1, name.decode(), b"x" * 100))
    for client in clients:
        client.drain()
        client.inbox.clear()


async def measure(queues: int, connections: int) -> None:
    """Fill a broker and tell what looking at it costs."""
    broker = Broker(Settings(), time.monotonic(), time.time())
    clients = fill(broker, queues, connections)
    process = Process(broker, time.time(), lambda: 1 << 28, lambda: 1 << 30, lambda: 1 << 20)
    sampler = Sampler(broker, ROUND, process.measure)
    print(f"{queues} queues, {connections} connections with a channel and a consumer each")
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    await sampler.sample()
    tell("a round, nothing has happened", await cost_of(sampler.sample), ROUND)
    move(broker, clients)
    tell("a round, every queue and channel has moved", await cost_of(sampler.sample), ROUND)
    tell("a round, idle again", await cost_of(sampler.sample), ROUND)
    facts = process.measure(0, 0)
    app = Exposition(Source(sampler, lambda: facts, "amq@bench", time.time(), None))
    for path in ("/metrics", "/metrics/per-object", "/metrics/detailed?family=queue_coarse_metrics"):
        octets = 0

        async def fetch(path: str = path) -> None:
            nonlocal octets
            octets = await scraped(app, path)

        tell(path, await cost_of(fetch), SCRAPE)
        print(f"{'':<46} {octets / 1024:8.0f} KiB")
    tell("what the memory is used for", await cost_of(lambda: memory.breakdown(sampler, facts)), SCRAPE)
    await histories(broker, clients, sampler)


async def histories(broker: Broker, clients: list[Dialogue], sampler: Sampler) -> None:
    """What ten rounds of everything moving leave behind."""
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for _ in range(10):
        for queue in broker.vhosts["/"].queues.values():
            queue.tally.published += 1
        await sampler.sample()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    each = (after - before) / 10 / len(broker.vhosts["/"].queues)
    print(f"histories: {each:.0f} bytes for each queue and round in which it moved")
    kept = sum(history.octets() for history in sampler.histories.values())
    print(f"           {kept >> 10} KiB of rows in {len(sampler.histories)} histories; {len(clients)} clients")


async def scraped(app: Exposition, path: str) -> int:
    """The octets of an answer."""
    octets = 0

    async def send(message: dict[str, object]) -> None:
        nonlocal octets
        body = message.get("body", b"")
        assert isinstance(body, bytes)
        octets += len(body)
        await trio.lowlevel.checkpoint()

    async def receive() -> dict[str, object]:
        return {"type": "http.request"}

    path, _, query = path.partition("?")
    scope = {"type": "http", "method": "GET", "path": path, "query_string": query.encode(), "headers": []}
    await app(scope, receive, send)  # type: ignore[arg-type]
    return octets


def weigh() -> None:
    """Tell what one of each kind takes in memory."""
    client = enter(channels=[1])
    vhost = client.broker.vhosts["/"]
    clients: list[Dialogue] = []

    def say(method: str, **fields: object) -> None:
        client.say(1, method, **fields)
        client.drain()
        client.inbox.clear()

    def deliver(_: int) -> None:
        client.send(publish(1, "queue-0", b"x" * 100) * 100)
        client.drain()
        client.inbox.clear()

    kinds: tuple[tuple[str, int, int, Callable[[int], object]], ...] = (
        ("queue", 2000, 1, lambda n: topology.create_queue(vhost, b"queue-%d" % n, False, None, False, {})),
        ("exchange", 2000, 1, lambda n: say("exchange.declare", exchange=f"x-{n}", type="direct")),
        ("binding", 2000, 1, lambda n: say("queue.bind", queue=f"queue-{n}", exchange=f"x-{n}", routing_key=f"k{n}")),
        ("connection, without its task and socket", 500, 1, lambda _: clients.append(enter(broker=client.broker))),
        ("channel", 500, 1, lambda n: clients[n].open(1)),
        ("consumer", 500, 1, lambda n: clients[n].consume(1, f"queue-{n}")),
        (
            "message with a body of 100 bytes",
            200,
            100,
            lambda _: client.send(publish(1, "queue-1999", b"x" * 100) * 100),
        ),
        ("the same, delivered", 200, 100, deliver),
    )
    tracemalloc.start()
    for kind, count, each, make in kinds:
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        for number in range(count):
            make(number)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
        print(f"{kind:<46} {(after - before) / count / each:8.0f} bytes")


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queues", type=int, default=10_000)
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--memory", action="store_true")
    options = parser.parse_args()
    if options.memory:
        weigh()
        return
    trio.run(measure, options.queues, options.connections)


if __name__ == "__main__":
    main()
