"""A message's properties as an object, and back."""

from typing import Any

import pytest

from amq.management.errors import BadRequest
from amq.management.properties_json import content_header, properties_json
from amq.wire import properties as props

EVERYTHING: dict[str, Any] = {
    "content_type": "text/plain",
    "content_encoding": "gzip",
    "headers": {"a": 1, "b": [1, {"x": True}], "f": 1.5},
    "delivery_mode": 2,
    "priority": 255,
    "correlation_id": "c",
    "reply_to": "r",
    "expiration": "60000",
    "message_id": "ü" * 127,
    "timestamp": (1 << 64) - 1,
    "type": "",
    "user_id": "guest",
    "app_id": "a",
    "cluster_id": "cl",
}


def test_all_properties_come_back() -> None:
    assert properties_json(content_header(EVERYTHING, 5)) == EVERYTHING


@pytest.mark.parametrize("name", EVERYTHING)
def test_each_property_comes_back_alone(name: str) -> None:
    header = content_header({name: EVERYTHING[name]}, 5)
    props.read(header)
    assert properties_json(header) == {name: EVERYTHING[name]}


@pytest.mark.parametrize("described", [{}, [], {"unknown": 1}])
def test_there_may_be_no_properties(described: Any) -> None:
    assert properties_json(content_header(described, 0)) == {}


def test_the_header_says_how_long_the_body_is() -> None:
    assert content_header({}, 0x0102)[4:12] == b"\0\0\0\0\0\0\x01\x02"


def test_what_is_no_text_is_told_as_such() -> None:
    header = props.rewrite(content_header({"type": "x"}, 0), {props.TYPE: b"\x01\xff"})
    assert properties_json(header) == {"type": "Not UTF-8, base64 is: /w=="}


@pytest.mark.parametrize(
    ("described", "reason"),
    [
        (5, "properties must be an object"),
        ({"delivery_mode": "2"}, ["not_int", "delivery_mode"]),
        ({"priority": True}, ["not_int", "priority"]),
        ({"timestamp": 1.5}, ["not_int", "timestamp"]),
        ({"message_id": 5}, ["not_string", "message_id"]),
        ({"type": None}, ["not_string", "type"]),
        ({"type": "x" * 256}, "type has 256 octets, 255 are allowed"),
        ({"priority": 256}, "priority must be 0 to 255, not 256"),
        ({"timestamp": -1}, f"timestamp must be 0 to {(1 << 64) - 1}, not -1"),
        ({"delivery_mode": 300}, "406 PRECONDITION_FAILED - invalid message: {delivery_mode_unknown,300}"),
        ({"headers": 5}, "headers must be an object"),
        ({"headers": {"x": None}}, "null_not_allowed"),
    ],
)
def test_properties_that_cannot_be_are_refused(described: Any, reason: Any) -> None:
    with pytest.raises(BadRequest) as refused:
        content_header(described, 0)
    assert refused.value.reason == reason
