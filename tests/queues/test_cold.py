"""Backlogs whose middle is not in memory: let go of, asked for in time, and read back in order."""

import pytest

from amq.clock import Clock, Timers
from amq.journal.batch import Batch
from amq.message import Message
from amq.queues import backlog
from amq.queues.arguments import parse
from amq.queues.base import Agenda
from amq.queues.classic import ClassicQueue
from amq.queues.span import KeptSpan, PagedSpan, packed, unpacked
from amq.queues.stored import StoredQueue
from amq.wire.tables import Table
from tests.queues.build import START, Taker, message


class Disk:
    """A queue on a journal that has everything at once, or what was written by `write`, and paging files."""

    def __init__(self, durable: bool = True, pages: bool = True, **arguments: int) -> None:
        self.journal = Batch(keeps=True)
        self.journal.pages = [] if pages else None
        clock = Clock(START, 0.0)
        self.agenda = Agenda(clock, Timers(), self.journal)
        self.stored: dict[int, Message] = {}
        self.queue = self.declare(
            b"q", durable, {f"x-{key.replace('_', '-')}": ("I", n) for key, n in arguments.items()}
        )
        self.loads = 0

    def declare(self, name: bytes, durable: bool, table: Table) -> ClassicQueue:
        options = parse("queue 'q' in vhost '/'", table)
        return ClassicQueue(name, durable, None, False, table, self.agenda, options)

    def publish(self, body: bytes, persistent: bool = True, priority: int = 0, ttl: int = -1) -> None:
        """Enqueue a message, which is on record and safe if it is persistent."""
        given = message(body, priority, ttl)
        if persistent:
            given = self.journal.keep(given)
            self.stored[given.lsn] = given
            self.journal.safe_lsn = given.lsn
        self.queue.enqueue(given)

    def fill(self, count: int, first: int = 0) -> None:
        for number in range(first, first + count):
            self.publish(b"%d" % number)

    def serve(self) -> None:
        """Read back what is wanted, until nothing is."""
        while self.journal.wanted:
            load = self.journal.wanted.pop(0)
            if load.stale():
                load.arrived([])
                continue
            self.loads += 1
            lsns = load.lsns()
            if lsns is None:
                pieces = load.page().pieces
                assert pieces is not None
                load.arrived(load.unpack(b"".join(pieces)))
            else:
                load.arrived([self.stored[lsn] for lsn in lsns])

    def drain(self) -> list[bytes]:
        """Get and acknowledge all there is."""
        bodies = []
        while self.queue.ready_count():
            found = self.queue.get()
            if found is None:
                assert self.queue.cold_head()
                self.serve()
            else:
                bodies.append(found[1].body)
                self.queue.settle(found[0], found[1])
        return bodies


def numbers(*ranges: range) -> list[bytes]:
    return [b"%d" % number for each in ranges for number in each]


def small_spans(monkeypatch: pytest.MonkeyPatch, most: int = 4) -> None:
    monkeypatch.setattr(backlog, "SPAN", most)


@pytest.mark.parametrize("keep", [0, 1, 5, 20])
@pytest.mark.parametrize("span", [1, 3, 2048])
def test_what_was_let_go_of_comes_back_in_its_place(keep: int, span: int, monkeypatch: pytest.MonkeyPatch) -> None:
    small_spans(monkeypatch, span)
    disk = Disk()
    disk.fill(20)
    assert disk.queue.page_out(keep, 100) == 20 - min(keep, 20)
    disk.fill(3, 20)
    assert disk.queue.ready_count() == 23
    assert disk.drain() == numbers(range(23))


def test_no_more_is_let_go_of_than_was_asked_for_but_for_the_rest_of_a_span(monkeypatch: pytest.MonkeyPatch) -> None:
    small_spans(monkeypatch)
    disk = Disk()
    disk.fill(20)
    assert disk.queue.page_out(2, 5) == 8
    assert disk.queue.page_out(2, 5) == 8
    assert disk.queue.page_out(2, 5) == 2
    assert disk.queue.page_out(2, 5) == 0
    assert disk.drain() == numbers(range(20))


