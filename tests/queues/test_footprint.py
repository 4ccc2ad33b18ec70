"""What a queue takes that has never held a message and has no consumers: very many may."""

import gc

from amq.queues.consumers import NOBODY
from amq.queues.stored import UNUSED
from tests.harness.machine import memory_tracer
from tests.queues.build import Taker, agenda, message, queue

COUNT = 1000
# Of octets; it was 2,900 when each had a backlog and books of consumers from the start.
MOST = 700


def test_a_queue_that_was_never_used_is_small() -> None:
    there = agenda()
    queue(None, there)
    gc.collect()
    tracemalloc = memory_tracer()
    tracemalloc.start()
    queues = [queue(None, there) for _ in range(COUNT)]
    octets, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(queues) * MOST > octets


def test_what_unused_queues_share_stays_empty() -> None:
    there = agenda()
    one, other = queue(None, there), queue({"x-max-length": ("I", 1)}, there)
    for each in (one, other):
        taker = Taker(credit=1)
        each.add_consumer(taker)
        for name in (b"1", b"2", b"3"):
            assert each.enqueue(message(name))
        each.dispatch()
        assert taker.bodies() == [b"1"]
        each.requeue([(0, message(b"1"))])
        each.purge()
    assert queue(None, there).ready_count() == queue(None, there).consumer_count() == 0
    assert not (UNUSED.ready or UNUSED.cold or UNUSED.returned or UNUSED.back or UNUSED.head)
    assert not (NOBODY.all or NOBODY.rings)
