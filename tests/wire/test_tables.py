"""Field tables: every type there and back, and octets that are no table."""

import math
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amq.wire.tables import (
    MAX_DEPTH,
    Field,
    Table,
    TableError,
    canonical,
    decode,
    decode_body,
    encode,
    encode_field,
    type_name,
)

# Type, value, and its octets.
VECTORS: list[tuple[str, Any, bytes]] = [
    ("t", True, b"\x01"),
    ("t", False, b"\x00"),
    ("b", -1, b"\xff"),
    ("B", 255, b"\xff"),
    ("s", -2, b"\xff\xfe"),
    ("u", 65534, b"\xff\xfe"),
    ("I", -2, b"\xff\xff\xff\xfe"),
    ("i", 4294967294, b"\xff\xff\xff\xfe"),
    ("l", -2, b"\xff\xff\xff\xff\xff\xff\xff\xfe"),
    ("L", -2, b"\xff\xff\xff\xff\xff\xff\xff\xfe"),
    ("f", 1.5, b"\x3f\xc0\x00\x00"),
    ("d", -1.5, b"\xbf\xf8\x00\x00\x00\x00\x00\x00"),
    ("D", (2, 314), b"\x02\x00\x00\x01\x3a"),
    ("S", b"\x00\xff", b"\x00\x00\x00\x02\x00\xff"),
    ("S", b"", b"\x00\x00\x00\x00"),
    ("x", b"\x00\xff", b"\x00\x00\x00\x02\x00\xff"),
    ("T", 2**63, b"\x80\x00\x00\x00\x00\x00\x00\x00"),
    ("V", None, b""),
    ("F", {"k": ("t", True)}, b"\x00\x00\x00\x04\x01kt\x01"),
    ("F", {}, b"\x00\x00\x00\x00"),
    ("A", [("t", True), ("V", None)], b"\x00\x00\x00\x03t\x01V"),
    ("A", [], b"\x00\x00\x00\x00"),
]
IDS = [f"{letter}-{value}" for letter, value, _ in VECTORS]


