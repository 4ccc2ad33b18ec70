"""Selectors as text: what is read, what is refused and where, and that both come to an end."""

from __future__ import annotations

import random
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amq.lang.selector import SelectorError
from amq.lang.selector_grammar import KEYWORDS, MAX_DEPTH, MAX_LENGTH, MAX_WORDS, parse
from tests.lang.selectors import message, truth

A_VALUE = "a name, a string in single quotes, a number, TRUE, FALSE, '-' or '('"


def error_of(text: str) -> tuple[int, int, str]:
    with pytest.raises(SelectorError) as caught:
        parse(text)
    assert str(caught.value) == f"line {caught.value.line}, column {caught.value.column}: {caught.value.message}"
    return caught.value.line, caught.value.column, caught.value.message


@pytest.mark.parametrize(
    ("text", "column", "found", "allowed"),
    [
        ("", 1, "the selector ends", f"NOT, {A_VALUE}"),
        ("  ", 3, "the selector ends", f"NOT, {A_VALUE}"),
        ("priority = ", 12, "the selector ends", A_VALUE),
        ("priority = = 5", 12, "'=' stands", A_VALUE),
        ("= 5", 1, "'=' stands", f"NOT, {A_VALUE}"),
        ("priority = 5 AND", 17, "the selector ends", f"NOT, {A_VALUE}"),
        ("priority = 5 and )", 18, "')' stands", f"NOT, {A_VALUE}"),
        ("()", 2, "')' stands", f"NOT, {A_VALUE}"),
        ("priority = NOT 5", 12, "'NOT' stands", A_VALUE),
        ('type = "x"', 8, "'\"' stands", A_VALUE),
        ("type LIKE x", 11, "'x' stands", "a string in single quotes"),
        ("type LIKE 'x' ESCAPE", 21, "the selector ends", "a string in single quotes"),
        ("type NOT foo", 10, "'foo' stands", "BETWEEN, IN, LIKE or CONTAINS"),
        ("size IN 5", 9, "'5' stands", "'('"),
        ("size IN (priority)", 10, "'priority' stands", "a string in single quotes, a number, TRUE or FALSE"),
        ("size IN (1 2)", 12, "'2' stands", "',' or ')'"),
        ("size IN (1,)", 12, "')' stands", "a string in single quotes, a number, TRUE or FALSE"),
        ("size BETWEEN 1 OR 2", 16, "'OR' stands", "AND"),
        ("size IS 5", 9, "'5' stands", "NULL or NOT NULL"),
        ("size IS NOT", 12, "the selector ends", "NULL or NOT NULL"),
    ],
)
def test_a_mistake_is_told_where_it_is_with_what_is_allowed_there(
    text: str, column: int, found: str, allowed: str
) -> None:
    assert error_of(text) == (1, column, f"{found} where there must be {allowed}")


@pytest.mark.parametrize(
    ("text", "column", "found", "end"),
    [
        ("size = 5 6", 10, "'6' stands", "or the end"),
        ("size = 1 = 2", 10, "'=' stands", "or the end"),
        ("size = 5)", 9, "')' stands", "or the end"),
        ("(size = 5", 10, "the selector ends", "or ')'"),
        ("(size = 5 x)", 11, "'x' stands", "or ')'"),
        ("size \x00", 6, "'\\x00' stands", "or the end"),
    ],
)
def test_where_an_operator_could_stand(text: str, column: int, found: str, end: str) -> None:
    line, at, told = error_of(text)
    assert (line, at) == (1, column)
    assert told.startswith(f"{found} where there must be AND, OR, a comparison (= <> ")
    assert told.endswith(end)


def test_lines_and_tabs_are_counted() -> None:
    assert error_of("size = 5 AND\n\ttype LIKE\n\n  5")[:2] == (4, 3)


def test_a_string_without_an_end_is_told_where_it_begins() -> None:
    assert error_of("size = 5 AND type = 'x''y") == (1, 21, "a string begins here, and nothing ends it")


def test_the_words_of_an_error_are_not_endless() -> None:
    assert len(error_of("size = 5 " + "x" * 10_000)[2]) < 300


def test_a_pattern_that_is_none_is_told() -> None:
    assert error_of("type LIKE 'a!b' ESCAPE '!'") == (
        1,
        6,
        "the escape character '!' must stand before '%', '_' or itself",
    )


def test_keywords_are_written_as_one_likes_and_are_no_names() -> None:
    assert truth("Not size Between 1 aNd 2 oR size iS nUll", message()) is True
    assert truth("headers.like IS NULL AND headers.and IS NULL", message()) is True
    assert error_of("null = 1")[1] == 1


def test_names_may_begin_with_a_keyword() -> None:
    assert error_of("notation = 1")[2].startswith("there is no 'notation'")
    assert error_of("order = 1")[2].startswith("there is no 'order'")


def test_blanks_do_not_matter_between_words() -> None:
    assert truth("size=0 AND(type IS NULL)OR NOT(size<>0)", message()) is True


