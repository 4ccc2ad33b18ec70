import pytest
from hypothesis import given
from hypothesis import strategies as st

from amq.errors import ChannelFault
from amq.exchanges.headers import Headers, comparable
from amq.wire.tables import Table
from tests.exchanges.build import A, B, NamedQueue, bind, exchange, message, reached


def text(value: bytes) -> tuple[str, bytes]:
    return ("S", value)


ONE, TWO = ("I", 1), ("I", 2)


def matches(arguments: Table, headers: Table | None) -> bool:
    """Whether one binding takes one message; looks after unbinding that nothing is left."""
    x = Headers(b"x", False, False, False, {})
    binding = bind(x, A, b"ignored", arguments)
    result = reached(x, b"whatever", message(headers)) == [A]
    x.unbind(binding)
    assert (x.unconditional, x.demands, x.all_by_pivot, x.any_by_criterion) == ({}, {}, {}, {})
    return result


@pytest.mark.parametrize("arguments", [{}, {"x-match": text(b"all")}, {"x-match": text(b"all-with-x")}])
def test_all_of_nothing_takes_everything(arguments):
    assert matches(arguments, None)
    assert matches(arguments, {"a": ONE})


@pytest.mark.parametrize("kind", [b"any", b"any-with-x"])
def test_any_of_nothing_takes_nothing(kind):
    assert not matches({"x-match": text(kind)}, None)
    assert not matches({"x-match": text(kind)}, {"a": ONE})


@pytest.mark.parametrize("arguments", [{}, {"x-match": text(b"all")}])
def test_all_wants_every_header(arguments):
    wanted = {**arguments, "a": ONE, "b": text(b"x")}
    assert matches(wanted, {"b": text(b"x"), "a": ONE, "c": TWO})
    assert not matches(wanted, {"a": ONE})
    assert not matches(wanted, {"a": ONE, "b": text(b"y")})
    assert not matches(wanted, None)


def test_any_wants_one_header():
    wanted = {"x-match": text(b"any"), "a": ONE, "b": text(b"x")}
    assert matches(wanted, {"a": TWO, "b": text(b"x")})
    assert not matches(wanted, {"a": TWO, "b": text(b"y"), "c": ONE})


@pytest.mark.parametrize(
    ("kind", "other", "same", "absent", "only_plain"),
    [
        (b"all", True, True, True, True),
        (b"any", True, True, True, True),
        (b"all-with-x", False, True, False, False),
        (b"any-with-x", True, True, True, True),
    ],
)
def test_headers_beginning_with_x_count_only_where_x_match_says_so(kind, other, same, absent, only_plain):
    wanted = {"x-match": text(kind), "x-k": ONE, "a": ONE}
    assert matches(wanted, {"x-k": TWO, "a": ONE}) is other
    assert matches(wanted, {"x-k": ONE, "a": ONE}) is same
    assert matches(wanted, {"a": ONE}) is absent
    assert matches(wanted, {"a": ONE, "x-match": text(b"foo")}) is only_plain
    assert matches({"x-match": text(kind), "x-k": ONE}, {"x-k": ONE}) is (kind != b"any")


@pytest.mark.parametrize("kind", [b"all", b"any", b"all-with-x", b"any-with-x"])
def test_void_asks_for_presence(kind):
    wanted = {"x-match": text(kind), "a": ("V", None)}
    assert matches(wanted, {"a": text(b"anything")})
    assert matches(wanted, {"a": ("V", None)})
    assert not matches(wanted, {"b": ONE})


def test_a_void_header_is_no_value():
    assert not matches({"a": text(b"undefined")}, {"a": ("V", None)})


NUMBERS = [(kind, 1) for kind in "bBsuIilLT"] + [("f", 1.0), ("d", 1.0)]
# Each group is equal within itself and to nothing outside, as asked of RabbitMQ 3.10.8.
GROUPS = [
    NUMBERS,
    [("t", True)],
    [("t", False)],
    [("D", (0, 1))],
    [("S", b"1"), ("x", b"1")],
    [("S", b"true")],
    [("A", []), ("F", {})],
    [("A", [("I", 1)])],
    [("A", [("l", 1)])],
    [("F", {"a": ("I", 1)})],
]


