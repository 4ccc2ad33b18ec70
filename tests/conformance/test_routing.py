"""Which queues a message reaches: direct, fanout, topic, headers, alternates, exchange to exchange, CC and BCC."""

from typing import Any

import pytest

from tests.conformance.client import Channel
from tests.conformance.values import Typed


def bound(c: Channel, exchange: str, queue: str, key: str = "", arguments: dict[str, Any] | None = None) -> None:
    """Declare a queue and bind it."""
    c.call("queue.declare", queue=queue)
    c.call("queue.bind", queue=queue, exchange=exchange, routing_key=key, arguments=arguments or {})


def routes(c: Channel, exchange: str, key: str, queue: str, hit: bool, **properties: Any) -> None:
    """A mandatory message either reaches the queue or comes back."""
    c.publish("m", exchange, key, mandatory=True, **properties)
    if hit:
        c.get(queue, "m", routing_key=key)
    else:
        c.hear("basic.return", reply_code=312, reply_text="NO_ROUTE", exchange=exchange, routing_key=key)


def test_a_direct_exchange_wants_the_exact_key(c: Channel, q: str, x: str) -> None:
    c.call("exchange.declare", exchange=x, type="direct")
    bound(c, x, q, "a.b")
    for key, hit in ("a.b", True), ("a.B", False), ("a", False), ("", False), ("a.*", False):
        routes(c, x, key, q, hit)


def test_a_direct_exchange_gives_a_copy_to_every_queue_of_the_key(c: Channel, q: str, x: str) -> None:
    c.call("exchange.declare", exchange=x, type="direct")
    bound(c, x, q, "k")
    bound(c, x, q + "2", "k")
    c.publish("m", x, "k")
    c.get(q, "m")
    c.get(q + "2", "m")


def test_a_fanout_exchange_ignores_the_key(c: Channel, q: str, x: str) -> None:
    c.call("exchange.declare", exchange=x, type="fanout")
    bound(c, x, q, "one key")
    routes(c, x, "another", q, True)


def test_a_queue_bound_twice_gets_one_copy(c: Channel, q: str, x: str) -> None:
    c.call("exchange.declare", exchange=x, type="topic")
    for key in "a.*", "#", "a.b":
        bound(c, x, q, key)
    routes(c, x, "a.b", q, True)
    c.get(q, None)


@pytest.mark.parametrize(
    ("pattern", "hits", "misses"),
    [
        ("#", ["", "a", "a.b", ".", "a..b"], []),
        ("*", ["a"], ["", "a.b", "."]),
        ("a.*", ["a.b", "a."], ["a", "a.b.c", "b.a"]),
        ("*.*", ["a.b", "."], ["a", "a.b.c", ""]),
        ("a.#", ["a", "a.b", "a.b.c", "a."], ["", "b", "b.a"]),
        ("#.a", ["a", "b.a", "c.b.a"], ["", "a.b"]),
        ("#.a.#", ["a", "b.a", "a.b", "b.a.c"], ["", "b", "ab"]),
        ("*.#", ["a", "a.b", "."], [""]),
        ("#.*", ["a", "a.b", "a.b.c"], [""]),
        ("a.*.c", ["a.b.c", "a..c"], ["a.c", "a.b.b.c", "a.b.d"]),
        ("a.#.c", ["a.c", "a.b.c", "a.b.b.c", "a.c.c"], ["a", "c", "a.c.b"]),
        ("#.#", ["", "a", "a.b"], []),
        ("#.*.#", ["a", "a.b"], [""]),
        ("a.b", ["a.b"], ["a.B", "a", "a.b.c", "a.b."]),
        ("a*.b", ["a*.b"], ["ab.b", "a.b"]),
        ("a.b#", ["a.b#"], ["a.b", "a.bc"]),
        ("", [""], ["a", "."]),
        ("..", [".."], [".", "", "a.b.c"]),
    ],
)
def test_a_topic_pattern_matches_word_by_word(
    c: Channel, q: str, x: str, pattern: str, hits: list[str], misses: list[str]
) -> None:
    c.call("exchange.declare", exchange=x, type="topic")
    bound(c, x, q, pattern)
    for key in hits:
        routes(c, x, key, q, True)
    for key in misses:
        routes(c, x, key, q, False)


