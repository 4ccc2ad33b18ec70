"""The loads of benchmarks/compare.py, through connections in memory: no socket, no disk, no clock.

A `Running` has a broker, producers, consumers, and for durable messages the journal's writer and log, without the
files. `turn` moves a chunk of messages from every producer all the way: published, recorded, confirmed, delivered, and
acknowledged. Its own work is little, and none of it is in `src/amq`: whoever counts can tell it apart.
"""

from typing import Final

import attrs

from amq.broker import Broker
from amq.connection.connection import Connection
from amq.journal.log import Log
from tests.harness import dialogue
from tests.harness.dialogue import Dialogue

# Octets of a segment, as in a broker process.
SEGMENT: Final = 1 << 26
PERSISTENT: Final = 2
TRANSIENT: Final = 1
FLUSHES: Final = 1000
# All octets of a basic.ack on channel 1 but for its arguments and its end.
ACK: Final = b"\1\0\1" + (13).to_bytes(4, "big") + b"\0\x3c\0\x50"


@attrs.frozen
class Scenario:
    """A shape of load. `ack`: acknowledge every so many (0: no_ack); `chunk`: messages that come in one read.

    Queue i gets what producer i publishes and is consumed by consumer i, over and over. With a fanout exchange every
    queue gets everything.
    """

    chunk: int = 100
    size: int = 16
    persistent: bool = False
    confirms: bool = False
    prefetch: int = 0
    ack: int = 0
    exchange: str = ""
    producers: int = 1
    queues: int = 1


# Names and options are those of benchmarks/compare.py; the last one is that of benchmarks/latency.py.
SCENARIOS: Final = {
    "transient": Scenario(),
    "transient-1k": Scenario(size=1024, chunk=50),
    "confirm": Scenario(confirms=True),
    "work-queue": Scenario(confirms=True, prefetch=200, ack=50),
    "ack-each": Scenario(confirms=True, prefetch=200, ack=1),
    "durable": Scenario(persistent=True, confirms=True, prefetch=200, ack=50),
    "durable-1k": Scenario(persistent=True, confirms=True, prefetch=200, ack=50, size=1024, chunk=50),
    "durable-16k": Scenario(persistent=True, confirms=True, prefetch=100, ack=10, size=16384, chunk=10),
    "durable-serial": Scenario(persistent=True, confirms=True, prefetch=1, ack=1, chunk=1),
    "fanout-5": Scenario(confirms=True, exchange="fanout", queues=5, size=100),
    "topic": Scenario(confirms=True, exchange="topic"),
    "pairs-10": Scenario(confirms=True, prefetch=100, ack=10, producers=10, queues=10, chunk=20),
    "steady": Scenario(confirms=True, prefetch=100, ack=1, chunk=1),
}


def ack(tag: int, multiple: bool) -> bytes:
    """basic.ack on channel 1."""
    return ACK + tag.to_bytes(8, "big") + bytes((multiple,)) + b"\xce"


class Running:
    """A scenario at work."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.broker: Broker = dialogue.new_broker(keeps=scenario.persistent)
        self.log = Log()
        self.turns = 0
        # Messages that one turn publishes, those that it delivers, and those that one consumer gets.
        self.published = scenario.chunk * scenario.producers
        self.portion = scenario.chunk if scenario.exchange == "fanout" else self.published // scenario.queues
        self.delivered = self.portion * scenario.queues
        self.producers = [self.producer(number) for number in range(scenario.producers)]
        self.consumers = [self.consumer(number) for number in range(scenario.queues)]
        self.flush()

    def client(self) -> Dialogue:
        """A client with channel 1."""
        client = dialogue.enter(self.broker)
        client.open(1)
        return client

    def ask(self, client: Dialogue, method: str, **fields: object) -> None:
        """A method on channel 1; the disk takes what it defines."""
        client.say(1, method, **fields)
        self.write()
        client.hears(1, f"{method}-ok")

    def producer(self, number: int) -> tuple[Connection, bytes]:
        """A client that has declared everything, and the chunk that it publishes."""
        scenario = self.scenario
        client = self.client()
        if scenario.exchange:
            self.ask(client, "exchange.declare", exchange="load", type=scenario.exchange, durable=scenario.persistent)
        for queue in range(scenario.queues):
            self.ask(client, "queue.declare", queue=f"load.{queue}", durable=scenario.persistent)
            if scenario.exchange:
                self.ask(client, "queue.bind", queue=f"load.{queue}", exchange="load", routing_key=f"load.{queue}")
        if scenario.confirms:
            self.ask(client, "confirm.select")
        message = dialogue.publish(
            1,
            f"load.{number % scenario.queues}",
            b"x" * scenario.size,
            "load" if scenario.exchange else "",
            delivery_mode=PERSISTENT if scenario.persistent else TRANSIENT,
        )
        return client.connection, message * scenario.chunk

    def consumer(self, number: int) -> Connection:
        """A client that consumes from a queue of its own."""
        scenario = self.scenario
        client = self.client()
        if scenario.prefetch:
            self.ask(client, "basic.qos", prefetch_count=scenario.prefetch)
        self.ask(client, "basic.consume", queue=f"load.{number}", no_ack=not scenario.ack)
        return client.connection

    # -- at work --

    def turn(self, acks: bytes) -> None:
        """Move a chunk of every producer all the way. `acks` come from `acknowledgements`."""
        now = self.broker.clock.now
        for connection, chunk in self.producers:
            connection.receive(chunk, now)
        self.flush()
        if acks:
            for consumer in self.consumers:
                consumer.receive(acks, now)
            self.flush()
        self.turns += 1

    def acknowledgements(self, turns: int = 1) -> list[bytes]:
        """What every consumer says in each of the next turns."""
        every = self.scenario.ack
        if not every:
            return [b""] * turns
        step = min(every, self.portion)
        said = []
        for turn in range(self.turns, self.turns + turns):
            tags = range(turn * self.portion + step, (turn + 1) * self.portion + 1, step)
            said.append(b"".join([ack(tag, every > 1) for tag in tags]))
        return said

    def flush(self) -> None:
        """Send and write until nothing is left to be sent or written."""
        for _ in range(FLUSHES):
            if self.broker.writable:
                self.send()
            elif self.broker.journal.urgent:
                self.write()
            else:
                return
        raise AssertionError("it does not come to an end")

    def send(self) -> None:
        """Every client reads what there is for it."""
        writable = self.broker.writable
        while writable:
            connection = writable.pop()
            assert isinstance(connection, Connection)
            outbox = connection.outbox
            while outbox.take():
                connection.written(self.broker.clock.now)

    def write(self) -> None:
        """The journal's writer, but for the disk."""
        journal = self.broker.journal
        if journal.idle():
            return
        work = journal.take()
        log = self.log
        if work.size:
            if log.room() < 2 * work.size:
                log.begin(log.new_segment(1, SEGMENT))
            offset, _ = log.place(work)
            log.wrote(work, offset)
            if log.droppable():
                log.drop()
        journal.landed(work)
        self.broker.durable(work.ticket)

    # -- what came of it --

    def deliveries(self) -> int:
        """Messages delivered to all consumers since the start."""
        tallies = [consumer.channels[1].tally for consumer in self.consumers]
        return sum(tally.delivered + tally.delivered_no_ack for tally in tallies)

    def left(self) -> int:
        """Messages that are in queues, and those that consumers have yet to acknowledge."""
        ready = sum(queue.ready_count() for queue in self.broker.vhosts["/"].queues.values())
        return ready + sum(len(consumer.channels[1].ledger.unacked) for consumer in self.consumers)
