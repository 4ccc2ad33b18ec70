"""Deliveries: their frames and tags, and clients that read too slowly."""

import pytest

from amq.connection.outbox import HIGH_WATER, TAKE, Outbox
from tests.connection.build import bodies, consuming, ready
from tests.harness.dialogue import content, enter, method, publish

# -- frames --


@pytest.mark.parametrize("size", [0, 1, 4087, 4088, 4089, 8176, 8177, 20_000])
@pytest.mark.parametrize("way", ["deliver", "get", "return"])
def test_bodies_are_split_into_frames_as_large_as_agreed(size: int, way: str) -> None:
    client = enter(channels=[1], frame_max=4096)
    client.declare(1, "q")
    body = bytes(range(256)) * (size // 256 + 1)
    cuts = range(4088, size, 4088)
    head = method(1, "basic.publish", routing_key="nowhere" if way == "return" else "q", mandatory=True)
    client.send(head + content(1, body[:size], {"message_id": "m"}, cuts))
    client.sizes.clear()
    if way == "deliver":
        client.consume(1, "q")
        heard = client.hears(1, "basic.deliver", routing_key="q")
    elif way == "get":
        client.say(1, "basic.get", queue="q")
        heard = client.hears(1, "basic.get-ok", message_count=0)
    else:
        heard = client.hears(1, "basic.return", routing_key="nowhere")
    assert heard.body == body[:size]
    assert heard.properties == {"message_id": "m"}
    assert max(client.sizes) <= 4096
    assert client.sizes.count(4096) == size // 4088


def test_large_and_small_messages_take_turns() -> None:
    client = enter(channels=[1], frame_max=4096)
    client.declare(1, "q")
    client.consume(1, "q", no_ack=True)
    large = method(1, "basic.publish", routing_key="q") + content(1, bytes(9000), cuts=(4088, 8176))
    client.send((publish(1, "q", b"small") * 2 + large + publish(1, "q")) * 3)
    assert [len(body) for body in bodies(client)] == [5, 5, 9000, 0] * 3


def test_a_message_is_delivered_as_it_was_sent() -> None:
    client = consuming(no_ack=True)
    properties = {"headers": {"k": [1, "x", None]}, "delivery_mode": 2, "app_id": "a", "timestamp": 7}
    client.publish(1, "q", b"one", exchange="", **properties)
    client.publish(1, "q", b"two")
    heard = client.hears_delivery(1, b"one", consumer_tag="c", delivery_tag=1, redelivered=False, exchange="")
    assert heard.properties == properties
    assert client.hears_delivery(1, b"two", delivery_tag=2).properties == {}


def test_tags_count_every_delivery_of_a_channel() -> None:
    client = consuming(bodies=2)
    client.hears_delivery(1, b"0", delivery_tag=1)
    client.hears_delivery(1, b"1", delivery_tag=2)
    client.declare(1, "other")
    client.publish(1, "other", b"got")
    client.say(1, "basic.get", queue="other", no_ack=True)
    client.hears(1, "basic.get-ok", delivery_tag=3)
    client.consume(1, "other", tag="free", no_ack=True)
    client.publish(1, "other", b"free")
    client.hears_delivery(1, b"free", delivery_tag=4, consumer_tag="free")
    client.publish(1, "q", b"2")
    client.hears_delivery(1, b"2", delivery_tag=5, consumer_tag="c")


def large(channel: int, octet: int) -> bytes:
    """A message of three body frames of at most 4096 octets."""
    body = bytes([octet]) * 9000
    return method(channel, "basic.publish", routing_key="q") + content(channel, body, cuts=(4088, 8176))


def test_large_messages_of_one_go_keep_their_places() -> None:
    client = enter(channels=[1, 2], frame_max=4096)
    client.declare(1, "q")
    client.consume(1, "q")
    client.send(large(2, 1) + large(2, 2) + publish(2, "q", b"small") + large(2, 3))
    assert [body[:1] for body in bodies(client)] == [b"\1", b"\2", b"s", b"\3"]
    client.say(1, "basic.cancel", consumer_tag="c", nowait=True)
    client.say(1, "basic.ack", delivery_tag=2)
    for tag in (4, 1, 3):
        client.say(1, "basic.reject", delivery_tag=tag, requeue=True)
    assert [body[:1] for body in client.get_all(2, "q")] == [b"\1", b"s", b"\3"]


def test_large_messages_fill_the_outbox_by_their_size() -> None:
    client = enter(channels=[1, 2], frame_max=4096)
    client.declare(1, "q")
    client.consume(1, "q", no_ack=True)
    before = client.connection.outbox.size
    client.send(large(2, 1) * 3)
    assert 27_000 < client.connection.outbox.size - before < 28_000


# -- slow readers --


def test_a_consumer_that_does_not_read_is_given_no_more_until_it_does() -> None:
    client = consuming(no_ack=True)
    other = enter(client.broker, channels=[1])
    for _ in range(40):
        other.publish(1, "q", bytes(20_000))
    outbox = client.connection.outbox
    waiting = outbox.size
    assert HIGH_WATER <= waiting < 2 * HIGH_WATER
    assert ready(client) > 20
    assert len(bodies(client)) == 40
    assert ready(client) == 0


def test_another_consumer_takes_what_a_slow_one_does_not() -> None:
    slow = consuming(no_ack=True)
    fast, publisher = enter(slow.broker, channels=[1]), enter(slow.broker, channels=[1])
    fast.consume(1, "q", no_ack=True)
    taken = 0
    for _ in range(60):
        publisher.publish(1, "q", bytes(20_000))
        taken += len(bodies(fast))
    assert taken + len(bodies(slow)) == 60
    assert taken > 40
    assert ready(slow) == 0


def test_a_large_message_leaves_no_weight_on_the_small_ones_after_it() -> None:
    client = enter(channels=[1, 2], frame_max=4096)
    client.declare(1, "q")
    client.consume(1, "q", no_ack=True)
    large = method(2, "basic.publish", routing_key="q") + content(2, bytes(300_000), cuts=range(4088, 300_000, 4088))
    client.send(publish(2, "q", b"small") + publish(1, "q", b"small") * 2 + large)
    client.hear_all()
    client.send(publish(1, "q", b"small") * 3)
    assert client.connection.outbox.size < 1000
    assert bodies(client) == [b"small"] * 3


def test_what_is_handed_out_at_once_is_bounded() -> None:
    client = enter(channels=[1])
    outbox = Outbox(client.connection, [])
    for _ in range(30):
        outbox.put(bytes(100_000))
    sizes = []
    while data := outbox.take():
        sizes.append(len(data))
    assert sum(sizes) == 3_000_000
    assert max(sizes) < TAKE + 100_000
    assert outbox.size == 0
    assert outbox.total == 3_000_000
