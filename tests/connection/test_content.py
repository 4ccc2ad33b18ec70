"""Contents that are not what they should be, and what is left of them."""

from typing import Any

import pytest

from amq.journal.checksum import LONG, UNKNOWN, LongBody
from amq.wire import erlang
from amq.wire.spec import BASIC_PUBLISH
from tests.conformance import methods
from tests.harness.dialogue import Dialogue, content, enter, frame, method, new_broker

PUBLISH = method(1, "basic.publish", routing_key="q")


def client_with_queue(**settings: Any) -> Dialogue:
    client = enter(new_broker(**settings), channels=[1])
    client.declare(1, "q")
    return client


def header(size: int, **shape: int) -> bytes:
    return frame(2, 1, methods.encode_header(size, {}, **shape))


@pytest.mark.parametrize("size", range(4, 12))
def test_a_publish_that_is_cut_short_is_a_frame_error(size: int) -> None:
    whole = BASIC_PUBLISH.to_bytes(4, "big") + b"\0\0\x02xx\x02qq\0"
    client = client_with_queue()
    client.send(frame(1, 1, whole[:size]) + content(1, b"body"))
    client.hears_close(501, f"cannot decode {erlang.binary(whole[4:size])}", by=(60, 40))


def test_a_publish_with_octets_too_many_is_a_frame_error() -> None:
    client = client_with_queue()
    client.send(frame(1, 1, BASIC_PUBLISH.to_bytes(4, "big") + b"\0\0\0\x01q\0!") + content(1, b"body"))
    client.hears_close(501, "cannot decode <<0,0,0,1,113,0,33>>", by=(60, 40))


EXPECTED_HEADER = "expected content header for class 60, got non content header frame instead"
EXPECTED_BODY = "expected content body, got non content body frame instead"
EXPECTED_METHOD = "expected method frame, got non method frame instead"


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (header(1), EXPECTED_METHOD),
        (frame(3, 1, b"x"), EXPECTED_METHOD),
        (PUBLISH + PUBLISH, EXPECTED_HEADER),
        (PUBLISH + frame(3, 1, b"x"), EXPECTED_HEADER),
        (PUBLISH + header(1, weight=1), EXPECTED_HEADER),
        (PUBLISH + header(1, class_id=50), "expected content header for class 60, got one for class 50 instead"),
        (PUBLISH + header(1) + header(1), EXPECTED_BODY),
        (PUBLISH + header(1) + method(1, "basic.qos"), EXPECTED_BODY),
        (PUBLISH + header(0) + frame(3, 1, b""), EXPECTED_METHOD),
    ],
)
def test_frames_of_a_content_come_in_their_order(octets: bytes, text: str) -> None:
    client = client_with_queue()
    client.send(octets)
    client.hears_close(505, text)


def test_a_body_longer_than_its_header_says_is_a_frame_error() -> None:
    client = client_with_queue()
    client.send(PUBLISH + header(2) + frame(3, 1, b"abc"))
    client.hears_close(501, "content body of 3 octets is longer than its header says")


def test_a_heartbeat_may_come_in_the_middle_of_a_content() -> None:
    client = client_with_queue()
    client.send(PUBLISH + frame(8, 0, b"") + header(4) + frame(3, 1, b"bo") + frame(8, 0, b"") + frame(3, 1, b"dy"))
    assert client.get(1, "q") == b"body"


def test_contents_of_two_channels_may_be_interleaved() -> None:
    client = client_with_queue()
    client.open(2)
    one, two = content(1, b"onex", cuts=[2]), content(2, b"two", cuts=[1])
    head, rest = one[:22], one[22:]
    client.send(PUBLISH + method(2, "basic.publish", routing_key="q") + head + two + rest)
    assert client.get_all(1, "q") == [b"two", b"onex"]


def test_empty_body_frames_are_taken_and_not_kept() -> None:
    client = client_with_queue()
    client.send(PUBLISH + header(4) + frame(3, 1, b"") * 1000 + frame(3, 1, b"bo") + frame(3, 1, b"") * 1000)
    assert len(client.connection.channels[1].publisher.parts) == 1
    client.send(frame(3, 1, b"dy"))
    assert client.get(1, "q") == b"body"


