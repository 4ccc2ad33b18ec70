"""What hostile input was found to do once. Each of these failed."""

import pytest

from amq.broker import Broker
from amq.config.settings import Settings
from tests.conformance.methods import Method
from tests.conformance.values import Typed
from tests.fuzz import wire
from tests.fuzz.client import Client


@pytest.fixture
def broker() -> Broker:
    return Broker(Settings(), 0.0, 0.0)


@pytest.fixture
def client(broker: Broker) -> Client:
    return Client(broker)


def named(name: str, heard: list[Method]) -> list[Method]:
    return [method for method in heard if method.name == name]


def test_arguments_of_a_publish_that_cannot_be_decoded_end_the_connection(client: Client) -> None:
    (close,) = client.send(wire.frame(wire.METHOD, 1, b"\x00\x3c\x00\x28\x00\x00\x09x"))
    assert (close.name, close.fields["reply_code"]) == ("connection.close", 501)


def test_a_count_of_deaths_at_its_highest_stays_there(client: Client) -> None:
    client.say("queue.declare", queue="grave")
    client.say(
        "queue.declare",
        queue="q",
        arguments={"x-message-ttl": 0, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "grave"},
    )
    most = 2**63 - 1
    death = {"queue": "q", "reason": "expired", "count": Typed("l", most)}
    client.send(*wire.publish(1, "q", b"x", headers={"x-death": [death]}))
    client.connection.receive(wire.method(1, "basic.get", queue="grave", no_ack=True), 0.0)
    (_, header, _) = wire.split(client.connection.outbox.take())
    assert most.to_bytes(8, "big") in header[2]


def test_a_dead_letter_routing_key_that_fits_no_frame_is_refused(client: Client) -> None:
    arguments = {"x-dead-letter-exchange": "amq.fanout", "x-dead-letter-routing-key": "k" * 256}
    (close,) = client.say("queue.declare", queue="q", arguments=arguments)
    assert (close.name, close.fields["reply_code"]) == ("channel.close", 406)


@pytest.mark.parametrize("arguments", [{}, {"x-single-active-consumer": True}], ids=["plain", "single active"])
def test_a_consumer_is_given_nothing_when_it_acknowledges_after_it_was_cancelled(
    client: Client, arguments: dict[str, bool]
) -> None:
    client.say("queue.declare", queue="q", arguments=arguments)
    client.say("basic.qos", prefetch_count=1)
    client.say("basic.consume", queue="q", consumer_tag="t")
    client.send(*wire.publish(1, "q", b"one"), *wire.publish(1, "q", b"two"))
    client.say("basic.cancel", consumer_tag="t")
    assert client.say("basic.ack", delivery_tag=1) == []
    assert named("queue.declare-ok", client.say("queue.declare", queue="q", passive=True))[0].fields == {
        "queue": "q",
        "message_count": 1,
        "consumer_count": 0,
    }


def test_body_frames_without_octets_are_not_kept(client: Client) -> None:
    client.say("queue.declare", queue="q")
    head = wire.method(1, "basic.publish", routing_key="q")
    header = wire.content(1, b"12345")[0]
    client.send(head, header, *[wire.frame(wire.BODY, 1, b"")] * 10_000)
    assert client.connection.channels[1].publisher.parts == []