def test_unbinding_one_pattern_leaves_its_relatives(c: Channel, q: str, x: str) -> None:
    c.call("exchange.declare", exchange=x, type="topic")
    for pattern in "a.*.c", "a.#", "a.b":
        bound(c, x, q, pattern)
    for pattern, key, hit in ("a.#", "a.x", False), ("a.b", "a.b", False), ("a.*.c", "a.b.c", False):
        routes(c, x, key, q, True)
        c.call("queue.unbind", queue=q, exchange=x, routing_key=pattern)
        routes(c, x, key, q, hit)


def test_a_topic_binding_of_another_queue_is_untouched_by_an_unbind(c: Channel, q: str, x: str) -> None:
    c.call("exchange.declare", exchange=x, type="topic")
    bound(c, x, q, "a.#")
    bound(c, x, q + "2", "a.#")
    c.call("queue.unbind", queue=q, exchange=x, routing_key="a.#")
    routes(c, x, "a.b", q + "2", True)
    c.get(q, None)


HEADERS = [
    ("all", {"x-match": "all", "a": 1, "b": "two"}, {"a": 1, "b": "two", "c": 3}, True),
    ("all-partly", {"x-match": "all", "a": 1, "b": "two"}, {"a": 1}, False),
    ("all-by-default", {"a": 1, "b": 2}, {"a": 1, "b": 2}, True),
    ("all-by-default-partly", {"a": 1, "b": 2}, {"b": 2}, False),
    ("all-of-nothing", {"x-match": "all"}, {"a": 1}, True),
    ("all-of-nothing-without-headers", {"x-match": "all"}, None, True),
    ("any", {"x-match": "any", "a": 1, "b": 2}, {"b": 2, "c": 3}, True),
    ("any-none", {"x-match": "any", "a": 1, "b": 2}, {"a": 2, "b": 1}, False),
    ("any-of-nothing", {"x-match": "any"}, {"a": 1}, False),
    ("any-without-headers", {"x-match": "any", "a": 1}, None, False),
    ("other-value", {"a": 1}, {"a": 2}, False),
    ("other-type", {"a": 1}, {"a": "1"}, False),
    ("other-width", {"a": 1}, {"a": Typed("l", 1)}, True),
    ("integer-and-float", {"a": 1}, {"a": 1.0}, True),
    ("case-of-the-name", {"a": 1}, {"A": 1}, False),
    ("void-is-presence", {"a": None}, {"a": "anything"}, True),
    ("void-wants-presence", {"a": None}, {"b": "anything"}, False),
    ("x-names-are-ignored", {"x-match": "all", "x-a": 1, "b": 2}, {"b": 2}, True),
    ("any-ignores-x-names", {"x-match": "any", "x-a": 1, "b": 2}, {"x-a": 1}, False),
    ("all-with-x", {"x-match": "all-with-x", "x-a": 1, "b": 2}, {"x-a": 1, "b": 2}, True),
    ("all-with-x-partly", {"x-match": "all-with-x", "x-a": 1, "b": 2}, {"b": 2}, False),
    ("any-with-x", {"x-match": "any-with-x", "x-a": 1, "b": 2}, {"x-a": 1}, True),
    ("any-with-x-none", {"x-match": "any-with-x", "x-a": 1, "b": 2}, {"x-a": 2}, False),
    ("tables", {"a": {"b": 1}}, {"a": {"b": 1}}, True),
    ("bool", {"a": True}, {"a": True}, True),
    ("other-bool", {"a": True}, {"a": False}, False),
]


