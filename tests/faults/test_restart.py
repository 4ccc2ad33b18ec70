"""What a queue looks like after a stop in good order, and after a kill: flags, places, clocks, what is not kept."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.checker import check
from tests.faults.history import History
from tests.faults.quiet import client, declare, drained, eventually, fill, restarted, taken
from tests.faults.target import NAMED, Target, started
from tests.faults.test_kill import NARROW, target_in


@pytest.fixture
def history() -> History:
    return History()


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Target]:
    with started(target_in(tmp_path)) as target:
        yield target
        target.stop()
    assert "Traceback" not in target.output(), target.output()[-4000:]


def test_only_what_had_been_delivered_is_redelivered_after_a_stop_in_good_order(
    target: Target, history: History
) -> None:
    with client(target, history) as session:
        declare(session, "q")
        fill(session, "q", 4)
        session.get("q")
        session.get("q")
    restarted(target, history, kill=False)
    with client(target, history) as session:
        assert taken(session, "q") == [(1, True), (2, True), (3, False), (4, False)]


@pytest.mark.parametrize("kill", [False, True])
def test_delivered_messages_come_back_in_their_places(target: Target, history: History, kill: bool) -> None:
    with client(target, history) as session:
        declare(session, "q")
        fill(session, "q", 5)
        deliveries = [session.get("q") for _ in range(3)]
        assert deliveries[1] is not None
        session.settle(deliveries[1])
        # The acknowledgement is on disk when something later is.
        fill(session, "q", 1)
        restarted(target, history, session, kill=kill)
    with client(target, history) as session:
        found = taken(session, "q")
    assert [counter for counter, _ in found] == [1, 3, 4, 5, 6]
    assert [redelivered for _, redelivered in found][:2] == [True, True]


@pytest.mark.parametrize("kill", [False, True])
def test_what_was_taken_stays_away_although_more_came_after_it(target: Target, history: History, kill: bool) -> None:
    with client(target, history) as session:
        declare(session, "q")
        declare(session, "other")
        fill(session, "q", 3)
        assert [counter for counter, _ in taken(session, "q")] == [1, 2, 3]
        # What was taken is on disk when this is confirmed.
        fill(session, "other", 1)
        fill(session, "q", 1)
        restarted(target, history, session, kill=kill)
    with client(target, history) as session:
        assert session.count("q") == (1, 0)
        assert [counter for counter, _ in taken(session, "q")] == [5]


def test_the_first_get_after_a_start_finds_what_is_there(target: Target, history: History) -> None:
    with client(target, history) as session:
        declare(session, "q")
        fill(session, "q", 3000)
    restarted(target, history, kill=False)
    with client(target, history) as session:
        assert [counter for counter, _ in taken(session, "q")] == list(range(1, 3001))


@pytest.mark.parametrize("kill", [False, True])
def test_transient_messages_are_gone_and_so_are_transient_queues(target: Target, history: History, kill: bool) -> None:
    with client(target, history) as session:
        declare(session, "q")
        session.client.call(1, "queue.declare", queue="transient")
        fill(session, "q", 2, persistent=False)
        fill(session, "q", 1)
        fill(session, "transient", 1)
        restarted(target, history, session, kill=kill)
    with client(target, history) as session:
        assert [counter for counter, _ in taken(session, "q")] == [3]
        assert session.count("transient") is None


@pytest.mark.parametrize("kill", [False, True])
def test_the_clock_of_a_message_goes_on_while_the_broker_is_down(target: Target, history: History, kill: bool) -> None:
    to_dead = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead", "x-message-ttl": 100}
    with client(target, history) as session:
        declare(session, "dead")
        declare(session, "kept", {"x-message-ttl": 3_600_000})
        declare(session, "q", to_dead)
        fill(session, "q", 1)
        fill(session, "kept", 1)
        restarted(target, history, session, kill=kill)
    # No broker starts in less than 0.1 s: it must find the message expired.
    with client(target, history) as session:
        assert session.get("q") is None
        assert [counter for counter, _ in taken(session, "dead")] == [1]
        assert [counter for counter, _ in taken(session, "kept")] == [2]


@pytest.mark.parametrize("kill", [False, True])
def test_a_purge_and_a_deletion_are_for_good(target: Target, history: History, kill: bool) -> None:
    with client(target, history) as session:
        declare(session, "purged")
        declare(session, "deleted")
        declare(session, "again")
        for queue in ("purged", "deleted", "again"):
            fill(session, queue, 2)
        session.client.call(1, "queue.bind", queue="again", exchange="amq.direct", routing_key="k")
        assert session.purge("purged") == 2
        session.delete("deleted")
        session.delete("again")
        declare(session, "again")
        fill(session, "again", 1)
        restarted(target, history, session, kill=kill)
    with client(target, history) as session:
        assert taken(session, "purged") == []
        assert session.count("deleted") is None
        assert [counter for counter, _ in taken(session, "again")] == [7]
        session.confirm()
        lost = session.publish([], exchange="amq.direct", routing_key="k", mandatory=True)
        session.wait_for_confirms()
        assert lost in session.returned


@pytest.mark.parametrize("kill", [False, True])
def test_what_was_declared_is_there(target: Target, history: History, kill: bool) -> None:
    with client(target, history) as session:
        for number in range(20):
            declare(session, f"q{number}")
        session.client.call(1, "exchange.declare", exchange="x", type="topic", durable=True)
        session.client.call(1, "exchange.declare", exchange="y", type="fanout", durable=True)
        session.client.call(1, "exchange.bind", destination="y", source="x", routing_key="a.#")
        session.client.call(1, "queue.bind", queue="q7", exchange="y")
        restarted(target, history, session, kill=kill)
    with client(target, history) as session:
        assert [session.count(f"q{number}") for number in range(20)] == [(0, 0)] * 20
        session.confirm()
        message = session.publish(["q7"], exchange="x", routing_key="a.b", mandatory=True)
        session.wait_for_confirms()
        assert message not in session.returned
        assert session.count("q7") == (1, 0)


def test_an_acknowledgement_is_on_disk_a_moment_later_without_any_company(target: Target, history: History) -> None:
    with client(target, history) as session:
        declare(session, "q")
        fill(session, "q", 3)
        assert len(taken(session, "q")) == 3
        # 0.1 s is what is promised.
        time.sleep(1.5)
        restarted(target, history, kill=True)
    with client(target, history) as session:
        assert session.count("q") == (0, 0)


@pytest.mark.parametrize("kill", [False, True])
def test_messages_larger_than_the_files_of_the_journal(tmp_path: Path, history: History, kill: bool) -> None:
    with started(target_in(tmp_path, NARROW)) as target:
        with client(target, history) as session:
            declare(session, "q")
            fill(session, "q", 2, size=6_000_000)
            fill(session, "q", 1)
            session.client.call(1, "channel.close", reply_code=200)
            session.client.call(1, "channel.open")
            session.unconfirmed.clear()
            session.select_transactions()
            for _ in range(3):
                session.publish(["q"], size=5_000_000, tx="large")
            session.commit("large")
            restarted(target, history, session, kill=kill)
        drained(target, history, "q")
        verdict = check(history)
        assert verdict.good, verdict
        assert verdict.counts["delivered"] == 6
        target.stop()


@pytest.mark.parametrize("kill", [False, True])
def test_delayed_messages_come_when_their_time_has_come(target: Target, history: History, kill: bool) -> None:
    if NAMED != "amq":
        pytest.skip("a plugin of RabbitMQ")
    with client(target, history) as session:
        declare(session, "q")
        kind, arguments = "x-delayed-message", {"x-delayed-type": "fanout"}
        session.client.call(1, "exchange.declare", exchange="x", type=kind, durable=True, arguments=arguments)
        session.client.call(1, "queue.bind", queue="q", exchange="x")
        session.confirm()
        for delay in (400, 100):
            session.publish(["q"], exchange="x", delay=delay)
        session.publish(["q"], exchange="x", delay=3_600_000)
        session.wait_for_confirms()
        restarted(target, history, session, kill=kill)
    with client(target, history) as session:
        eventually(lambda: session.count("q") == (2, 0), "what was delayed does not come")
        assert [counter for counter, _ in taken(session, "q")] == [2, 1]


@pytest.mark.parametrize("kill", [False, True])
def test_limits_hold_for_what_was_there_before(target: Target, history: History, kill: bool) -> None:
    with client(target, history) as session:
        declare(session, "refusing", {"x-max-length": 2, "x-overflow": "reject-publish"})
        declare(session, "dropping", {"x-max-length": 2})
        for queue in ("refusing", "dropping"):
            fill(session, queue, 3)
        restarted(target, history, session, kill=kill)
    with client(target, history) as session:
        for queue in ("refusing", "dropping"):
            fill(session, queue, 1)
        assert [counter for counter, _ in taken(session, "refusing")] == [1, 2]
        # The third of the first session, and the second of this one: both sessions count from 1.
        assert [counter for counter, _ in taken(session, "dropping")] == [6, 2]
