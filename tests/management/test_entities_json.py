"""AMQP's values in JSON, and back."""

import json
from typing import Any

import pytest

from amq.management.entities_json import (
    MOST_TABLE,
    arguments_in,
    checked_name,
    exchange_octets,
    flag_in,
    integer_in,
    moment,
    name_in,
    octets,
    required,
    table_json,
    text,
)
from amq.management.errors import BadRequest
from amq.wire import tables
from amq.wire.tables import Field, Table


@pytest.mark.parametrize(
    ("field", "shown"),
    [
        (("t", True), True),
        (("b", -5), -5),
        (("l", -(1 << 63)), -(1 << 63)),
        (("T", 1_700_000_000), 1_700_000_000),
        (("S", "grüße".encode()), "grüße"),
        (("x", b"\xff\x00"), "Not UTF-8, base64 is: /wA="),
        (("V", None), "undefined"),
        (("d", 1.5), 1.5),
        (("d", float("inf")), "inf"),
        (("f", float("nan")), "nan"),
        (("D", (2, 314)), 3.14),
        (("D", (255, 1)), 1e-255),
        (("A", [("l", 1), ("S", b"x"), ("V", None)]), [1, "x", "undefined"]),
        (("F", {"a": ("F", {"b": ("t", False)})}), {"a": {"b": False}}),
    ],
)
def test_every_type_of_field_has_its_json(field: Field, shown: Any) -> None:
    assert table_json({"k": field}) == {"k": shown}
    json.dumps(table_json({"k": field}), allow_nan=False)


def test_arguments_get_the_types_that_rabbitmq_gives_them() -> None:
    body = {"arguments": {"i": 1, "f": 1.5, "t": True, "s": "ü", "l": [1, {"x": "y"}], "o": {}}}
    assert arguments_in(body) == {
        "i": ("l", 1),
        "f": ("d", 1.5),
        "t": ("t", True),
        "s": ("S", "ü".encode()),
        "l": ("A", [("l", 1), ("F", {"x": ("S", b"y")})]),
        "o": ("F", {}),
    }


@pytest.mark.parametrize("body", [{}, {"arguments": None}, {"arguments": []}, {"arguments": {}}])
def test_there_may_be_no_arguments(body: dict[str, Any]) -> None:
    assert arguments_in(body) == {}


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"n": value}
    return value


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (5, "arguments must be an object"),
        ({"x": None}, "null_not_allowed"),
        ({"x": [None]}, "null_not_allowed"),
        ({"x": 1 << 63}, f"{1 << 63} does not fit into 64 bits"),
        ({"x" * 256: 1}, "a key of a table has more than 255 octets"),
        (nested(70), "tables nested deeper than 64"),
        ({"x": [[]] * 2 + [nested(70)]}, "tables nested deeper than 64"),
    ],
)
def test_what_is_no_table_is_refused(arguments: Any, reason: str) -> None:
    with pytest.raises(BadRequest) as refused:
        arguments_in({"arguments": arguments})
    assert refused.value.reason == reason


def test_half_a_surrogate_pair_is_no_reason_to_fail() -> None:
    table: Table = arguments_in({"arguments": json.loads('{"\\ud800": "\\udfff"}')})
    (key,) = table
    assert table[key][1] == b"\xed\xbf\xbf"


def test_names_are_octets_that_come_back() -> None:
    assert octets(text(b"\xff/\xc3\xbc")) == b"\xff/\xc3\xbc"
    assert octets("\ud800") == b"\xed\xa0\x80"
    assert exchange_octets("amq.default") == b""
    assert exchange_octets("amq.direct") == b"amq.direct"


@pytest.mark.parametrize(
    ("value", "flag"), [(True, True), (False, False), ("true", True), ("false", False), (None, None), (1, None)]
)
def test_truth_may_come_as_text(value: Any, flag: bool | None) -> None:
    if flag is not None:
        assert flag_in({"durable": value}, "durable") is flag
        return
    with pytest.raises(BadRequest) as refused:
        flag_in({"durable": value}, "durable")
    assert refused.value.reason == ["not_boolean", value]


def test_no_flag_is_false() -> None:
    assert flag_in({}, "durable") is False


@pytest.mark.parametrize(("value", "number"), [(5, 5), ("5", 5), (1.9, 1), (-1, -1)])
def test_numbers_may_come_as_text(value: Any, number: int) -> None:
    assert integer_in({"count": value}, "count") == number


@pytest.mark.parametrize("value", ["x", "", True, None, [], float("inf")])
def test_what_is_no_number_is_refused(value: Any) -> None:
    with pytest.raises(BadRequest) as refused:
        integer_in({"count": value}, "count")
    assert refused.value.reason == ["not_integer", value]


def test_names_have_their_length() -> None:
    assert name_in({"routing_key": "x" * 255}, "routing_key") == b"x" * 255
    assert name_in({}, "routing_key") == b""
    with pytest.raises(BadRequest, match="routing_key should be less than 255 bytes, actually was 256"):
        name_in({"routing_key": "ü" * 128}, "routing_key")
    with pytest.raises(BadRequest, match="not_string"):
        name_in({"routing_key": 5}, "routing_key")
    assert checked_name(b"q", "queue") == b"q"


def test_missing_keys_are_named_as_rabbitmq_names_them() -> None:
    required({"a": None}, "a")
    with pytest.raises(BadRequest) as refused:
        required({"count": 1}, "ackmode", "count", "encoding")
    assert refused.value.reason == "[{key_missing,ackmode},{key_missing,encoding}]"
    with pytest.raises(BadRequest) as refused:
        required({}, "routing_key", "payload", "payload_encoding")
    assert (
        refused.value.reason == "[{key_missing,routing_key},\n {key_missing,payload},\n {key_missing,payload_encoding}]"
    )


def test_a_moment_is_told_to_the_millisecond() -> None:
    assert moment(1_700_000_000.0456) == "2023-11-14T22:13:20.045+00:00"


@pytest.mark.parametrize(
    "value",
    ["x", [True] * 10, [1] * 10, [1.5] * 10, ["grüße"] * 10, [[]] * 10, [{}] * 10, {"ü" * 100: {"k": [{"k": "v"}]}}],
)
def test_a_table_may_be_as_large_as_a_frame_takes_it(value: Any) -> None:
    # A text takes up what else there is, to the octet.
    taken = len(tables.encode(arguments_in({"arguments": {"k": value, "rest": ""}}))) - 4
    fits = {"k": value, "rest": "r" * (MOST_TABLE - taken)}
    assert len(tables.encode(arguments_in({"arguments": fits}))) - 4 == MOST_TABLE
    with pytest.raises(BadRequest, match="arguments may take up 126976 octets"):
        arguments_in({"arguments": {**fits, "rest": fits["rest"] + "r"}})
