"""Frames that must end a connection, and how the last words describe them."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.conformance.client import BODY, CONTENT_HEADER, HEARTBEAT, METHOD, Channel, Connection
from tests.conformance.methods import encode, encode_header

Connect = Callable[..., Connection]


def test_a_wrong_end_octet_is_a_frame_error(c: Channel) -> None:
    payload = encode("channel.flow", {"active": True})
    c.connection.send_frame(METHOD, 1, payload, end=b"\x00")
    c.connection_closed(501, "type 1, all octets = <<0,20,0,20,1>>: {invalid_frame_end_marker,0}", by="", wait=False)


def test_only_the_first_sixteen_octets_of_a_bad_frame_are_shown(c: Channel) -> None:
    c.connection.send_frame(METHOD, 1, bytes(range(20)), end=b"\x01")
    shown = f"type 1, first 16 octets = <<{','.join(str(octet) for octet in range(16))}>>: "
    # Erlang's pretty printer breaks a term at 80 columns and indents what follows.
    term = "{invalid_frame_end_marker,\n" + " " * (len(shown) + 1) + "1}"
    c.connection_closed(501, shown + term, by="", wait=False)


def test_a_frame_above_the_negotiated_size_is_refused_by_its_head(connect: Connect) -> None:
    c = connect(frame_max=4096).channel(1)
    c.connection.send_raw(b"\x01\x00\x01" + (4097).to_bytes(4, "big"))
    c.connection_closed(501, "type 1, all octets = <<>>: {frame_too_large,4097,4088}", by="", wait=False)


def test_a_frame_of_the_negotiated_size_plus_the_slack_is_taken(connect: Connect, q: str) -> None:
    c = connect(frame_max=4096).channel(1)
    c.call("queue.declare", queue=q)
    c.say("basic.publish", routing_key=q)
    c.connection.send_frame(CONTENT_HEADER, 1, encode_header(4096, {}))
    c.connection.send_frame(BODY, 1, b"x" * 4096)
    c.get(q, b"x" * 4096)


def test_an_unknown_frame_type_is_a_frame_error(c: Channel) -> None:
    c.connection.send_frame(7, 1, b"\x01\x02")
    c.connection_closed(501, "type 7, all octets = <<1,2>>: unknown_frame", by="")


def test_a_heartbeat_on_a_channel_is_unexpected(c: Channel) -> None:
    c.connection.send_frame(HEARTBEAT, 1, b"")
    c.connection_closed(505, "type 8, all octets = <<>>", by="")


def test_a_heartbeat_between_frames_is_welcome(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.say("basic.publish", routing_key=q)
    c.connection.send_frame(HEARTBEAT, 0, b"")
    c.connection.send_frame(CONTENT_HEADER, 1, encode_header(1, {}))
    c.connection.send_frame(HEARTBEAT, 0, b"")
    c.connection.send_frame(BODY, 1, b"x")
    c.get(q, "x")


def test_a_content_frame_on_channel_0_is_unexpected(c: Channel) -> None:
    c.connection.send_frame(BODY, 0, b"\x05\x06")
    c.connection_closed(505, "type 3, all octets = <<5,6>>", by="")


@pytest.mark.parametrize("kind", [CONTENT_HEADER, BODY])
def test_content_without_a_method_is_unexpected(c: Channel, kind: int) -> None:
    c.connection.send_frame(kind, 1, encode_header(1, {}))
    c.connection_closed(505, "expected method frame, got non method frame instead", by="")


def test_a_content_header_of_another_class_is_unexpected(c: Channel) -> None:
    c.say("basic.publish", routing_key="nowhere")
    c.connection.send_frame(CONTENT_HEADER, 1, encode_header(1, {}, class_id=10))
    c.connection_closed(505, "expected content header for class 60, got one for class 10 instead")


def test_a_body_where_the_content_header_belongs_is_unexpected(c: Channel) -> None:
    c.say("basic.publish", routing_key="nowhere")
    c.connection.send_frame(BODY, 1, b"x")
    c.connection_closed(505, "expected content header for class 60, got non content header frame instead")


def test_a_method_where_the_content_header_belongs_is_unexpected(c: Channel) -> None:
    c.say("basic.publish", routing_key="nowhere")
    c.connection.send_frame(METHOD, 1, encode("channel.flow", {"active": True}))
    c.connection_closed(505, "expected content header for class 60, got non content header frame instead")


def test_a_content_header_with_a_weight_is_unexpected(c: Channel) -> None:
    c.say("basic.publish", routing_key="nowhere")
    c.connection.send_frame(CONTENT_HEADER, 1, encode_header(1, {}, weight=1))
    c.connection_closed(505, "expected content header for class 60, got non content header frame instead")


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        pytest.param(METHOD, encode("channel.flow", {"active": True}), id="method"),
        pytest.param(CONTENT_HEADER, encode_header(1, {}), id="header"),
    ],
)
def test_another_frame_where_the_body_belongs_is_unexpected(c: Channel, kind: int, payload: bytes) -> None:
    c.say("basic.publish", routing_key="nowhere")
    c.connection.send_frame(CONTENT_HEADER, 1, encode_header(2, {}))
    c.connection.send_frame(kind, 1, payload)
    c.connection_closed(505, "expected content body, got non content body frame instead")


def test_a_body_longer_than_announced_is_a_frame_error(c: Channel) -> None:
    c.say("basic.publish", routing_key="nowhere")
    c.connection.send_frame(CONTENT_HEADER, 1, encode_header(1, {}))
    c.connection.send_frame(BODY, 1, b"xy")
    c.connection.control.hear("connection.close", patience=1, reply_code=501)


def test_a_body_may_come_in_many_small_frames(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.say("basic.publish", routing_key=q)
    c.connection.send_frame(CONTENT_HEADER, 1, encode_header(5, {}))
    for octet in b"a", b"", b"bcd", b"e":
        c.connection.send_frame(BODY, 1, octet)
    c.get(q, "abcde")


class OctetByOctet(Connection):
    """A client whose network gives one octet at a time."""

    def send_raw(self, data: bytes) -> None:
        for octet in data:
            super().send_raw(bytes([octet]))


def test_octets_may_come_one_at_a_time(server: Any, q: str) -> None:
    connection = OctetByOctet(server.address)
    try:
        connection.enter()
        c = connection.channel(1)
        c.call("queue.declare", queue=q, exclusive=True)
        c.publish("body", "", q, headers={"key": [1, {"a": None}]})
        c.get(q, "body", headers={"key": [1, {"a": None}]})
    finally:
        connection.leave()


def test_a_whole_dialogue_may_come_in_one_piece(c: Channel, q: str) -> None:
    declare = encode("queue.declare", {"queue": q})
    publish = encode("basic.publish", {"routing_key": q})
    header = encode_header(1, {})
    frames = [(METHOD, declare), *[(METHOD, publish), (CONTENT_HEADER, header), (BODY, b"x")] * 200]
    c.connection.declared.append(("queue", q))
    c.connection.send_raw(
        b"".join(
            bytes([kind]) + b"\x00\x01" + len(payload).to_bytes(4, "big") + payload + b"\xce"
            for kind, payload in frames
        )
    )
    c.hear("queue.declare-ok", queue=q)
    c.ready(q, 200)


def test_contents_of_two_channels_may_interleave(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    other = c.connection.channel(2)
    c.say("basic.publish", routing_key=q)
    other.say("basic.publish", routing_key=q)
    c.connection.send_frame(CONTENT_HEADER, 1, encode_header(3, {}))
    c.connection.send_frame(CONTENT_HEADER, 2, encode_header(4, {}))
    c.connection.send_frame(BODY, 2, b"on ")
    c.connection.send_frame(BODY, 1, b"one")
    c.quiet()
    c.get(q, "one")
    c.connection.send_frame(BODY, 2, b"2")
    other.quiet()
    other.get(q, "on 2")


def test_a_large_body_is_split_to_the_negotiated_frame_size(connect: Connect, q: str) -> None:
    c = connect(frame_max=4096).channel(1)
    c.call("queue.declare", queue=q)
    body = bytes(range(256)) * 100
    c.publish(body, routing_key=q)
    c.get(q, body)


def test_each_side_has_its_own_frame_size(connect: Connect, q: str) -> None:
    large, small = connect().channel(1), connect(frame_max=4096).channel(1)
    large.call("queue.declare", queue=q)
    large.publish(b"y" * 50000, routing_key=q)
    large.quiet(q)
    small.get(q, b"y" * 50000)


def test_an_unopened_channel_expects_its_open(c: Channel) -> None:
    unopened = Channel(c.connection, 5)
    unopened.say("basic.qos", prefetch_count=1)
    unopened.connection_closed(504, "expected 'channel.open'")


def test_content_on_an_unopened_channel_lacks_its_method(c: Channel) -> None:
    c.connection.send_frame(CONTENT_HEADER, 5, encode_header(1, {}))
    c.connection_closed(505, "expected method frame, got non method frame instead", by="")


def test_a_second_open_is_a_channel_error(c: Channel) -> None:
    c.say("channel.open")
    c.connection_closed(504, "second 'channel.open' seen")


def test_channels_are_limited_by_their_count(connect: Connect) -> None:
    connection = connect(channel_max=2)
    connection.channel(1)
    connection.channel(2)
    third = Channel(connection, 3)
    third.say("channel.open")
    third.connection_closed(530, "number of channels opened (2) has reached the negotiated channel_max (2)", by="")


def test_a_channel_number_above_the_limit_is_taken_while_there_are_few(connect: Connect) -> None:
    connection = connect(channel_max=2)
    connection.channel(9).quiet()


def test_a_closed_channel_makes_room_for_another(connect: Connect) -> None:
    connection = connect(channel_max=1)
    connection.channel(1).call("channel.close", reply_code=200)
    connection.channel(2).quiet()


@pytest.mark.parametrize(
    "name",
    [
        "connection.open",
        "connection.close-ok",
        "channel.close-ok",
        "channel.flow-ok",
        "queue.declare-ok",
        "tx.select-ok",
    ],
)
def test_a_method_that_no_channel_takes_is_unimplemented(c: Channel, name: str) -> None:
    c.say(name)
    c.connection_closed(503, "unimplemented method")


@pytest.mark.parametrize("name", ["basic.deliver", "basic.get-ok", "basic.return"])
def test_content_that_only_servers_send_is_unimplemented(c: Channel, name: str) -> None:
    c.say(name)
    c.connection.send_frame(CONTENT_HEADER, 1, encode_header(0, {}))
    c.connection_closed(503, "unimplemented method")


@pytest.mark.parametrize("name", ["connection.open", "connection.tune-ok", "connection.close-ok", "channel.open"])
def test_a_method_that_channel_0_takes_in_another_state_is_unexpected(c: Channel, name: str) -> None:
    c.connection.control.say(name)
    c.connection.control.connection_closed(504, "unexpected method in connection state running")


@pytest.mark.parametrize("name", ["connection.tune-ok", "connection.close", "channel.open"])
def test_only_open_is_expected_after_tuning(dial: Callable[[], Connection], name: str) -> None:
    connection = dial()
    connection.greet()
    connection.start_ok()
    connection.tune_ok()
    connection.control.say(name)
    connection.control.connection_closed(504, "unexpected method in connection state opening")


def test_no_channel_can_be_used_before_the_connection_is_open(dial: Callable[[], Connection]) -> None:
    connection = dial()
    connection.greet()
    connection.start_ok()
    connection.tune_ok()
    connection.send_frame(METHOD, 1, encode("channel.open", {}))
    connection.connection_closed(505, "type 1, all octets = <<0,20,0,10,0>>")


def test_a_table_with_an_unknown_field_type_cannot_be_decoded(c: Channel, q: str) -> None:
    c.say("queue.declare", queue=q, arguments=b"\x00\x00\x00\x03\x01a?")
    c.connection.control.hear("connection.close", reply_code=501)


def test_an_unknown_method_of_a_known_class_ends_the_connection(c: Channel) -> None:
    c.connection.send_frame(METHOD, 1, b"\x00\x32\x00\xc8")
    c.connection.control.hear("connection.close")


def test_an_unknown_class_ends_the_connection(c: Channel) -> None:
    c.connection.send_frame(METHOD, 1, b"\x00\x99\x00\x10")
    c.connection.control.hear("connection.close")


def test_a_method_cut_short_cannot_be_decoded(c: Channel) -> None:
    c.connection.send_frame(METHOD, 1, encode("queue.declare", {"queue": "cut"})[:-6])
    c.connection_closed(501, "cannot decode <<0,0,3,99,117>>", by="queue.declare")


def test_a_method_with_octets_to_spare_cannot_be_decoded(c: Channel) -> None:
    c.connection.send_frame(METHOD, 1, encode("basic.recover", {"requeue": True}) + b"z")
    c.connection_closed(501, "cannot decode <<1,122>>", by="basic.recover")


@pytest.mark.parametrize("kind", [METHOD, CONTENT_HEADER])
def test_a_payload_too_short_for_its_type_is_an_unknown_frame(c: Channel, kind: int) -> None:
    c.connection.send_frame(kind, 1, b"\x00\x3c\x00")
    c.connection_closed(501, f"type {kind}, all octets = <<0,60,0>>: unknown_frame", by="")


def test_a_heartbeat_with_a_payload_is_an_unknown_frame(c: Channel) -> None:
    c.connection.send_frame(HEARTBEAT, 0, b"zz")
    c.connection_closed(501, 'type 8, all octets = <<"zz">>: unknown_frame', by="")


def test_names_must_be_utf_8(c: Channel) -> None:
    c.say("queue.declare", queue=b"\xff\xfe")
    c.connection_closed(501, "Malformed UTF-8 in shortstr", by="")


def test_a_routing_key_of_a_publish_may_be_any_octets(c: Channel) -> None:
    c.publish("m", "amq.direct", b"\xff\xfe", mandatory=True)  # type: ignore[arg-type]
    returned = c.hear("basic.return", body=b"m")
    assert returned["routing_key"].encode("utf-8", "surrogateescape") == b"\xff\xfe"


def test_a_name_beyond_ascii_is_shown_as_it_is(c: Channel) -> None:
    c.say("queue.declare", queue="wärteschlange", passive=True)
    c.channel_closed(404, "no queue 'wärteschlange' in vhost '/'")


@pytest.mark.parametrize(
    ("flags", "values"),
    [
        pytest.param(b"\x20\x00", b"\x00\x00\x00\x03\x01a?", id="unknown-field-type"),
        pytest.param(b"\x80\x00", b"\x05ab", id="cut-short"),
        pytest.param(b"\x80\x00", b"\x02abcd", id="octets-to-spare"),
        pytest.param(b"\x00\x00", b"\x02ab", id="values-without-flags"),
        pytest.param(b"\x20\x00", b"\xff\xff\xff\xff", id="forged-table-length"),
    ],
)
def test_malformed_properties_end_the_connection(c: Channel, q: str, flags: bytes, values: bytes) -> None:
    c.say("basic.publish", exchange="amq.direct", routing_key=q)
    c.connection.send_frame(CONTENT_HEADER, 1, b"\x00\x3c\x00\x00" + bytes(8) + flags + values)
    c.connection.control.hear("connection.close")


@pytest.mark.parametrize("length", [214, 215, 255])
def test_a_reply_text_is_cut_to_what_a_short_string_holds(c: Channel, length: int) -> None:
    whole = f"NOT_FOUND - no exchange '{'e' * length}' in vhost '/'"
    c.publish("m", "e" * length, "k")
    c.hear("channel.close", reply_text=whole if len(whole) <= 255 else whole[:252] + "...")


def test_a_body_after_a_complete_content_lacks_its_method(c: Channel, q: str) -> None:
    c.publish("m", "amq.direct", q)
    c.connection.send_frame(BODY, 1, b"x")
    c.connection_closed(505, "expected method frame, got non method frame instead", by="")
