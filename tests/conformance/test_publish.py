"""basic.publish: what is checked, what comes back, what arrives unchanged."""

from typing import Any

import pytest

from tests.conformance.client import Channel
from tests.conformance.values import Typed


def test_an_unroutable_mandatory_message_comes_back_whole(c: Channel, q: str) -> None:
    c.publish("body", "amq.direct", q, mandatory=True, content_type="text/plain", headers={"a": 1}, priority=3)
    c.hear(
        "basic.return",
        reply_code=312,
        reply_text="NO_ROUTE",
        exchange="amq.direct",
        routing_key=q,
        body=b"body",
        properties={"content_type": "text/plain", "headers": {"a": 1}, "priority": 3},
    )


def test_an_unroutable_message_is_dropped(c: Channel, q: str) -> None:
    c.publish("body", "amq.direct", q)
    c.quiet()


def test_a_routed_mandatory_message_does_not_come_back(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.publish("body", "", q, mandatory=True)
    c.get(q, "body")
    c.quiet()


def test_a_return_names_the_first_routing_key(c: Channel, q: str) -> None:
    c.publish("body", "amq.direct", q, mandatory=True, headers={"CC": [q + "-cc"]})
    c.hear("basic.return", routing_key=q, headers={"CC": [q + "-cc"]})


def test_a_returned_message_of_no_octets_has_no_body_frames(c: Channel, q: str) -> None:
    c.publish("", "amq.direct", q, mandatory=True)
    c.hear("basic.return", body=b"", properties={})


def test_immediate_is_not_implemented(c: Channel, q: str) -> None:
    c.publish("body", "", q, immediate=True)
    c.connection_closed(540, "immediate=true", by="basic.publish")


PROPERTIES = {
    "content_type": "text/plain",
    "content_encoding": "utf-8",
    "headers": {"key": "value"},
    "delivery_mode": 2,
    "priority": 9,
    "correlation_id": "correlation",
    "reply_to": "somewhere",
    "expiration": "60000",
    "message_id": "message",
    "timestamp": 1700000000,
    "type": "kind",
    "user_id": "guest",
    "app_id": "conformance",
    "cluster_id": "reserved",
}


def test_all_properties_survive(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.publish("body", "", q, **PROPERTIES)
    c.get(q, "body", properties=PROPERTIES)


@pytest.mark.parametrize("name", list(PROPERTIES))
def test_a_property_survives_alone(c: Channel, q: str, name: str) -> None:
    c.call("queue.declare", queue=q)
    c.publish("body", "", q, **{name: PROPERTIES[name]})
    c.get(q, "body", properties={name: PROPERTIES[name]})


def test_no_properties_stay_none(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.publish("body", "", q)
    c.get(q, "body", properties={})


def test_empty_properties_stay_present(c: Channel, q: str) -> None:
    empty = {"content_type": "", "headers": {}, "correlation_id": "", "priority": 0, "timestamp": 0}
    c.call("queue.declare", queue=q)
    c.publish("body", "", q, **empty)
    c.get(q, "body", properties=empty)


@pytest.mark.parametrize("mode", [0, 3, 255])
def test_an_unknown_delivery_mode_passes_as_transient(c: Channel, q: str, mode: int) -> None:
    c.call("queue.declare", queue=q)
    c.publish("body", "", q, delivery_mode=mode)
    c.get(q, "body", properties={"delivery_mode": mode})


HEADER_VALUES: list[tuple[str, Any]] = [
    ("S", "text"),
    ("S", ""),
    ("S", "ünïcødé"),
    ("I", -(2**31)),
    ("i", 2**32 - 1),
    ("l", -(2**63)),
    ("l", 2**63 - 1),
    ("s", -32768),
    ("u", 65535),
    ("b", -128),
    ("B", 255),
    ("t", True),
    ("t", False),
    ("f", 1.5),
    ("d", 3.141592653589793),
    ("T", 1700000000),
    ("D", (2, 314)),
    ("x", b"\x00\xff"),
    ("V", None),
    ("F", {}),
    ("F", {"inner": Typed("F", {"deep": Typed("S", "x")}), "n": Typed("s", 5)}),
    ("A", []),
    ("A", [Typed("I", 1), Typed("S", "two"), Typed("A", [Typed("t", True)]), Typed("V", None)]),
]


@pytest.mark.parametrize(
    ("letter", "value"), HEADER_VALUES, ids=[f"{letter}-{number}" for number, (letter, _) in enumerate(HEADER_VALUES)]
)
def test_a_header_keeps_value_and_type(c: Channel, q: str, letter: str, value: Any) -> None:
    c.call("queue.declare", queue=q)
    c.publish("body", "", q, headers={"key": Typed(letter, value)})
    assert c.get(q, "body").typed_headers == {"key": Typed(letter, value)}


@pytest.mark.parametrize("size", [0, 1, 4087, 4088, 4089, 131064, 131065, 1000000])
def test_a_body_of_any_size_arrives(c: Channel, q: str, size: int) -> None:
    body = (bytes(range(251)) * (size // 251 + 1))[:size]
    c.call("queue.declare", queue=q)
    c.publish(body, "", q)
    c.get(q, body)


def test_a_foreign_user_id_is_refused(c: Channel, q: str) -> None:
    c.publish("body", "", q, user_id="somebody")
    c.channel_closed(406, "user_id property set to 'somebody' but authenticated user was 'guest'", by="basic.publish")


@pytest.mark.parametrize(
    ("expiration", "term"),
    [
        ("abc", "no_integer"),
        ("", "no_integer"),
        ("10x", '{leftover_string,"x"}'),
        ("1.5", '{leftover_string,".5"}'),
        ("-1", "{value_negative,-1}"),
        ("1099511627776", "{value_too_large,1099511627776}"),
    ],
)
def test_a_bad_expiration_is_refused(c: Channel, q: str, expiration: str, term: str) -> None:
    c.publish("body", "", q, expiration=expiration)
    c.channel_closed(406, f"invalid expiration '{expiration}': {term}", by="basic.publish")


@pytest.mark.parametrize("expiration", ["0", "1", "60000", "315360000000"])
def test_a_good_expiration_is_taken(c: Channel, q: str, expiration: str) -> None:
    c.publish("body", "", q, expiration=expiration, mandatory=True)
    c.hear("basic.return", properties={"expiration": expiration})


@pytest.mark.parametrize("expiration", ["+60000", "0060000"])
def test_an_oddly_written_expiration_stays_the_same_number(c: Channel, q: str, expiration: str) -> None:
    c.publish("body", "", q, expiration=expiration, mandatory=True)
    assert int(c.hear("basic.return")["properties"]["expiration"]) == 60000


def test_the_user_is_checked_before_the_expiration(c: Channel, q: str) -> None:
    c.publish("body", "", q, user_id="somebody", expiration="abc")
    c.channel_closed(406, "user_id property set to 'somebody' but authenticated user was 'guest'", by="basic.publish")


def test_the_exchange_is_looked_up_before_the_properties_are_checked(c: Channel, x: str) -> None:
    c.publish("body", x, "k", user_id="somebody")
    c.channel_closed(404, f"no exchange '{x}' in vhost '/'", by="basic.publish")


def test_publishes_after_a_refused_one_are_ignored(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.publish("before", "", q)
    c.publish("refused", "", q, expiration="abc")
    c.publish("after", "", q)
    c.channel_closed(406, "invalid expiration 'abc': no_integer", by="basic.publish")
    c.get(q, "before")
    c.get(q, None)


def test_messages_keep_their_order(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    for number in range(50):
        c.publish(str(number), "", q)
    for number in range(50):
        c.get(q, str(number))


def test_a_pipelined_client_is_served_in_order(c: Channel, q: str, x: str) -> None:
    c.say("exchange.declare", exchange=x, type="direct")
    c.say("queue.declare", queue=q)
    c.say("queue.bind", queue=q, exchange=x, routing_key="k")
    c.publish("body", x, "k")
    c.say("basic.consume", queue=q, consumer_tag="t", no_ack=True)
    for name in "exchange.declare-ok", "queue.declare-ok", "queue.bind-ok", "basic.consume-ok":
        c.hear(name)
    c.delivered("body", consumer_tag="t", exchange=x, routing_key="k", redelivered=False)
