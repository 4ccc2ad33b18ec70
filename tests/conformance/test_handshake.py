"""From the protocol header to connection.open-ok: what is announced, what is refused and how."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.conformance.client import HEADER, PATIENCE, Connection
from tests.conformance.heard import same
from tests.conformance.values import longstr, shortstr, table

Dial = Callable[[], Connection]
LOGIN_REFUSED = "Login was refused using authentication mechanism {}. For details see the broker logfile."


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(b"AMQP\x00\x01\x00\x00", id="1.0"),
        pytest.param(b"AMQP\x03\x01\x00\x00", id="1.0-sasl"),
        pytest.param(b"GET / HT", id="http"),
        pytest.param(b"AMQP\x00\x00\x09\x02", id="revision-2"),
        pytest.param(b"AMQP\x01\x01\x00\x0a", id="0-10"),
    ],
)
def test_another_protocol_header_is_answered_with_ours_and_a_closed_socket(dial: Dial, header: bytes) -> None:
    connection = dial()
    connection.send_raw(header)
    same(repr(connection.read(8, time.monotonic() + PATIENCE)), repr(HEADER))
    connection.hear_end()


def test_the_older_form_of_the_0_9_header_is_welcome(dial: Dial) -> None:
    connection = dial()
    connection.send_raw(b"AMQP\x01\x01\x00\x09")
    connection.control.hear("connection.start", version_major=0, version_minor=9)


def test_the_0_8_header_is_answered_with_ours(dial: Dial) -> None:
    connection = dial()
    connection.send_raw(b"AMQP\x01\x01\x08\x00")
    same(repr(connection.read(8, time.monotonic() + PATIENCE)), repr(HEADER))
    connection.hear_end()


def test_start_announces_version_mechanisms_and_locales(dial: Dial) -> None:
    start = dial().greet()
    assert (start["version_major"], start["version_minor"]) == (0, 9)
    assert start["locales"] == b"en_US"
    assert {b"PLAIN", b"AMQPLAIN"} <= set(start["mechanisms"].split(b" "))


def test_start_carries_the_server_properties_that_clients_read(dial: Dial) -> None:
    properties = dial().greet()["server_properties"]
    assert set(properties) >= {
        "capabilities",
        "cluster_name",
        "copyright",
        "information",
        "platform",
        "product",
        "version",
    }
    assert properties["product"] == "RabbitMQ"
    assert tuple(int(part) for part in properties["version"].split(".")) >= (3, 3)


@pytest.mark.parametrize(
    "capability",
    [
        "publisher_confirms",
        "exchange_exchange_bindings",
        "basic.nack",
        "consumer_cancel_notify",
        "connection.blocked",
        "consumer_priorities",
        "authentication_failure_close",
        "per_consumer_qos",
        "direct_reply_to",
    ],
)
def test_the_server_has_the_capability(dial: Dial, capability: str) -> None:
    assert dial().greet()["server_properties"]["capabilities"][capability] is True


def test_plain_login_is_tuned_with_the_defaults(dial: Dial) -> None:
    connection = dial()
    connection.greet()
    connection.start_ok()
    connection.control.hear("connection.tune", channel_max=2047, frame_max=131072, heartbeat=60)


def test_amqplain_login_is_tuned(dial: Dial) -> None:
    connection = dial()
    connection.greet()
    connection.start_ok(mechanism="AMQPLAIN")
    connection.tune_ok()
    connection.open()


def test_open_ok_has_no_known_hosts(dial: Dial) -> None:
    connection = dial()
    connection.greet()
    connection.start_ok()
    connection.tune_ok()
    connection.control.say("connection.open", virtual_host="/")
    connection.control.hear("connection.open-ok", known_hosts="")


def test_a_client_may_pipeline_the_whole_handshake(dial: Dial) -> None:
    connection = dial()
    connection.greet()
    connection.start_ok()
    connection.control.say("connection.tune-ok", channel_max=2047, frame_max=131072, heartbeat=0)
    connection.control.say("connection.open", virtual_host="/")
    connection.control.hear("connection.tune")
    connection.control.hear("connection.open-ok")


@pytest.mark.parametrize("mechanism", ["PLAIN", "AMQPLAIN"])
@pytest.mark.parametrize(
    ("user", "password"),
    [
        pytest.param("guest", "wrong", id="wrong-password"),
        pytest.param("nobody", "guest", id="unknown-user"),
        pytest.param("guest", "", id="blank-password"),
    ],
)
def test_a_refused_login_is_told_at_once_to_a_client_that_can_hear_it(
    dial: Dial, mechanism: str, user: str, password: str
) -> None:
    connection = dial()
    connection.greet()
    connection.start_ok(user=user, password=password, mechanism=mechanism)
    connection.connection_closed(403, LOGIN_REFUSED.format(mechanism))


def test_a_login_that_cannot_be_understood_or_told_ends_in_silence(dial: Dial) -> None:
    refusals: list[dict[str, Any]] = [
        {"password": "wrong", "capabilities": ()},
        {"mechanism": "ROT13"},
        {"response": b"guest\0guest"},
        {"response": b"\0guest"},
        {"mechanism": "AMQPLAIN", "response": table({"LOGIN": "guest"})[4:]},
    ]
    connections = [dial() for _ in refusals]
    for connection, refusal in zip(connections, refusals, strict=True):
        connection.greet()
        connection.start_ok(**refusal)
    for connection in connections:
        connection.hear_end()


@pytest.mark.parametrize(
    ("tuning", "text"),
    [
        ({"frame_max": 4095}, "frame_max = 4095 is lower than the minimum allowed value (4096)"),
        ({"frame_max": 131073}, "frame_max = 131073 is higher than the maximum allowed value (131072)"),
        ({"frame_max": 0}, "frame_max = 0 (no limit) is higher than the maximum allowed value (131072)"),
        ({"channel_max": 2048}, "channel_max = 2048 is higher than the maximum allowed value (2047)"),
        ({"channel_max": 0}, "channel_max = 0 (no limit) is higher than the maximum allowed value (2047)"),
    ],
)
def test_tuning_outside_the_limits_of_the_server_is_refused(dial: Dial, tuning: dict[str, int], text: str) -> None:
    connection = dial()
    connection.greet()
    connection.start_ok()
    connection.tune_ok(**tuning)
    connection.connection_closed(530, f"negotiated {text}", by="connection.tune-ok")


def test_the_smallest_frame_is_allowed(dial: Dial) -> None:
    connection = dial()
    connection.enter(frame_max=4096, channel_max=1)
    connection.channel(1).quiet()


@pytest.mark.parametrize("name", ["conformance-nowhere", ""])
def test_a_missing_virtual_host_is_named(dial: Dial, name: str) -> None:
    connection = dial()
    connection.greet()
    connection.start_ok()
    connection.tune_ok()
    connection.control.say("connection.open", virtual_host=name)
    connection.control.connection_closed(530, f"vhost {name} not found")


def test_amqplain_tables_may_hold_more_than_the_two_fields(dial: Dial) -> None:
    connection = dial()
    connection.greet()
    fields = table({"LOGIN": "guest", "EXTRA": 1, "PASSWORD": "guest"})[4:]
    connection.start_ok(mechanism="AMQPLAIN", response=fields)
    connection.tune_ok()
    connection.open()


def test_client_properties_of_every_field_type_are_taken(dial: Dial) -> None:
    connection = dial()
    connection.greet()
    values = {
        b"S": longstr("text"),
        b"I": b"\xff\xff\xff\xff",
        b"i": b"\x00\x00\x00\x01",
        b"D": b"\x02\x00\x00\x00\x05",
        b"T": b"\x00" * 8,
        b"F": longstr(b""),
        b"t": b"\x01",
        b"b": b"\xff",
        b"B": b"\xff",
        b"s": b"\xff\xff",
        b"u": b"\xff\xff",
        b"d": b"\x00" * 8,
        b"f": b"\x00" * 4,
        b"l": b"\x00" * 8,
        b"L": b"\x00" * 8,
        b"x": longstr(b"\x00"),
        b"A": longstr(b""),
        b"V": b"",
    }
    raw = longstr(b"".join(shortstr(b"key-" + letter) + letter + octets for letter, octets in values.items()))
    connection.control.say(
        "connection.start-ok", client_properties=raw, mechanism="PLAIN", response=b"\0guest\0guest", locale="en_US"
    )
    connection.tune_ok()
    connection.open()