def test_values_are_equal_across_types_as_in_rabbitmq():
    fields = [(group, field) for group, members in enumerate(GROUPS) for field in members]
    for group, wanted in fields:
        for other, field in fields:
            assert matches({"k": wanted}, {"k": field}) is (group == other), (wanted, field)


def test_a_comparable_value_of_anything_can_be_hashed():
    nested = [("F", {"deep": ("A", [("F", {}), ("t", True), ("V", None), ("D", (1, 2)), ("d", 0.5)])})]
    assert hash(comparable("A", nested)) == hash(comparable("A", nested))


@pytest.mark.parametrize(
    ("field", "said"),
    [
        (text(b"foo"), 'value <<"foo">>; expected all, any, all-with-x, or any-with-x'),
        (text(b""), "value <<>>; expected all, any, all-with-x, or any-with-x"),
        (("I", 5), "type signedint (value 5); expected longstr"),
        (("t", True), "type bool (value true); expected longstr"),
        (("x", b"\0\xff"), "type binary (value <<0,255>>); expected longstr"),
        (("V", None), "type void (value undefined); expected longstr"),
        (("F", {}), "type table (value []); expected longstr"),
    ],
)
def test_a_wrong_x_match_is_refused_in_rabbitmqs_words(field, said):
    x = exchange(Headers)
    with pytest.raises(ChannelFault) as fault:
        bind(x, A, b"", {"x-match": field})
    assert (fault.value.code, fault.value.text) == (406, "Invalid x-match field " + said)
    assert x.bindings == {}


def test_bindings_that_share_criteria_keep_their_own_queues():
    x = exchange(Headers)
    first = bind(x, A, b"", {"a": ONE})
    bind(x, B, b"", {"a": ONE, "b": ONE})
    assert reached(x, b"", message({"a": ONE, "b": ONE})) == [A, B]
    assert reached(x, b"", message({"a": ONE})) == [A]
    x.unbind(first)
    assert reached(x, b"", message({"a": ONE, "b": ONE})) == [B]


def test_two_bindings_of_a_queue_that_differ_in_the_key_only_are_two():
    x = exchange(Headers)
    for arguments in ({"a": ONE}, {"x-match": text(b"any"), "a": ONE}, {}):
        first, second = bind(x, A, b"1", arguments), bind(x, A, b"2", arguments)
        x.unbind(first)
        assert reached(x, b"", message({"a": ONE})) == [A]
        x.unbind(second)
        assert reached(x, b"", message({"a": ONE})) == []


FIELDS = st.dictionaries(
    st.sampled_from(["a", "b", "x-c"]), st.sampled_from([ONE, TWO, ("V", None), ("t", True)]), max_size=3
)
MATCHES = st.sampled_from([b"all", b"any", b"all-with-x", b"any-with-x"])


def naive_match(kind: bytes, wanted: Table, headers: Table) -> bool:
    """The definition, header by header."""
    hits = []
    for key, field in wanted.items():
        if kind.endswith(b"-with-x") or not key.startswith("x-"):
            hits.append(key in headers and (field[0] == "V" or field == headers[key]))
    return any(hits) if kind.startswith(b"any") else all(hits)


@given(st.lists(st.tuples(MATCHES, FIELDS), max_size=10), FIELDS, st.data())
def test_the_index_agrees_with_a_naive_matcher(specifications, headers, data):
    x = Headers(b"x", False, False, False, {})
    bindings = [
        bind(x, NamedQueue(b"%02d" % i), b"", {"x-match": text(kind), **wanted})
        for i, (kind, wanted) in enumerate(specifications)
    ]
    gone = data.draw(st.sets(st.sampled_from(range(len(bindings)))) if bindings else st.just(set()))
    for i in gone:
        x.unbind(bindings[i])
    expected = [
        bindings[i].destination
        for i, (kind, wanted) in enumerate(specifications)
        if i not in gone and naive_match(kind, wanted, headers)
    ]
    assert reached(x, b"", message(headers)) == expected
