"""What a client meets when a lever is pulled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pika
import pytest

from amq import embed

if TYPE_CHECKING:
    from tests.embed.conftest import Connect

SECONDS = 20
PERSISTENT = pika.BasicProperties(delivery_mode=pika.DeliveryMode.Persistent)


@pytest.fixture(scope="module")
def shared() -> Iterator[embed.ThreadedBroker]:
    with embed.running() as broker:
        yield broker


@pytest.fixture
def broker(shared: embed.ThreadedBroker) -> Iterator[embed.ThreadedBroker]:
    shared.add_vhost("test")
    yield shared.in_vhost("test")
    shared.unblock_publishers()
    shared.accept_logins()
    shared.delete_vhost("test")


def test_dropped_connections_end_without_a_word(broker: embed.ThreadedBroker, connect: Connect) -> None:
    connection = connect(broker)
    broker.drop_connections()
    with pytest.raises(pika.exceptions.StreamLostError):
        connection.sleep(SECONDS)
    assert connect(broker).is_open


def test_messages_of_a_dropped_consumer_come_back(broker: embed.ThreadedBroker, connect: Connect) -> None:
    channel = connect(broker).channel()
    channel.queue_declare("q")
    channel.basic_publish("", "q", b"1")
    assert channel.basic_get("q")[2] == b"1"
    broker.drop_connections()
    connection = connect(broker)
    method, _, body = connection.channel().basic_get("q", auto_ack=True)
    assert (method.redelivered, body) == (True, b"1")


def test_closed_connections_are_told_why(broker: embed.ThreadedBroker, connect: Connect) -> None:
    connection = connect(broker)
    broker.close_connections("the cleaner unplugged it")
    with pytest.raises(pika.exceptions.ConnectionClosedByBroker) as closed:
        connection.sleep(SECONDS)
    assert (closed.value.reply_code, closed.value.reply_text) == (
        320,
        "CONNECTION_FORCED - the cleaner unplugged it",
    )


def test_publishers_are_blocked_and_unblocked(broker: embed.ThreadedBroker, connect: Connect) -> None:
    connection = connect(broker)
    heard: list[str] = []
    connection.add_on_connection_blocked_callback(lambda _, frame: heard.append(frame.method.reason))
    connection.add_on_connection_unblocked_callback(lambda *_: heard.append("unblocked"))
    channel = connection.channel()
    channel.queue_declare("q")
    broker.block_publishers()
    channel.basic_publish("", "q", b"1")
    while not heard:
        connection.process_data_events(1)
    assert heard == ["low on memory"]
    broker.unblock_publishers()
    while heard == ["low on memory"]:
        connection.process_data_events(1)
    assert heard == ["low on memory", "unblocked"]


def test_logins_are_refused_and_accepted_again(broker: embed.ThreadedBroker, connect: Connect) -> None:
    connected = connect(broker)
    broker.refuse_logins()
    with pytest.raises(pika.exceptions.ProbableAuthenticationError, match="ACCESS_REFUSED"):
        connect(broker)
    connected.channel().queue_declare("q")
    broker.accept_logins()
    assert connect(broker).is_open


def test_a_new_vhost_is_empty_and_a_deleted_one_is_gone(broker: embed.ThreadedBroker, connect: Connect) -> None:
    broker.add_vhost("other")
    other = broker.in_vhost("other")
    connection = connect(other)
    connection.channel().queue_declare("q")
    bystander = connect(broker)
    broker.delete_vhost("other")
    with pytest.raises(pika.exceptions.ConnectionClosedByBroker) as closed:
        connection.sleep(SECONDS)
    assert closed.value.reply_code == 320
    with pytest.raises(pika.exceptions.ProbableAccessDeniedError, match="vhost other not found"):
        connect(other)
    assert bystander.channel().is_open
    broker.add_vhost("other")
    connection = connect(other)
    with pytest.raises(pika.exceptions.ChannelClosedByBroker, match="no queue 'q'"):
        connection.channel().queue_declare("q", passive=True)
    broker.delete_vhost("other")


def test_deleting_a_vhost_that_is_not_there_is_no_error(broker: embed.ThreadedBroker) -> None:
    broker.delete_vhost("nowhere")


def test_a_restart_closes_connections_and_keeps_port_and_vhosts(broker: embed.ThreadedBroker, connect: Connect) -> None:
    connection = connect(broker)
    broker.restart()
    with pytest.raises(pika.exceptions.ConnectionClosedByBroker, match="'shutdown'"):
        connection.sleep(SECONDS)
    assert connect(broker).is_open


def test_what_is_durable_survives_a_restart(broker: embed.ThreadedBroker, connect: Connect) -> None:
    channel = connect(broker).channel()
    channel.confirm_delivery()
    channel.exchange_declare("x", "topic", durable=True)
    channel.queue_declare("q", durable=True)
    channel.queue_bind("q", "x", "a.*")
    for number in range(3):
        channel.basic_publish("x", "a.b", str(number).encode(), PERSISTENT)
        channel.basic_publish("x", "a.b", b"transient")
    assert channel.basic_get("q")[2] == b"0"
    broker.restart()
    connection = connect(broker)
    channel = connection.channel()
    channel.confirm_delivery()
    channel.basic_publish("x", "a.c", b"3", PERSISTENT, mandatory=True)
    bodies = [channel.basic_get("q", auto_ack=True)[2] for _ in range(5)]
    assert bodies == [b"0", b"1", b"2", b"3", None]


@pytest.mark.parametrize("kind", ["queue", "exchange"])
def test_what_is_transient_does_not(broker: embed.ThreadedBroker, kind: str, connect: Connect) -> None:
    channel = connect(broker).channel()
    declare = channel.queue_declare if kind == "queue" else channel.exchange_declare
    declare("t", durable=False)
    broker.restart()
    connection = connect(broker)
    channel = connection.channel()
    declare = channel.queue_declare if kind == "queue" else channel.exchange_declare
    with pytest.raises(pika.exceptions.ChannelClosedByBroker, match=f"no {kind} 't'"):
        declare("t", passive=True)


def test_a_restarted_broker_can_be_restarted(broker: embed.ThreadedBroker, connect: Connect) -> None:
    for _ in range(3):
        connect(broker).channel().queue_declare("q", durable=True)
        broker.restart()
    assert connect(broker).is_open
