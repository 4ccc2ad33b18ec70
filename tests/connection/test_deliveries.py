"""Deliveries and what becomes of them: frames, tags, prefetch, slow readers, timeouts, cancellation."""

from typing import Any

import pytest

from amq.connection.consumer import ChannelConsumer
from amq.connection.ledger import Ledger
from amq.connection.outbox import HIGH_WATER, TAKE, Outbox
from amq.queues.base import Queue
from tests.harness.dialogue import Dialogue, content, enter, frame, method, new_broker, publish


def consuming(prefetch: int = 0, bodies: int = 0, **options: Any) -> Dialogue:
    """A client with queue `q`, consumer `c` on it, and so many messages `0`, `1`, ... published."""
    client = enter(channels=[1, 2])
    client.declare(1, "q")
    client.say(1, "basic.qos", prefetch_count=prefetch)
    client.hears(1, "basic.qos-ok")
    client.consume(1, "q", **options)
    for number in range(bodies):
        client.publish(1, "q", b"%d" % number)
    return client


def bodies(client: Dialogue) -> list[bytes]:
    return [heard.body for heard in client.hear_all() if heard.name == "basic.deliver"]


def ready(client: Dialogue, queue: bytes = b"q") -> int:
    return client.broker.vhosts["/"].queues[queue].ready_count()


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


# -- the ledger --

ACKNOWLEDGEMENTS = [
    # What is said, and what of the deliveries 1 to 4 is outstanding then.
    ([("basic.ack", 2, False)], {1, 3, 4}),
    ([("basic.ack", 2, True)], {3, 4}),
    ([("basic.ack", 0, True)], set()),
    ([("basic.ack", 0, True), ("basic.ack", 0, True)], set()),
    ([("basic.ack", 3, False), ("basic.ack", 4, True)], set()),
    ([("basic.ack", 1, False), ("basic.ack", 3, True)], {4}),
    ([("basic.nack", 3, True)], {4}),
    ([("basic.nack", 3, False)], {1, 2, 4}),
    ([("basic.nack", 0, True)], set()),
]


@pytest.mark.parametrize(("said", "left"), ACKNOWLEDGEMENTS)
def test_acknowledgements_name_one_delivery_or_all_up_to_it(said: list[tuple[str, int, bool]], left: set[int]) -> None:
    client = consuming(bodies=4)
    assert len(bodies(client)) == 4
    for name, tag, multiple in said:
        client.say(1, name, delivery_tag=tag, multiple=multiple)
    client.hears_nothing()
    assert set(client.connection.channels[1].ledger.unacked) == left
    assert client.broker.vhosts["/"].queues[b"q"].unacked == len(left)


@pytest.mark.parametrize(
    ("name", "tag", "multiple"),
    [
        ("basic.ack", 0, False),
        ("basic.ack", 5, False),
        ("basic.ack", 5, True),
        ("basic.ack", 2, False),
        ("basic.ack", 2, True),
        ("basic.ack", 2**64 - 1, True),
        ("basic.nack", 5, False),
        ("basic.nack", 5, True),
    ],
)
def test_a_tag_that_is_not_outstanding_is_unknown(name: str, tag: int, multiple: bool) -> None:
    client = consuming(bodies=4)
    client.say(1, "basic.ack", delivery_tag=2)
    assert len(bodies(client)) == 4
    client.say(1, name, delivery_tag=tag, multiple=multiple)
    client.hears_channel_close(1, 406, f"unknown delivery tag {tag}", by=(60, 80 if name == "basic.ack" else 120))
    assert ready(client) == 3


def test_tags_belong_to_their_channel() -> None:
    client = consuming(bodies=1)
    client.hears_delivery(1, b"0", delivery_tag=1)
    client.say(2, "basic.ack", delivery_tag=1)
    client.hears_channel_close(2, 406, "unknown delivery tag 1")


def test_deliveries_without_acknowledgement_are_not_outstanding() -> None:
    client = consuming(bodies=1, no_ack=True)
    client.hears_delivery(1, b"0", delivery_tag=1)
    client.say(1, "basic.reject", delivery_tag=1)
    client.hears_channel_close(1, 406, "unknown delivery tag 1", by=(60, 90))


def test_a_short_ack_frame_is_a_frame_error_and_a_long_one_too() -> None:
    for octets in (b"\0\x3c\0\x50\0", b"\0\x3c\0\x50" + bytes(10)):
        client = consuming(bodies=1)
        client.hear_all()
        client.send(frame(1, 1, octets))
        client.hears(0, "connection.close", reply_code=501, class_id=60, method_id=80)


