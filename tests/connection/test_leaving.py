"""A connection with very many exclusive queues goes: in slices, and nobody notices but for the queues."""

from amq.connection.leaving import QUEUES
from tests.harness.dialogue import Dialogue, enter, new_broker

COUNT = 3 * QUEUES + 1


def owner(observer: Dialogue) -> Dialogue:
    """A client with COUNT exclusive queues, of which each is bound to the exchange `x`."""
    client = enter(observer.broker, channels=[1])
    client.say(1, "exchange.declare", exchange="x", type="fanout", auto_delete=True)
    client.hears(1, "exchange.declare-ok")
    for number in range(COUNT):
        client.declare(1, f"own-{number}", exclusive=True)
        client.say(1, "queue.bind", queue=f"own-{number}", exchange="x", routing_key="")
        client.hears(1, "queue.bind-ok")
    return client


def test_exclusive_queues_are_deleted_in_slices_when_their_connection_goes() -> None:
    observer = enter(new_broker(), channels=[1])
    client = owner(observer)
    client.connection.lost(observer.broker.clock.now)
    deleted = observer.broker.churn.queues_deleted
    assert deleted == QUEUES
    observer.wait(0.001)
    while observer.broker.churn.queues_deleted < COUNT:
        assert observer.broker.churn.queues_deleted == deleted + QUEUES
        deleted += QUEUES
        observer.wait(0.001)
    vhost = observer.broker.vhosts["/"]
    assert not vhost.incoming
    assert b"x" not in vhost.exchanges


def test_the_names_of_exclusive_queues_are_free_at_once() -> None:
    observer = enter(new_broker(), channels=[1])
    client = owner(observer)
    client.connection.lost(observer.broker.clock.now)
    for number in (0, COUNT - 1):
        observer.declare(1, f"own-{number}")
    observer.publish(1, "own-0", b"for the new one")
    observer.broker.chores.finish()
    assert observer.broker.churn.queues_deleted == COUNT
    assert observer.get(1, "own-0") == b"for the new one"
    assert set(observer.broker.vhosts["/"].queues) == {b"own-0", b"own-%d" % (COUNT - 1)}
