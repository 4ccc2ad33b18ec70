"""What waits in a delayed exchange when the broker ends: in the journal, and back for the rest of its time."""

import json
from typing import Any

import pytest

from amq.broker import Broker
from amq.config.settings import Settings
from amq.definitions import entities
from amq.definitions.entry import Entry
from amq.definitions.restore import restore
from amq.exchanges.base import Exchange
from amq.exchanges.delayed import Delayed
from amq.journal.batch import Batch, Work
from amq.message import Message, address
from amq.queues.backlog import SPAN
from amq.queues.base import Queue
from amq.vhost import topology
from amq.vhost.placing import place
from amq.vhost.settling import PER_GO, settle
from amq.vhost.vhost import Vhost
from amq.wire import properties as props
from amq.wire import tables
from amq.wire.tables import Table
from tests.journal.build import Paper, published, settled

DIRECT: Table = {"x-delayed-type": ("S", b"direct")}
WALL = 1_700_000_000.0


def message(body: bytes, delay: int, persistent: bool = True, ttl: int = -1) -> Message:
    """A message for queue `q` by way of the exchange; both times in ms."""
    changes = {
        props.HEADERS: tables.encode({"x-delay": ("l", delay)}),
        props.DELIVERY_MODE: b"\2" if persistent else None,
        props.EXPIRATION: None if ttl < 0 else b"%c%d" % (len(str(ttl)), ttl),
    }
    header = props.rewrite(b"\0\x3c\0\0" + len(body).to_bytes(8, "big") + b"\0\0", changes)
    properties = props.read(header)
    properties.ttl = ttl
    return Message(address(b"later", b"k"), header, body, properties)


class House:
    """A broker with a durable delayed exchange `later` that leads to a durable queue `q`, and its journal on paper.

    `now` is the broker's clock and `wall` what the world's says when that is 0.
    """

    def __init__(self, durable: bool = True) -> None:
        self.paper = Paper(1 << 16)
        self.durable = durable
        self.build(Batch(keeps=True), WALL, 0, 0)

    def build(self, journal: Batch, wall: float, waiting_id: int, queue_id: int) -> None:
        self.paper.batch = journal
        self.broker = Broker(Settings(), 0.0, wall, journal)
        vhost = self.vhost
        create = topology.create_exchange
        exchange = create(vhost, b"later", Delayed, self.durable, False, False, DIRECT, waiting_id)
        queue = topology.create_queue(vhost, b"q", True, None, False, {}, queue_id)
        topology.bind(vhost, exchange, queue, b"k", {})
        self.write()

    @property
    def vhost(self) -> Vhost:
        return self.broker.vhosts["/"]

    @property
    def exchange(self) -> Exchange:
        return self.vhost.exchanges[b"later"]

    @property
    def waiting(self) -> Queue:
        waiting = self.exchange.waiting
        assert waiting is not None
        return waiting

    @property
    def queue(self) -> Queue:
        return self.vhost.queues[b"q"]

    def publish(self, *messages: Message) -> int:
        """Publish; returns the ticket of the last."""
        ticket = 0
        for each in messages:
            _, ticket = place(self.paper.batch, each, self.vhost.route(self.exchange, [b"k"], each).queues)
        settle(self.vhost)
        return ticket

    def write(self) -> Work:
        """The disk takes what waits for it."""
        return self.paper.write()

    def crash(self, wall: float) -> None:
        """Lose what was not written; start again when the world's clock says `wall`. Nothing is read back yet."""
        known = {self.waiting.id, self.queue.id}
        found = self.paper.replay().alive({self.waiting.id}, known)
        ids = self.waiting.id, self.queue.id
        self.paper.restart()
        self.build(self.paper.batch, wall, *ids)
        for queue in (self.waiting, self.queue):
            if queue.id in found:
                queue.restore(found[queue.id], None)

    def read(self) -> int:
        """The disk serves what is wanted now; returns how many messages that is."""
        journal = self.paper.batch
        loads, journal.wanted = journal.wanted, []
        count = 0
        for load in loads:
            lsns = load.lsns()
            assert lsns is not None
            found = [] if load.stale() else self.paper.read(lsns)
            count += len(found)
            self.broker.take_in(load, found)
        return count

    def read_all(self) -> None:
        """The disk serves all that is wanted, and what is wanted then."""
        while self.read():
            pass

    def at(self, now: float) -> None:
        """It is `now`, and all that is due is through."""
        self.broker.advance(now)
        while self.vhost.agenda.late:
            self.broker.advance(now)

    def bodies(self) -> list[bytes]:
        """What has arrived; it is taken out."""
        found = []
        while (head := self.queue.get()) is not None or self.read():
            if head is not None:
                self.queue.settle(head[0], head[1])
                found.append(head[1].body)
        return found


