"""A consumer that is gone takes part in nothing more, whatever is still settled on its behalf."""

import pytest

from amq.connection.outbox import HIGH_WATER
from tests.harness.dialogue import Dialogue, enter


def client_with_a_full_consumer(**arguments: object) -> Dialogue:
    """One message is out with consumer `c` (prefetch 1), a second waits in queue `q`."""
    client = enter(channels=[1])
    client.declare(1, "q", arguments=arguments)
    client.say(1, "basic.qos", prefetch_count=1)
    client.hears(1, "basic.qos-ok")
    client.consume(1, "q")
    client.publish(1, "q", b"first")
    client.publish(1, "q", b"second")
    client.hears_delivery(1, b"first", delivery_tag=1)
    return client


@pytest.mark.parametrize("settling", ["basic.ack", "basic.nack", "basic.reject"])
def test_a_cancelled_consumer_gets_nothing_for_what_is_settled_after_it(settling: str) -> None:
    client = client_with_a_full_consumer()
    client.say(1, "basic.cancel", consumer_tag="c")
    client.hears(1, "basic.cancel-ok")
    client.say(1, settling, delivery_tag=1)
    client.hears_nothing()
    assert client.get(1, "q") == b"second"


def test_the_last_consumer_of_a_single_active_queue_is_gone_when_it_is_cancelled() -> None:
    client = client_with_a_full_consumer(**{"x-single-active-consumer": True})
    client.say(1, "basic.cancel", consumer_tag="c")
    client.hears(1, "basic.cancel-ok")
    client.say(1, "basic.ack", delivery_tag=1)
    client.hears_nothing()


def test_a_consumer_that_takes_over_a_tag_has_no_double() -> None:
    client = enter(channels=[1])
    client.declare(1, "q")
    client.consume(1, "q", no_ack=True)
    for _ in range(4):
        client.publish(1, "q", bytes(HIGH_WATER // 3))
    assert client.connection.outbox.full()
    # The consumer waits until the outbox was sent, and is gone by then.
    client.say(1, "basic.cancel", consumer_tag="c")
    client.say(1, "basic.qos", prefetch_count=1)
    client.say(1, "basic.consume", queue="q", consumer_tag="c")
    for number in range(3):
        client.publish(1, "q", bytes([number]))
    delivered = [heard for heard in client.hear_all() if heard.name == "basic.deliver"]
    assert len(delivered) == 4
    client.say(1, "basic.ack", delivery_tag=4)
    client.hears_delivery(1, b"\0", delivery_tag=5)
    client.hears_nothing()


def test_a_deleted_queue_gives_its_consumer_nothing_for_what_is_settled_after_it() -> None:
    client = client_with_a_full_consumer()
    client.say(1, "queue.delete", queue="q")
    assert {heard.name for heard in client.hear_all()} == {"queue.delete-ok", "basic.cancel"}
    client.declare(1, "q")
    client.publish(1, "q", b"later")
    client.say(1, "basic.ack", delivery_tag=1)
    client.hears_nothing()
