"""What is outstanding, how it is settled, and how prefetch bounds it."""

import pytest

from tests.connection.build import bodies, consuming, ready
from tests.harness.dialogue import frame

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
