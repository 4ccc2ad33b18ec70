"""How many of a queue's messages are persistent."""

import pytest

from amq.metrics.sizes import persistent_share
from amq.queues.base import Queue
from tests.harness.dialogue import Dialogue, enter


def filled(modes: list[int], durable: bool = True, **arguments: int) -> tuple[Dialogue, Queue]:
    """A client, and its queue with messages of these delivery modes."""
    client = enter(channels=[1])
    client.declare(1, "q", durable=durable, arguments=dict(arguments))
    for number, mode in enumerate(modes):
        client.publish(1, "q", b"%d" % number, delivery_mode=mode, priority=number % 3)
    return client, client.broker.vhosts["/"].queues[b"q"]


@pytest.mark.parametrize("arguments", [{}, {"x-max-priority": 2}])
def test_few_messages_are_counted(arguments: dict[str, int]) -> None:
    _, queue = filled([2, 1, 2, 1, 1], **arguments)
    assert persistent_share(queue) == 2 / 5


def test_what_consumers_hold_and_what_came_back_counts() -> None:
    client, queue = filled([2, 1, 1, 1])
    client.say(1, "basic.qos", prefetch_count=2)
    client.say(1, "basic.consume", queue="q", consumer_tag="c")
    assert (queue.ready_count(), queue.unacked) == (2, 2)
    assert persistent_share(queue) == 1 / 4
    client.say(1, "basic.cancel", consumer_tag="c")
    client.say(1, "basic.recover", requeue=True)
    assert (queue.ready_count(), queue.unacked) == (4, 0)
    assert persistent_share(queue) == 1 / 4


def test_very_many_are_taken_to_be_like_those_at_both_ends() -> None:
    _, queue = filled([1] * 50 + [2] * 50)
    assert persistent_share(queue) == 1 / 2


def test_a_queue_that_is_not_durable_keeps_nothing() -> None:
    _, queue = filled([2, 2], durable=False)
    assert persistent_share(queue) == 0
    _, empty = filled([])
    assert persistent_share(empty) == 1