def test_of_large_messages_fewer_are_kept() -> None:
    disk = Disk()
    for _ in range(8):
        disk.publish(b"x" * (backlog.SPAN_OCTETS // 2))
    assert disk.queue.page_out(4, 100) == 7
    assert len(disk.drain()) == 8


def test_messages_that_are_not_safe_yet_stay_in_memory() -> None:
    disk = Disk()
    disk.fill(10)
    disk.journal.safe_lsn = 6
    assert disk.queue.page_out(1, 100) == 5
    disk.journal.safe_lsn = 10
    assert disk.queue.page_out(1, 100) == 4
    assert disk.drain() == numbers(range(10))


def test_transient_messages_go_to_a_page_and_without_one_they_stay() -> None:
    disk = Disk()
    for number in range(9):
        disk.publish(b"%d" % number, persistent=number % 3 > 0)
    assert disk.queue.page_out(1, 100) == 8
    assert disk.journal.pages is not None
    assert len(disk.journal.pages) == 2
    assert disk.drain() == numbers(range(9))
    assert all(page.dropped for page in disk.journal.pages)
    disk = Disk(pages=False)
    disk.fill(3)
    disk.publish(b"3", persistent=False)
    disk.fill(3, 4)
    assert disk.queue.page_out(1, 100) == 2
    assert disk.drain() == numbers(range(7))


def test_what_the_journal_has_for_another_queue_is_no_place_to_find_a_message() -> None:
    disk = Disk(durable=False)
    disk.fill(10)
    assert disk.queue.page_out(0, 100) == 10
    fifo = disk.queue.fifo
    assert fifo is not None
    assert [type(span) for span in fifo.cold] == [PagedSpan]
    disk.stored.clear()
    assert disk.drain() == numbers(range(10))
    disk = Disk(durable=False, pages=False)
    disk.fill(10)
    assert disk.queue.page_out(0, 100) == 0


def test_a_page_brings_back_all_that_a_message_is() -> None:
    one, other = message(b"one", 5), message(b"", 5)
    blind = message(b"two", 7)
    blind.properties.blind = [b"key", b""]
    back = unpacked(b"".join(piece for each in (one, one, blind, other) for piece in packed(each)))
    assert [each.body for each in back] == [b"one", b"one", b"two", b""]
    assert [(each.address, each.header) for each in back] == [
        (each.address, each.header) for each in (one, one, blind, other)
    ]
    assert [each.properties.blind for each in back] == [None, None, [b"key", b""], None]
    assert [each.properties.priority for each in back] == [5, 5, 7, 5]
    assert back[0].properties is back[1].properties


def test_bcc_keys_of_more_octets_than_16_bits_count_fit_on_a_page() -> None:
    blind = message(b"one", 5)
    blind.properties.blind = [b"k" * 255] * 300
    (back,) = unpacked(b"".join(packed(blind)))
    assert back.properties.blind == blind.properties.blind


def test_the_next_messages_are_asked_for_before_they_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    small_spans(monkeypatch)
    disk = Disk()
    disk.fill(20)
    disk.queue.page_out(8, 100)
    waited = 0
    for _ in range(20):
        assert not disk.queue.cold_head()
        found = disk.queue.get()
        assert found is not None
        disk.queue.settle(found[0], found[1])
        waited += len(disk.journal.wanted)
        assert len(disk.journal.wanted) <= 1, "one at a time"
        disk.serve()
    assert disk.loads == 3


def test_a_consumer_gets_them_as_they_come() -> None:
    disk = Disk()
    disk.fill(6)
    disk.queue.page_out(2, 100)
    taker = Taker()
    disk.queue.add_consumer(taker)
    disk.queue.dispatch()
    assert taker.bodies() == numbers(range(2))
    disk.serve()
    disk.queue.dispatch()
    assert taker.bodies() == numbers(range(6))


def test_returned_messages_stand_before_the_cold_ones() -> None:
    disk = Disk()
    disk.fill(6)
    out = [disk.queue.get() for _ in range(3)]
    disk.queue.page_out(0, 100)
    disk.queue.requeue([(found[0], found[1]) for found in out if found is not None][1:])
    assert not disk.queue.cold_head()
    assert disk.drain() == numbers(range(1, 6))


def test_a_purge_settles_what_is_not_in_memory_and_nobody_wants_it_any_more() -> None:
    disk = Disk()
    disk.fill(10)
    disk.queue.page_out(2, 100)
    disk.queue.fetch()
    disk.fill(2, 10)
    (load,) = disk.journal.wanted
    assert disk.queue.purge() == 12
    gone = sorted(lsn for _, lsns, _ in disk.journal.take().gone for lsn in lsns)
    assert gone == list(range(1, 13))
    assert load.stale()
    load.arrived([disk.stored[lsn] for lsn in load.lsns() or ()])
    assert disk.queue.ready_count() == 0
    disk.fill(1, 20)
    assert disk.drain() == [b"20"]


def test_heads_that_are_too_much_are_read_back_to_be_dropped() -> None:
    disk = Disk(max_length=5)
    disk.fill(5)
    # As they are after a start.
    StoredQueue.page_out(disk.queue, 0, 100)
    disk.fill(3, 5)
    assert disk.queue.ready_count() == 8
    disk.serve()
    assert disk.queue.ready_count() == 5
    assert disk.drain() == numbers(range(3, 8))


def test_a_queue_that_drops_heads_keeps_them_in_memory() -> None:
    disk = Disk(max_length=5)
    disk.fill(5)
    assert disk.queue.page_out(0, 100) == 0
    disk.fill(3, 5)
    assert disk.queue.ready_count() == 5
    assert disk.drain() == numbers(range(3, 8))


def test_expired_messages_that_are_not_in_memory_are_read_back_to_die() -> None:
    disk = Disk(message_ttl=1000)
    disk.fill(5)
    disk.queue.page_out(1, 100)
    disk.agenda.clock.now += 2
    disk.fill(2, 5)
    disk.agenda.timers.advance(disk.agenda.clock.now)
    disk.serve()
    assert disk.queue.ready_count() == 2
    assert disk.drain() == numbers(range(5, 7))
    assert not disk.queue.deadlines


def test_each_priority_keeps_its_first_messages_and_goes_in_its_turn() -> None:
    disk = Disk(max_priority=3)
    for number in range(12):
        disk.publish(b"%d" % number, priority=number % 3)
    assert disk.queue.page_out(2, 100) == 6
    assert disk.drain() == numbers(range(2, 12, 3), range(1, 12, 3), range(0, 12, 3))


def test_a_lower_priority_does_not_overtake_a_higher_one_that_is_not_in_memory() -> None:
    disk = Disk(max_priority=3)
    disk.publish(b"high", priority=3)
    disk.queue.page_out(0, 100)
    disk.publish(b"low", priority=0)
    assert disk.queue.get() is None
    assert disk.queue.cold_head()
    disk.serve()
    assert disk.drain() == [b"high", b"low"]


def test_a_span_takes_in_what_follows_as_long_as_it_is_not_too_much() -> None:
    span = KeptSpan(range(1, 4), 30)
    assert span.extend(range(4, 6), 20, 10, 100)
    assert (span.lsns, span.count, span.octets) == (range(1, 6), 5, 50)
    assert span.extend(range(8, 10), 20, 10, 100)
    assert list(span.lsns) == [1, 2, 3, 4, 5, 8, 9]
    assert not span.extend(range(10, 14), 1, 10, 100)
    assert not span.extend(range(10, 11), 31, 10, 100)
    assert span.count == 7
