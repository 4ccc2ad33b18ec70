"""What is measured at scale: each scene works on a broker that runs, and says what it found."""

import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import scale_clients as clients
from amqpload import Failed, load
from broker_process import Broker
from management_stall import FLOW, flow
from raw_client import BODY, Client, frame, method, short

TRANSIENT: Final = 0
DURABLE: Final = 2
EXCLUSIVE: Final = 4
TICKS: Final = 100  # per second, of CPU time in /proc
SETTLING: Final = 3.0  # seconds after much has happened
PARTS: Final = 10  # of what is declared, each timed by itself
PUBLISHES: Final = 20
DECLARERS: Final = 10


@dataclass(frozen=True)
class Figure:
    """One figure: what of, how much, and what it should be."""

    name: str
    value: float
    unit: str
    target: str = ""


@dataclass(frozen=True)
class Sizes:
    """How many of each; a broker that takes long gets fewer."""

    connections: int = 10_000
    idle_seconds: float = 60.0
    pairs: int = 1000
    queues: int = 100_000
    durable: int = 100_000
    bindings: int = 1_000_000
    fanout: int = 10_000
    exclusive: int = 10_000


Scene = Callable[[Broker, Sizes], Iterator[Figure]]


# -- what a broker takes --


def members(broker: Broker) -> list[Path]:
    """The processes that a broker is made of."""
    assert broker.process is not None
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            fields = (place / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == broker.process.pid:
            found.append(place)
    return found


def resident(broker: Broker) -> int:
    """Octets in main memory, of all its processes."""
    total = 0
    for place in members(broker):
        for line in (place / "status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                total += int(line.split()[1]) * 1024
    return total


def cpu(broker: Broker) -> float:
    """Seconds of CPU so far, of all its processes."""
    stats = [(place / "stat").read_text().rpartition(")")[2].split() for place in members(broker)]
    return sum([int(fields[11]) + int(fields[12]) for fields in stats]) / TICKS


@contextmanager
def beside(broker: Broker, seconds: float) -> Iterator[list[float]]:
    """A flow of 1,000 messages a second beside what happens; afterwards the list has its delays in ms, ascending."""
    client = Client(broker.port)
    client.declare_queue(FLOW)
    client.close()
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=_flow, args=(broker.port, seconds, theirs))
    process.start()
    time.sleep(0.5)
    delays: list[float] = []
    try:
        yield delays
    finally:
        delays += sorted(ours.recv())
        process.join()


def _flow(port: int, seconds: float, pipe: "multiprocessing.connection.Connection") -> None:
    pipe.send(flow(port, seconds))


# -- connections --


def idle(broker: Broker, sizes: Sizes) -> Iterator[Figure]:
    """Connections with a channel each that say nothing but heartbeats."""
    idlers = clients.Idlers(broker.port)
    idlers.add(50)
    before = resident(broker)
    began = time.monotonic()
    idlers.add(sizes.connections)
    yield Figure("connections opened", sizes.connections / (time.monotonic() - began), "/s")
    idlers.beat(clients.HEARTBEAT / 2)
    yield Figure("memory per idle connection", (resident(broker) - before) / sizes.connections / 1024, "KiB", "<= 30")
    spent = cpu(broker)
    idlers.beat(sizes.idle_seconds)
    share = (cpu(broker) - spent) / sizes.idle_seconds * 100
    yield Figure(f"CPU with {sizes.connections:,} idle connections", share, "%", "< 2")
    idlers.close()


def crowd(broker: Broker, sizes: Sizes) -> Iterator[Figure]:
    """As many publishers as consumers, each pair on a queue of its own: ten of them, and very many."""
    few = _pairs(broker, 10, 100_000)
    many = _pairs(broker, sizes.pairs, 1_000_000 // sizes.pairs)
    yield Figure("10 publishers, 10 consumers", few, "msg/s")
    yield Figure(f"{sizes.pairs:,} publishers and consumers", many, "msg/s")
    yield Figure("the latter of the former", many / few * 100 if few else 0.0, "%", ">= 70")


def _pairs(broker: Broker, pairs: int, count: int) -> float:
    sizes = ("-C", count, "-x", pairs, "-y", pairs, "-q", pairs)
    try:
        run = load(f"127.0.0.1:{broker.port}", "-z", 60, *sizes, "-c", 100, "-f", 100, "-a", 10)
    except Failed:
        return 0.0
    return run.received / run.seconds


# -- queues and bindings --


def queues(broker: Broker, sizes: Sizes) -> Iterator[Figure]:
    """Transient queues: declared by one client, and deleted."""
    yield from _declared(broker, sizes.queues, TRANSIENT, "transient")
    client = Client(broker.port)
    began = time.monotonic()
    for lot in clients.in_lots(sizes.queues, 1000):
        clients.pipelined(client, [clients.queue_delete(_name(TRANSIENT, each)) for each in lot], (50, 41))
    yield Figure("transient queues deleted", sizes.queues / (time.monotonic() - began), "/s")


def durable(broker: Broker, sizes: Sizes) -> Iterator[Figure]:
    """Durable queues with a binding each: declared by one client and by ten; then the broker is started again."""
    yield from _declared(broker, sizes.durable // 2, DURABLE, "durable")
    began = time.monotonic()
    rest = sizes.durable // 2
    with multiprocessing.Pool(DECLARERS) as pool:
        each = rest // DECLARERS
        pool.starmap(_declare_some, [(broker.port, rest + number * each, each) for number in range(DECLARERS)])
    yield Figure(f"durable queues, bound, by {DECLARERS} clients", rest / (time.monotonic() - began), "/s")
    broker.stop()
    yield Figure(f"start with {sizes.durable:,} durable queues, {rest:,} bindings", broker.start(), "s")


def _declare_some(port: int, first: int, count: int) -> None:
    client = Client(port)
    for lot in clients.in_lots(count, 100):
        names = [_name(DURABLE, first + each) for each in lot]
        clients.pipelined(client, [clients.queue_declare(name, DURABLE) for name in names], (50, 11))
        clients.pipelined(client, [clients.queue_bind(name, "amq.direct", name) for name in names], (50, 21))
    client.close()


def _declared(broker: Broker, count: int, flags: int, kind: str) -> Iterator[Figure]:
    client = Client(broker.port)
    before = resident(broker)
    rates = []
    for lot in clients.in_lots(count, count // PARTS):
        requests = [clients.queue_declare(_name(flags, each), flags) for each in lot]
        began = time.monotonic()
        clients.pipelined(client, requests, (50, 11))
        rates.append(len(lot) / (time.monotonic() - began))
    time.sleep(SETTLING)
    client.close()
    yield Figure(f"{kind} queues declared: the first {count // PARTS:,}", rates[0], "/s")
    yield Figure(f"{kind} queues declared: the last {count // PARTS:,}", rates[-1], "/s", "as the first")
    yield Figure(f"memory per empty {kind} queue", (resident(broker) - before) / count / 1024, "KiB", "<= 2")


def bindings(broker: Broker, sizes: Sizes) -> Iterator[Figure]:
    """Bindings of queues to 1,000 exchanges, half of them topic exchanges."""
    exchanges = 1000
    count = max(sizes.bindings // 10, 1)
    client = Client(broker.port)
    kinds = [clients.exchange_declare(f"x{each}", ("direct", "topic")[each % 2], 0) for each in range(exchanges)]
    clients.pipelined(client, kinds, (40, 11))
    for lot in clients.in_lots(count, 1000):
        requests = [clients.queue_declare(_name(TRANSIENT, each), TRANSIENT) for each in lot]
        clients.pipelined(client, requests, (50, 11))
    before = resident(broker)
    rates = []
    for lot in clients.in_lots(sizes.bindings, sizes.bindings // PARTS):
        requests = [
            clients.queue_bind(_name(TRANSIENT, each % count), f"x{(each // 7) % exchanges}", f"key.{each}")
            for each in lot
        ]
        began = time.monotonic()
        clients.pipelined(client, requests, (50, 21))
        rates.append(len(lot) / (time.monotonic() - began))
    yield Figure(f"bindings made: the first {sizes.bindings // PARTS:,}", rates[0], "/s")
    yield Figure(f"bindings made: the last {sizes.bindings // PARTS:,}", rates[-1], "/s", "as the first")
    yield Figure("memory per binding", (resident(broker) - before) / sizes.bindings, "octets")


def fanout(broker: Broker, sizes: Sizes) -> Iterator[Figure]:
    """Messages to an exchange to which very many queues are bound."""
    client = Client(broker.port)
    clients.pipelined(client, [clients.exchange_declare("wide", "fanout", 0)], (40, 11))
    for lot in clients.in_lots(sizes.fanout, 1000):
        names = [_name(TRANSIENT, each) for each in lot]
        clients.pipelined(client, [clients.queue_declare(name, TRANSIENT) for name in names], (50, 11))
        clients.pipelined(client, [clients.queue_bind(name, "wide", "") for name in names], (50, 21))
    body = b"x" * 100
    publish = method(1, (60, 40), b"\0\0" + short("wide") + short("") + b"\0")
    octets = publish + frame(2, 1, b"\0\x3c\0\0" + len(body).to_bytes(8, "big") + b"\0\0") + frame(BODY, 1, body)
    client.ask((85, 10), b"\0", (85, 11))
    # What queues have of their own from their first message on is not a copy's.
    client.socket.sendall(octets)
    client.expect((60, 80))
    time.sleep(SETTLING)
    before = resident(broker)
    with beside(broker, SETTLING) as delays:
        began = time.monotonic()
        for _ in range(PUBLISHES):
            client.socket.sendall(octets)
            client.expect((60, 80))
        spent = time.monotonic() - began
    copies = PUBLISHES * sizes.fanout
    yield Figure(f"messages to {sizes.fanout:,} queues", PUBLISHES / spent, "msg/s")
    yield Figure("their copies", copies / spent, "/s")
    yield Figure("memory per copy of a message", (resident(broker) - before) / copies, "octets")
    yield Figure("longest delay of others meanwhile", delays[-1], "ms", "<= 20")


def exclusive(broker: Broker, sizes: Sizes) -> Iterator[Figure]:
    """The connection of very many exclusive queues is closed."""
    client = Client(broker.port)
    for lot in clients.in_lots(sizes.exclusive, 1000):
        requests = [clients.queue_declare(f"own-{each}", EXCLUSIVE) for each in lot]
        clients.pipelined(client, requests, (50, 11))
    with beside(broker, 2 * SETTLING) as delays:
        time.sleep(1.0)
        client.close()
    yield Figure(f"delay of others, {sizes.exclusive:,} exclusive queues go", delays[-1], "ms", "<= 20")


def _name(flags: int, number: int) -> str:
    return f"{'durable' if flags & DURABLE else 'queue'}-{number:06d}"


SCENES: Final[dict[str, Scene]] = {
    "idle": idle,
    "crowd": crowd,
    "queues": queues,
    "durable": durable,
    "bindings": bindings,
    "fanout": fanout,
    "exclusive": exclusive,
}
