"""tx, and a commit that waits for the journal."""

from typing import Any

import pytest

from tests.harness.dialogue import Dialogue, enter, method, new_broker, publish, write
from tests.journal.build import published, settled


def transactional(**settings: Any) -> Dialogue:
    """A client in a transaction, on a broker whose journal keeps; message `0` is out under tag 1."""
    client = enter(new_broker(keeps=True, **settings), channels=[1])
    client.declare(1, "q", durable=True)
    client.publish(1, "q", b"0")
    client.get(1, "q", no_ack=False)
    client.say(1, "tx.select")
    client.hears(1, "tx.select-ok")
    return client


def committing(**settings: Any) -> Dialogue:
    """The same with a commit on its way."""
    client = transactional(**settings)
    client.publish(1, "q", b"1", delivery_mode=2)
    client.say(1, "tx.commit")
    client.hears_nothing()
    return client


def test_a_commit_is_answered_when_its_messages_are_durable() -> None:
    client = committing()
    client.broker.durable(client.broker.journal.durable)
    client.hears_nothing()
    write(client.broker)
    client.hears(1, "tx.commit-ok")
    write(client.broker)
    client.hears_nothing()


def test_all_of_a_commit_is_in_one_batch_and_nothing_of_it_before() -> None:
    client = enter(new_broker(keeps=True), channels=[1])
    client.declare(1, "q", durable=True)
    client.publish(1, "q", b"0", delivery_mode=2)
    write(client.broker)
    client.get(1, "q", no_ack=False)
    client.say(1, "tx.select")
    client.hears(1, "tx.select-ok")
    client.publish(1, "q", b"1", delivery_mode=2)
    client.publish(1, "q", b"2", delivery_mode=2)
    client.say(1, "basic.ack", delivery_tag=1)
    assert client.broker.journal.idle()
    client.say(1, "tx.commit")
    assert client.broker.journal.urgent
    work = write(client.broker)
    queue = client.broker.vhosts["/"].queues[b"q"].id
    assert [(pair.lsn, pair.body, pair.queues) for pair in published(work)] == [(2, b"1", [queue]), (3, b"2", [queue])]
    assert settled(work) == [(queue, 1)]
    client.hears(1, "tx.commit-ok")


def test_a_commit_of_acknowledgements_alone_waits_for_the_disk_too() -> None:
    client = enter(new_broker(keeps=True), channels=[1])
    client.declare(1, "q", durable=True)
    client.publish(1, "q", b"0", delivery_mode=2)
    write(client.broker)
    client.get(1, "q", no_ack=False)
    client.say(1, "tx.select")
    client.hears(1, "tx.select-ok")
    client.say(1, "basic.ack", delivery_tag=1)
    client.say(1, "tx.commit")
    client.hears_nothing()
    assert settled(write(client.broker)) == [(client.broker.vhosts["/"].queues[b"q"].id, 1)]
    client.hears(1, "tx.commit-ok")


@pytest.mark.parametrize("count", [1, 250])
def test_dead_letters_of_a_commit_are_bound_to_it_however_many_and_it_waits_for_them(count: int) -> None:
    client = enter(new_broker(keeps=True), channels=[1])
    client.declare(1, "dead", durable=True)
    letters = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead"}
    client.declare(1, "q", durable=True, arguments=letters)
    for _ in range(count):
        client.publish(1, "q", b"0", delivery_mode=2)
        client.get(1, "q", no_ack=False)
    write(client.broker)
    client.say(1, "tx.select")
    client.hears(1, "tx.select-ok")
    client.say(1, "basic.nack", delivery_tag=count, multiple=True, requeue=False)
    client.say(1, "tx.commit")
    client.hears_nothing()
    queues = client.broker.vhosts["/"].queues
    work = write(client.broker)
    assert [pair.queues for pair in published(work)] == [[queues[b"dead"].id]] * count
    assert settled(work) == [(queues[b"q"].id, lsn) for lsn in range(1, count + 1)]
    client.hears(1, "tx.commit-ok")


def test_a_commit_of_transient_messages_is_answered_at_once() -> None:
    client = transactional()
    client.publish(1, "q", b"1")
    client.say(1, "tx.commit")
    client.hears(1, "tx.commit-ok")
    assert client.broker.journal.idle()


@pytest.mark.parametrize(
    "octets",
    [
        method(1, "basic.ack", delivery_tag=1),
        method(1, "basic.reject", delivery_tag=1),
        method(1, "queue.declare", queue="q", passive=True),
        method(1, "tx.commit"),
        publish(1, "q", b"2"),
    ],
    ids=["ack", "reject", "declare", "commit", "publish"],
)
def test_nothing_may_be_said_on_a_channel_while_its_commit_is_on_its_way(octets: bytes) -> None:
    client = committing()
    client.send(octets)
    client.hears_close(504, "unexpected command while processing 'tx.commit'")