@pytest.mark.parametrize(
    ("arguments", "headers", "hit"), [row[1:] for row in HEADERS], ids=[str(row[0]) for row in HEADERS]
)
def test_a_headers_exchange_matches(
    c: Channel, q: str, x: str, arguments: dict[str, Any], headers: dict[str, Any] | None, hit: bool
) -> None:
    c.call("exchange.declare", exchange=x, type="headers")
    bound(c, x, q, "", arguments)
    routes(c, x, "k", q, hit, **({} if headers is None else {"headers": headers}))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("some", 'Invalid x-match field value <<"some">>; expected all, any, all-with-x, or any-with-x'),
        (1, "Invalid x-match field type signedint (value 1); expected longstr"),
        (None, "Invalid x-match field type void (value undefined); expected longstr"),
        (True, "Invalid x-match field type bool (value true); expected longstr"),
    ],
)
def test_a_wrong_x_match_is_refused(c: Channel, q: str, value: object, text: str) -> None:
    c.call("queue.declare", queue=q)
    c.say("queue.bind", queue=q, exchange="amq.headers", arguments={"x-match": value})
    c.channel_closed(406, text)


def test_headers_bindings_with_other_arguments_are_others(c: Channel, q: str, x: str) -> None:
    c.call("exchange.declare", exchange=x, type="headers")
    bound(c, x, q, "", {"a": 1})
    bound(c, x, q, "", {"a": 2})
    c.call("queue.unbind", queue=q, exchange=x, arguments={"a": 1})
    routes(c, x, "", q, False, headers={"a": 1})
    routes(c, x, "", q, True, headers={"a": 2})


def test_a_message_goes_from_exchange_to_exchange(c: Channel, q: str, x: str) -> None:
    inner = x + "-inner"
    c.call("exchange.declare", exchange=x, type="topic")
    c.call("exchange.declare", exchange=inner, type="direct")
    c.call("exchange.bind", destination=inner, source=x, routing_key="a.#")
    bound(c, inner, q, "a.b")
    routes(c, x, "a.b", q, True)
    routes(c, x, "a.c", q, False)
    c.call("exchange.unbind", destination=inner, source=x, routing_key="a.#")
    routes(c, x, "a.b", q, False)


def test_each_queue_gets_one_copy_even_through_a_loop_of_exchanges(c: Channel, q: str, x: str) -> None:
    other = x + "-other"
    for name in x, other:
        c.call("exchange.declare", exchange=name, type="fanout")
        bound(c, name, q)
    c.call("exchange.bind", destination=other, source=x)
    c.call("exchange.bind", destination=x, source=other)
    routes(c, x, "k", q, True)
    c.get(q, None)


def test_an_alternate_exchange_takes_what_no_queue_took(c: Channel, q: str, x: str) -> None:
    spare = x + "-spare"
    c.call("exchange.declare", exchange=spare, type="fanout")
    c.call("exchange.declare", exchange=x, type="direct", arguments={"alternate-exchange": spare})
    bound(c, x, q, "k")
    bound(c, spare, q + "2")
    routes(c, x, "k", q, True)
    c.get(q + "2", None)
    c.publish("lost", x, "else", mandatory=True)
    c.get(q + "2", "lost", exchange=x, routing_key="else")


def test_a_message_that_the_alternate_cannot_route_comes_back(c: Channel, x: str) -> None:
    spare = x + "-spare"
    c.call("exchange.declare", exchange=spare, type="fanout")
    c.call("exchange.declare", exchange=x, type="direct", arguments={"alternate-exchange": spare})
    c.publish("m", x, "k", mandatory=True)
    c.hear("basic.return", exchange=x, routing_key="k", body=b"m")


def test_an_alternate_is_not_asked_where_a_bound_exchange_was_reached(c: Channel, q: str, x: str) -> None:
    spare, inner = x + "-spare", x + "-inner"
    c.call("exchange.declare", exchange=spare, type="fanout")
    c.call("exchange.declare", exchange=inner, type="direct")
    c.call("exchange.declare", exchange=x, type="topic", arguments={"alternate-exchange": spare})
    c.call("exchange.bind", destination=inner, source=x, routing_key="a.*")
    bound(c, spare, q)
    routes(c, x, "a.b", q, False)
    routes(c, x, "b", q, True)


