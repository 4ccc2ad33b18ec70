from amq.exchanges.direct import Direct
from tests.exchanges.build import A, B, bind, exchange, reached


def test_the_key_of_message_and_binding_are_equal():
    x = exchange(Direct)
    bind(x, A, b"k")
    bind(x, B, b"k")
    bind(x, B, b"K")
    assert reached(x, b"k") == [A, B]
    assert reached(x, b"K") == [B]
    assert reached(x, b"") == []


def test_a_queue_bound_twice_under_a_key_stays_until_the_last_binding_goes():
    x = exchange(Direct)
    first = bind(x, A, b"k")
    second = bind(x, A, b"k", {"n": ("I", 1)})
    x.unbind(first)
    assert reached(x, b"k") == [A]
    x.unbind(second)
    assert reached(x, b"k") == []


def test_unbinding_leaves_nothing_behind():
    x = Direct(b"x", False, False, False, {})
    for binding in [bind(x, A, b"k"), bind(x, B, b"k"), bind(x, A, b"l")]:
        x.unbind(binding)
    assert (x.bindings, x.by_routing_key) == ({}, {})
