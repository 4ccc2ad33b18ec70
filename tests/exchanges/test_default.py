from amq.exchanges.default import Default
from amq.queues.base import Queue
from tests.exchanges.build import A, B, reached


def test_the_routing_key_names_the_queue():
    assert reached(Default({b"a": A, b"b": B}), b"a") == [A]


def test_a_queue_declared_later_is_found_since_the_dict_is_shared():
    queues: dict[bytes, Queue] = {}
    default = Default(queues)
    assert reached(default, b"a") == []
    queues[b"a"] = A
    assert reached(default, b"a") == [A]


def test_it_has_no_name_and_says_it_is_direct():
    default = Default({})
    assert (default.name, default.type_name, default.durable) == (b"", "direct", True)
