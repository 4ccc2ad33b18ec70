from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amq.destination import Destination
from amq.exchanges.topic import Node, Topic
from tests.exchanges.build import PLAIN, A, B, C, NamedQueue, bind, exchange, reached


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        (b"", [b""], [b".", b"a"]),
        (b"#", [b"", b".", b"a", b"a.b"], []),
        (b"*", [b"a"], [b"", b"a.", b".a", b"a.b"]),
        (b"*.*", [b".", b"a.", b".a", b"a.b"], [b"a", b"a.b."]),
        (b"a.#", [b"a", b"a.", b"a.b", b"a.b.c"], [b"", b"b.a"]),
        (b"#.a", [b"a", b".a", b"b.c.a"], [b"a.b"]),
        (b"#.#", [b"", b"a", b"a.b"], []),
        (b"#.*", [b"a", b"a.b"], [b""]),
        (b"*.#.*", [b"a.b", b"a.b.c"], [b"a"]),
        (b"a.#.b.#.c", [b"a.b.c", b"a.x.b.b.y.c"], [b"a.c.b", b"a.b"]),
        (b"a..b", [b"a..b"], [b"a.b", b"a.x.b"]),
        (b"a.*.b", [b"a..b", b"a.x.b"], [b"a.b"]),
        (b"a*", [b"a*"], [b"ab", b"a"]),
        (b"a.b", [b"a.b"], [b"A.b", b"a.*", b"a.#"]),
    ],
)
def test_patterns_match_as_they_do_in_rabbitmq(pattern, matching, others):
    x = exchange(Topic)
    bind(x, A, pattern)
    assert [key for key in matching if reached(x, key) != [A]] == []
    assert [key for key in others if reached(x, key) != []] == []


def test_a_star_or_a_hash_in_a_message_is_just_a_word():
    x = exchange(Topic)
    bind(x, A, b"a.*")
    bind(x, B, b"a.b")
    bind(x, C, b"#.c")
    assert reached(x, b"a.*") == [A]
    assert reached(x, b"#") == []
    assert reached(x, b"#.c") == [C]


def test_patterns_that_share_words_keep_their_own_queues():
    x = exchange(Topic)
    bind(x, A, b"logs.*.app")
    bind(x, B, b"logs.#")
    bind(x, C, b"logs.eu.*")
    assert reached(x, b"logs.eu.app") == [A, B, C]
    assert reached(x, b"logs.us.app") == [A, B]
    assert reached(x, b"logs") == [B]


def test_a_queue_bound_twice_with_a_pattern_stays_until_the_last_binding_goes():
    x = exchange(Topic)
    first = bind(x, A, b"a.#")
    second = bind(x, A, b"a.#", {"n": ("I", 1)})
    x.unbind(first)
    assert reached(x, b"a.b") == [A]
    x.unbind(second)
    assert reached(x, b"a.b") == []


def test_two_spellings_of_a_pattern_are_two_bindings():
    x = exchange(Topic)
    first = bind(x, A, b"#.#.a")
    bind(x, A, b"#.a")
    x.unbind(first)
    assert reached(x, b"b.a") == [A]


def test_delayed_delivery_patterns_of_28_words_take_the_level_that_the_key_says():
    levels = 28
    for level in (27, 14, 0):
        x = exchange(Topic)
        ahead = b".".join([b"*"] * (levels - 1 - level))
        bind(x, A, b".".join(filter(None, [ahead, b"1", b"#"])))
        bind(x, B, b".".join(filter(None, [ahead, b"0", b"#"])))
        digits = [b"0"] * levels
        digits[levels - 1 - level] = b"1"
        assert reached(x, b".".join([*digits, b"target.queue"])) == [A]


def test_work_is_bounded_by_places_times_words_whatever_the_number_of_hashes():
    """Backtracking would try about 2 ** 60 ways here; the test would not end."""
    x = exchange(Topic)
    bind(x, A, b".".join([b"#.a"] * 60))
    bind(x, B, b".".join([b"#.a.#.*"] * 30) + b".b")
    key = b".".join([b"a"] * 120)
    assert reached(x, key) == [A]
    assert reached(x, key + b".b") == [B]


def test_an_unmatched_key_does_not_disturb_the_next_walk():
    x = exchange(Topic)
    bind(x, A, b"#.a.#.b")
    bind(x, B, b"c.#")
    for _ in range(3):
        assert reached(x, b"a.x") == []
        assert reached(x, b"a.x.b") == [A]
        assert reached(x, b"d") == []
        assert reached(x, b"c.a.b") == [A, B]


# An empty word stands for itself; joined, it makes keys such as b"" and b"a..b".
PATTERNS = st.lists(st.sampled_from([b"a", b"b", b"", b"*", b"#"]), max_size=7).map(b".".join)
KEYS = st.lists(st.sampled_from([b"a", b"b", b"", b"*", b"#"]), max_size=7).map(b".".join)


def naive_match(pattern: bytes, key: bytes) -> bool:
    """The definition, word by word."""
    wanted = tuple(pattern.split(b".")) if pattern else ()
    given_words = tuple(key.split(b".")) if key else ()

    @cache
    def match(i: int, j: int) -> bool:
        if i == len(wanted):
            return j == len(given_words)
        if wanted[i] == b"#":
            return match(i + 1, j) or (j < len(given_words) and match(i, j + 1))
        return j < len(given_words) and wanted[i] in (b"*", given_words[j]) and match(i + 1, j + 1)

    return match(0, 0)


@given(st.lists(PATTERNS, max_size=12), st.lists(KEYS, min_size=1, max_size=6), st.data())
def test_the_trie_agrees_with_a_naive_matcher_and_keeps_nothing_of_what_was_removed(patterns, keys, data):
    x = Topic(b"x", False, False, False, {})
    bindings = [bind(x, NamedQueue(b"%d" % i), pattern) for i, pattern in enumerate(patterns)]
    gone = data.draw(st.sets(st.sampled_from(range(len(patterns)))) if patterns else st.just(set()))
    for i in gone:
        x.unbind(bindings[i])
    for key in keys:
        found: list[Destination] = []
        x.route(key, PLAIN, found)
        expected = [b"%d" % i for i, p in enumerate(patterns) if i not in gone and naive_match(p, key)]
        assert sorted(queue.name for queue in found) == sorted(expected)
    for i, binding in enumerate(bindings):
        if i not in gone:
            x.unbind(binding)
    assert x.root.is_empty()


def count(node: Node) -> int:
    """How many places hang under and at a node."""
    below = [*(node.children or {}).values(), *filter(None, [node.star, node.tail])]
    return 1 + sum(count(child) for child in below)


def test_removal_prunes_no_more_than_what_leads_nowhere():
    x = Topic(b"x", False, False, False, {})
    long = bind(x, A, b"a.b.c.#")
    bind(x, B, b"a.b")
    side = bind(x, C, b"a.*.c")
    assert count(x.root) == 7
    x.unbind(long)
    assert count(x.root) == 5
    x.unbind(side)
    assert count(x.root) == 3
    assert reached(x, b"a.b") == [B]
