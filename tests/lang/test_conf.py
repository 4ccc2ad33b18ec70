"""The language of rabbitmq.conf. What is accepted was compared with cuttlefish, RabbitMQ's parser."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amq.lang.conf import ConfError, Entry, Include
from amq.lang.conf_grammar import parse


def pairs(text: str) -> list[tuple[str, str]]:
    return [(entry.key, entry.value) for entry in parse(text) if isinstance(entry, Entry)]


def test_a_key_and_a_value_with_blanks_around_them() -> None:
    assert pairs("heartbeat=30\n  frame_max \t=\t 131072 \t\n") == [("heartbeat", "30"), ("frame_max", "131072")]


def test_every_entry_knows_the_line_and_column_of_its_value() -> None:
    assert parse("# one\r\n\r\n  a.b = c\n") == [Entry(("a", "b"), "c", 3, 9)]


def test_a_tab_counts_as_one_column_and_stays_in_the_value() -> None:
    assert parse("\ta\t=\tb\tc") == [Entry(("a",), "b\tc", 1, 6)]


def test_values_may_hold_blanks_quotes_and_equal_signs() -> None:
    assert pairs("a = it's x = y z") == [("a", "it's x = y z")]


def test_comments_stand_alone_or_after_a_value() -> None:
    assert pairs("# a = b\n   # more\na = b # why\nc = d\t#\n") == [("a", "b"), ("c", "d")]


def test_an_unquoted_value_ends_at_a_hash_even_without_a_blank_before_it() -> None:
    assert pairs("default_pass = se#cret") == [("default_pass", "se")]


def test_a_quoted_value_holds_hashes_blanks_and_line_ends() -> None:
    assert pairs("a = ' x # y ' # z\nb = 'one\ntwo'\nc = ''") == [("a", " x # y "), ("b", "one\ntwo"), ("c", "")]


def test_a_quoted_value_knows_no_escapes() -> None:
    assert pairs(r"a = 'x\ny\\'") == [("a", r"x\ny\\")]


def test_a_quote_that_is_never_closed_is_part_of_the_value() -> None:
    assert pairs("a = 'x\nb = 1\n") == [("a", "'x"), ("b", "1")]


def test_a_dot_within_a_word_of_the_key_is_escaped() -> None:
    entry = parse("loopback_users.john\\.doe = true")[0]
    assert isinstance(entry, Entry)
    assert entry.words == ("loopback_users", "john.doe")
    assert entry.key == "loopback_users.john\\.doe"


def test_an_include_names_a_pattern() -> None:
    assert parse("a = 1\ninclude conf.d/*.conf # all") == [Entry(("a",), "1", 1, 5), Include("conf.d/*.conf", 2, 9)]


def test_a_key_may_be_called_include() -> None:
    assert pairs("include = 5\ninclude.x = 6") == [("include", "5"), ("include.x", "6")]


def test_a_mark_of_the_byte_order_takes_no_column() -> None:
    assert parse("\ufeffa = 1") == [Entry(("a",), "1", 1, 5)]
    with pytest.raises(ConfError) as raised:
        parse("\ufeffa b")
    assert (raised.value.line, raised.value.column) == (1, 3)


def test_an_empty_text_has_no_entries() -> None:
    assert parse("") == []
    assert parse("\n \n\t\n") == []


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("a\n", 1, 2, "expected '=' after the key"),
        ("x = 1\na b = 2\n", 2, 3, "expected '=' after the key"),
        ("a: 1", 1, 2, "expected '=' after the key"),
        ("a =\n", 1, 4, "expected a value"),
        ("a = # nothing\n", 1, 5, "expected a value"),
        ("a..b = 1", 1, 3, "expected a key of letters, digits, - and _"),
        ("a = 'b' c\n", 1, 9, "expected a comment or the end of the line"),
        ("\n= 5", 2, 1, "expected 'key = value', a comment or an empty line"),
        ("  [rabbit]", 1, 3, "expected 'key = value', a comment or an empty line"),
        ("include ?", 1, 9, "expected a path (letters, digits, - _ . * /)"),
        ("größe = 5", 1, 3, "expected '=' after the key"),
    ],
)
def test_a_mistake_is_reported_where_it_is_with_what_is_allowed(
    text: str, line: int, column: int, message: str
) -> None:
    with pytest.raises(ConfError) as raised:
        parse(text)
    assert (raised.value.line, raised.value.column, raised.value.message) == (line, column, message)
    assert str(raised.value) == f"{line}:{column}: {message}"


@given(st.text(st.sampled_from("ab.=#' \t\r\n\\$()1_-é*/") | st.characters(), max_size=40))
def test_any_text_is_read_or_refused_at_a_place_within_it(text: str) -> None:
    places: list[tuple[int, int]]
    try:
        places = [(entry.line, entry.column) for entry in parse(text)]
    except ConfError as error:
        places = [(error.line, error.column)]
    lines = text.split("\n")
    for line, column in places:
        assert 1 <= line <= len(lines)
        assert 1 <= column <= len(lines[line - 1]) + 1