def test_the_alternate_of_a_bound_exchange_counts_too(c: Channel, q: str, x: str) -> None:
    spare, inner = x + "-spare", x + "-inner"
    c.call("exchange.declare", exchange=spare, type="fanout")
    c.call("exchange.declare", exchange=inner, type="direct", arguments={"alternate-exchange": spare})
    c.call("exchange.declare", exchange=x, type="fanout")
    c.call("exchange.bind", destination=inner, source=x)
    bound(c, spare, q)
    routes(c, x, "k", q, True)


def test_a_missing_alternate_exchange_is_as_good_as_none(c: Channel, x: str) -> None:
    c.call("exchange.declare", exchange=x, type="direct", arguments={"alternate-exchange": x + "-missing"})
    c.publish("m", x, "k", mandatory=True)
    c.hear("basic.return", exchange=x, routing_key="k", body=b"m")


def test_alternates_form_a_chain_and_a_loop_ends(c: Channel, q: str, x: str) -> None:
    names = [x, x + "-2", x + "-3"]
    for name, spare in zip(names, names[1:] + names[:1], strict=True):
        c.call("exchange.declare", exchange=name, type="direct", arguments={"alternate-exchange": spare})
    bound(c, names[2], q, "k")
    c.publish("m", x, "k")
    c.get(q, "m", exchange=x)
    c.publish("m", x, "nowhere", mandatory=True)
    c.hear("basic.return", exchange=x, routing_key="nowhere")


def test_cc_and_bcc_add_routing_keys(c: Channel, q: str) -> None:
    for name in q, q + "-cc", q + "-bcc":
        c.call("queue.declare", queue=name)
    c.publish("m", "", q, headers={"CC": [q + "-cc"], "BCC": [q + "-bcc"], "other": 1})
    for name in q, q + "-cc", q + "-bcc":
        c.get(name, "m", routing_key=q, headers={"CC": [q + "-cc"], "other": 1})


def test_bcc_is_removed_from_what_comes_back_too(c: Channel, q: str) -> None:
    c.publish("m", "", q, mandatory=True, headers={"BCC": [q], "CC": [q]})
    c.hear("basic.return", headers={"CC": [q]})


def test_any_of_key_cc_and_bcc_satisfies_mandatory(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    for header in "CC", "BCC":
        c.publish("m", "", "nowhere", mandatory=True, headers={header: [q]})
        c.get(q, "m", routing_key="nowhere")
    c.quiet()


def test_the_default_exchange_returns_what_names_no_queue(c: Channel, q: str) -> None:
    routes(c, "", q, q, False)


def test_a_queue_named_in_key_and_cc_gets_one_copy(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.publish("m", "", q, headers={"CC": [q, q], "BCC": [q]})
    c.get(q, "m")
    c.get(q, None)


def test_cc_is_matched_by_topics_too(c: Channel, q: str, x: str) -> None:
    c.call("exchange.declare", exchange=x, type="topic")
    bound(c, x, q, "copy.*")
    routes(c, x, "k", q, True, headers={"CC": ["copy.me"]})


@pytest.mark.parametrize(
    ("headers", "term"),
    [
        ({"CC": "text"}, '{unacceptable_type_in_header,"CC",longstr}'),
        ({"BCC": 5}, '{unacceptable_type_in_header,"BCC",signedint}'),
    ],
    ids=["text", "number"],
)
def test_cc_and_bcc_must_be_arrays_of_text(c: Channel, q: str, headers: dict[str, Any], term: str) -> None:
    c.publish("m", "", q, headers=headers)
    c.channel_closed(406, f"invalid message: {term}", by="basic.publish")


def test_only_text_in_cc_adds_a_routing_key(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.publish("m", "", "nowhere", headers={"CC": [5, q, None]})
    c.get(q, "m", routing_key="nowhere")
