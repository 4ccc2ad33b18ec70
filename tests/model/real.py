"""The broker under test, in memory: bytes in through `Connection.receive`, bytes out of the outboxes."""

from collections.abc import Sequence
from random import Random

from amq.broker import Broker
from amq.config.settings import Settings
from amq.connection.connection import Connection
from amq.connection.peer import Peer
from amq.destination import Destination
from amq.exchanges.recent_history import RecentHistory
from amq.journal.record import Lsns
from amq.message import Message, address
from amq.queues.base import Queue
from amq.queues.classic import HeadExpiry
from amq.vhost.settling import settle
from amq.vhost.vhost import Vhost
from amq.wire import properties, spec, tables
from tests.model import frames
from tests.model.frames import Item, method
from tests.model.records import Sent
from tests.model.storage import AtOnce, Storage

START = 1000.0
WALL = 1_700_000_000.0


class Real:
    """A broker with clients. `confirmed`: sequence numbers that a channel has heard of, by client and channel.

    With `seed` it has a data folder, whose disk may answer `at_once`.
    """

    def __init__(self, clients: int, incapable: set[int], seed: int | None = None, at_once: bool = True) -> None:
        self.now = START
        self.clients = clients
        self.incapable = incapable
        self.storage = None if seed is None else Storage(seed, at_once)
        self.confirmed: dict[tuple[int, int], set[int]] = {}
        self.connections: list[Connection] = []
        self.begin(WALL)

    def begin(self, wall: float) -> list[bytes]:
        """Start, and have all clients come; returns the queues that got messages back, in that order."""
        settings = Settings(consumer_timeout=None)
        filled: list[int] = []
        if self.storage is None:
            self.broker = Broker(settings, self.now, wall)
            self.broker.journal.pages = []
            self.broker.journal.wanted = AtOnce()
        else:
            self.broker, filled = self.storage.open(settings, self.now, wall)
        self.confirmed = {}
        self.connections = [self.connect(client) for client in range(self.clients)]
        names = {queue.id: queue.name for queue in self.vhost.queues.values() if queue.keeps}
        return [names[number] for number in filled if number in names]

    def crash(self, landed: bool, now: float) -> list[bytes]:
        """All that is not on disk is gone; `landed`: what was on its way had got there. It is `now` when it starts."""
        assert self.storage is not None
        if landed and self.storage.flying is not None:
            self.storage.land(told=False)
        wall = self.broker.clock.wall() + (now - self.now)
        self.now = now
        return self.begin(wall)

    def stop(self, now: float) -> tuple[list[bytes], bool]:
        """When nobody is left: all is written, and it is `now` when it starts again; also returns whether the broker
        then knows that it was stopped in good order.
        """
        assert self.storage is not None
        clean = self.storage.stop()
        wall = self.broker.clock.wall() + (now - self.now)
        self.now = now
        return self.begin(wall), clean

    def page_out(self, name: bytes, keep: int, most: int) -> None:
        """A queue lets go of messages in memory."""
        self.vhost.queues[name].page_out(keep, most)
        settle(self.vhost)

    def lose(self, client: int) -> None:
        """A client is gone, and does not come back before the next start."""
        self.connections[client].lost(self.now)
        self.connections[client].outbox.take()

    def waits(self) -> bool:
        """Whether a client's answer waits for the disk."""
        return any(connection.parked() for connection in self.connections)

    def cold(self, lsns: Lsns) -> list[Message]:
        """Messages that are not in memory."""
        assert self.storage is not None
        return self.storage.read(lsns)

    @property
    def vhost(self) -> Vhost:
        return self.broker.vhosts["/"]

    def connect(self, client: int) -> Connection:
        """Log in as guest, without heartbeats."""
        connection = Connection(self.broker, Peer("127.0.0.1", 40_000 + client, "127.0.0.1", 5672), self.now)
        told: tables.Table = {} if client in self.incapable else {"consumer_cancel_notify": ("t", True)}
        login = [{"capabilities": ("F", told)}, b"PLAIN", b"\0guest\0guest", b"en_US"]
        connection.receive(
            spec.PROTOCOL_HEADER
            + method(0, spec.CONNECTION_START_OK, *login)
            + method(0, spec.CONNECTION_TUNE_OK, 2047, 131_072, 0)
            + method(0, spec.CONNECTION_OPEN, b"/", b"", False),
            self.now,
        )
        assert connection.session is not None, "the login failed"
        connection.outbox.take()
        return connection

    def send(self, client: int, data: bytes, cut: Random | None) -> None:
        """Send frames at once or, with `cut`, in pieces cut anywhere."""
        connection = self.connections[client]
        while cut is not None and len(data) > 1 and cut.random() < 0.7:
            at = cut.randint(1, len(data) - 1)
            connection.receive(data[:at], self.now)
            data = data[at:]
        connection.receive(data, self.now)

    def leave(self, client: int, how: str) -> None:
        """The client says goodbye, makes a mistake that ends the connection, or is gone; it comes back at once."""
        connection = self.connections[client]
        if how == "close":
            connection.receive(method(0, spec.CONNECTION_CLOSE, 200, b"", 0, 0), self.now)
            assert connection.outbox.take().endswith(method(0, spec.CONNECTION_CLOSE_OK))
            assert connection.finished
        elif how == "offend":
            connection.receive(method(9, spec.QUEUE_PURGE, 0, b"", False), self.now)
            text = b"CHANNEL_ERROR - expected 'channel.open'"
            said = method(0, spec.CONNECTION_CLOSE, 504, text, *divmod(spec.QUEUE_PURGE, 1 << 16))
            assert connection.outbox.take().endswith(said)
            assert connection.closing
        connection.lost(self.now)
        connection.outbox.take()
        for key in [key for key in self.confirmed if key[0] == client]:
            del self.confirmed[key]
        self.connections[client] = self.connect(client)

    def advance(self, now: float) -> None:
        self.now = now
        self.broker.advance(now)

    def catch_up(self) -> None:
        """Where many die at once, the broker buries some and leaves the rest to a timer: let it run."""
        for _ in range(1000):
            if not self.vhost.agenda.dead:
                return
            self.broker.advance(self.now)
        raise AssertionError("the dead multiply")

    def expiring(self, now: float) -> list[bytes]:
        """Queues whose heads a timer looks after by then, in the order in which the timers run."""
        timers = sorted(self.broker.timers.heap)
        return [timed.queue.name for due, _, timed in timers if due <= now and isinstance(timed, HeadExpiry)]

    def heard(self) -> list[tuple[int, int, Item]]:
        """What clients have heard since the last time: client, channel, item; confirms one by one."""
        items: list[tuple[int, int, Item]] = []
        for client, connection in enumerate(self.connections):
            assert not connection.finished and not connection.closing, "a connection was closed"
            for number, item in frames.decode(connection.outbox.take()):
                if item[0] in ("ack", "nack"):
                    items += [(client, number, one) for one in self.single(client, number, item)]
                    continue
                if item[0] == "open-ok":
                    self.confirmed[client, number] = set()
                items.append((client, number, item))
            connection.written(self.now)
        return items

    def single(self, client: int, number: int, item: Sequence[object]) -> list[Item]:
        """The numbers that a confirm stands for, each once in a channel's life."""
        word, last, multiple = item
        assert isinstance(last, int)
        told = self.confirmed[client, number]
        numbers = [one for one in range(1, last + 1) if one not in told] if multiple else [last]
        assert numbers and not told.intersection(numbers), f"confirmed twice: {item}"
        told.update(numbers)
        return [(word, one) for one in numbers]

    def route(self, exchange: bytes, keys: list[bytes], sent: Sent) -> list[bytes]:
        """The names of the queues that a message reaches, in the broker's order; no exchange remembers the question."""
        remembering = [there for there in self.vhost.exchanges.values() if isinstance(there, RecentHistory)]
        remembered = [list(there.history) for there in remembering]
        found = self.vhost.route(self.vhost.exchanges[exchange], keys, as_message(sent)).queues
        for there, history in zip(remembering, remembered, strict=True):
            there.history.clear()
            there.history.extend(history)
        return [queue.name for queue in found]

    def pick(self, exchange: bytes, sent: Sent) -> tuple[bool, bytes]:
        """Where one consistent hash exchange sends a message: whether that is a queue, and its name."""
        found: list[Destination] = []
        self.vhost.exchanges[exchange].route(sent.key, as_message(sent), found)
        return isinstance(found[0], Queue), found[0].name


def as_message(sent: Sent) -> Message:
    """A message for asking the broker's own routing."""
    header = properties.rewrite(bytes(14), {properties.HEADERS: tables.encode(sent.headers)})
    return Message(address(sent.exchange, sent.key), header, sent.body, properties.read(header))