@pytest.mark.parametrize(("text", "value"), [("1e3", 1000), (".5", 0.5), ("5.", 5), ("1.5E-1", 0.15), ("007", 7)])
def test_numbers(text: str, value: float) -> None:
    assert truth(f"{text} = {value}") is True
    assert truth(f"-{text} IN (-{text})") is True


def test_what_is_too_long_or_too_deep_is_refused_before_it_is_parsed() -> None:
    assert parse(" " * (MAX_LENGTH - 8) + "size = 5")
    assert error_of(" " * (MAX_LENGTH - 7) + "size = 5")[2] == "a selector has at most 16384 characters, not 16385"
    assert parse("+".join(["1"] * (MAX_WORDS // 2)))
    assert error_of("+".join(["1"] * (MAX_WORDS // 2 + 1)))[1:] == (1001, "a selector has at most 1000 words")
    deep = "size = 0"
    for _ in range(MAX_DEPTH):
        deep = f"1 = 1 AND FALSE OR NOT NOT 0 <> 1 * - - ({deep})"
    assert parse(deep)
    assert error_of(f"({deep})")[2] == "parentheses can be nested 12 deep at most"
    assert parse("type = '" + "(" * 100 + "'")


def test_the_deepest_leave_room_on_the_stack_for_whoever_asks() -> None:
    deep = "size = 0"
    for _ in range(MAX_DEPTH):
        deep = f"1 = 1 OR 1 = 1 AND NOT 1 = 1 + 1 * ({deep}) + 1"
    before = sys.getrecursionlimit()
    try:
        sys.setrecursionlimit(100 + len_of_stack() + 700)
        assert parse(deep).matches(message(), False)
    finally:
        sys.setrecursionlimit(before)


def len_of_stack() -> int:
    frame, count = sys._getframe(), 0
    while frame.f_back is not None:
        frame, count = frame.f_back, count + 1
    return count


WORDS = [
    *KEYWORDS,
    *(
        "(",
        ")",
        ",",
        "=",
        "<>",
        "<",
        ">=",
        "+",
        "-",
        "*",
        "/",
        "%",
        "'a'",
        "'%_'",
        "1",
        "2.5",
        "'",
        "[",
        ".",
        "!",
        "\n",
    ),
    *("size", "type", "headers.x", "headers['x'][0].y", "body.json.a", "x_death.queue", "nonsense", "ä"),
]


@given(st.lists(st.sampled_from(WORDS), max_size=20).map(" ".join) | st.text(max_size=40))
def test_any_text_is_a_selector_or_a_mistake_that_is_somewhere_in_it(text: str) -> None:
    try:
        selector = parse(text)
    except SelectorError as error:
        mistake = error
    else:
        assert selector.matches(message(b"{}", type="x"), False) in (True, False)
        return
    lines = text.split("\n")
    assert 1 <= mistake.line <= len(lines)
    assert 1 <= mistake.column <= len(lines[mistake.line - 1]) + 1
    assert mistake.message


# -- whole trees against a naive reading of them --


def value(rng: random.Random, depth: int) -> tuple[str, float | None]:
    """An expression for a number, and the number; None: unknown."""
    if not depth or rng.random() < 0.4:
        if rng.random() < 0.2:
            return "headers.none", None
        number = rng.randrange(10)
        return str(number), number
    left, a = value(rng, depth - 1)
    right, b = value(rng, depth - 1)
    operator = rng.choice("+-*")
    known = a is not None and b is not None
    return f"({left} {operator} {right})", eval(f"{a} {operator} {b}") if known else None


def condition(rng: random.Random, depth: int) -> tuple[str, bool | None]:
    """A condition, and what it is; None: unknown."""
    kind = rng.choice(["compare", "between", "in", "null", "not", "and", "or"])
    if depth and kind == "not":
        text, found = condition(rng, depth - 1)
        return f"NOT ({text})", None if found is None else not found
    if depth and kind in ("and", "or"):
        parts = [condition(rng, depth - 1) for _ in range(rng.randrange(2, 4))]
        truths = [found for _, found in parts]
        decisive = kind == "or"
        found = decisive if decisive in truths else None if None in truths else not decisive
        return f" {kind} ".join(f"({text})" for text, _ in parts), found
    text, number = value(rng, 2)
    if kind == "null":
        return f"{text} IS NULL", number is None
    if kind == "in":
        found = None if number is None else number in (1, 3, 5)
        return f"{text} IN (1, 3, 5)", found
    other, bound = value(rng, 1)
    if kind == "between":
        low = None if number is None or bound is None else bound <= number
        high = None if number is None else number <= 7
        return f"{text} BETWEEN {other} AND 7", False if False in (low, high) else None if None in (low, high) else True
    operator, python = rng.choice([("=", "=="), ("<>", "!="), ("<", "<"), (">=", ">=")])
    known = number is not None and bound is not None
    return f"{text} {operator} {other}", eval(f"{number} {python} {bound}") if known else None


@given(st.randoms(use_true_random=False))
def test_selectors_mean_what_a_naive_reading_says(rng: random.Random) -> None:
    text, expected = condition(rng, 3)
    assert truth(f"({text})") is expected
