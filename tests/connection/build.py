"""A client with a consumer, for the tests of deliveries."""

from typing import Any

from tests.harness.dialogue import Dialogue, enter


def consuming(prefetch: int = 0, bodies: int = 0, **options: Any) -> Dialogue:
    """A client with queue `q`, consumer `c` on it, and so many messages `0`, `1`, ... published."""
    client = enter(channels=[1, 2])
    client.declare(1, "q")
    client.say(1, "basic.qos", prefetch_count=prefetch)
    client.hears(1, "basic.qos-ok")
    client.consume(1, "q", **options)
    for number in range(bodies):
        client.publish(1, "q", b"%d" % number)
    return client


def bodies(client: Dialogue) -> list[bytes]:
    """What is delivered to the client and was not heard yet."""
    return [heard.body for heard in client.hear_all() if heard.name == "basic.deliver"]


def ready(client: Dialogue, queue: bytes = b"q") -> int:
    """How many messages wait in a queue."""
    return client.broker.vhosts["/"].queues[queue].ready_count()