def test_a_channel_may_be_closed_while_its_commit_is_on_its_way() -> None:
    client = committing()
    client.say(1, "channel.close")
    client.hears(1, "channel.close-ok")
    write(client.broker)
    client.hears_nothing()


def test_a_channel_that_is_closing_hears_nothing_of_its_commit() -> None:
    client = committing(consumer_timeout=1000)
    client.wait(1.0)
    client.hears(1, "channel.close", reply_code=406)
    write(client.broker)
    client.hears_nothing()


def test_a_client_that_is_lost_leaves_nothing_waiting_for_its_commit() -> None:
    client = committing()
    client.connection.lost(0.0)
    write(client.broker)
    client.hears_nothing()


def test_published_messages_wait_for_the_commit_and_rollback_forgets_them() -> None:
    client = transactional()
    other = enter(client.broker, channels=[1])
    client.publish(1, "q", b"1")
    client.say(1, "tx.rollback")
    client.hears(1, "tx.rollback-ok")
    client.publish(1, "q", b"2")
    assert other.get(1, "q") is None
    client.say(1, "tx.commit")
    client.hears(1, "tx.commit-ok")
    assert other.get_all(1, "q") == [b"2"]


def test_what_was_settled_and_rolled_back_is_outstanding_again() -> None:
    client = transactional()
    client.say(1, "basic.ack", delivery_tag=1)
    client.say(1, "tx.rollback")
    client.hears(1, "tx.rollback-ok")
    client.say(1, "basic.nack", delivery_tag=0, multiple=True, requeue=True)
    client.say(1, "tx.commit")
    client.hears(1, "tx.commit-ok")
    assert client.get(1, "q") == b"0"


def test_a_tag_settled_in_the_transaction_is_unknown_at_once() -> None:
    client = transactional()
    client.say(1, "basic.ack", delivery_tag=1)
    client.say(1, "basic.ack", delivery_tag=1)
    client.hears_channel_close(1, 406, "unknown delivery tag 1", by=(60, 80))


def test_what_a_transaction_settled_returns_to_the_queue_when_the_channel_closes() -> None:
    client = transactional()
    client.say(1, "basic.ack", delivery_tag=1)
    client.say(1, "channel.close")
    client.hears(1, "channel.close-ok")
    client.open(1)
    assert client.get(1, "q") == b"0"


def test_unroutable_mandatory_messages_are_returned_at_commit() -> None:
    client = transactional()
    client.publish(1, "nowhere", b"1", mandatory=True)
    client.hears_nothing()
    client.say(1, "tx.commit")
    assert client.hears(1, "basic.return", reply_code=312).body == b"1"
    client.hears(1, "tx.commit-ok")


def test_a_queue_that_refuses_spoils_the_commit_and_the_rest_takes_effect() -> None:
    client = transactional()
    client.declare(1, "small", arguments={"x-max-length": 1, "x-overflow": "reject-publish"})
    for body in (b"1", b"2"):
        client.publish(1, "small", body)
        client.publish(1, "q", body)
    client.say(1, "tx.commit")
    client.hears_channel_close(1, 406, "partial tx completion", by=(90, 20))
    client.say(1, "channel.close-ok")
    client.open(1)
    assert client.get_all(1, "small") == [b"1"]
    assert sorted(client.get_all(1, "q")) == [b"0", b"1", b"2"]


def test_faults_of_publishes_come_when_they_are_published() -> None:
    client = transactional()
    client.publish(1, "q", b"1", exchange="missing")
    client.hears_channel_close(1, 404, "no exchange 'missing' in vhost '/'", by=(60, 40))


@pytest.mark.parametrize("name", ["tx.commit", "tx.rollback"])
def test_without_select_there_is_nothing_to_end(name: str) -> None:
    client = enter(channels=[1])
    client.say(1, name)
    client.hears_channel_close(1, 406, "channel is not transactional")


def test_a_channel_is_transactional_or_confirms_not_both() -> None:
    client = enter(channels=[1, 2])
    client.say(1, "tx.select")
    client.say(1, "tx.select")
    client.hears(1, "tx.select-ok")
    client.hears(1, "tx.select-ok")
    client.say(1, "confirm.select")
    client.hears_channel_close(1, 406, "cannot switch from tx to confirm mode")
    client.select_confirms(2)
    client.say(2, "tx.select")
    client.hears_channel_close(2, 406, "cannot switch from confirm to tx mode")
