"""Properties that ask something of the broker: expiration, CC and BCC; and what may not be published at all."""

from typing import Any

import pytest

from tests.conformance.values import Typed
from tests.harness.dialogue import Dialogue, content, enter, method, publish


def client_with_queues() -> Dialogue:
    client = enter(channels=[1, 2])
    for name in ("q", "copy", "blind"):
        client.declare(1, name)
    return client


@pytest.mark.parametrize(
    ("expiration", "term"),
    [
        ("", "no_integer"),
        ("abc", "no_integer"),
        ("-", "no_integer"),
        (" 1", "no_integer"),
        ("10x", '{leftover_string,"x"}'),
        ("1.5", '{leftover_string,".5"}'),
        ("-1", "{value_negative,-1}"),
        ("315360000001", "{value_too_large,315360000001}"),
    ],
)
def test_an_expiration_is_a_number_of_milliseconds(expiration: str, term: str) -> None:
    client = client_with_queues()
    client.publish(1, "q", b"m", expiration=expiration)
    client.hears_channel_close(1, 406, f"invalid expiration '{expiration}': {term}", by=(60, 40))


@pytest.mark.parametrize(("expiration", "seconds"), [("0", 0), ("+500", 0.5), ("1000", 1), ("315360000000", 1e6)])
def test_a_message_lives_as_long_as_it_says(expiration: str, seconds: float) -> None:
    client = client_with_queues()
    client.publish(1, "q", b"m", expiration=expiration)
    if seconds:
        client.wait(seconds - 0.01)
        client.say(2, "queue.declare", queue="q", passive=True)
        client.hears(2, "queue.declare-ok", message_count=1)
        client.wait(0.02)
    assert client.get(2, "q") == (b"m" if seconds > 1e5 else None)


def test_copies_go_to_more_keys_and_only_the_blind_are_not_shown() -> None:
    client = client_with_queues()
    headers = {"CC": ["copy", "nowhere"], "BCC": ["blind"], "k": 1}
    client.publish(1, "q", b"m", headers=headers, app_id="a")
    for name in ("q", "copy", "blind"):
        client.say(2, "basic.get", queue=name, no_ack=True)
        heard = client.hears(2, "basic.get-ok", routing_key="q")
        assert heard.properties == {"headers": {"CC": ["copy", "nowhere"], "k": 1}, "app_id": "a"}


def test_a_queue_that_several_keys_name_gets_one_copy() -> None:
    client = client_with_queues()
    client.publish(1, "q", b"m", headers={"CC": ["q", "copy", "copy"], "BCC": ["q"]})
    assert client.get_all(2, "q") == [b"m"]
    assert client.get_all(2, "copy") == [b"m"]


def test_copies_count_where_a_message_must_reach_somebody() -> None:
    client = client_with_queues()
    client.publish(1, "nowhere", b"m", mandatory=True, headers={"BCC": ["blind"]})
    client.hears_nothing()
    assert client.get_all(2, "blind") == [b"m"]


@pytest.mark.parametrize("name", ["CC", "BCC"])
@pytest.mark.parametrize(("value", "kind"), [("q", "longstr"), (1, "signedint"), ({}, "table")])
def test_keys_of_copies_are_an_array(name: str, value: Any, kind: str) -> None:
    client = client_with_queues()
    client.publish(1, "q", b"m", headers={name: value})
    heard = client.hears(1, "channel.close", reply_code=406, class_id=60, method_id=40)
    assert heard["reply_text"].startswith("PRECONDITION_FAILED - invalid message: {unacceptable_type_in_header,")
    assert kind in heard["reply_text"]


def test_what_is_no_string_among_the_keys_of_copies_is_passed_over() -> None:
    client = client_with_queues()
    client.publish(1, "q", b"m", headers={"CC": [1, "copy", None]})
    client.hears_nothing()
    assert client.get_all(2, "copy") == [b"m"]


def test_types_of_headers_survive_a_header_that_is_written_anew() -> None:
    client = client_with_queues()
    headers: dict[str, Any] = {
        "BCC": [],
        "b": Typed("b", 1),
        "L": Typed("l", 2),
        "x": Typed("x", b"\xff"),
        "v": None,
        "d": 1.5,
    }
    client.publish(1, "q", b"m", headers=headers)
    client.say(2, "basic.get", queue="q")
    header = client.hears(2, "basic.get-ok").header
    for octets in (
        b"\x01bb\x01",
        b"\x01Ll" + bytes(7) + b"\x02",
        b"\x01xx\0\0\0\x01\xff",
        b"\x01vV",
        b"\x01dd\x3f\xf8",
    ):
        assert octets in header


def test_immediate_does_not_exist() -> None:
    client = client_with_queues()
    client.send(method(1, "basic.publish", routing_key="q", immediate=True) + content(1, b"m"))
    client.hears_close(540, "immediate=true", by=(60, 40))


def test_nobody_publishes_to_what_is_internal() -> None:
    client = client_with_queues()
    client.publish(1, "q", b"m", exchange="amq.rabbitmq.trace")
    client.hears_channel_close(1, 403, "cannot publish to internal exchange 'amq.rabbitmq.trace' in vhost '/'")


def test_a_publisher_runs_ahead_of_its_consumers_by_what_it_sends_at_once() -> None:
    client = client_with_queues()
    client.send(publish(1, "q", b"m") * 5)
    # Nobody consumes: there is nobody to give way to.
    assert client.connection.pressed() is None
    client.say(2, "basic.qos", prefetch_count=1)
    client.hears(2, "basic.qos-ok")
    client.consume(2, "q")
    client.hears_delivery(2, b"m")
    assert client.connection.pressed() is None
    queue = client.broker.vhosts["/"].queues[b"q"]
    client.send(publish(1, "q", b"m") * 3)
    assert client.connection.pressed() == (queue, 3)
    assert client.connection.pressed() is None
    client.say(2, "queue.purge", queue="q", nowait=True)
    client.send(publish(1, "q", b"m") * 10)
    assert client.connection.pressed() is None


def test_however_much_a_publisher_sends_at_once_it_lags_by_500_messages() -> None:
    client = client_with_queues()
    client.say(2, "basic.qos", prefetch_count=1)
    client.hears(2, "basic.qos-ok")
    client.consume(2, "q")
    client.send(publish(1, "q", b"m") * 501)
    assert client.connection.pressed() is None
    client.send(publish(1, "q", b"m") * 900)
    assert client.connection.pressed() == (client.broker.vhosts["/"].queues[b"q"], 500)
