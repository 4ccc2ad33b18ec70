"""Methods: every signature to octets and back, and octets that are no method."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amq.wire import methods, spec, tables
from amq.wire.methods import MethodError, TextError, decode, encode
from tests.conformance import methods as independent

TABLE = {"n": ("I", -1), "s": ("S", b"text"), "t": ("F", {"b": ("t", True)})}
# A value for each letter that fills its octets.
EXAMPLES: dict[str, object] = {
    "o": 0xFE,
    "h": 0xFEDC,
    "l": 0xFEDCBA98,
    "q": 0xFEDCBA9876543210,
    "s": b"short string",
    "S": b"long string",
    "T": TABLE,
    "b": True,
}
values: dict[str, st.SearchStrategy[Any]] = {
    "o": st.integers(0, 0xFF),
    "h": st.integers(0, 0xFFFF),
    "l": st.integers(0, 0xFFFFFFFF),
    "q": st.integers(0, 0xFFFFFFFFFFFFFFFF),
    "s": st.text(max_size=63).map(str.encode),
    "S": st.binary(max_size=300),
    "T": st.dictionaries(st.text(max_size=20), st.integers(-(2**31), 2**31 - 1).map(lambda number: ("I", number))),
    "b": st.booleans(),
}
NAMES = {(entry.ids[0] << 16 | entry.ids[1]): entry for entry in independent.BY_NAME.values()}
ALL = sorted(methods.SIGNATURES)


def payload(frame: bytes, channel: int) -> bytes:
    """What stands in a frame, whose envelope is checked."""
    assert frame[:3] == b"\x01" + channel.to_bytes(2, "big")
    assert int.from_bytes(frame[3:7], "big") == len(frame) - 8
    assert frame[-1] == 0xCE
    return frame[7:-1]


def example(method: int) -> bytes:
    """The payload of a method with every argument filled."""
    return payload(encode(7, method, [EXAMPLES[letter] for letter in methods.SIGNATURES[method]]), 7)


@pytest.mark.parametrize("method", ALL, ids=hex)
def test_a_method_comes_back_as_it_was_written(method: int) -> None:
    assert decode(method, example(method)) == [EXAMPLES[letter] for letter in methods.SIGNATURES[method]]


@given(
    st.sampled_from(ALL).flatmap(
        lambda method: st.tuples(st.just(method), st.tuples(*[values[letter] for letter in methods.SIGNATURES[method]]))
    ),
    st.integers(0, 0xFFFF),
)
def test_any_arguments_come_back_as_they_were_written(call: tuple[int, tuple[Any, ...]], channel: int) -> None:
    method, arguments = call
    assert decode(method, payload(encode(channel, method, list(arguments)), channel)) == list(arguments)


@pytest.mark.parametrize("method", ALL, ids=hex)
def test_a_method_is_written_as_others_write_it(method: int) -> None:
    entry = NAMES[method]
    fields = {name: EXAMPLES[letter] for name, letter in entry.fields}
    for name, letter in entry.fields:
        if letter == "T":
            fields[name] = tables.encode(TABLE)
    assert example(method) == independent.encode(entry.name, fields)


@pytest.mark.parametrize("method", ALL, ids=hex)
def test_a_method_cut_anywhere_is_an_error_and_nothing_else(method: int) -> None:
    whole = example(method)
    for size in range(4, len(whole)):
        with pytest.raises(MethodError):
            decode(method, whole[:size])


@pytest.mark.parametrize("method", ALL, ids=hex)
def test_octets_after_the_last_argument_are_an_error(method: int) -> None:
    for more in (b"\0", b"\xce", bytes(300)):
        with pytest.raises(MethodError):
            decode(method, example(method) + more)


@given(st.sampled_from(ALL), st.binary(max_size=60))
def test_any_octets_are_a_method_or_an_error(method: int, octets: bytes) -> None:
    try:
        arguments = decode(method, method.to_bytes(4, "big") + octets)
    except MethodError:
        return
    assert len(arguments) == len(methods.SIGNATURES[method])


def test_bits_share_an_octet_lowest_first_until_something_else_comes() -> None:
    declare = [0, b"q", False, True, False, True, True, {}]
    assert payload(encode(1, spec.QUEUE_DECLARE, declare), 1)[4:] == b"\0\0\x01q\x1a\0\0\0\0"
    assert decode(spec.QUEUE_DECLARE, b"\0\x32\0\x0a\0\0\x01q\x1a\0\0\0\0") == declare


def test_bits_that_mean_nothing_are_not_looked_at() -> None:
    assert decode(spec.CHANNEL_FLOW, b"\0\x14\0\x14\xfe") == [False]


def test_a_table_that_is_none_is_a_method_error() -> None:
    with pytest.raises(MethodError, match="unknown field type"):
        decode(spec.QUEUE_DECLARE, b"\0\x32\0\x0a\0\0\x01q\0\0\0\0\x03\x01kz")


def test_names_are_text_except_where_nobody_looks() -> None:
    with pytest.raises(TextError, match="Malformed UTF-8 in shortstr"):
        decode(spec.QUEUE_PURGE, b"\0\x32\0\x1e\0\0\x01\xff\0")
    assert decode(spec.BASIC_PUBLISH, b"\0\x3c\0\x28\0\0\x01\xff\x01\xfe\0") == [0, b"\xff", b"\xfe", False, False]


@pytest.mark.parametrize("arguments", [[], [1], [1, True, False]])
def test_a_method_is_written_with_all_of_its_arguments(arguments: list[object]) -> None:
    with pytest.raises(ValueError, match="zip"):
        encode(1, spec.BASIC_ACK, arguments)
