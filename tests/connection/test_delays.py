"""Delayed messages as a client sees them."""

import pytest

from tests.harness.dialogue import Dialogue, enter, new_broker, write
from tests.journal.build import published, settled


def client_with_delayed_exchange(durable: bool = False) -> Dialogue:
    """A client with channel 1 open, an exchange `later` and a queue `q` bound to it by `a.#`.

    If they are durable, the journal takes records.
    """
    client = enter(new_broker(keeps=durable))
    client.open(1)
    arguments = {"x-delayed-type": "topic"}
    client.say(1, "exchange.declare", exchange="later", type="x-delayed-message", durable=durable, arguments=arguments)
    write(client.broker)
    client.hears(1, "exchange.declare-ok")
    client.declare(1, "q", durable=durable)
    client.say(1, "queue.bind", queue="q", exchange="later", routing_key="a.#")
    write(client.broker)
    client.hears(1, "queue.bind-ok")
    return client


def test_a_delayed_message_is_confirmed_at_once_not_returned_and_delivered_when_it_is_due() -> None:
    client = client_with_delayed_exchange()
    client.select_confirms(1)
    client.consume(1, "q")
    client.publish(1, "a.b", b"m", exchange="later", mandatory=True, headers={"x-delay": 2000})
    client.hears(1, "basic.ack", delivery_tag=1)
    client.wait(1.9)
    client.hears_nothing()
    client.wait(0.1)
    client.hears_delivery(1, b"m", exchange="later", routing_key="a.b")


def test_a_delayed_exchange_without_its_type_is_refused() -> None:
    client = enter(new_broker())
    client.open(1)
    client.say(1, "exchange.declare", exchange="later", type="x-delayed-message")
    client.hears_channel_close(1, 406, "Invalid argument, 'x-delayed-type' must be an existing exchange type")


def test_a_persistent_message_is_confirmed_when_it_waits_on_disk() -> None:
    client = client_with_delayed_exchange(durable=True)
    client.select_confirms(1)
    client.publish(1, "a.b", b"m", exchange="later", delivery_mode=2, headers={"x-delay": 2000})
    client.hears_nothing()
    assert [pair.body for pair in published(write(client.broker))] == [b"m"]
    client.hears(1, "basic.ack", delivery_tag=1)


def test_a_persistent_message_that_is_due_before_it_is_on_disk_is_confirmed_no_earlier() -> None:
    client = client_with_delayed_exchange(durable=True)
    client.select_confirms(1)
    client.consume(1, "q", no_ack=True)
    client.publish(1, "a.b", b"m", exchange="later", delivery_mode=2, headers={"x-delay": 1})
    client.wait(1.0)
    client.hears_delivery(1, b"m", exchange="later", routing_key="a.b", redelivered=False)
    client.hears_nothing()
    assert len(settled(write(client.broker))) == 2
    client.hears(1, "basic.ack", delivery_tag=1)


def test_a_transient_message_is_confirmed_at_once_in_a_durable_exchange_too() -> None:
    client = client_with_delayed_exchange(durable=True)
    client.select_confirms(1)
    client.publish(1, "a.b", b"m", exchange="later", headers={"x-delay": 2000})
    client.hears(1, "basic.ack", delivery_tag=1)
    assert published(write(client.broker)) == []


def test_a_commit_waits_until_what_is_delayed_is_on_disk() -> None:
    client = client_with_delayed_exchange(durable=True)
    client.say(1, "tx.select")
    client.hears(1, "tx.select-ok")
    client.publish(1, "a.b", b"m", exchange="later", delivery_mode=2, headers={"x-delay": 2000})
    client.say(1, "tx.commit")
    client.hears_nothing()
    write(client.broker)
    client.hears(1, "tx.commit-ok")
    client.wait(2.0)
    assert client.get_all(1, "q") == [b"m"]


@pytest.mark.parametrize("durable", [False, True])
def test_a_commit_finds_no_queue_in_the_place_of_an_exchange_that_is_gone(durable: bool) -> None:
    client = client_with_delayed_exchange(durable)
    client.declare(1, "later", durable=durable)
    client.say(1, "tx.select")
    client.hears(1, "tx.select-ok")
    client.publish(1, "a.b", b"m", exchange="later", delivery_mode=2, headers={"x-delay": 1})
    client.say(1, "exchange.delete", exchange="later")
    write(client.broker)
    client.hears(1, "exchange.delete-ok")
    client.say(1, "tx.commit")
    client.hears(1, "tx.commit-ok")
    client.wait(1.0)
    assert (client.get_all(1, "later"), client.get_all(1, "q")) == ([], [])
    assert published(write(client.broker)) == []
