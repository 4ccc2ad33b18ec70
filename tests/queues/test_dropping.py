"""Very many heads that have to go, because they expired or are too many, go in slices; none of them is handed out."""

from amq.queues.arguments import parse
from amq.queues.classic import DROPS, FEW, ClassicQueue
from amq.wire.tables import Table
from tests.queues.build import Taker, later, message, queue

LONG = 3 * DROPS + 7
TTL: Table = {"x-message-ttl": ("l", 1000)}


def waiting(arguments: Table, count: int = LONG) -> ClassicQueue:
    there = queue(arguments)
    for number in range(count):
        there.enqueue(message(b"%d" % number))
    return there


def test_what_has_expired_goes_in_slices() -> None:
    there = waiting(TTL)
    seen = []
    later(there, 1.5)
    while there.ready_count():
        seen.append(there.ready_count())
        later(there, 0.001)
    assert seen == [LONG - DROPS, LONG - 2 * DROPS, LONG - 3 * DROPS]


def test_nothing_that_has_expired_is_handed_out_meanwhile() -> None:
    there = waiting(TTL)
    later(there, 1.5)
    there.enqueue(message(b"fresh"))
    taker = Taker()
    there.add_consumer(taker)
    there.dispatch()
    assert taker.taken == []
    assert there.get() is None
    assert there.cold_head(), "whoever asks for the head has to wait"
    for _ in range(5):
        later(there, 0.001)
        there.dispatch()
    assert taker.bodies() == [b"fresh"]


def test_messages_that_come_in_do_not_drop_a_slice_each() -> None:
    there = waiting(TTL)
    later(there, 1.5)
    before = there.ready_count()
    for _ in range(10):
        there.enqueue(message(b"more"))
    assert there.ready_count() == before + 10


def limited(there: ClassicQueue, length: int) -> None:
    """A policy says how long it may be."""
    there.reconfigure(parse("queue 'q' in vhost '/'", {"x-max-length": ("l", length)}))


def test_a_limit_that_comes_over_a_long_queue_takes_effect_in_slices() -> None:
    there = waiting({})
    limited(there, 3)
    seen = [there.ready_count()]
    while there.ready_count() > 3:
        later(there, 0.001)
        seen.append(there.ready_count())
    assert seen == [LONG - DROPS, LONG - 2 * DROPS, LONG - 3 * DROPS, 3]
    found = there.get()
    assert found is not None
    assert found[1].body == b"%d" % (LONG - 3)


def test_a_queue_that_is_too_long_does_not_grow_while_more_comes_in() -> None:
    there = waiting({})
    limited(there, 3)
    before = there.ready_count()
    for _ in range(10):
        there.enqueue(message(b"more"))
    assert there.ready_count() == before + 10 - 10 * FEW


def test_few_go_at_once() -> None:
    there = waiting({}, DROPS)
    limited(there, 3)
    assert there.ready_count() == 3
