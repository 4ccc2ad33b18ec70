"""Backlogs that are not in memory, on a disk that takes its time: nothing is lost, doubled or overtaken.

Messages are read back some steps after they were asked for, while queues are purged and deleted, consumers come and
go, segments are dropped and salvaged, and now and then the broker is killed.
"""

from random import Random

import pytest

from amq.journal.loading import Load
from amq.journal.record import compact
from amq.message import Message
from amq.wire import spec
from amq.wire.tables import Table
from tests.model import frames
from tests.model.frames import Item
from tests.model.player import table_of
from tests.model.real import Real
from tests.model.records import Bond, Exchange, Queue, Sent
from tests.model.storage import nothing

PLAIN, RANKED, FLEETING, SMALL, DEAD = b"plain", b"ranked", b"fleeting", b"small", b"dead"
BRIEF, LATE = b"brief", b"late"
QUEUES = {
    PLAIN: Queue(PLAIN, durable=True),
    RANKED: Queue(RANKED, durable=True, max_priority=3),
    FLEETING: Queue(FLEETING),
    SMALL: Queue(SMALL, durable=True, length=6, dead_letter_exchange=b"", dead_letter_key=DEAD),
    BRIEF: Queue(BRIEF, durable=True, ttl=100, dead_letter_exchange=b"", dead_letter_key=DEAD),
    LATE: Queue(LATE, durable=True),
    DEAD: Queue(DEAD, durable=True),
}
DELAYING = Exchange(b"delaying", b"x-delayed-message", durable=True)
READERS = (1, 2)
CONTROL = 0
STEPS = 250


