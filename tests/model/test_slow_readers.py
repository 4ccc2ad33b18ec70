"""Clients that take their time to read: nothing is lost, nothing comes twice, and nothing more comes than enough."""

from random import Random

import pytest

from amq.connection.outbox import HIGH_WATER
from tests.model import frames
from tests.model.frames import Item
from tests.model.real import Real
from tests.model.records import Queue, Sent

LARGEST = 100_000
QUEUES = (b"q0", b"q1")
READERS = (1, 2)


class Readers:
    """A publisher (client 0), and readers who consume with and without acknowledgement and read now and then."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.real = Real(3, set())
        self.sent: list[bytes] = []
        self.got: list[bytes] = []
        # Delivery tags to acknowledge, by client.
        self.tags: dict[int, list[int]] = {client: [] for client in READERS}
        # Consumers by client and tag: whether they acknowledge.
        self.acknowledging: dict[tuple[int, bytes], bool] = {}
        declares = b"".join(frames.declare_queue(1, Queue(name), {}) for name in QUEUES)
        for client in (0, *READERS):
            self.say(client, frames.encode("open", 1, {}) + declares)
        for client in READERS:
            for number, queue in enumerate(QUEUES * 2):
                self.consume(client, queue, b"%d" % number)

    def say(self, client: int, data: bytes) -> None:
        self.real.send(client, data, None)

    def consume(self, client: int, queue: bytes, tag: bytes) -> None:
        self.acknowledging[client, tag] = self.random.random() < 0.5
        prefetch = self.random.choice((0, 0, 1, 50))
        self.say(client, frames.encode("qos", 1, {"count": prefetch, "for_channel": False}))
        no_ack = not self.acknowledging[client, tag]
        self.say(client, frames.consume(1, queue, tag, no_ack, False, 0))

    def publish(self) -> None:
        size = self.random.choice((10, 10, 1000, 50_000, LARGEST))
        body = (b"%d " % len(self.sent)).ljust(size, b".")
        self.sent.append(body[:10])
        sent = Sent(b"", self.random.choice(QUEUES), {}, 0, None, False, body)
        waiting = [self.real.connections[client].outbox.size for client in READERS]
        self.say(0, frames.publish(1, b"", sent, False))
        for client, size in zip(READERS, waiting, strict=True):
            if size >= HIGH_WATER:
                assert self.real.connections[client].outbox.size == size, "more for a client who has too much to read"

    def read(self, client: int) -> None:
        """Read what is waiting; more may come at once."""
        connection = self.real.connections[client]
        for _, item in frames.decode(connection.outbox.take()):
            self.hear(client, item)
        connection.written(self.real.now)

    def hear(self, client: int, item: Item) -> None:
        if item[0] != "deliver":
            return
        _, tag, number, redelivered, *_, body = item
        assert isinstance(tag, bytes) and isinstance(number, int) and isinstance(body, bytes)
        assert not redelivered
        self.got.append(body[:10])
        if self.acknowledging[client, tag]:
            self.tags[client].append(number)

    def acknowledge(self, client: int) -> None:
        tags = self.tags[client]
        if tags:
            tag = tags.pop(self.random.randrange(len(tags)))
            self.say(client, frames.encode("ack", 1, {"tag": tag, "multiple": False}))

    def replace(self, client: int) -> None:
        """Cancel a consumer; another takes its tag once nothing for the old one is on its way."""
        tag = b"%d" % self.random.randrange(4)
        self.say(client, frames.encode("cancel", 1, {"tag": tag}))
        self.read(client)
        self.consume(client, QUEUES[int(tag) % 2], tag)

    def finish(self) -> None:
        """Read and acknowledge until nothing comes any more."""
        count = -1
        while count != len(self.got):
            count = len(self.got)
            for client in READERS:
                self.read(client)
                while self.tags[client]:
                    self.acknowledge(client)
                self.read(client)


@pytest.mark.parametrize("seed", range(25))
def test_slow_readers_get_every_message_once(seed: int) -> None:
    readers = Readers(seed)
    random = readers.random
    for _ in range(300):
        client = random.choice(READERS)
        match random.choices(("publish", "read", "acknowledge", "replace"), (20, 2, 3, 1))[0]:
            case "publish":
                readers.publish()
            case "read":
                readers.read(client)
            case "acknowledge":
                readers.acknowledge(client)
            case _:
                readers.replace(client)
    readers.finish()
    assert sorted(readers.got) == sorted(readers.sent)
    for name in QUEUES:
        queue = readers.real.vhost.queues[name]
        assert (queue.ready_count(), queue.unacked) == (0, 0)
