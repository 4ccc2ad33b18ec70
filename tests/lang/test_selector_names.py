"""What selectors can ask of a message."""

from __future__ import annotations

import json

import pytest

from amq.lang.selector_grammar import SelectorError, parse
from amq.lang.selector_subject import MAX_JSON, MAX_TEXT
from tests.lang.selectors import INTEGERS, SHORTSTR, death, matches, message, truth


@pytest.mark.parametrize("name", sorted(SHORTSTR))
def test_every_property_of_text_is_reached_by_its_name(name: str) -> None:
    assert matches(f"{name} = 'it''s ä'", message(**{name: "it's ä"}))
    assert matches(f"{name} = ''", message(**{name: ""}))
    assert truth(f"{name} = ''", message()) is None


@pytest.mark.parametrize("name", sorted(INTEGERS))
def test_every_property_that_is_a_number_is_reached_by_its_name(name: str) -> None:
    assert matches(f"{name} = 200", message(**{name: 200}))
    assert matches(f"{name} = 0", message(**{name: 0}))
    assert truth(f"{name} = 0", message()) is None


def test_all_properties_at_once() -> None:
    every = {name: name for name in SHORTSTR} | dict.fromkeys(INTEGERS, 2)
    text = " AND ".join([f"{name} = '{name}'" for name in SHORTSTR] + [f"{name} = 2" for name in INTEGERS])
    assert matches(text, message(headers={"x": ("S", b"y")}, **every))


def test_headers_by_name_by_quoted_name_and_by_path() -> None:
    of = message(
        headers={
            "x": ("S", b"1"),
            "x-y": ("I", 2),
            "it's": ("I", 3),
            "table": ("F", {"deep": ("A", [("I", 0), ("F", {"er": ("S", b"gold")})])}),
            "void": ("V", None),
            "octets": ("x", b"\xffa"),
            "decimal": ("D", (2, 314)),
            "whole": ("D", (0, 3)),
            "in": ("I", 5),
        }
    )
    assert matches("headers.x = '1'", of)
    assert matches("headers['x-y'] = 2 AND headers['it''s'] = 3", of)
    assert matches("headers.table.deep[1].er = 'gold'", of)
    assert matches("headers['table']['deep'][0] = 0", of)
    assert matches("headers.void IS NULL AND headers.table.none IS NULL AND headers.x.y IS NULL", of)
    assert matches("headers.table.deep[2] IS NULL AND headers.x[0] IS NULL AND headers.table[0] IS NULL", of)
    assert matches("headers.octets LIKE '%a'", of)
    assert matches("headers.decimal = 3.14 AND headers.whole = 3", of)
    assert matches("headers.in = 5", of)
    assert matches("headers IS NOT NULL", of)
    assert matches("headers IS NULL", message())


def test_a_value_that_is_named_like_a_header_is_none() -> None:
    assert truth("headers.x = 'y'", message(headers={"y": ("S", b"x")})) is None


def test_deaths_the_latest_first() -> None:
    of = message(
        headers={"x-death": ("A", [death("work", "rejected", 3, "shop", "order.new", "cc"), death("wait", "expired")])}
    )
    assert matches("x_death.queue = 'work' AND x_death.reason = 'rejected' AND x_death.count > 2", of)
    assert matches("x_death.exchange = 'shop' AND x_death.routing_key = 'order.new'", of)
    assert matches("x_death.time = 1700000000 AND x_death.original_expiration IS NULL", of)
    assert matches("x_death[1].queue = 'wait' AND x_death[1].routing_key IS NULL", of)
    assert matches("x_death IS NOT NULL AND x_death[2] IS NULL", of)
    assert matches("x_death IS NULL", message())
    assert truth("x_death.count = 1", message(headers={"x-death": ("S", b"nonsense")})) is None


def test_the_address_and_the_size() -> None:
    of = message(b"four", exchange=b"", routing_key="schlüssel".encode())
    assert matches("exchange = '' AND routing_key = 'schlüssel' AND size = 4", of)


def test_the_body_as_text_whatever_it_is() -> None:
    assert matches("body = 'größe'", message("größe".encode()))
    assert matches("body LIKE '%needle%' AND body CONTAINS 'needle'", message(b"\xff\x00needle\xfe"))
    assert matches("body = ''", message())


def test_of_a_long_body_the_first_part_is_searched() -> None:
    assert matches("body CONTAINS 'end'", message(b"x" * (MAX_TEXT - 3) + b"end"))
    assert not matches("body CONTAINS 'end'", message(b"x" * (MAX_TEXT - 2) + b"end"))


def test_bodies_that_are_json() -> None:
    of = message(json.dumps({"order": {"id": 7, "lines": [{"sku": "a"}], "paid": False, "note": None}}).encode())
    assert matches("body.json.order.id = 7 AND NOT body.json.order.paid", of)
    assert matches("body.json.order.lines[0].sku = 'a' AND body.json['order']['id'] + 1 = 8", of)
    assert matches("body.json.order.note IS NULL AND body.json.order.lines[1] IS NULL AND body.json[0] IS NULL", of)
    assert matches("body.json IS NOT NULL", of)
    assert matches("body.json[1] = 'b'", message(b' ["a", "b"]'))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"a": NaN}',
        b"7",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a": ' + b"9" * 5000 + b"}",
        b" " * MAX_JSON + b"{}",
    ],
)
def test_bodies_that_are_not(body: bytes) -> None:
    assert matches("body.json IS NULL", message(body))


def test_numbers_in_json_that_are_too_large_for_everybody_else() -> None:
    assert matches("body.json.a > 1e99", message(b'{"a": 1' + b"0" * 100 + b"}"))
    assert matches("body.json.a IS NULL", message(b'{"a": 1' + b"0" * 400 + b"}"))
    assert matches("body.json.a * body.json.a > 0", message(b'{"a": 1e200}'))


def test_evaluation_leaves_nothing_decoded_in_the_message() -> None:
    of = message(headers={"x": ("S", b"y")})
    of.properties.forget()
    assert matches("headers.x = 'y'", of)
    assert of.properties._headers is None


def test_one_selector_for_many_messages_keeps_nothing_of_the_one_before() -> None:
    selector = parse("headers.x = 'y' OR body.json.a = 1 OR body CONTAINS 'zz' OR type = 't'")
    for of in (message(headers={"x": ("S", b"y")}), message(b'{"a": 1}'), message(b"zz"), message(type="t")):
        assert selector.matches(of, False)
        assert not selector.matches(message(b'{"a": 2}', headers={"y": ("I", 1)}), False)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("colour = 1", "there is no 'colour'; allowed are app_id, cluster_id, "),
        ("Type = 1", "there is no 'Type'; allowed are "),
        ("priority.x = 1", "'priority' has no parts"),
        ("x_death.who = 1", "a death has queue, reason, count, exchange, "),
        ("x_death.queue.x = 1", "a death has queue, "),
        ("body.text = 1", "after 'body' only '.json' can follow"),
        ("headers[0] = 1", "headers have names"),
    ],
)
def test_names_that_mean_nothing_are_refused(text: str, error: str) -> None:
    with pytest.raises(SelectorError) as caught:
        parse(text)
    assert (caught.value.line, caught.value.column) == (1, 1)
    assert caught.value.message.startswith(error)