@pytest.fixture
def house() -> House:
    return House()


def lsns(work: Work, queue: Queue) -> list[int]:
    """The messages that a batch records for a queue."""
    return [pair.lsn for pair in published(work) if queue.id in pair.queues]


def test_a_message_goes_from_its_wait_to_its_queue_in_one_batch(house: House) -> None:
    assert house.publish(message(b"m", 100)) == house.paper.batch.ticket
    first = house.write()
    assert (lsns(first, house.waiting), lsns(first, house.queue), settled(first)) == ([1], [], [])
    house.at(0.1)
    second = house.write()
    assert (lsns(second, house.waiting), lsns(second, house.queue)) == ([], [2])
    assert settled(second) == [(house.waiting.id, 1)]
    assert house.bodies() == [b"m"]


def test_a_message_is_on_record_once_however_many_queues_take_it_with_the_exchange(house: House) -> None:
    vhost = house.vhost
    source = topology.create_exchange(vhost, b"all", topology.type_named(b"fanout"), True, False, False, {})
    other = topology.create_queue(vhost, b"other", True, None, False, {})
    topology.bind(vhost, source, house.exchange, b"", {})
    topology.bind(vhost, source, other, b"", {})
    sent = message(b"m", 100)
    place(house.paper.batch, sent, vhost.route(source, [b"k"], sent).queues)
    (pair,) = published(house.write())
    assert sorted(pair.queues) == sorted([house.waiting.id, other.id])


@pytest.mark.parametrize("durable", [False, True])
def test_a_message_that_nobody_wants_after_its_wait_leaves_the_journal(house: House, durable: bool) -> None:
    topology.delete_queue(house.vhost, house.queue)
    if not durable:
        made = topology.create_queue(house.vhost, b"transient", False, None, False, {})
        topology.bind(house.vhost, house.exchange, made, b"k", {})
    house.publish(message(b"m", 100))
    house.write()
    house.at(0.1)
    work = house.write()
    assert (published(work), settled(work)) == ([], [(house.waiting.id, 1)])


def test_transient_messages_are_not_recorded(house: House) -> None:
    assert house.publish(message(b"m", 100, persistent=False)) == 0
    house.at(0.1)
    work = house.write()
    assert (published(work), settled(work)) == ([], [])
    assert house.bodies() == [b"m"]


def test_a_transient_exchange_keeps_nothing_but_its_queues_do() -> None:
    house = House(durable=False)
    assert house.publish(message(b"m", 100)) == 0
    assert house.waiting.id == 0
    house.at(0.1)
    work = house.write()
    assert (lsns(work, house.queue), settled(work)) == ([1], [])


def test_what_waited_when_the_broker_ended_waits_for_the_rest_of_its_time(house: House) -> None:
    house.publish(message(b"m", 1000))
    house.write()
    house.crash(WALL + 0.3)
    house.read_all()
    house.at(0.699)
    assert house.bodies() == []
    house.at(0.701)
    assert house.bodies() == [b"m"]