def test_returned_messages_regain_their_places() -> None:
    client = consuming(bodies=5)
    assert len(bodies(client)) == 5
    client.say(1, "basic.cancel", consumer_tag="c", nowait=True)
    for tag in (4, 2):
        client.say(1, "basic.reject", delivery_tag=tag, requeue=True)
    client.publish(1, "q", b"new")
    client.say(1, "basic.nack", delivery_tag=1, requeue=True)
    assert client.get_all(2, "q") == [b"0", b"1", b"3", b"new"]


def test_recover_returns_everything_outstanding() -> None:
    client = consuming(bodies=3)
    assert len(bodies(client)) == 3
    client.say(1, "basic.recover", requeue=True)
    heard = client.hear_all()
    assert sorted(item.name for item in heard) == ["basic.deliver"] * 3 + ["basic.recover-ok"]
    again = [item for item in heard if item.name == "basic.deliver"]
    assert [(item.body, item["redelivered"], item["delivery_tag"]) for item in again] == [
        (b"0", True, 4),
        (b"1", True, 5),
        (b"2", True, 6),
    ]


# -- prefetch --


def test_prefetch_bounds_what_is_outstanding_and_each_ack_makes_room() -> None:
    client = consuming(prefetch=2, bodies=5)
    assert bodies(client) == [b"0", b"1"]
    client.say(1, "basic.ack", delivery_tag=1)
    assert bodies(client) == [b"2"]
    client.say(1, "basic.ack", delivery_tag=3, multiple=True)
    assert bodies(client) == [b"3", b"4"]


def test_a_limit_for_the_channel_holds_for_all_its_consumers_at_once() -> None:
    client = consuming(prefetch=10)
    client.declare(1, "other")
    client.consume(1, "other", tag="d")
    client.say(1, "basic.qos", prefetch_count=3, **{"global": True})
    client.hears(1, "basic.qos-ok")
    for number in range(3):
        client.publish(1, "q", b"q%d" % number)
        client.publish(1, "other", b"o%d" % number)
    assert len(bodies(client)) == 3
    client.say(1, "basic.ack", delivery_tag=3, multiple=True)
    assert len(bodies(client)) == 3
    client.say(1, "basic.qos", prefetch_count=1, **{"global": True})
    client.hears(1, "basic.qos-ok")
    client.publish(1, "q", b"last")
    assert bodies(client) == []
    client.say(1, "basic.ack", delivery_tag=5, multiple=True)
    assert bodies(client) == []
    client.say(1, "basic.qos", prefetch_count=0, **{"global": True})
    client.hears(1, "basic.qos-ok")
    assert bodies(client) == [b"last"]


def test_a_limit_for_the_channel_counts_what_is_out_and_only_that() -> None:
    client = consuming()
    client.say(1, "basic.qos", prefetch_count=2, **{"global": True})
    client.hears(1, "basic.qos-ok")
    for number in range(8):
        client.publish(1, "q", b"%d" % number)
    taken = bodies(client)
    for tag in range(1, 7):
        client.say(1, "basic.ack", delivery_tag=tag)
        taken += bodies(client)
        assert len(taken) == tag + 2
    # What is got does not count, and what is returned makes room like what is acknowledged.
    client.declare(1, "other")
    client.publish(1, "other", b"got")
    client.get(1, "other", no_ack=False)
    client.say(1, "basic.nack", delivery_tag=7, requeue=False)
    client.publish(1, "q", b"8")
    client.publish(1, "q", b"9")
    assert bodies(client) == [b"8"]


def test_who_does_not_acknowledge_is_not_limited() -> None:
    client = consuming(prefetch=1, bodies=5, no_ack=True)
    client.say(1, "basic.qos", prefetch_count=1, **{"global": True})
    assert len(bodies(client)) == 5


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


# -- time --

OVERDUE = (
    "delivery acknowledgement on channel 1 timed out. Timeout value used: 30000 ms. "
    "This timeout value can be configured, see consumers doc guide to learn more"
)


def overdue(**options: Any) -> Dialogue:
    client = enter(new_broker(consumer_timeout=30_000), channels=[1, 2])
    client.declare(1, "q")
    client.consume(1, "q", **options)
    client.publish(1, "q", b"m")
    client.hears_delivery(1, b"m")
    return client


