"""What a message costs does not depend on how much else there is: the same instructions with few and with many.

Many connections, channels, queues, bindings, consumers, messages that wait or are not acknowledged: each case moves the
same messages beside FEW of them and beside thousands. Counted, not timed.
"""

import platform
from collections.abc import Callable

import pytest

from amq.broker import Broker
from tests.harness import dialogue
from tests.harness.counting import counted
from tests.harness.dialogue import Dialogue

FEW = 10
MANY = 10_000
# Parts by which a message may cost more beside many.
SLACK = 0.02
MESSAGES = 50
WARM = 5

# Makes a broker with so many of something; what it returns moves message number N all the way.
Case = Callable[[int], Callable[[int], None]]

pytestmark = pytest.mark.skipif(
    platform.python_implementation() != "CPython", reason="CPython alone tells what its interpreter does"
)


def instructions(case: Case, many: int) -> float:
    """What a message costs beside so many."""
    move = case(many)

    def all_of_them(first: int, count: int) -> None:
        for number in range(first, first + count):
            move(number)

    all_of_them(0, WARM)
    once = counted(lambda: all_of_them(WARM, MESSAGES))
    twice = counted(lambda: all_of_them(WARM + MESSAGES, 2 * MESSAGES))
    return (twice - once).opcodes / MESSAGES


def take(client: Dialogue) -> None:
    """Read what was sent without looking at it."""
    outbox = client.connection.outbox
    while outbox.take():
        client.connection.written(client.broker.clock.now)


def through(broker: Broker, queue: str = "q", **arguments: object) -> Callable[[int], None]:
    """Publish to a queue, whose only consumer acknowledges each delivery."""
    publisher, consumer = dialogue.enter(broker, channels=(1,)), dialogue.enter(broker, channels=(1,))
    publisher.declare(1, queue, arguments=arguments)
    consumer.consume(1, queue)
    frames = dialogue.publish(1, queue, b"x")

    def move(number: int) -> None:
        publisher.send(frames)
        take(consumer)
        consumer.say(1, "basic.ack", delivery_tag=number + 1)

    return move


def connections(many: int) -> Callable[[int], None]:
    broker = dialogue.new_broker()
    for _ in range(many):
        dialogue.enter(broker, channels=(1,))
    return through(broker)


def channels(many: int) -> Callable[[int], None]:
    """As many as a connection may have, on both of them."""
    broker = dialogue.new_broker()
    publisher, consumer = dialogue.enter(broker), dialogue.enter(broker)
    for number in range(1, min(many, 2047) + 1):
        publisher.open(number)
        consumer.open(number)
    publisher.declare(1, "q")
    consumer.consume(1, "q")
    frames = dialogue.publish(1, "q", b"x")

    def move(number: int) -> None:
        publisher.send(frames)
        take(consumer)
        consumer.say(1, "basic.ack", delivery_tag=number + 1)

    return move


def queues(many: int) -> Callable[[int], None]:
    broker = dialogue.new_broker()
    client = dialogue.enter(broker, channels=(1,))
    for number in range(many):
        client.declare(1, f"other.{number}")
    return through(broker)


def consumers(many: int) -> Callable[[int], None]:
    """All on one queue, which serves them in turn."""
    broker = dialogue.new_broker()
    publisher, consumer = dialogue.enter(broker, channels=(1,)), dialogue.enter(broker, channels=(1,))
    publisher.declare(1, "q")
    for number in range(many):
        consumer.consume(1, "q", f"c{number}", no_ack=True)
    frames = dialogue.publish(1, "q", b"x")

    def move(_: int) -> None:
        publisher.send(frames)
        take(consumer)

    # Its first delivery costs a consumer more than the others.
    for number in range(many):
        move(number)
    return move


def backlog_of(**arguments: object) -> Case:
    """A queue with messages that wait, and a consumer that takes one at a time."""

    def case(many: int) -> Callable[[int], None]:
        broker = dialogue.new_broker()
        publisher, consumer = dialogue.enter(broker, channels=(1,)), dialogue.enter(broker, channels=(1,))
        publisher.declare(1, "q", arguments=arguments)
        frames = dialogue.publish(1, "q", b"x")
        publisher.send(frames * many)
        consumer.say(1, "basic.qos", prefetch_count=1)
        consumer.hears(1, "basic.qos-ok")
        consumer.say(1, "basic.consume", queue="q")

        def move(number: int) -> None:
            publisher.send(frames)
            take(consumer)
            consumer.say(1, "basic.ack", delivery_tag=number + 1)

        return move

    return case


