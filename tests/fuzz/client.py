"""A client of a broker in memory: what it sends goes straight into `Connection.receive`."""

from typing import Any

from amq.broker import Broker
from amq.connection.connection import Connection
from amq.connection.peer import Peer
from tests.conformance.methods import Method
from tests.fuzz import wire


class Client:
    """One connection. `now` is the broker's time."""

    def __init__(self, broker: Broker, **handshake: int) -> None:
        self.broker = broker
        self.connection = Connection(broker, Peer("127.0.0.1", 40_000, "127.0.0.1", 5672), broker.clock.now)
        self.send(*wire.handshake(**handshake), wire.method(1, "channel.open"))

    def send(self, *pieces: bytes) -> list[Method]:
        """Send octets in one chunk; returns the methods that are heard then, on whatever channel."""
        self.connection.receive(b"".join(pieces), self.broker.clock.now)
        return self.heard()

    def say(self, name: str, **arguments: Any) -> list[Method]:
        """Send a method on channel 1; returns what is heard."""
        return self.send(wire.method(1, name, **arguments))

    def heard(self) -> list[Method]:
        """Read everything, as a client does that always reads."""
        octets = bytearray()
        while piece := self.connection.outbox.take():
            octets += piece
            self.connection.written(self.broker.clock.now)
        return [method for _, method in wire.spoken(bytes(octets))]

    def lose(self) -> None:
        """The socket breaks."""
        self.connection.lost(self.broker.clock.now)