def sized(body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + body


integers = {"b": (-(2**7), 2**7), "B": (0, 2**8), "s": (-(2**15), 2**15), "u": (0, 2**16), "I": (-(2**31), 2**31)}
integers |= {"i": (0, 2**32), "l": (-(2**63), 2**63), "L": (-(2**63), 2**63), "T": (0, 2**64)}
names = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.binary(max_size=200).map(
    lambda octets: octets.decode("utf-8", "surrogateescape")
)
leaves: st.SearchStrategy[Field] = st.one_of(
    *[st.tuples(st.just(letter), st.integers(least, beyond - 1)) for letter, (least, beyond) in integers.items()],
    st.tuples(st.just("t"), st.booleans()),
    st.tuples(st.just("f"), st.floats(width=32, allow_nan=False)),
    st.tuples(st.just("d"), st.floats(allow_nan=False)),
    st.tuples(st.just("D"), st.tuples(st.integers(0, 255), st.integers(0, 2**32 - 1))),
    st.tuples(st.sampled_from("Sx"), st.binary(max_size=50)),
    st.just(("V", None)),
)
fields = st.recursive(
    leaves,
    lambda inner: (
        st.tuples(st.just("A"), st.lists(inner, max_size=4))
        | st.tuples(st.just("F"), st.dictionaries(names, inner, max_size=4))
    ),
    max_leaves=12,
)
all_tables = st.dictionaries(names, fields, max_size=5)


@pytest.mark.parametrize(("letter", "value", "octets"), VECTORS, ids=IDS)
def test_a_field_is_written_as_the_grammar_says(letter: str, value: Any, octets: bytes) -> None:
    assert encode_field((letter, value)) == letter.encode() + octets


@pytest.mark.parametrize(("letter", "value", "octets"), VECTORS, ids=IDS)
def test_a_field_is_read_whole_and_with_octets_behind_its_table(letter: str, value: Any, octets: bytes) -> None:
    table = sized(b"\x01k" + letter.encode() + octets)
    assert decode(table, 0) == ({"k": (letter, value)}, len(table))
    assert decode(b"before" + table + b"behind", 6) == ({"k": (letter, value)}, 6 + len(table))
    assert decode_body(table[4:]) == {"k": (letter, value)}


@pytest.mark.parametrize(("letter", "value", "octets"), VECTORS, ids=IDS)
def test_a_field_cut_anywhere_is_an_error(letter: str, value: Any, octets: bytes) -> None:
    body = b"\x01k" + letter.encode() + octets
    for size in range(1, len(body)):
        with pytest.raises(TableError):
            decode(sized(body[:size]), 0)
        # The length promises more than there is.
        with pytest.raises(TableError):
            decode(sized(body)[: 4 + size], 0)
    for size in range(4):
        with pytest.raises(TableError):
            decode(sized(body)[:size], 0)


@given(all_tables, st.binary(max_size=5), st.binary(max_size=5))
def test_any_table_comes_back_as_it_was_written(table: Table, before: bytes, behind: bytes) -> None:
    octets = encode(table)
    assert decode(before + octets + behind, len(before)) == (table, len(before) + len(octets))


@given(all_tables, st.data())
def test_any_table_cut_anywhere_is_an_error(table: Table, data: st.DataObject) -> None:
    octets = encode(table)
    size = data.draw(st.integers(0, len(octets) - 1))
    with pytest.raises(TableError):
        decode(octets[:size], 0)


@given(all_tables, st.data())
def test_any_mutation_of_a_table_is_a_table_or_an_error(table: Table, data: st.DataObject) -> None:
    octets = bytearray(encode(table))
    octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    try:
        decoded, _ = decode(bytes(octets), 0)
    except TableError:
        return
    # Whatever could be read can be written: dead-lettering does so with what clients sent.
    encode(decoded)


@given(st.binary(max_size=80))
def test_any_octets_are_a_table_or_an_error(octets: bytes) -> None:
    try:
        encode(decode_body(octets))
    except TableError:
        return


def nested(depth: int, letter: str) -> bytes:
    """A table with values nested to a depth below it."""
    value = b"V"
    for _ in range(depth):
        value = b"A" + sized(value) if letter == "A" else b"F" + sized(b"\x01k" + value)
    return sized(b"\x01k" + value)


@pytest.mark.parametrize("letter", ["A", "F"])
def test_nesting_ends_where_nobody_needs_more(letter: str) -> None:
    table, stop = decode(nested(MAX_DEPTH, letter), 0)
    assert stop == len(encode(table))
    for depth in (MAX_DEPTH + 1, 10_000):
        with pytest.raises(TableError, match=f"deeper than {MAX_DEPTH}"):
            decode(nested(depth, letter), 0)


def test_the_first_of_several_entries_of_a_name_counts() -> None:
    octets = sized(b"\x01aB\x01" + b"\x01bB\x02" + b"\x01aB\x03")
    assert decode(octets, 0)[0] == {"a": ("B", 1), "b": ("B", 2)}


def test_names_that_are_no_utf_8_survive() -> None:
    octets = sized(b"\x02\xff\x80V" + b"\x00V")
    table, _ = decode(octets, 0)
    assert list(table) == ["\udcff\udc80", ""]
    assert encode(table) == octets


def test_a_name_may_have_255_octets() -> None:
    octets = sized(b"\xff" + b"n" * 255 + b"V")
    assert encode(decode(octets, 0)[0]) == octets


@pytest.mark.parametrize("letter", [chr(code) for code in range(256) if chr(code) not in "tbBsuIilLfdDSxTVFA"])
def test_other_letters_are_no_types(letter: str) -> None:
    with pytest.raises(TableError, match="unknown field type"):
        decode(sized(b"\x01k" + letter.encode("latin-1") + bytes(8)), 0)


def test_a_value_may_not_reach_past_its_own_table_even_where_octets_follow() -> None:
    for value in (b"I\0\0", b"D\0\0", b"S\0\0\0\x05ab", b"F\0\0\0\x05", b"S\0"):
        with pytest.raises(TableError, match="reaches past the end"):
            decode(sized(b"\x01k" + value) + bytes(20), 0)


def test_any_octet_but_zero_is_true() -> None:
    assert decode(sized(b"\x01kt\x07"), 0)[0] == {"k": ("t", True)}


def test_numbers_that_are_none_survive() -> None:
    octets = sized(b"\x01kd" + struct.pack(">d", math.nan))
    table, _ = decode(octets, 0)
    assert math.isnan(table["k"][1])
    assert encode(table) == octets


@pytest.mark.parametrize("field", [("b", 128), ("B", -1), ("I", 2**31), ("l", 2**63), ("T", -1), ("I", "text")])
def test_a_value_that_does_not_fit_its_type_cannot_be_written(field: Field) -> None:
    with pytest.raises(TableError, match="does not fit"):
        encode({"k": field})


def test_equal_tables_have_one_canonical_form() -> None:
    one: Table = {"a": ("I", 1), "b": ("S", b"x")}
    other: Table = {"b": ("S", b"x"), "a": ("I", 1)}
    assert encode(one) != encode(other)
    assert canonical(one) == canonical(other) == encode(one)


def test_types_have_the_names_that_rabbitmq_prints() -> None:
    assert [type_name(letter) for letter in "SItTV"] == ["longstr", "signedint", "bool", "timestamp", "void"]
