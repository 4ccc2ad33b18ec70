"""What is handed in, what one take takes of it, and the number that stands for it."""

from array import array

from amq.clock import Clock
from amq.journal import change, record
from amq.journal.batch import Batch
from amq.journal.change import Change
from amq.journal.record import NEVER, read_run
from amq.queues.arguments import parse
from amq.queues.base import Agenda
from amq.queues.classic import ClassicQueue
from tests.journal.build import ADDRESS, message, published, records, run, settled, some_properties
from tests.queues.build import agenda

A_CHANGE = Change(change.QUEUE, "/", (b"q",), None, True)


def durable_queue(batch: Batch) -> ClassicQueue:
    """A queue that the batch keeps."""
    there = agenda()
    own = Agenda(there.clock, there.timers, batch)
    return ClassicQueue(b"q", True, None, False, {}, own, parse("queue 'q' in vhost '/'", {}))


def test_batches_count_from_one_and_nothing_is_safe_yet() -> None:
    batch = Batch(keeps=True)
    assert (batch.ticket, batch.durable) == (1, 0)
    assert batch.idle()
    assert not batch.urgent


def test_what_is_handed_in_belongs_to_the_batch_that_is_being_filled() -> None:
    batch = Batch(keeps=True)
    header, properties = some_properties()
    assert batch.run(1, [b"1"], ADDRESS, header, properties, [7]) == 1
    assert batch.settle_now(7, range(1, 2), 1) == 1
    first = batch.take()
    assert batch.run(2, [b"2"], ADDRESS, header, properties, [7]) == 2
    second = batch.take()
    assert (first.ticket, second.ticket, batch.ticket) == (1, 2, 3)
    assert [pair.body for pair in published(first)] == [b"1"]
    assert [pair.body for pair in published(second)] == [b"2"]
    assert settled(first) == [(7, 1)]


def test_what_was_taken_is_not_taken_again() -> None:
    batch = Batch(keeps=True)
    run(batch, [b"m"], [7])
    assert batch.take().heads
    work = batch.take()
    assert (work.ticket, work.size, work.heads, work.runs) == (2, 0, [], [])
    assert batch.idle()


def test_messages_have_consecutive_numbers_and_one_record_when_they_differ_in_their_bodies_only() -> None:
    batch = Batch(keeps=True)
    assert run(batch, [b"aa", b"bb", b"cc"], [7, 8]) == 1
    assert run(batch, [b"d"], [8]) == 4
    work = batch.take()
    assert [(pair.lsn, pair.body, pair.queues) for pair in published(work)] == [
        (1, b"aa", [7, 8]),
        (2, b"bb", [7, 8]),
        (3, b"cc", [7, 8]),
        (4, b"d", [8]),
    ]
    assert len(work.heads) == 2
    assert (work.first_lsn, work.last_lsn) == (1, 4)


def test_runs_say_where_their_records_stand() -> None:
    batch = Batch(keeps=True)
    run(batch, [b"a" * 5] * 3, [7])
    batch.settle_now(7, range(1, 2), 5)
    run(batch, [b""], [7, 8])
    work = batch.take()
    octets = b"".join(work.pieces)
    assert len(octets) == work.size
    assert work.heads == [octets[at : at + 8] for _, at in records(octets)]
    places = [at for kind, at in records(octets) if kind == record.RUN]
    assert [placed.offset for placed in work.runs] == places
    for placed in work.runs:
        found = read_run(octets, placed.offset)
        size = int.from_bytes(octets[placed.offset : placed.offset + 4], "little") + 8
        assert (placed.lsn, placed.count, placed.body_size) == (found.lsn, found.count, found.body_size)
        assert (placed.queues, placed.size) == (list(found.queues), size)


def test_a_message_that_expires_says_when_by_the_wall_clock() -> None:
    clock = Clock(100.0, 1_700_000_000.25)
    batch = Batch(True, clock)
    clock.now = 102.0
    run(batch, [b"m"], [7], ttl=5000)
    run(batch, [b"m"], [7], ttl=0)
    run(batch, [b"m"], [7])
    octets = b"".join(batch.take().pieces)
    now = 1_700_000_002_250
    found = [read_run(octets, at) for _, at in records(octets)]
    assert [each.time for each in found] == [now] * 3
    assert [each.expires for each in found] == [now + 5000, now, NEVER]


def test_a_message_gets_the_next_number_and_stays_what_it_is() -> None:
    batch = Batch(keeps=True)
    batch.next_lsn = 1 << 40
    plain = message(b"body")
    kept = batch.keep(plain)
    assert (plain.lsn, kept.lsn, batch.next_lsn) == (0, 1 << 40, (1 << 40) + 1)
    assert (kept.address, kept.header, kept.body) == (plain.address, plain.header, plain.body)
    assert kept.properties is plain.properties


def test_changes_of_definitions_are_taken_with_the_batch_and_named_by_its_number() -> None:
    batch = Batch(keeps=True)
    batch.take()
    batch.define(A_CHANGE)
    assert batch.urgent
    assert not batch.idle()
    assert batch.defining == 2
    assert batch.take().changes == [A_CHANGE]
    assert batch.take().changes == []


def test_what_the_store_held_already_is_no_change() -> None:
    batch = Batch(keeps=True)
    batch.restoring = True
    batch.define(A_CHANGE)
    assert batch.idle()
    assert batch.defining == 0