class Story:
    """Client 0 publishes and purges, the others consume and get. Bodies are numbers, and one number stands for one
    message: `left` says in which queue it was put, until somebody acknowledges it or it is purged.
    """

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.real = Real(3, set(), seed, at_once=False)
        self.count = 0
        self.left: dict[bytes, bytes] = {}
        # What was acknowledged or purged since the last write, which a crash may bring back.
        self.fresh: dict[bytes, bytes] = {}
        # By client, delivery tags with body.
        self.out: dict[int, dict[int, bytes]] = {}
        self.last: dict[tuple[bytes, int], int] = {}
        self.lost: set[bytes] = set()
        # Published since the last write.
        self.unwritten: set[bytes] = set()
        self.reading: tuple[Load, list[Message]] | None = None
        self.enter()

    def enter(self) -> None:
        """All clients have come, as at the start."""
        self.entered = False
        self.reading = None
        self.out = {client: {} for client in READERS}
        self.last = {}
        for client in (CONTROL, *READERS):
            self.say(client, frames.encode("open", 1, {}))
        for queue in QUEUES.values():
            self.say(CONTROL, frames.declare_queue(1, queue, table_of(queue)))
            self.write()
        self.say(CONTROL, frames.declare_exchange(1, DELAYING, {"x-delayed-type": ("S", b"fanout")}))
        self.write()
        self.say(CONTROL, frames.bind_queue(1, Bond(DELAYING.name, True, LATE, b"", {})))
        self.write()
        self.entered = True

    def say(self, client: int, data: bytes) -> None:
        if not self.real.connections[client].parked():
            self.real.send(client, data, None)
        self.hear()

    def hear(self) -> None:
        """What clients were told. Each one gets what is new in order, and all of them nothing that is older than what
        somebody got before.
        """
        newest = dict(self.last)
        for client, connection in enumerate(self.real.connections):
            own = dict(self.last)
            for _, item in frames.decode(connection.outbox.take()):
                self.heard(client, item, own)
            connection.written(self.real.now)
            for line, number in own.items():
                newest[line] = max(newest.get(line, -1), number)
        self.last = newest

    def heard(self, client: int, item: Item, last: dict[tuple[bytes, int], int]) -> None:
        """One thing that a client was told; `last` is by queue and priority the newest message that it got so far."""
        assert item[0] != "close", item
        if item[0] not in ("deliver", "get-ok"):
            return
        number, redelivered = item[1:3] if item[0] == "get-ok" else item[2:4]
        key, _, rank, _, _, body = item[-6:]
        assert isinstance(number, int) and isinstance(rank, int) and isinstance(body, bytes)
        assert body in self.left, f"{body!r} was done with"
        assert all(body not in there.values() for there in self.out.values()), f"{body!r} is out already"
        self.out[client][number] = body
        if key == DEAD:
            self.left[body] = DEAD
        if not redelivered and self.left[body] in (PLAIN, RANKED, FLEETING):
            line = (self.left[body], rank)
            assert last.get(line, -1) < int(body), f"{body!r} comes late"
            last[line] = int(body)

    # -- what happens --

    def publish(self) -> None:
        queue = self.random.choice((PLAIN, PLAIN, RANKED, FLEETING, SMALL, BRIEF, LATE))
        rank = self.random.randint(0, 3) if queue == RANKED else 0
        lasting = self.random.random() < 0.7
        exchange = DELAYING.name if queue == LATE else b""
        headers: Table = {"x-delay": ("I", self.random.choice((1, 50, 200)))} if queue == LATE else {}
        data = b""
        for _ in range(self.random.choice((1, 1, 5, 12))):
            body = b"%d" % self.count
            self.count += 1
            self.left[body] = queue
            self.unwritten.add(body)
            if queue == FLEETING or not lasting:
                self.lost.add(body)
            data += frames.publish(1, exchange, Sent(exchange, queue, headers, rank, None, lasting, body), False)
        self.say(CONTROL, data)

    def write(self) -> None:
        storage = self.real.storage
        assert storage is not None
        self.real.catch_up()
        storage.take()
        self.fresh, self.unwritten = {}, set()
        storage.meanwhile = self.meanwhile
        storage.land()
        storage.meanwhile = nothing
        self.hear()

    def meanwhile(self) -> None:
        """While a frame is written others go on."""
        for _ in range(self.random.choice((0, 0, 3)) if self.entered else 0):
            self.random.choice((self.load, self.load, self.publish, self.settle_any))()

    def load(self) -> None:
        """A read begins, or the one that began before ends."""
        storage = self.real.storage
        assert storage is not None
        if self.reading is not None:
            load, messages = self.reading
            self.reading = None
            self.real.broker.take_in(load, messages)
        elif self.real.broker.journal.wanted:
            load = self.real.broker.journal.wanted.pop(0)
            lsns = load.lsns()
            if load.stale():
                self.reading = load, []
            elif lsns is not None:
                self.reading = load, storage.read(lsns)
            else:
                pieces = load.page().pieces
                assert pieces is not None
                self.reading = load, load.unpack(b"".join(pieces))
        self.hear()

    def wait(self) -> None:
        """Time passes: some messages die, others have waited long enough."""
        self.real.advance(self.real.now + self.random.choice((0.01, 0.06, 0.3)))
        self.real.catch_up()
        self.hear()

    def page_out(self) -> None:
        name = self.random.choice(list(QUEUES))
        self.real.page_out(name, self.random.choice((0, 0, 1, 4)), self.random.choice((3, 100)))
        self.hear()

    def consume(self, client: int) -> None:
        """Cancel all and consume anew, some queues, with some prefetch."""
        for name in QUEUES:
            self.say(client, frames.encode("cancel", 1, {"tag": name}))
        self.say(client, frames.encode("qos", 1, {"count": self.random.choice((1, 2, 7)), "for_channel": False}))
        for name in self.random.sample(list(QUEUES), self.random.randint(0, 3)):
            self.say(client, frames.consume(1, name, name, False, False, 0))

    def get(self, client: int) -> None:
        self.say(client, frames.encode("get", 1, {"queue": self.random.choice(list(QUEUES)), "no_ack": False}))

    def settle(self, client: int) -> None:
        """Acknowledge a delivery, or have it back; what may die is rejected now and then."""
        if not self.out[client] or self.real.connections[client].parked():
            return
        tag = self.random.choice(list(self.out[client]))
        body = self.out[client].pop(tag)
        if self.left[body] in (SMALL, BRIEF) and self.random.random() < 0.2:
            self.say(client, frames.encode("nack", 1, {"tag": tag, "multiple": False, "requeue": False}))
        elif self.random.random() < 0.6:
            self.fresh[body] = self.left.pop(body)
            self.say(client, frames.encode("ack", 1, {"tag": tag, "multiple": False}))
        else:
            self.say(client, frames.encode("nack", 1, {"tag": tag, "multiple": False, "requeue": True}))

    def settle_any(self) -> None:
        self.settle(self.random.choice(READERS))

    def purge(self) -> None:
        name = self.random.choice((PLAIN, RANKED, FLEETING))
        out = {body for there in self.out.values() for body in there.values()}
        gone = [body for body, queue in self.left.items() if queue == name and body not in out]
        assert self.real.vhost.queues[name].ready_count() == len(gone)
        for body in gone:
            self.fresh[body] = self.left.pop(body)
        self.say(CONTROL, frames.method(1, spec.QUEUE_PURGE, 0, name, True))

    def crash(self) -> None:
        """What was written is there, what is fleeting is not, and nothing is there twice."""
        self.real.crash(False, self.real.now)
        wanted = {body for body in self.left if body not in self.lost}
        safe = wanted - self.unwritten
        everything = {**self.left, **self.fresh}
        there = self.present()
        assert there <= everything.keys() - self.lost, "what was done with is back"
        assert safe <= there, f"what was safe is gone: {[(body, everything[body]) for body in safe - there]}"
        self.left = {body: everything[body] for body in sorted(there, key=int)}
        self.enter()

    def present(self) -> set[bytes]:
        """All bodies in durable queues."""
        storage = self.real.storage
        assert storage is not None
        found = storage.alive()
        bodies = [message.body for lsns in found.values() for message in storage.read(compact(lsns))]
        assert len(set(bodies)) == len(bodies)
        return set(bodies)

    def finish(self) -> None:
        """Read back and acknowledge all there is."""
        for client in READERS:
            while self.real.connections[client].parked():
                self.load()
            for name in QUEUES:
                self.say(client, frames.encode("cancel", 1, {"tag": name}))
        self.say(1, frames.encode("qos", 1, {"count": 0, "for_channel": False}))
        for name in QUEUES:
            self.say(1, frames.consume(1, name, name, False, False, 0))
        for _ in range(3):
            self.real.advance(self.real.now + 1.0)
            self.real.catch_up()
            while self.reading is not None or self.real.broker.journal.wanted:
                self.load()
            self.hear()
        out = [body for there in self.out.values() for body in there.values()]
        assert sorted(out) == sorted(self.left)


ACTIONS = {
    "publish": 10,
    "write": 5,
    "load": 8,
    "page_out": 4,
    "consume": 2,
    "get": 2,
    "settle": 14,
    "wait": 3,
    "purge": 0.5,
    "crash": 0.5,
}


def play(seed: int, steps: int) -> None:
    story = Story(seed)
    for _ in range(steps):
        name = story.random.choices(list(ACTIONS), ACTIONS.values())[0]
        action = getattr(story, name)
        if name in ("consume", "get", "settle"):
            action(story.random.choice(READERS))
        else:
            action()
    story.finish()


@pytest.mark.parametrize("seed", range(100))
def test_messages_that_are_read_back_late_come_once_and_in_order(seed: int) -> None:
    play(seed, STEPS)