def test_a_delivery_that_is_kept_for_too_long_closes_its_channel() -> None:
    client = overdue()
    client.wait(29.0)
    client.hears_nothing()
    client.wait(2.0)
    client.hears_channel_close(1, 406, OVERDUE, by=(0, 0))
    client.say(2, "basic.get", queue="q")
    client.hears(2, "basic.get-ok", redelivered=True)


def test_each_delivery_has_its_own_time() -> None:
    client = overdue()
    for tag in range(1, 10):
        client.wait(20.0)
        client.publish(1, "q", b"m")
        client.hears(1, "basic.deliver")
        client.say(1, "basic.ack", delivery_tag=tag)
        client.hears_nothing()
    client.wait(31.0)
    client.hears_channel_close(1, 406, OVERDUE)


def test_what_was_got_is_looked_after_too() -> None:
    client = enter(new_broker(consumer_timeout=30_000), channels=[1])
    client.declare(1, "q")
    client.publish(1, "q", b"m")
    client.get(1, "q", no_ack=False)
    client.wait(31.0)
    client.hears_channel_close(1, 406, OVERDUE)


def test_what_needs_no_acknowledgement_is_never_overdue() -> None:
    client = overdue(no_ack=True)
    client.wait(1000.0)
    client.hears_nothing()


def test_without_a_limit_nothing_is_overdue() -> None:
    client = enter(new_broker(consumer_timeout=None), channels=[1])
    client.declare(1, "q")
    client.publish(1, "q", b"m")
    client.get(1, "q", no_ack=False)
    client.wait(1e6)
    client.hears_nothing()


# -- cancellation --


def test_a_client_that_understands_hears_that_its_queue_is_gone() -> None:
    client = consuming()
    other = enter(client.broker, channels=[1])
    other.say(1, "queue.delete", queue="q")
    other.hears(1, "queue.delete-ok")
    client.hears(1, "basic.cancel", consumer_tag="c", nowait=True)
    client.hears_nothing()
    client.say(1, "basic.cancel-ok", consumer_tag="c")
    client.hears_nothing()


def test_a_client_that_does_not_understand_hears_nothing_of_it() -> None:
    broker = new_broker()
    client = enter(broker, channels=[1], capabilities=())
    client.declare(1, "q")
    client.consume(1, "q")
    other = enter(broker, channels=[1])
    other.say(1, "queue.delete", queue="q")
    client.hears_nothing()
    assert client.connection.channels[1].ledger.subscribers == {}


def test_what_a_deleted_queue_had_delivered_may_still_be_settled() -> None:
    for name in ("basic.ack", "basic.nack", "basic.reject"):
        client = consuming(bodies=1)
        client.hears_delivery(1, b"0")
        client.say(1, "queue.delete", queue="q")
        client.hear_all()
        client.say(1, name, delivery_tag=1)
        client.hears_nothing()
        client.say(1, "basic.recover", requeue=True)
        client.hears(1, "basic.recover-ok")


def test_cancelling_what_is_not_there_is_answered() -> None:
    client = enter(channels=[1])
    client.say(1, "basic.cancel", consumer_tag="nobody")
    client.hears(1, "basic.cancel-ok", consumer_tag="nobody")


def test_a_tag_is_used_by_one_consumer_of_a_channel() -> None:
    client = consuming()
    client.consume(2, "q")
    client.say(1, "basic.consume", queue="q", consumer_tag="c")
    client.hears_close(530, "attempt to reuse consumer tag 'c'", by=(60, 20))


def test_names_of_consumers_without_one_are_made_and_differ() -> None:
    client = enter(channels=[1])
    client.declare(1, "q")
    tags = set()
    for _ in range(3):
        client.say(1, "basic.consume", queue="q")
        tags.add(client.hears(1, "basic.consume-ok")["consumer_tag"])
    assert len(tags) == 3
    assert all(tag.startswith("amq.ctag-") and len(tag) == 31 for tag in tags)


def test_a_consumer_in_the_books_is_the_one_its_queue_knows() -> None:
    client = consuming()
    ledger: Ledger = client.connection.channels[1].ledger
    consumer = ledger.subscribers[b"c"]
    queue: Queue = client.broker.vhosts["/"].queues[b"q"]
    assert isinstance(consumer, ChannelConsumer)
    assert consumer.queue is queue
    assert queue.consumer_count() == 1
