"""A purge empties a queue at once, however long it is; what it held is recorded and freed a slice at a time."""

from amq.chores import SLICE
from amq.clock import Clock, Timers
from amq.journal.batch import Batch
from amq.journal.record import Kept
from amq.queues.base import Agenda
from tests.queues.build import START, Taker, agenda, message, queue

LONG = 3 * SLICE + 5


def kept_queue() -> tuple[Agenda, Batch]:
    """An agenda whose journal keeps what is durable."""
    clock = Clock(START, 1_700_000_000.0)
    journal = Batch(keeps=True, clock=clock)
    return Agenda(clock, Timers(), journal), journal


def gone(journal: Batch) -> list[int]:
    """What the batch says is gone, in order of the numbers."""
    return sorted(lsn for _, lsns, _ in journal.take().gone for lsn in lsns)


def test_a_long_queue_is_empty_at_once_and_freed_in_slices() -> None:
    there = agenda()
    long = queue(there=there)
    for _ in range(LONG):
        long.enqueue(message())
    emptying = long.emptied()
    assert (emptying.count, long.ready_count(), long.size) == (LONG, 0, 0)
    assert emptying.done, "there is nothing to record"
    left = [len(part) for each in emptying.cleared for part in each.waiting]
    assert sum(left) == LONG - SLICE
    slices = 1
    while not emptying.slice():
        slices += 1
    assert slices == 3


def test_what_comes_in_after_a_purge_stays() -> None:
    there = agenda()
    long = queue(there=there)
    for _ in range(LONG):
        long.enqueue(message())
    long.purge()
    long.enqueue(message(b"later"))
    there.chores.finish()
    found = long.get()
    assert found is not None
    assert (found[0], found[1].body, long.ready_count()) == (LONG, b"later", 0)


def test_every_message_of_a_long_purge_is_recorded_before_it_is_done() -> None:
    there, journal = kept_queue()
    long = queue(there=there, durable=True)
    for lsn in range(1, LONG + 1):
        plain = message()
        long.enqueue(Kept(plain.address, plain.header, plain.body, plain.properties, lsn))
    emptying = long.emptied()
    recorded = gone(journal)
    assert (len(recorded), journal.owing, emptying.done) == (SLICE, 1, False)
    there.chores.finish()
    assert sorted(recorded + gone(journal)) == list(range(1, LONG + 1))
    assert (journal.owing, emptying.done, emptying.ticket) == (0, True, journal.ticket - 1)


def test_who_waits_for_a_purge_hears_of_its_end_even_where_nothing_was_recorded() -> None:
    there, journal = kept_queue()
    long = queue(there=there, durable=True)
    for _ in range(LONG):
        long.enqueue(message())
    emptying = long.emptied()
    there.chores.finish()
    assert (emptying.done, emptying.ticket, journal.emptied) == (True, 0, True)


def test_deadlines_go_with_the_messages_but_for_those_that_are_out() -> None:
    there = agenda()
    long = queue({"x-message-ttl": ("l", 1000)}, there)
    taker = Taker(credit=2)
    for _ in range(LONG):
        long.enqueue(message())
    long.add_consumer(taker)
    long.dispatch()
    assert len(long.deadlines) == LONG
    long.purge()
    there.chores.finish()
    assert list(long.deadlines) == [0, 1]


def test_what_was_returned_is_purged_too() -> None:
    there = agenda()
    long = queue(there=there)
    for _ in range(LONG):
        long.enqueue(message())
    taken = [long.get() for _ in range(SLICE + 2)]
    long.requeue([found[:2] for found in taken if found is not None])
    emptying = long.emptied()
    assert (emptying.count, long.ready_count()) == (LONG, 0)
    there.chores.finish()
    assert emptying.done
    assert not emptying.cleared
