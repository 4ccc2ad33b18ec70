"""What selectors mean."""

from __future__ import annotations

import pytest

from tests.lang.selectors import matches, message, truth

SOME = message(
    b"hello world",
    exchange=b"amq.topic",
    routing_key=b"order.created.eu",
    headers={"n": ("I", 7), "s": ("S", b"seven"), "t": ("t", True), "f": ("d", 1.5), "list": ("A", [("I", 1)])},
    priority=4,
    type="order",
)


@pytest.mark.parametrize(
    "text",
    [
        "priority = 4",
        "priority <> 5",
        "priority != 5",
        "priority < 4.5",
        "priority <= 4",
        "priority > 3",
        "priority >= 4",
        "4 = priority",
        "headers.n = 7.0",
        "headers.f = 1.5",
        "type = 'order'",
        "type > 'orbit'",
        "type <> 'Order'",
        "headers.t",
        "headers.t = TRUE",
        "NOT headers.t = FALSE",
        "TRUE",
        "not false",
        "priority BETWEEN 4 AND 4",
        "priority NOT BETWEEN 5 AND 9",
        "type BETWEEN 'a' AND 'z'",
        "type IN ('x', 'order')",
        "type NOT IN ('x', 'y')",
        "priority IN (1, +4.0, -4)",
        "type LIKE 'o%r'",
        "type NOT LIKE 'x%'",
        "body CONTAINS 'lo wo'",
        "body NOT CONTAINS 'bye'",
        "body CONTAINS type OR body CONTAINS 'h'",
        "message_id IS NULL",
        "type IS NOT NULL",
        "headers.list IS NOT NULL",
        "headers.none IS NULL",
        "priority = 1 + 3",
        "priority = 2 * 2",
        "priority = 9 - 3 - 2",
        "priority = 2 + 1 * 2",
        "priority = (1 + 1) * 2",
        "priority = 8 / 2",
        "headers.f = 3 / 2",
        "headers.n % 4 = 3",
        "-priority = -4",
        "- -priority = +4",
        "priority = 4 AND type = 'order' OR FALSE",
        "FALSE AND FALSE OR TRUE",
        "NOT FALSE AND TRUE",
        "NOT NOT NOT FALSE",
        "(priority > 3) = (headers.n > 6)",
        "size = 11",
        "exchange = 'amq.topic' AND routing_key LIKE 'order.%.eu'",
        "NOT redelivered",
    ],
)
def test_what_is_true(text: str) -> None:
    assert truth(text, SOME) is True


@pytest.mark.parametrize(
    "text",
    [
        "priority = 5",
        "type = 'Order'",
        "priority <> 4",
        "priority < 4",
        "type < 'orbit'",
        "priority BETWEEN 5 AND 3",
        "type IN ('x')",
        "priority IN (5)",
        "type IS NULL",
        "message_id IS NOT NULL",
        "type LIKE 'x%'",
        "message_id = 'x' AND FALSE",
        "FALSE",
        "redelivered",
    ],
)
def test_what_is_false(text: str) -> None:
    assert truth(text, SOME) is False


@pytest.mark.parametrize(
    "text",
    [
        # Not there.
        "message_id = 'x'",
        "message_id <> 'x'",
        "message_id LIKE '%'",
        "message_id IN ('x')",
        "message_id BETWEEN 'a' AND 'z'",
        "message_id CONTAINS ''",
        "headers.none",
        "headers.none > 1",
        "headers.none = headers.none",
        "headers.none + 1 = 2",
        "-headers.none = 2",
        "message_id = 'x' OR FALSE",
        "message_id = 'x' AND TRUE",
        # Of another kind.
        "type = 4",
        "type <> 4",
        "type < 4",
        "type IN (4)",
        "type IN (4, 'x')",
        "headers.t = 1",
        "headers.t IN (1)",
        "headers.t < FALSE",
        "headers.t <= headers.t",
        "headers.list = headers.list",
        "priority LIKE '4'",
        "priority CONTAINS 4",
        "type + 1 = 2",
        "-type = 1",
        "priority",
        "type",
        "type AND TRUE",
        # Without a result.
        "1 / 0 = 1",
        "1 % 0 = 1",
    ],
)
def test_what_is_unknown_takes_no_message_and_neither_does_its_opposite(text: str) -> None:
    assert truth(text, SOME) is None


def test_the_unknown_does_not_matter_where_the_rest_decides() -> None:
    assert truth("message_id = 'x' OR priority = 4", SOME) is True
    assert truth("message_id = 'x' AND priority = 5", SOME) is False


def test_large_numbers_become_floats_and_never_endless() -> None:
    assert truth("9223372036854775807 = 9223372036854775807") is True
    big = " * ".join(["1000000000000000000"] * 40)
    assert truth(f"{big} > 1e300") is True
    assert truth("99999999999999999999999999999 > 9e28") is True


def test_a_division_of_integers_is_exact_where_it_can_be() -> None:
    assert truth("7 / 2 = 3.5") is True
    assert truth("9007199254740993 * 3 / 3 = 9007199254740993") is True


def test_redelivered_is_what_the_queue_says() -> None:
    assert matches("redelivered", message(), redelivered=True)
    assert not matches("redelivered = TRUE", message(), redelivered=False)
