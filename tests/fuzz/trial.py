"""One input against a broker in memory, and everything that must be true afterwards."""

from typing import Final

from amq.broker import Broker
from amq.config.settings import Settings
from amq.connection.connection import Connection
from amq.connection.peer import Peer
from amq.connection.publisher import MAX_ROUTES
from amq.journal.batch import Batch
from amq.vhost import topology
from tests.conformance import methods
from tests.fuzz import wire
from tests.fuzz.books import check_books
from tests.fuzz.client import Client
from tests.harness.dialogue import write

# The codes with which a broker may end a channel, and those with which it may end a connection (403: a login).
SOFT: Final = frozenset((403, 404, 405, 406))
HARD: Final = frozenset((320, 403, 501, 502, 503, 504, 505, 530, 540))
PREDECLARED: Final = frozenset((b"", *[name for name, _, _ in topology.PREDECLARED]))
# Seconds from one input to the next: more than any client is given to end, and than timers live.
BETWEEN: Final = 100.0


class Bench:
    """A broker that is tried with one input after the other while an innocent client uses it."""

    def __init__(self, settings: Settings | None = None, keeps: bool = False) -> None:
        self.now: float = 1_000.0
        self.broker = Broker(settings or Settings(), self.now, 1_700_000_000.0, Batch(keeps))
        self.vhost = self.broker.vhosts["/"]
        self.innocent = Client(self.broker)
        self.innocent.say("queue.declare", queue="the innocent client's own", exclusive=True)
        self.innocent.say("confirm.select")
        self.published = 0
        self.inputs = 0

    def try_out(self, *clients: list[bytes]) -> list[bytes]:
        """Let each client send its pieces, in turns, let time pass, lose them; returns what each of them heard.

        Raises AssertionError when anything is wrong.
        """
        self.inputs += 1
        peer = Peer("127.0.0.1", 40_001, "127.0.0.1", 5672)
        connections = [Connection(self.broker, peer, self.now) for _ in clients]
        said = [bytearray() for _ in clients]
        for turn in range(max(map(len, clients), default=0)):
            for pieces, connection in zip(clients, connections, strict=True):
                if turn < len(pieces):
                    connection.receive(pieces[turn], self.now)
                    self.now += 0.001
            self.listen(connections, said)
            if turn < 60 or turn % 20 == 0:
                check_books(self.vhost, [*connections, self.innocent.connection])
            if turn % 8 == 0:
                write(self.broker)
        check_books(self.vhost, [*connections, self.innocent.connection])
        self.check_innocent()
        self.now += 0.1
        while not self.broker.journal.idle():
            # What is answered goes on with what was said behind it.
            write(self.broker)
        self.broker.advance(self.now)
        self.listen(connections, said)
        for heard, connection in zip(said, connections, strict=True):
            check_speech(bytes(heard), connection)
        check_books(self.vhost, [*connections, self.innocent.connection])
        for connection in connections:
            connection.lost(self.now)
        self.check_left_behind()
        self.check_innocent()
        return [bytes(heard) for heard in said]

    def listen(self, connections: list[Connection], said: list[bytearray]) -> None:
        """Let clients read what there is for them."""
        for heard, connection in zip(said, connections, strict=True):
            while piece := connection.outbox.take():
                heard += piece
                connection.written(self.now)

    def check_innocent(self) -> None:
        """Another client is served as if nothing happened."""
        self.published += 1
        body = b"%d" % self.published
        queue = "the innocent client's own"
        heard = self.innocent.send(*wire.publish(1, queue, body), wire.method(1, "basic.get", queue=queue, no_ack=True))
        assert sorted(method.name for method in heard) == ["basic.ack", "basic.get-ok"], heard
        assert [method.fields["delivery_tag"] for method in heard if method.name == "basic.ack"] == [self.published]

    def check_left_behind(self) -> None:
        """Nothing of the client is left but what it declared for everybody, and that can be deleted."""
        broker, vhost = self.broker, self.vhost
        assert list(broker.clients) == [self.innocent.connection]
        assert broker.awaiting == {}
        assert vhost.replies == {}
        assert not vhost.agenda.touched
        assert not vhost.agenda.dead
        assert [queue for queue in vhost.queues.values() if queue.owner is not None] == [
            vhost.queues[b"the innocent client's own"]
        ]
        for queue in list(vhost.queues.values()):
            assert queue.consumer_count() == 0
            assert queue.unacked == 0
            if queue.owner is None:
                topology.delete_queue(vhost, queue)
        for exchange in list(vhost.exchanges.values()):
            if exchange.name not in PREDECLARED:
                topology.delete_exchange(vhost, exchange)
        for each in [each for bindings in vhost.incoming.values() for each in bindings.values()]:
            # Between exchanges that are always there.
            topology.unbind(vhost, each.source, each.destination, each.routing_key, each.arguments)
        assert vhost.incoming == {}
        assert all(not exchange.bindings for exchange in vhost.exchanges.values())
        assert all(len(routes) <= MAX_ROUTES for routes in vhost.routes.values())
        self.now += BETWEEN
        broker.advance(self.now)
        timers = [timed for _, _, timed in broker.timers.heap]
        assert [type(timed).__name__ for timed in timers] == ["DeliveryWatch"], "the innocent client's, for its gets"
        broker.writable.clear()
        broker.log.clear()


def check_speech(said: bytes, connection: Connection) -> None:
    """Whole frames, methods that decode, closes with a code of the specification, silence after connection.close."""
    if said == wire.PROTOCOL_HEADER:
        assert connection.finished
        return
    closed = False
    for kind, channel, payload in wire.split(said):
        if kind != wire.METHOD:
            continue
        method = methods.decode(payload)
        assert not closed or method.name == "connection.close-ok", method
        if method.name == "channel.close":
            assert method.fields["reply_code"] in SOFT, method
        elif method.name == "connection.close":
            assert method.fields["reply_code"] in HARD, method
            assert channel == 0
            closed = True
    if closed:
        assert connection.closing
