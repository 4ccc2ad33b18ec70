from amq.destination import Destination
from amq.exchanges.fanout import Fanout
from tests.exchanges.build import PLAIN, A, B, bind, exchange, reached


def test_everything_bound_gets_everything_whatever_the_keys():
    x = exchange(Fanout)
    bind(x, A, b"one")
    bind(x, B, b"two")
    assert reached(x, b"three") == [A, B]


def test_more_keys_make_no_more_copies():
    x = exchange(Fanout)
    bind(x, A)
    found: list[Destination] = []
    x.route_all([b"k", b"cc", b"bcc"], PLAIN, found)
    assert found == [A]


def test_a_queue_bound_under_two_keys_stays_until_both_are_gone():
    x = exchange(Fanout)
    first, second = bind(x, A, b"1"), bind(x, A, b"2")
    x.unbind(second)
    assert reached(x) == [A]
    x.unbind(first)
    assert reached(x) == []
