import subprocess
import sys
from collections import Counter

import pytest

from amq.destination import Destination
from amq.errors import ChannelFault
from amq.exchanges.base import Exchange
from amq.exchanges.buckets import Buckets
from amq.exchanges.consistent_hash import ConsistentHash
from tests.exchanges.build import PLAIN, A, B, C, D, bind, exchange, message, reached

KEYS = [b"customer-%d" % i for i in range(4000)]


def shares(x: Exchange) -> dict[bytes, Destination]:
    """Who gets each of the keys."""
    return {key: reached(x, key)[0] for key in KEYS}


def test_each_message_reaches_exactly_one_queue_and_equal_keys_the_same_one():
    x = exchange(ConsistentHash)
    for queue in (A, B, C):
        bind(x, queue, b"1")
    assert all(len(reached(x, key)) == 1 for key in KEYS)
    assert shares(x) == shares(x)


def test_without_bindings_nothing_is_reached():
    x = exchange(ConsistentHash)
    assert reached(x, b"k") == []
    x.unbind(bind(x, A, b"3"))
    assert reached(x, b"k") == []


def test_shares_are_in_proportion_to_the_weights():
    x = exchange(ConsistentHash)
    for queue, weight in ((A, 1), (B, 2), (C, 3), (D, 4)):
        bind(x, queue, b"%d" % weight)
    counts = Counter(shares(x).values())
    # Keys and hash are fixed, so this is no matter of luck; 16.3 is the 0.1 % quantile of chi-square for 3 degrees.
    expected = {queue: len(KEYS) * weight / 10 for queue, weight in ((A, 1), (B, 2), (C, 3), (D, 4))}
    assert sum((counts[queue] - n) ** 2 / n for queue, n in expected.items()) < 16.3


def test_a_new_queue_takes_its_share_and_moves_nothing_else():
    x = exchange(ConsistentHash)
    for queue in (A, B, C):
        bind(x, queue, b"5")
    before = shares(x)
    bind(x, D, b"5")
    after = shares(x)
    moved = [key for key in KEYS if before[key] is not after[key]]
    assert {after[key] for key in moved} == {D}
    assert 0.2 < len(moved) / len(KEYS) < 0.3


def test_a_queue_that_leaves_hands_on_its_share_and_moves_nothing_else():
    x = exchange(ConsistentHash)
    bindings = [bind(x, queue, b"%d" % weight) for queue, weight in ((A, 2), (B, 3), (C, 5), (D, 1))]
    for binding in (bindings[1], bindings[3], bindings[0]):
        before = shares(x)
        x.unbind(binding)
        after = shares(x)
        assert {before[key] for key in KEYS if before[key] is not after[key]} == {binding.destination}
    assert set(shares(x).values()) == {C}


def test_a_queue_that_comes_back_at_once_gets_its_keys_back():
    x = exchange(ConsistentHash)
    bindings = [bind(x, queue, b"4") for queue in (A, B, C)]
    before = shares(x)
    x.unbind(bindings[1])
    x.bind(bindings[1])
    assert shares(x) == before


def test_of_several_bindings_of_a_queue_the_oldest_counts():
    x = ConsistentHash(b"x", False, False, False, {})
    first, second = bind(x, A, b"1"), bind(x, A, b"9")
    bind(x, B, b"1")
    assert 0.45 < Counter(shares(x).values())[A] / len(KEYS) < 0.55
    x.unbind(first)
    assert 0.85 < Counter(shares(x).values())[A] / len(KEYS) < 0.95
    x.unbind(second)
    assert set(shares(x).values()) == {B}


def test_unbinding_everything_leaves_nothing_behind():
    x = ConsistentHash(b"x", False, False, False, {})
    bindings = [bind(x, queue, key) for queue in (A, B, C) for key in (b"3", b"+4")]
    for binding in bindings[1::2] + bindings[::2]:
        x.unbind(binding)
    assert (x.owners, x.owned, x.claims) == ({}, {}, {})
    assert (x.buckets.size, x.buckets.lost, x.buckets.left) == (0, [], {})


def test_keys_of_cc_are_not_hashed():
    x = exchange(ConsistentHash)
    for queue in (A, B, C):
        bind(x, queue, b"1")
    for key in KEYS[:50]:
        found: list[Destination] = []
        x.route_all([key, b"cc1", b"cc2"], PLAIN, found)
        assert found == reached(x, key)


def test_a_header_can_be_hashed_instead_of_the_key():
    x = exchange(ConsistentHash, hash_header=("S", b"customer"))
    for queue in (A, B, C):
        bind(x, queue, b"1")
    sent = [message({"customer": ("S", key)}) for key in KEYS[:300]]
    counts = Counter(reached(x, b"same", m)[0] for m in sent)
    assert min(counts[queue] for queue in (A, B, C)) > 60
    assert len({reached(x, key, sent[0])[0] for key in KEYS[:50]}) == 1
    without = {reached(x, key, m)[0] for key in KEYS[:50] for m in (PLAIN, message({"other": ("I", 1)}))}
    assert len(without) == 1