def test_a_message_that_is_too_large_is_refused_by_its_header() -> None:
    client = client_with_queue(max_message_size=10)
    client.send(PUBLISH + header(11))
    text = "message size 11 is larger than configured max size 10"
    client.hears_channel_close(1, 406, text, by=(60, 40))
    client.send(frame(3, 1, b"12345678901"))
    client.say(1, "channel.close-ok")
    client.hears_nothing()
    client.open(1)
    client.publish(1, "q", b"1234567890")
    assert client.get_all(1, "q") == [b"1234567890"]


@pytest.mark.parametrize(
    "properties",
    [
        b"\x80\x00",  # a content-type that is not there
        b"\x80\x00\x05abc",
        b"\x10\x00",
        b"\x10\x00\x02\x02",  # an octet too many
        b"\x00\x01",  # another word of flags
        b"\x20\x00\x00\x00\x00\x02\x01h",  # headers that are no table
    ],
)
def test_properties_that_cannot_be_read_end_the_connection(properties: bytes) -> None:
    client = client_with_queue()
    client.send(PUBLISH + frame(2, 1, b"\0\x3c\0\0" + bytes(8) + properties))
    heard = client.hears(0, "connection.close", reply_code=501, class_id=60, method_id=40)
    assert "content header cannot be decoded" in heard["reply_text"]


def test_a_channel_fault_takes_the_rest_of_the_content_with_it() -> None:
    client = client_with_queue()
    client.publish(1, "q", b"kept")
    client.send(method(1, "basic.publish", exchange="missing") + content(1, b"x") + PUBLISH + header(2))
    client.hears_channel_close(1, 404, "no exchange 'missing' in vhost '/'", by=(60, 40))
    client.send(frame(3, 1, b"xx"))
    client.say(1, "channel.close-ok")
    client.open(1)
    assert client.get_all(1, "q") == [b"kept"]


def test_half_a_content_is_forgotten_with_its_channel() -> None:
    client = client_with_queue()
    client.open(2)
    client.send(PUBLISH + header(4) + frame(3, 1, b"bo"))
    client.connection.lost(0.0)
    other = enter(client.broker, channels=[1])
    assert other.get(1, "q") is None


def test_a_long_body_is_gathered_as_it_comes_and_arrives_whole() -> None:
    client = enter(channels=[1])
    client.declare(1, "q")
    body = bytes(range(256)) * (LONG // 256) + b"end"
    frames = content(1, body, cuts=range(100_000, len(body), 100_000))
    client.send(method(1, "basic.publish", routing_key="q"))
    for start in range(0, len(frames), 1 << 16):
        client.send(frames[start : start + (1 << 16)])
    waiting = client.broker.vhosts["/"].queues[b"q"].get()
    assert waiting is not None
    assert isinstance(waiting[1].body, LongBody)
    client.broker.vhosts["/"].queues[b"q"].requeue([waiting[:2]])
    assert client.get(1, "q") == body


@pytest.mark.parametrize(
    ("properties", "summed"),
    [
        ({}, False),
        ({"delivery_mode": 1}, False),
        ({"delivery_mode": 2}, True),
        ({"type": "t", "delivery_mode": 2}, True),
    ],
    ids=str,
)
def test_a_long_body_is_summed_up_only_for_the_disk(properties: dict[str, Any], summed: bool) -> None:
    client = enter(channels=[1])
    client.declare(1, "q")
    frames = content(1, bytes(LONG), properties, cuts=range(100_000, LONG, 100_000))
    client.send(method(1, "basic.publish", routing_key="q") + frames)
    waiting = client.broker.vhosts["/"].queues[b"q"].get()
    assert waiting is not None
    body = waiting[1].body
    assert isinstance(body, LongBody) and (body.crc != UNKNOWN) is summed


def test_a_long_body_behind_a_header_that_is_none_is_refused() -> None:
    client = enter(channels=[1])
    frames = content(1, bytes(LONG), cuts=range(100_000, LONG, 100_000)).replace(b"\0\0\xce", b"\0\1\xce", 1)
    client.send(method(1, "basic.publish", routing_key="q") + frames)
    assert client.connection.closing
