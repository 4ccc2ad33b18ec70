"""P7: a disk of 64 MiB that fills up. Publishers wait, consumers go on, room comes back, and nothing is lost.

Needs to mount a tmpfs, which only root may.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.checker import check
from tests.faults.history import History
from tests.faults.quiet import client, declare, drained, eventually, restarted
from tests.faults.session import Session
from tests.faults.small_disk import NoMount, small_disk
from tests.faults.target import Target, amq, started
from tests.faults.verdict import Rules

SIZE = 64
BODY = 50_000
FAILED = 70
# More than fits, so that the loop ends where a broker does not notice.
MOST = SIZE * (1 << 20) // BODY * 2
# Either the limit is reached while there is room, or there is none left at all.
LIMITS = ("20MB", "1KB")


@pytest.fixture
def history() -> History:
    return History()


@pytest.fixture(params=LIMITS)
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Target]:
    """A broker whose data are on the small disk; the parameter is what the configuration says of its limit."""
    config = tmp_path / "rabbitmq.conf"
    config.write_text(f"disk_free_limit.absolute = {request.param}\n")
    with ExitStack() as stack:
        try:
            stack.enter_context(small_disk(tmp_path / "data", SIZE))
        except NoMount as reason:
            pytest.skip(str(reason))
        target = stack.enter_context(started(amq(tmp_path, "--config", str(config))))
        yield target
    assert "Traceback" not in target.output(), target.output()[-4000:]


def publish_until_blocked(session: Session, queue: str) -> None:
    """Publish with a window of 10 until the broker says that it is blocked."""

    def may_go_on() -> bool:
        session.listen(0.05)
        return bool(session.client.blocked) or len(session.unconfirmed[1]) < 10

    for _ in range(MOST):
        session.publish([queue], size=BODY)
        eventually(may_go_on, "publishers wait and are not told why")
        if session.client.blocked:
            return
    raise AssertionError("never blocked")


def take(consumer: Session) -> None:
    """Acknowledge what has come."""
    deliveries = consumer.listen(0.05)
    if deliveries:
        consumer.settle(deliveries[-1], multiple=True)


def unblocked(publisher: Session, consumer: Session) -> bool:
    """Let the consumer take some; whether the publisher may go on."""
    take(consumer)
    publisher.listen(0)
    return not publisher.client.blocked


def test_publishers_wait_on_a_full_disk_while_consumers_make_room(target: Target, history: History) -> None:
    with client(target, history, "publisher") as publisher, client(target, history, "consumer") as consumer:
        declare(publisher, "q", ordered=True)
        publisher.confirm()
        for turn in range(3):
            publish_until_blocked(publisher, "q")
            assert publisher.client.blocked == "low on disk"
            if not turn:
                consumer.consume("q", 100)
            eventually(lambda: unblocked(publisher, consumer), "publishers stay blocked")
            publisher.wait_for_confirms()
    drained(target, history, "q")
    verdict = check(history)
    assert verdict.good, verdict
    assert verdict.counts["unknown"] == 0
    assert target.stop() == 0


@pytest.mark.parametrize("kill", [True, False])
def test_a_broker_that_ends_on_a_full_disk_starts_again_and_has_everything(
    target: Target, history: History, kill: bool
) -> None:
    with client(target, history) as session:
        declare(session, "q", ordered=True)
    for _ in range(2):
        with client(target, history, "publisher") as publisher:
            publisher.confirm()
            publish_until_blocked(publisher, "q")
            # It says so where it could not write what nobody had a confirm for.
            restarted(target, history, publisher, kill=kill, statuses=(0, FAILED))
        with client(target, history, "consumer") as consumer:
            # Room for some, so that the next round finds the disk full in another state.
            consumer.consume("q", 50)
            eventually(lambda: consumer.listen(0.1), "a broker with a full disk does not deliver")
            consumer.settle(list(consumer.outstanding.values())[-1], multiple=True)
    drained(target, history, "q")
    # Where it could not write it could not write either what had been delivered.
    verdict = check(history, Rules(forgiven=frozenset({"flagged without a cause"})))
    assert verdict.good, verdict
    with client(target, history) as session:
        eventually(lambda: room_again(session), "room does not come back")


def room_again(session: Session) -> bool:
    """Whether a message is confirmed."""
    if not session.unconfirmed:
        session.confirm()
        session.publish(["q"])
    session.listen(0.05)
    return not session.unconfirmed[1]


def test_what_is_declared_on_a_full_disk_is_there_once_there_is_room(target: Target, history: History) -> None:
    with client(target, history) as session:
        declare(session, "q", ordered=True)
    with client(target, history, "publisher") as publisher, client(target, history, "consumer") as consumer:
        publisher.confirm()
        publish_until_blocked(publisher, "q")
        for number in range(20):
            consumer.client.send(1, "queue.declare", queue=f"new{number}", durable=True)
        consumer.client.send(1, "queue.delete", queue="new0")
        # That connection may have to wait for its answers; another one makes room.
        with client(target, history, "other") as other:
            other.consume("q", 100)
            eventually(lambda: unblocked(publisher, other), "publishers stay blocked")
        for _ in range(20):
            consumer.client.answer(1, "queue.declare-ok")
        consumer.client.answer(1, "queue.delete-ok")
        restarted(target, history, kill=True)
    with client(target, history) as session:
        assert session.count("new0") is None
        assert [session.count(f"new{number}") for number in range(1, 20)] == [(0, 0)] * 19
    drained(target, history, "q")
    verdict = check(history)
    assert verdict.good, verdict


@pytest.mark.parametrize("target", ["1KB\njournal.segment_bytes = 1MiB"], indirect=True)
def test_one_old_message_does_not_keep_a_full_disk_full(target: Target, history: History) -> None:
    with client(target, history, "publisher") as publisher, client(target, history, "consumer") as consumer:
        declare(publisher, "old", ordered=True)
        declare(publisher, "q", ordered=True)
        publisher.confirm()
        publisher.publish(["old"])
        publish_until_blocked(publisher, "q")
        consumer.consume("q", 0)
        eventually(lambda: consumer.count("q") == (0, 1), "not all is delivered")
        consumer.listen(0.05)
        consumer.settle(list(consumer.outstanding.values())[-1], multiple=True)
        eventually(lambda: unblocked(publisher, consumer), "publishers stay blocked")
        publisher.wait_for_confirms()
    drained(target, history, "old", "q")
    verdict = check(history)
    assert verdict.good, verdict
