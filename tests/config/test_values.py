"""How values are spelled."""

from collections.abc import Callable

import pytest

from amq.config import values
from amq.config.settings import NO_TIMEOUT, Listener


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("5672", "", 5672),
        ("127.0.0.1:5672", "127.0.0.1", 5672),
        ("0.0.0.0:1", "0.0.0.0", 1),
        (":::5672", "", 5672),
        ("[::]:5672", "", 5672),
        ("::1:5672", "::1", 5672),
        ("[::1]:5672", "::1", 5672),
        ("[fe80::1%eth0]:5672", "fe80::1%eth0", 5672),
        ("localhost:0", "localhost", 0),
    ],
)
def test_listeners(text: str, host: str, port: int) -> None:
    assert values.listener(text) == Listener(host, port)
    assert values.tls_listener(text) == Listener(host, port, tls=True)


@pytest.mark.parametrize(
    "text", ["", "x", "localhost", "localhost:", ":5672", "a b:1", "[localhost]:1", "[::1:1", "1:-1"]
)
def test_what_is_no_listener_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        values.listener(text)


@pytest.mark.parametrize(
    ("text", "octets"), [("4096", 4096), ("1kb", 1024), ("2KB", 2048), ("10MB", 10 * 1024**2), ("1gb", 1024**3)]
)
def test_sizes_count_in_1024(text: str, octets: int) -> None:
    assert values.size(text) == octets


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("1000", 1000),
        ("1kB", 1000),
        ("1k", 1000),
        ("1Ki", 1024),
        ("500MB", 500_000_000),
        ("2048MiB", 2048 * 1024**2),
        ("1GB", 1_000_000_000),
        ("1G", 1_000_000_000),
        ("1gib", 1024**3),
        ("3TiB", 3 * 1024**4),
        ("1PB", 10**15),
    ],
)
def test_amounts_of_memory_follow_the_si_and_the_iec(text: str, octets: int) -> None:
    assert values.memory(text) == octets


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (values.whole, "1.5"),
        (values.whole, "1_000"),
        (values.whole, " 1"),
        (values.flag, "yes"),
        (values.flag, "True"),
        (values.size, "10Mb"),
        (values.size, "10MB10kb"),
        (values.size, "10TB"),
        (values.memory, "1XB"),
        (values.memory, "GB"),
        (values.memory, "-1"),
        (values.share, "40%"),
        (values.share, ".4"),
        (values.none, "all"),
        (values.time_or_infinity, "never"),
        (values.time_or_false, "true"),
        (values.pattern, "("),
        (values.pattern, "[a"),
    ],
)
def test_other_spellings_are_refused_with_the_text_that_is_wrong(read: Callable[[str], object], text: str) -> None:
    with pytest.raises(ValueError) as raised:
        read(text)
    assert f"'{text}'" in str(raised.value)


def test_words_for_no_limit() -> None:
    assert values.time_or_infinity("infinity") == NO_TIMEOUT
    assert values.time_or_infinity("5") == 5
    assert values.time_or_false("false") is None
    assert values.time_or_false("undefined") is None
    assert values.time_or_false("5") == 5
    assert values.count_or_infinity("infinity") == 0
    assert values.count_or_infinity("5") == 5


def test_the_short_form_of_subject_alternative_name() -> None:
    assert values.certificate_name("subject_alt_name") == "subject_alternative_name"
    assert values.certificate_name("common_name") == "common_name"


@pytest.mark.parametrize(
    "text, expected", [("/broker", "/broker"), ("broker/", "/broker"), ("/a/b", "/a/b"), ("/", "")]
)
def test_the_beginning_of_paths_has_one_slash_before_and_none_after_it(text: str, expected: str) -> None:
    assert values.path(text) == expected


@pytest.mark.parametrize("text, expected", [("127.0.0.1", "127.0.0.1"), ("::", ""), ("[::1]", "::1"), ("::1", "::1")])
def test_an_address_may_stand_in_brackets(text: str, expected: str) -> None:
    assert values.address(text) == expected
