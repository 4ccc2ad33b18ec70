"""Patterns of permissions, as PCRE reads them."""

import pytest

from amq.lang.pattern import PatternError, compile_pattern


def test_posix_classes_mean_what_they_mean_to_rabbitmq() -> None:
    pattern = compile_pattern("^[[:alpha:]_]+[[:digit:]]$")
    assert pattern.search(b"ab_c7")
    assert not pattern.search(b"ab:7")
    assert not pattern.search(b"abc")
    with pytest.raises(PatternError):
        compile_pattern("^[[:nonsense:]]$")


def test_a_pattern_is_searched_anywhere_and_the_empty_one_matches_the_empty_name_alone() -> None:
    assert compile_pattern("b").search(b"abc")
    assert compile_pattern("").search(b"")
    assert not compile_pattern("").search(b"a")


def test_names_are_octets() -> None:
    assert not compile_pattern("^.$").search("ä".encode())
    assert compile_pattern("^ä$").search("ä".encode())


@pytest.mark.parametrize("pattern", ["[[a]", "[a--b]", "a{99999999999}"])
def test_what_two_readers_would_read_differently_or_not_at_all_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError, match="is not a usable regular expression"):
        compile_pattern(pattern)
