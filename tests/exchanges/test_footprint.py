"""What a binding takes: a node may have a million."""

import gc
import tracemalloc

import pytest

from amq.vhost import topology
from tests.harness.dialogue import new_broker

COUNT = 2000
# Octets of a binding, its key and the places where it stands, of which a bytes object of the key is 42.
MOST = 700


@pytest.mark.parametrize("kind", [b"direct", b"topic", b"fanout"])
def test_a_binding_without_arguments_is_small(kind: bytes) -> None:
    vhost = new_broker().vhosts["/"]
    exchange = topology.create_exchange(vhost, b"x", topology.type_named(kind), False, False, False, {})
    queues = [topology.create_queue(vhost, b"%d" % number, False, None, False, {}) for number in range(COUNT // 10)]
    gc.collect()
    tracemalloc.start()
    for number in range(COUNT):
        topology.bind(vhost, exchange, queues[number % len(queues)], b"key.%d" % number, {})
    octets, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(exchange.bindings) == COUNT
    assert octets < COUNT * MOST