@pytest.mark.parametrize("field", [("t", True), ("I", 5), ("F", {"a": ("I", 1)}), ("A", []), ("V", None)])
def test_a_header_of_any_type_finds_a_queue(field):
    x = exchange(ConsistentHash, hash_header=("S", b"h"))
    bind(x, A, b"1")
    bind(x, B, b"1")
    assert len(reached(x, b"", message({"h": field}))) == 1


@pytest.mark.parametrize("name", [b"message_id", b"correlation_id", b"timestamp"])
def test_a_property_can_be_hashed_instead_of_the_key(name):
    x = exchange(ConsistentHash, hash_property=("S", name))
    for queue in (A, B, C):
        bind(x, queue, b"1")
    sent = [message(message_id=b"%d" % i, timestamp=i) for i in range(300)]
    counts = Counter(reached(x, b"same", m)[0] for m in sent)
    assert min(counts[queue] for queue in (A, B, C)) > 60
    assert len({reached(x, key, m)[0] for key in KEYS[:50] for m in (PLAIN, message())}) == 1


def test_routes_do_not_depend_on_the_interpreters_hash_seed():
    program = (
        "from tests.exchanges.build import *\n"
        "from amq.exchanges.consistent_hash import ConsistentHash\n"
        "x = exchange(ConsistentHash)\n"
        "for queue in (A, B, C): bind(x, queue, b'2')\n"
        "print([reached(x, b'%d' % i)[0].name for i in range(100)])\n"
    )
    outputs = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONPATH": ":".join(sys.path), "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            timeout=30,
        ).stdout
        for seed in ("1", "2")
    ]
    assert outputs[0] == outputs[1] != b""


@pytest.mark.parametrize("key", [b"1", b"+5", b"007", b"10000"])
def test_a_binding_key_is_a_positive_integer(key):
    x = exchange(ConsistentHash)
    bind(x, A, key)
    assert reached(x, b"k") == [A]


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (b"foo", 'The binding key must be an integer: <<"foo">>'),
        (b"", "The binding key must be an integer: <<>>"),
        (b" 5", 'The binding key must be an integer: <<" 5">>'),
        (b"5\n", 'The binding key must be an integer: <<"5\\n">>'),
        (b"1_0", 'The binding key must be an integer: <<"1_0">>'),
        (b"1.0", 'The binding key must be an integer: <<"1.0">>'),
        (b"+-1", 'The binding key must be an integer: <<"+-1">>'),
        ("\u0665".encode(), 'The binding key must be an integer: <<"\u0665">>'),
        (b"0", "The binding key must be greater than 0"),
        (b"-0", "The binding key must be greater than 0"),
        (b"-1", "The binding key must be greater than 0"),
        (b"10001", "The binding key must not exceed 10000"),
        (b"9" * 255, "The binding key must not exceed 10000"),
    ],
)
def test_a_binding_key_that_is_no_weight_is_refused_in_rabbitmqs_words(key, said):
    x = exchange(ConsistentHash)
    with pytest.raises(ChannelFault) as fault:
        bind(x, A, key)
    assert (fault.value.code, fault.value.text) == (406, said)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            {"hash_header": ("S", b"h"), "hash_property": ("S", b"message_id")},
            "hash-header and hash-property are mutually exclusive",
        ),
        ({"hash_property": ("S", b"foo")}, "Unsupported property: foo"),
        ({"hash_property": ("S", b"")}, "Unsupported property: "),
        ({"hash_property": ("I", 5)}, "Invalid hash-property field type signedint (value 5); expected longstr"),
        ({"hash_header": ("t", True)}, "Invalid hash-header field type bool (value true); expected longstr"),
    ],
)
def test_arguments_that_cannot_be_hashed_on_are_refused(arguments, said):
    with pytest.raises(ChannelFault) as fault:
        exchange(ConsistentHash, **arguments)
    assert (fault.value.code, fault.value.text) == (406, said)


def test_buckets_lost_in_any_order_never_move_a_key_of_another():
    buckets = Buckets()
    live = {buckets.add() for _ in range(12)}
    keys = range(1, 1 << 60, 1 << 51)
    for step in range(200):
        before = {key: buckets.find(key) for key in keys}
        assert set(before.values()) <= live
        lost = step * 7919 % 12
        if lost in live and len(live) > 1:
            buckets.remove(lost)
            live.remove(lost)
            assert all(buckets.find(key) == was for key, was in before.items() if was != lost)
        else:
            new = buckets.add()
            live.add(new)
            assert all(buckets.find(key) in (was, new) for key, was in before.items())
        assert len(buckets) == len(live)
