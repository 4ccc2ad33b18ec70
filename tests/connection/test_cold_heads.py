"""basic.get from a queue whose head is not in memory: the client waits for it, and nobody else does."""

import pytest

from amq.broker import Broker
from amq.journal.batch import Work
from amq.journal.record import Lsns
from amq.message import Message
from tests.harness.dialogue import Dialogue, enter, new_broker, publish, write
from tests.journal.build import Paper


class Reader:
    """A broker whose journal stands on paper, and what reads back from there, when it is told to."""

    def __init__(self) -> None:
        self.broker: Broker = new_broker(keeps=True)
        self.paper = Paper(1 << 20)
        self.paper.batch = self.broker.journal

    def write(self) -> Work:
        work = self.paper.write()
        self.broker.durable(work.ticket)
        return work

    def serve(self) -> None:
        """Read back what is wanted now."""
        wanted, self.broker.journal.wanted = self.broker.journal.wanted, []
        for load in wanted:
            found: list[Message] = []
            if not load.stale():
                lsns: Lsns | None = load.lsns()
                assert lsns is not None
                found = self.paper.read(lsns)
            self.broker.take_in(load, found)

    def page_out(self, keep: int = 0) -> None:
        assert self.broker.vhosts["/"].queues[b"q"].page_out(keep, 100)


@pytest.fixture
def reader() -> Reader:
    """Durable queue `q` holds messages 0 to 4, none of them in memory."""
    reader = Reader()
    client = enter(reader.broker, channels=[1])
    client.say(1, "queue.declare", queue="q", durable=True)
    reader.write()
    for number in range(5):
        client.publish(1, "q", b"%d" % number, delivery_mode=2)
    reader.write()
    reader.page_out()
    return reader


def asking(reader: Reader, **options: bool) -> Dialogue:
    """A client that waits for the head of the queue."""
    client = enter(reader.broker, channels=[1, 2])
    client.say(1, "basic.get", queue="q", **options)
    client.hears_nothing()
    assert not client.connection.wants_data()
    return client


def test_the_answer_comes_with_the_message(reader: Reader) -> None:
    client = asking(reader)
    reader.serve()
    assert client.hears(1, "basic.get-ok", delivery_tag=1, message_count=4, redelivered=False).body == b"0"
    assert client.connection.wants_data()
    assert not reader.broker.shivering


def test_what_is_said_behind_it_waits_in_order(reader: Reader) -> None:
    client = asking(reader, no_ack=True)
    client.send(publish(2, "q", b"new") + publish(2, "nowhere", b"back", mandatory=True))
    client.say(2, "queue.declare", queue="q", passive=True)
    client.hears_nothing()
    reader.serve()
    assert client.hears(1, "basic.get-ok").body == b"0"
    client.hears(2, "basic.return")
    client.hears(2, "queue.declare-ok", message_count=5)
    assert client.get_all(1, "q") == [b"1", b"2", b"3", b"4", b"new"]


def test_others_are_served_meanwhile(reader: Reader) -> None:
    waiting = asking(reader)
    client = enter(reader.broker, channels=[1])
    client.say(1, "queue.declare", queue="other")
    client.hears(1, "queue.declare-ok")
    client.publish(1, "other", b"m")
    assert client.get(1, "other") == b"m"
    waiting.hears_nothing()


def test_two_who_wait_get_a_message_each(reader: Reader) -> None:
    one, two = asking(reader), asking(reader)
    reader.serve()
    assert one.hears(1, "basic.get-ok").body == b"0"
    assert two.hears(1, "basic.get-ok").body == b"1"


def test_a_queue_that_is_purged_meanwhile_is_empty(reader: Reader) -> None:
    waiting = asking(reader)
    client = enter(reader.broker, channels=[1])
    client.say(1, "queue.purge", queue="q", nowait=True)
    reader.serve()
    waiting.hears(1, "basic.get-empty")


def test_a_queue_that_is_deleted_meanwhile_is_not_there(reader: Reader) -> None:
    waiting = asking(reader)
    client = enter(reader.broker, channels=[1])
    client.say(1, "queue.delete", queue="q", nowait=True)
    reader.serve()
    waiting.hears_channel_close(1, 404, "no queue 'q' in vhost '/'", by=(60, 70))
    assert waiting.connection.wants_data()


def test_a_client_that_is_lost_waits_no_more(reader: Reader) -> None:
    waiting = asking(reader)
    waiting.connection.lost(0.0)
    assert not reader.broker.shivering
    reader.serve()
    other = enter(reader.broker, channels=[1])
    assert other.get(1, "q") == b"0"


def test_a_message_that_comes_back_is_at_hand_at_once(reader: Reader) -> None:
    holder = asking(reader)
    reader.serve()
    holder.hears(1, "basic.get-ok")
    reader.page_out()
    waiting = asking(reader)
    holder.say(1, "basic.reject", delivery_tag=1, requeue=True)
    reader.serve()
    assert waiting.hears(1, "basic.get-ok", redelivered=True).body == b"0"


def test_a_consumer_of_another_client_may_take_them_all(reader: Reader) -> None:
    waiting = asking(reader)
    taker = enter(reader.broker, channels=[1])
    taker.consume(1, "q", no_ack=True)
    reader.serve()
    got = [heard.body for heard in taker.hear_all()]
    heard = waiting.hear_all()
    assert sorted(got + [item.body for item in heard if item.name == "basic.get-ok"]) == [b"%d" % n for n in range(5)]
    assert len(heard) == 1


def test_without_a_journal_to_read_from_heads_are_always_at_hand() -> None:
    client = enter(new_broker(), channels=[1])
    client.declare(1, "q")
    client.publish(1, "q", b"m")
    write(client.broker)
    assert client.get(1, "q") == b"m"