def test_a_consumer_sees_a_message_that_came_back_as_any_other(house: House) -> None:
    house.publish(message(b"m", 70))
    house.write()
    house.crash(WALL)
    house.read_all()
    house.at(0.07)
    head = house.queue.get()
    assert head is not None
    _, found, redelivered = head
    assert found.properties.headers() == {"x-delay": ("l", -70)}
    assert (found.address, found.properties.persistent, redelivered) == (address(b"later", b"k"), True, False)


def test_what_is_overdue_goes_at_once_in_the_order_of_its_times_before_what_comes_in(house: House) -> None:
    house.publish(*[message(b"%d" % number, 5000 - number) for number in range(SPAN + PER_GO)])
    house.write()
    house.crash(WALL + 60)
    house.publish(message(b"new", 1))
    assert house.read() == SPAN
    house.at(0.1)
    assert house.queue.ready_count() == 0, "which is due first is not known yet"
    assert house.waiting.ready_count() == SPAN + PER_GO + 1
    house.read_all()
    house.at(0.1)
    # Too many for one go.
    house.at(0.2)
    assert house.bodies() == [*[b"%d" % number for number in reversed(range(SPAN + PER_GO))], b"new"]


def test_large_messages_come_back_a_few_at_a_time(house: House) -> None:
    house.publish(*[message(bytes(200_000), 10) for _ in range(3)])
    house.write()
    house.crash(WALL)
    assert [house.read() for _ in range(4)] == [1, 1, 1, 0]
    house.at(1.0)
    assert len(house.bodies()) == 3


def test_messages_of_one_moment_keep_their_order_through_a_crash(house: House) -> None:
    house.publish(*[message(b"%d" % number, 100) for number in range(20)])
    house.write()
    house.crash(WALL)
    house.read_all()
    house.at(0.1)
    assert house.bodies() == [b"%d" % number for number in range(20)]


def test_a_crash_between_release_and_the_disk_leaves_a_message_waiting(house: House) -> None:
    house.publish(message(b"m", 100))
    house.write()
    house.at(0.1)
    house.crash(WALL + 0.2)
    assert (house.waiting.ready_count(), house.queue.ready_count()) == (1, 0)
    house.read_all()
    house.at(0.0)
    assert house.bodies() == [b"m"]


def test_a_crash_after_the_release_was_written_leaves_a_message_in_its_queue_alone(house: House) -> None:
    house.publish(message(b"m", 100))
    house.write()
    house.at(0.1)
    house.write()
    house.crash(WALL + 0.2)
    assert (house.waiting.ready_count(), house.queue.ready_count()) == (0, 1)
    assert house.bodies() == [b"m"]


def test_a_crash_in_the_middle_of_many_that_are_due_loses_none_and_doubles_none(house: House) -> None:
    count = 3 * PER_GO
    house.publish(*[message(b"%d" % number, 10) for number in range(count)])
    house.write()
    house.broker.advance(0.01)
    assert house.queue.ready_count() == PER_GO
    house.write()
    house.crash(WALL + 5)
    # Once more, now while they are read back.
    house.crash(WALL + 9)
    assert (house.waiting.ready_count(), house.queue.ready_count()) == (count - PER_GO, PER_GO)
    house.read_all()
    house.at(0.0)
    assert house.bodies() == [b"%d" % number for number in range(count)]


def test_an_expiration_counts_from_the_end_of_the_delay_after_a_crash_too(house: House) -> None:
    house.publish(message(b"m", 1000, ttl=200))
    house.write()
    house.crash(WALL + 5)
    house.read_all()
    house.at(0.0)
    house.at(0.19)
    assert house.queue.ready_count() == 1
    house.at(0.2)
    assert house.queue.ready_count() == 0


def test_the_journal_forgets_what_waited_in_an_exchange_that_is_deleted(house: House) -> None:
    house.publish(message(b"m", 100))
    house.write()
    number = house.waiting.id
    topology.delete_exchange(house.vhost, house.exchange)
    assert house.write().forgotten == [number]
    house.at(0.1)
    assert (house.bodies(), house.write().heads) == ([], [])


