"""Faults and how they read on the wire."""

import pytest

from amq import errors
from amq.errors import MAX_TEXT, REPLY_NAMES, ChannelFault, ConnectionFault, Fault


def test_a_reply_text_starts_with_the_name_of_its_code() -> None:
    assert ChannelFault(404, "no queue 'q'").reply_text() == b"NOT_FOUND - no queue 'q'"


def test_every_code_has_its_name() -> None:
    codes = {name: value for name, value in vars(errors).items() if name.isupper() and isinstance(value, int)}
    del codes["MAX_TEXT"]
    assert {code: name for name, code in codes.items()} == REPLY_NAMES


@pytest.mark.parametrize("size", [MAX_TEXT, MAX_TEXT + 1, 10_000])
def test_a_long_text_is_cut_to_what_a_shortstr_can_hold(size: int) -> None:
    head = len(b"NOT_FOUND - ")
    text = ChannelFault(404, "x" * (size - head)).reply_text()
    assert len(text) == MAX_TEXT
    assert text.endswith(b"..." if size > MAX_TEXT else b"xxx")
    assert text.rstrip(b".").strip(b"x") == b"NOT_FOUND - "


def test_length_is_counted_in_octets() -> None:
    text = ChannelFault(404, "ü" * 200).reply_text()
    assert len(text) == MAX_TEXT


def test_octets_that_are_no_text_pass_as_they_are() -> None:
    name = b"\xff\xfe".decode("utf-8", "surrogateescape")
    assert ChannelFault(404, name).reply_text() == b"NOT_FOUND - \xff\xfe"


def test_a_fault_keeps_its_code_and_explanation() -> None:
    fault = ConnectionFault(530, "why")
    assert (fault.code, fault.text) == (530, "why")
    assert fault.args == (530, "why")


def test_what_dies_is_told_by_the_class() -> None:
    assert issubclass(ChannelFault, Fault)
    assert issubclass(ConnectionFault, Fault)
    assert not issubclass(ChannelFault, ConnectionFault)
    assert not issubclass(ConnectionFault, ChannelFault)