def unacknowledged(many: int) -> Callable[[int], None]:
    """What was delivered before is never acknowledged."""
    broker = dialogue.new_broker()
    publisher, consumer = dialogue.enter(broker, channels=(1,)), dialogue.enter(broker, channels=(1,))
    publisher.declare(1, "q")
    consumer.say(1, "basic.consume", queue="q")
    frames = dialogue.publish(1, "q", b"x")
    publisher.send(frames * many)
    take(consumer)

    def move(number: int) -> None:
        publisher.send(frames)
        take(consumer)
        consumer.say(1, "basic.ack", delivery_tag=many + number + 1)

    return move


def bindings_of(kind: str, pattern: str, key: str) -> Case:
    """An exchange with bindings to one queue each; every message finds one of them, by a key that is new."""

    def case(many: int) -> Callable[[int], None]:
        broker = dialogue.new_broker()
        publisher = dialogue.enter(broker, channels=(1,))
        publisher.say(1, "exchange.declare", exchange="x", type=kind)
        publisher.hears(1, "exchange.declare-ok")
        publisher.declare(1, "q")
        # Few are as many as there are messages.
        for number in range(max(many, WARM + 3 * MESSAGES)):
            publisher.say(1, "queue.bind", queue="q", exchange="x", routing_key=pattern % number)
            publisher.hears(1, "queue.bind-ok")

        def move(number: int) -> None:
            publisher.send(dialogue.publish(1, key % number, b"x", "x"))

        return move

    return case


def cached(many: int) -> Callable[[int], None]:
    """The same key again and again, which a topic exchange with so many bindings has routed before."""
    broker = dialogue.new_broker()
    publisher = dialogue.enter(broker, channels=(1,))
    publisher.declare(1, "q")
    for number in range(many):
        publisher.say(1, "queue.bind", queue="q", exchange="amq.topic", routing_key=f"#.{number}.*")
        publisher.hears(1, "queue.bind-ok")
    frames = dialogue.publish(1, "a.b.7.c", b"x", "amq.topic")
    return lambda _: publisher.send(frames)


CASES: dict[str, Case] = {
    "connections": connections,
    "channels": channels,
    "queues": queues,
    "consumers": consumers,
    "messages that wait": backlog_of(),
    "messages that wait and expire": backlog_of(**{"x-message-ttl": 60_000}),
    "messages that wait in a queue with a limit": backlog_of(**{"x-max-length": 100_000}),
    "messages that wait in a priority queue": backlog_of(**{"x-max-priority": 5}),
    "deliveries that are not acknowledged": unacknowledged,
    "bindings of a direct exchange": bindings_of("direct", "key.%d", "key.%d"),
    "bindings of a topic exchange": bindings_of("topic", "key.%d.*", "key.%d.x"),
    "bindings of a topic exchange, key known": cached,
}


@pytest.mark.parametrize("name", CASES)
def test_a_message_costs_as_much_beside_many_as_beside_few(name: str) -> None:
    few = instructions(CASES[name], FEW)
    many = instructions(CASES[name], MANY)
    assert few > 0
    assert many <= few * (1 + SLACK), (
        f"beside {MANY} {name}: {many:.1f} instructions per message, beside {FEW} {few:.1f}"
    )


def test_a_copy_for_one_more_queue_costs_no_more_than_the_one_before() -> None:
    def fanout(many: int) -> Callable[[int], None]:
        broker = dialogue.new_broker()
        publisher = dialogue.enter(broker, channels=(1,))
        for number in range(many):
            publisher.declare(1, f"q{number}")
            publisher.say(1, "queue.bind", queue=f"q{number}", exchange="amq.fanout")
            publisher.hears(1, "queue.bind-ok")
        frames = dialogue.publish(1, "", b"x", "amq.fanout")
        return lambda _: publisher.send(frames)

    few = instructions(fanout, FEW) / FEW
    many = instructions(fanout, 30 * FEW) / (30 * FEW)
    assert many <= few * (1 + SLACK)


def test_what_depends_on_how_much_there_is_is_noticed() -> None:
    def dearer(many: int) -> Callable[[int], None]:
        broker = dialogue.new_broker()
        client = dialogue.enter(broker, channels=(1,))
        frames = dialogue.publish(1, "", b"x") * (many // FEW)
        return lambda _: client.send(frames)

    assert instructions(dearer, 2 * FEW) > instructions(dearer, FEW) * (1 + SLACK)