def test_an_exchange_may_be_deleted_while_its_messages_are_read_back(house: House) -> None:
    house.publish(*[message(b"m", 10) for _ in range(SPAN + 1)])
    house.write()
    house.crash(WALL + 1)
    house.read()
    topology.delete_exchange(house.vhost, house.exchange)
    assert house.read() == 0
    house.at(1.0)
    assert (house.bodies(), house.paper.batch.wanted) == ([], [])


def test_what_was_due_but_not_routed_yet_goes_with_its_exchange(house: House) -> None:
    arguments: Table = {**DIRECT, "alternate-exchange": ("S", b"amq.fanout")}
    exchange = topology.create_exchange(house.vhost, b"gone", Delayed, True, False, False, arguments)
    topology.bind(house.vhost, topology.exchange_named(house.vhost, b"amq.fanout"), house.queue, b"", {})
    for _ in range(PER_GO + 1):
        sent = message(b"m", 10)
        place(house.paper.batch, sent, house.vhost.route(exchange, [b"k"], sent).queues)
    house.broker.advance(0.01)
    topology.delete_exchange(house.vhost, exchange)
    house.at(0.01)
    assert house.queue.ready_count() == PER_GO


def test_a_queue_that_bears_the_name_of_the_exchange_is_not_taken_for_it(house: House) -> None:
    arguments: Table = {
        "x-dead-letter-exchange": ("S", b"later"),
        "x-dead-letter-routing-key": ("S", b"k"),
        "x-message-ttl": ("l", 0),
    }
    queue = topology.create_queue(house.vhost, b"later", True, None, False, arguments)
    queue.enqueue(message(b"m", 100))
    settle(house.vhost)
    house.at(0.1)
    assert house.bodies() == [b"m"]


# -- definitions --


def restored(*entries: tuple[bytes, bytes]) -> tuple[Broker, Any]:
    """A broker from what a store holds, and what could not be restored."""
    broker = Broker(Settings(), 0.0, WALL, Batch(keeps=True), defaults=False)
    found = restore([Entry(b"vhosts/%2F", b"{}", 1), *[Entry(*each, 1) for each in entries]], broker)
    return broker, found


def stored(work: Work) -> dict[bytes, bytes]:
    """The exchanges that a batch writes."""
    return {key: value for key, value in entities.writes(work.changes).puts if key.startswith(b"exchanges/")}


def test_the_number_of_what_waits_is_stored_with_the_exchange() -> None:
    broker = Broker(Settings(), 0.0, WALL, Batch(keeps=True))
    made = topology.create_exchange(broker.vhosts["/"], b"later", Delayed, True, False, False, DIRECT)
    ((key, value),) = stored(broker.journal.take()).items()
    assert made.waiting is not None
    assert json.loads(value)["waiting_id"] == made.waiting.id > 0
    again, _ = restored((key, value))
    back = again.vhosts["/"].exchanges[b"later"].waiting
    assert back is not None
    assert (back.id, back.keeps) == (made.waiting.id, True)
    assert again.journal.work.changes == []


def test_an_exchange_that_was_stored_without_a_number_gets_one_that_is_stored() -> None:
    broker = Broker(Settings(), 0.0, WALL, Batch(keeps=True))
    topology.create_exchange(broker.vhosts["/"], b"later", Delayed, True, False, False, DIRECT)
    ((key, value),) = stored(broker.journal.take()).items()
    fields = json.loads(value)
    del fields["waiting_id"]
    again, _ = restored((key, json.dumps(fields).encode()))
    waiting = again.vhosts["/"].exchanges[b"later"].waiting
    assert waiting is not None
    ((name, written),) = stored(again.journal.take()).items()
    assert (name, json.loads(written)) == (key, {**fields, "waiting_id": waiting.id})


def test_what_waits_in_an_exchange_that_cannot_be_made_is_to_be_kept() -> None:
    _, found = restored((b"exchanges/%2F/odd", b'{"type": "x-plugged", "waiting_id": 77}'))
    assert found.missing == {77}
