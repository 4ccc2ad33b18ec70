from collections import Counter

from amq.destination import Destination
from amq.exchanges.random_choice import RandomChoice
from tests.exchanges.build import PLAIN, A, B, C, bind, exchange, reached


def test_each_message_goes_to_one_of_the_bound_queues_whatever_the_key():
    x = exchange(RandomChoice)
    for queue in (A, B, C):
        bind(x, queue, b"some.key")
    picked = [reached(x, b"other") for _ in range(3000)]
    assert {len(found) for found in picked} == {1}
    counts = Counter(found[0] for found in picked)
    assert all(900 < counts[queue] < 1100 for queue in (A, B, C))


def test_a_queue_bound_under_more_keys_is_picked_as_much_more_often():
    x = exchange(RandomChoice)
    for key in (b"1", b"2", b"3"):
        bind(x, A, key)
    bind(x, B)
    counts = Counter(reached(x)[0] for _ in range(4000))
    assert 900 < counts[B] < 1100


def test_more_keys_make_no_more_copies():
    x = exchange(RandomChoice)
    bind(x, A)
    bind(x, B)
    found: list[Destination] = []
    x.route_all([b"k", b"cc", b"bcc"], PLAIN, found)
    assert len(found) == 1


def test_nothing_is_picked_where_nothing_is_bound():
    x = exchange(RandomChoice)
    assert reached(x) == []
    x.unbind(bind(x, A))
    assert reached(x) == []


def test_an_unbound_queue_is_not_picked_and_the_others_still_are():
    x = RandomChoice(b"x", False, False, False, {})
    bindings = [bind(x, queue, key) for queue in (A, B, C) for key in (b"1", b"2")]
    for binding in (bindings[2], bindings[5], bindings[3]):
        x.unbind(binding)
    assert {reached(x)[0] for _ in range(200)} == {A, C}
    for binding in (bindings[0], bindings[4], bindings[1]):
        x.unbind(binding)
    assert (x.choices, x.places) == ([], {})
