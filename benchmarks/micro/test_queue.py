"""A message in a queue: put in, handed out, acknowledged, put back; with priorities, a time to live and limits."""

import pytest

from amq.queues.classic import ClassicQueue
from amq.wire.tables import Table
from benchmarks.micro.conftest import PerItem
from tests.queues import build
from tests.queues.build import Taker

COUNT = 1000
BACKLOG = 100_000
KINDS: dict[str, Table] = {
    "plain": {},
    "priority": {"x-max-priority": ("I", 5)},
    "ttl": {"x-message-ttl": ("I", 60_000)},
    "limit": {"x-max-length": ("I", 10_000_000)},
    "full": {"x-max-length": ("I", 100)},
}
MESSAGES = [build.message(b"x" * 16, priority=number % 5) for number in range(COUNT)]

kinds = pytest.mark.parametrize("kind", KINDS)


def filled(kind: str, count: int = COUNT) -> ClassicQueue:
    """A queue with messages that wait."""
    queue = build.queue(KINDS[kind])
    for number in range(count):
        queue.enqueue(MESSAGES[number % COUNT])
    return queue


@kinds
def test_enqueue(per_item: PerItem, kind: str) -> None:
    def enqueue(queue: ClassicQueue) -> None:
        for message in MESSAGES:
            queue.enqueue(message)

    per_item(enqueue, COUNT, lambda: (build.queue(KINDS[kind]),))


@pytest.mark.parametrize("kind", ["plain", "priority", "ttl"])
def test_get_and_acknowledge(per_item: PerItem, kind: str) -> None:
    def take(queue: ClassicQueue) -> None:
        while (found := queue.get()) is not None:
            queue.settle(found[0], found[1])

    per_item(take, COUNT, lambda: (filled(kind),))


@pytest.mark.parametrize("kind", ["plain", "priority", "ttl"])
def test_hand_out(per_item: PerItem, kind: str) -> None:
    def prepare() -> tuple[ClassicQueue]:
        queue = filled(kind)
        queue.add_consumer(Taker(credit=COUNT))
        return (queue,)

    per_item(ClassicQueue.dispatch, COUNT, prepare)


@pytest.mark.parametrize("consumers", [10, 1000])
def test_hand_out_one_at_a_time(per_item: PerItem, consumers: int) -> None:
    queue = build.queue()
    for number in range(consumers):
        queue.add_consumer(Taker(b"c%d" % number, credit=1 << 40))

    def all_of_them() -> None:
        for message in MESSAGES:
            queue.enqueue(message)
            queue.dispatch()

    per_item(all_of_them, COUNT)


def test_put_back(per_item: PerItem) -> None:
    def prepare() -> tuple[ClassicQueue, list[tuple[int, object]]]:
        queue = filled("plain")
        found = [queue.get() for _ in range(COUNT)]
        return queue, [(each[0], each[1]) for each in found if each is not None]

    per_item(ClassicQueue.requeue, COUNT, prepare)


@pytest.mark.parametrize("kind", ["plain", "priority", "ttl", "limit"])
def test_through_a_backlog(per_item: PerItem, kind: str) -> None:
    queue = filled(kind, BACKLOG)

    def all_of_them() -> None:
        for message in MESSAGES:
            queue.enqueue(message)
            found = queue.get()
            assert found is not None
            queue.settle(found[0], found[1])

    per_item(all_of_them, COUNT)
    assert queue.ready_count() == BACKLOG
