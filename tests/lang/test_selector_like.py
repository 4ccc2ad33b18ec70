"""LIKE, against `re`, and that it does not go back."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amq.lang.selector_like import MAX_PIECE, Like, LikeError, Piece

LETTERS = "ab%_\n!"


def like(pattern: str, text: str, escape: str = "") -> bool:
    return Like(pattern, escape).matches(text)


@given(st.text(LETTERS, max_size=10), st.text(LETTERS, max_size=12))
def test_a_pattern_takes_what_the_same_regular_expression_takes(pattern: str, text: str) -> None:
    expression = "".join({"%": ".*", "_": "."}.get(each, re.escape(each)) for each in pattern)
    assert like(pattern, text) == bool(re.fullmatch(expression, text, re.DOTALL))


@given(st.text(LETTERS, max_size=12))
def test_what_is_escaped_stands_for_itself(text: str) -> None:
    escaped = re.sub("([%_!])", r"!\1", text)
    assert like(escaped, text, "!")
    assert like(f"%{escaped}%", f"x{text}y", "!")
    assert not like(escaped, f"{text}x", "!")


@pytest.mark.parametrize("pattern", ["a!", "a!b", "!a", "%!"])
def test_an_escape_character_stands_before_what_it_can_escape(pattern: str) -> None:
    with pytest.raises(LikeError, match="must stand before '%', '_' or itself"):
        Like(pattern, "!")


def test_an_escape_character_is_one() -> None:
    with pytest.raises(LikeError, match="one character, not 2"):
        Like("a", "!!")


def test_long_pieces_with_wildcards_for_one_character_are_refused() -> None:
    Like("%" + "a_" * (MAX_PIECE // 2) + "%", "")
    Like("%" + "a" * 1000 + "_", "")
    with pytest.raises(LikeError, match="64 characters at most, not 67"):
        Like("%" + "a_" * (MAX_PIECE // 2) + "abc" + "%", "")


class Counting(str):
    """A text that counts how often it is looked at."""

    looks = 0

    def find(self, *arguments: object) -> int:  # type: ignore[override]
        Counting.looks += 1
        return super().find(*arguments)  # type: ignore[arg-type]

    def startswith(self, *arguments: object) -> bool:  # type: ignore[override]
        Counting.looks += 1
        return super().startswith(*arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "pattern",
    ["%" + "a%" * 200 + "b", "%a" * 30 + "_" + "%a" * 30 + "b%", "%" + "a_" * 30 + "b%", "%" + "_%" * 300 + "b"],
)
@pytest.mark.parametrize("size", [500, 2000])
def test_the_work_grows_with_the_text_and_never_with_the_ways_to_match_it(pattern: str, size: int) -> None:
    Counting.looks = 0
    assert not Like(pattern, "").matches(Counting("a" * size))
    # Each place is tried for one piece only, with as many looks as that has runs.
    longest = max(len(part.split("_")) for part in pattern.split("%"))
    assert Counting.looks <= len(pattern) + 2 * size * longest


def test_a_piece_is_found_within_its_bounds() -> None:
    piece = Piece(3, [(0, "a"), (2, "c")])
    assert piece.find("xabcabc", 0, 7) == 1
    assert piece.find("xabcabc", 2, 7) == 4
    assert piece.find("xabcabc", 2, 6) == -1
    assert piece.find("xabcabc", 9, 7) == -1
    assert not piece.stands_at("abc", -1)
