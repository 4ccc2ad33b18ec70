"""Every method in every state of a connection: the specified answer or fault, and the same however it is cut."""

import pytest

from tests.conformance.methods import BY_NAME
from tests.harness.dialogue import HEADER, Dialogue, enter, method, new_broker, publish

METHODS = sorted(BY_NAME)
OF_CHANNELS = [name for name in METHODS if not name.startswith("connection.")]
OF_CONNECTIONS = [name for name in METHODS if name.startswith("connection.")]
FROM_BROKERS = [
    name for name in OF_CHANNELS if name.endswith("-ok") or name in ("basic.deliver", "basic.return", "basic.get-empty")
]
# The answers to what a broker may ask.
ANSWERS = {"channel.close-ok", "basic.cancel-ok"}


def ids(name: str) -> tuple[int, int]:
    return BY_NAME[name].ids


@pytest.mark.parametrize("name", METHODS)
def test_before_the_login_only_the_login_is_listened_to(name: str) -> None:
    client = Dialogue(new_broker())
    client.greet()
    client.say(0, name)
    client.hears_nothing()
    assert client.connection.deaf


@pytest.mark.parametrize("name", OF_CHANNELS)
def test_a_method_of_channels_has_no_business_on_channel_0(name: str) -> None:
    client = enter(channels=[1])
    client.say(0, name)
    client.hears_close(504, "unexpected method in connection state running", by=ids(name))


@pytest.mark.parametrize("name", sorted(set(OF_CHANNELS) - {"channel.open", "channel.close-ok"}))
def test_on_a_channel_that_is_not_open_only_open_is_right(name: str) -> None:
    client = enter(channels=[1])
    client.say(2, name)
    client.hears_close(504, "expected 'channel.open'", by=ids(name))


@pytest.mark.parametrize("name", sorted(set(METHODS) - {"channel.close", "channel.close-ok"}))
def test_on_a_channel_that_is_closing_nothing_is_answered(name: str) -> None:
    client = enter(channels=[1])
    client.say(1, "basic.ack", delivery_tag=1)
    client.hears(1, "channel.close")
    client.say(1, name)
    client.hears_nothing()
    client.say(1, "channel.close-ok")
    client.open(1)


@pytest.mark.parametrize("name", OF_CONNECTIONS)
def test_a_method_of_connections_has_no_business_on_a_channel(name: str) -> None:
    client = enter(channels=[1])
    client.say(1, name)
    assert client.hears(0, "connection.close")["reply_code"] in (503, 504)


@pytest.mark.parametrize("name", sorted(set(FROM_BROKERS) - ANSWERS))
def test_what_only_a_broker_says_is_refused(name: str) -> None:
    client = enter(channels=[1])
    client.say(1, name)
    assert client.hears(0, "connection.close")["reply_code"] in (503, 504)


def test_the_answer_to_a_cancellation_is_taken_without_a_word() -> None:
    client = enter(channels=[1])
    client.say(1, "basic.cancel-ok", consumer_tag="c")
    client.hears_nothing()


OPENING = [
    HEADER,
    method(0, "connection.start-ok", mechanism="PLAIN", response=b"\0guest\0guest", locale="en_US"),
    method(0, "connection.tune-ok", channel_max=10, frame_max=4096, heartbeat=0),
    method(0, "connection.open", virtual_host="/"),
    method(1, "channel.open"),
    method(2, "channel.open"),
    method(1, "exchange.declare", exchange="x", type="topic", durable=True),
    method(
        1, "queue.declare", queue="q", arguments={"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead"}
    ),
    method(1, "queue.declare", queue="dead"),
    method(1, "queue.bind", queue="q", exchange="x", routing_key="a.#"),
    publish(1, "a.b", b"one", exchange="x", headers={"k": "v"}),
]


def conversation() -> bytes:
    """A client that does a bit of everything, all said at once."""
    parts = [*OPENING, publish(1, "a.c", b"", exchange="x"), publish(1, "a.d", b"three", exchange="x")]
    parts += [
        method(2, "basic.qos", prefetch_count=2),
        method(2, "basic.consume", queue="q", consumer_tag="c"),
        method(2, "basic.reject", delivery_tag=1, requeue=False),
        method(2, "basic.nack", delivery_tag=2, requeue=True),
        method(1, "basic.get", queue="dead", no_ack=True),
        method(1, "confirm.select"),
        method(1, "queue.purge", queue="dead"),
        method(2, "basic.cancel", consumer_tag="c"),
        method(2, "basic.recover", requeue=True),
        method(2, "queue.delete", queue="q"),
        method(2, "exchange.delete", exchange="x"),
        method(2, "tx.select"),
        method(2, "tx.rollback"),
        method(2, "queue.declare", queue="missing", passive=True),
        method(2, "basic.get", queue="ignored"),
        method(2, "channel.close-ok"),
        method(2, "channel.open"),
        method(1, "channel.close"),
        method(0, "connection.close"),
        b"and nobody listens any more",
    ]
    return b"".join(parts)


def heard_in(chunks: list[bytes]) -> list[str]:
    client = Dialogue(new_broker())
    heard = []
    for chunk in chunks:
        client.send(chunk)
        heard += [f"{item} {item.header!r} {item.body!r}" for item in client.hear_all()]
    assert client.connection.finished
    return heard


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 64, 1000])
def test_a_conversation_is_the_same_in_pieces_of_any_size(size: int) -> None:
    octets = conversation()
    whole = heard_in([octets])
    assert len(whole) > 25
    assert heard_in([octets[at : at + size] for at in range(0, len(octets), size)]) == whole
