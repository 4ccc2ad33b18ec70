"""A JSON object cut into the items of its lists."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amq.definitions.fields import DocumentError
from amq.definitions.pieces import WHOLE, pieces

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text(max_size=4), VALUES, max_size=5)


def joined(text: str) -> dict[str, Any]:
    """The object again; of lists without items nothing comes."""
    found: dict[str, Any] = {}
    for key, number, value in pieces(text):
        if number == WHOLE:
            found[key] = value
        else:
            items = found.setdefault(key, [])
            assert number == len(items)
            items.append(value)
    return found


@given(OBJECTS, st.sampled_from([None, 0, 2]), st.booleans())
def test_the_pieces_make_up_the_object(value: dict[str, Any], indent: int | None, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert joined(f" {text}\r\n") == {key: item for key, item in value.items() if item != []}


@given(OBJECTS, st.data())
def test_a_text_that_is_cut_short_is_refused(value: dict[str, Any], data: st.DataObject) -> None:
    text = json.dumps(value)
    with pytest.raises(DocumentError):
        joined(text[: data.draw(st.integers(0, len(text) - 1))])


@given(st.text(alphabet='{}[]:,"\\ 1truenlfas.-', max_size=20))
def test_whatever_is_refused_is_refused_by_pythons_reader_too(text: str) -> None:
    try:
        wanted = json.loads(text)
    except ValueError:
        with pytest.raises(DocumentError):
            joined(text)
    else:
        if isinstance(wanted, dict) and len(wanted) == text.count(":"):
            assert joined(text) == {key: item for key, item in wanted.items() if item != []}


def test_one_item_comes_before_the_next_one_is_read() -> None:
    found = pieces('{"a": [1, 2, nonsense')
    assert [next(found), next(found)] == [("a", 0, 1), ("a", 1, 2)]
    with pytest.raises(DocumentError, match="line 1, column 14"):
        next(found)


@pytest.mark.parametrize("text", ["", "[]", "5", "null", '"x"', "{} {}", '{"a" 1}', "{1: 2}", '{"a": [1 2]}', "{,}"])
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(DocumentError):
        joined(text)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "9" * 5000])
def test_numbers_that_could_not_be_written_again_are_refused(number: str) -> None:
    for text in (f'{{"a": [{{"b": {number}}}]}}', f'{{"a": {number}}}'):
        with pytest.raises(DocumentError, match="a number that cannot be used"):
            joined(text)


def test_large_numbers_are_fine() -> None:
    assert joined('{"a": [1e308, -1e-400, 123456789012345678901234567890]}') == {
        "a": [1e308, 0.0, 123456789012345678901234567890]
    }
