"""What a load may be: nonsense is refused with what is allowed, and a password never shows."""

import math
from typing import Any

import pytest

from amq.perf.load import Load, LoadError, Phase, address


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"producers": -1}, "--producers -1: 0 to 100000 is allowed"),
        ({"producers": 0, "consumers": 0}, "nothing is left to do"),
        ({"prefetch": 70_000}, "--qos 70000: 0 to 65535 is allowed"),
        ({"latency_from_schedule": True}, "--latency-from-schedule: needs --rate"),
        ({"interval": 0.0}, "--interval 0: 0.05 to 86400"),
        ({"rate": 5.0, "rates": (Phase(5, 5),)}, "--rate: not allowed with --variable-rate"),
        ({"rates": (Phase(5, 0),)}, "--variable-rate 5:0: 0 to 1e+09, and more than 0 seconds"),
        ({"rates": (Phase(5, math.nan),)}, "--variable-rate 5:nan: 0 to"),
        ({"size": 99_999_999_999}, "--size 99999999999: 0 to 536870912 is allowed"),
        ({"confirm": 1, "producer_tx": 1}, "--confirm: not allowed with --ptxsize"),
        ({"auto_ack": True, "nack": True}, "--nack: not allowed with --autoack"),
        ({"auto_ack": True, "consumer_tx": 5}, "--ctxsize: not allowed with --autoack"),
        ({"consumers": 0}, "--consumers 0: needs --queue"),
        ({"predeclared": True}, "--predeclared: needs --queue"),
        ({"exclusive": True, "queues": ("a",)}, "--exclusive: not allowed"),
        ({"queues": ("x" * 256,)}, "at most 255 octets"),
        ({"exit_when": "bored"}, "--exit-when bored: empty or idle is allowed"),
        ({"addresses": ()}, "--uri: at least one"),
    ],
)
def test_nonsense_is_refused_with_what_is_allowed(wrong: dict[str, Any], text: str) -> None:
    with pytest.raises(LoadError) as refused:
        Load(**wrong)
    assert text in str(refused.value)


@pytest.mark.parametrize(
    "uri",
    ["http://x", "amqp://", "amqp://x:99999", "amqp://u:secret@x:port/", "amqp://u:secret@[::1", "secret@localhost"],
)
def test_a_uri_that_is_none_is_refused_without_its_password(uri: str) -> None:
    with pytest.raises(LoadError) as refused:
        address(uri)
    assert "secret" not in str(refused.value)


def test_what_a_uri_leaves_out_is_the_usual() -> None:
    usual = address("amqp://localhost")
    assert (usual.host, usual.port, usual.user, usual.password, usual.vhost) == (
        "localhost",
        5672,
        "guest",
        "guest",
        "/",
    )
    assert address("amqps://localhost/").port == 5671


def test_parts_of_a_uri_are_unescaped_and_shown_without_the_user() -> None:
    found = address("amqps://m%40e:p%3Aw@[::1]:1234/a%2Fb")
    assert (found.user, found.password, found.vhost, found.tls) == ("m@e", "p:w", "a/b", True)
    assert found.shown == "amqps://[::1]:1234/a%2Fb"
    assert "p:w" not in repr(found)