def test_a_batch_that_keeps_nothing_takes_no_changes() -> None:
    batch = Batch(keeps=False)
    batch.define(A_CHANGE)
    assert batch.idle()
    assert not batch.urgent


# -- what is settled --


def test_acknowledgements_go_with_the_next_batch_and_hurry_nobody() -> None:
    batch = Batch(keeps=True)
    queue = durable_queue(batch)
    for body in (b"one", b"three"):
        queue.forget(batch.keep(message(body)))
    assert not batch.urgent
    assert not batch.idle()
    work = batch.take()
    assert work.gone == [(queue.id, range(1, 3), len(b"onethree"))]
    assert settled(work) == [(queue.id, 1), (queue.id, 2)]
    assert batch.idle()
    queue.forget(batch.keep(message()))
    assert settled(batch.take()) == [(queue.id, 3)]


def test_settled_messages_bound_to_a_batch_are_in_it_once() -> None:
    batch = Batch(keeps=True)
    queue = durable_queue(batch)
    assert batch.bind_settled() == 0
    assert not batch.urgent
    queue.forget(batch.keep(message()))
    assert batch.bind_settled() == 1
    assert batch.urgent
    queue.forget(batch.keep(message()))
    assert settled(batch.take()) == [(queue.id, 1), (queue.id, 2)]


def test_only_acknowledgements_of_older_messages_may_go_ahead_of_a_batch() -> None:
    batch = Batch(keeps=True)
    queue, other = durable_queue(batch), durable_queue(batch)
    for lsn in (1, 2, 7, 3, 8):
        batch.next_lsn = lsn
        queue.forget(batch.keep(message(b"12")))
    batch.next_lsn = 9
    other.forget(batch.keep(message()))
    ahead = batch.take_settled(7, 100)
    assert settled(ahead) == [(queue.id, 1), (queue.id, 2), (queue.id, 3)]
    assert (ahead.ticket, ahead.changes) == (0, [])
    queue.forget(batch.keep(message()))
    assert settled(batch.take()) == [(queue.id, 7), (queue.id, 8), (queue.id, 10), (other.id, 9)]


def test_about_as_many_acknowledgements_go_ahead_as_there_is_room_for() -> None:
    batch = Batch(keeps=True)
    queue, other = durable_queue(batch), durable_queue(batch)
    for _ in range(5):
        queue.forget(batch.keep(message()))
    other.forget(batch.keep(message()))
    assert settled(batch.take_settled(100, 3)) == [(queue.id, 1), (queue.id, 2), (queue.id, 3)]
    assert settled(batch.take_settled(100, 3)) == [(queue.id, 4), (queue.id, 5), (other.id, 6)]
    assert batch.take_settled(100, 3).heads == []
    assert batch.idle()


def test_what_was_purged_goes_ahead_as_far_as_it_is_in_the_journal() -> None:
    batch = Batch(keeps=True)
    batch.purge(7, range(2, 9))
    batch.purge(8, array("Q", [1, 4, 6, 9]))
    assert settled(batch.take_settled(6, 100)) == [(7, 2), (7, 3), (7, 4), (7, 5), (8, 1), (8, 4)]
    assert settled(batch.take()) == [(7, 6), (7, 7), (7, 8), (8, 6), (8, 9)]
    assert batch.idle()


def test_a_deleted_queue_is_forgotten_with_the_batch_and_needs_no_record() -> None:
    batch = Batch(keeps=True)
    batch.forget_queue(7)
    work = batch.take()
    assert (work.forgotten, work.heads) == ([7], [])
    assert batch.take().forgotten == []


# -- how far it is --


def test_what_has_landed_is_durable_and_may_be_read_back() -> None:
    batch = Batch(keeps=True)
    run(batch, [b"m"] * 3, [7])
    first = batch.take()
    run(batch, [b"m"], [7])
    second = batch.take()
    assert (batch.durable, batch.safe_lsn) == (0, 0)
    assert batch.flying == first.size + second.size
    batch.landed(first)
    assert (batch.durable, batch.safe_lsn, batch.flying) == (1, 3, second.size)
    batch.landed(second)
    assert (batch.durable, batch.safe_lsn, batch.flying) == (2, 4, 0)


def test_acknowledgements_that_went_ahead_make_nothing_durable() -> None:
    batch = Batch(keeps=True)
    queue = durable_queue(batch)
    queue.forget(batch.keep(message()))
    batch.landed(batch.take_settled(10, 10))
    assert (batch.durable, batch.safe_lsn, batch.flying) == (0, 0, 0)


def test_publishers_wait_while_too_much_is_on_its_way() -> None:
    batch = Batch(keeps=True)
    batch.limit = 1000
    run(batch, [b"m" * 600], [7])
    assert not batch.behind()
    work = batch.take()
    assert not batch.behind()
    run(batch, [b"m" * 600], [7])
    assert batch.behind()
    batch.landed(work)
    assert not batch.behind()


def test_ids_of_queues_do_not_come_again_after_a_restart() -> None:
    ids = set()
    for secret in (b"first start", b"second start"):
        batch = Batch(keeps=True)
        batch.secret = secret
        ids |= {batch.new_id() for _ in range(100)}
    assert len(ids) == 200
    assert all(0 < each < 1 << 63 for each in ids)
