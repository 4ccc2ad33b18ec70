"""What an idle connection takes in the core: very many may be open."""

import gc
import tracemalloc

from tests.harness.dialogue import enter, new_broker

COUNT = 200
# Octets of a connection with one open channel, its socket and its transport aside.
MOST = 4000


def test_an_idle_connection_is_small() -> None:
    broker = new_broker()
    before = [enter(broker, channels=[1]) for _ in range(10)]
    gc.collect()
    tracemalloc.start()
    # Only what the broker holds is to stay, not what the test's client remembers.
    clients = [enter(broker, channels=[1]).connection for _ in range(COUNT)]
    broker.log.clear()
    broker.writable.clear()
    gc.collect()
    octets, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(broker.clients) == len(before) + len(clients)
    assert octets < COUNT * MOST
