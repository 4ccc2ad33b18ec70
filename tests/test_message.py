"""A message and its address."""

import pytest

from amq.message import Message, address
from amq.wire import properties


@pytest.mark.parametrize(
    ("exchange", "routing_key"),
    [(b"", b""), (b"", b"q"), (b"x", b""), (b"amq.topic", b"a.b.c"), (b"x" * 255, b"k" * 255), (b"\0\xff", b"\x01\0")],
)
def test_an_address_tells_exchange_and_routing_key(exchange: bytes, routing_key: bytes) -> None:
    header = bytes(14)
    message = Message(address(exchange, routing_key), header, b"body", properties.read(header))
    assert message.exchange() == exchange
    assert message.routing_key() == routing_key


def test_an_address_is_two_short_strings() -> None:
    assert address(b"ab", b"c") == b"\x02ab\x01c"


@pytest.mark.parametrize(("exchange", "routing_key"), [(b"x" * 256, b""), (b"", b"k" * 256)])
def test_what_is_too_long_for_a_short_string_has_no_address(exchange: bytes, routing_key: bytes) -> None:
    with pytest.raises(OverflowError):
        address(exchange, routing_key)
