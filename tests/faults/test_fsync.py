"""P6 and P8: an fsync or a write that fails, and an fsync that hangs, under a real broker process (`failing_disk`)."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.checker import check
from tests.faults.client import Gone
from tests.faults.commanded_disk import Disk
from tests.faults.history import History
from tests.faults.quiet import client, declare, drained, eventually, fill, restarted
from tests.faults.session import Session
from tests.faults.target import Target, amq, started

FAILED = 70


@pytest.fixture
def history() -> History:
    return History()


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path / "disk")


@pytest.fixture
def target(tmp_path: Path, disk: Disk) -> Iterator[Target]:
    """A broker on the failing disk, which reports a stall after a second, and begins new files all the time."""
    config = tmp_path / "rabbitmq.conf"
    config.write_text("journal.stall_seconds = 1\njournal.segment_bytes = 1MiB\n")
    with started(amq(tmp_path, "--config", str(config), environment=disk.environment())) as target:
        yield target
    assert "Traceback" not in target.output(), target.output()[-4000:]


def until_gone(session: Session, step: Callable[[], object]) -> Gone:
    """Repeat something until the broker ends the connection; returns how it did."""
    for _ in range(10_000):
        try:
            step()
            session.listen(0)
        except Gone as gone:
            session.drop()
            return gone
    raise AssertionError("the broker goes on")


@pytest.mark.parametrize("failure", ["fail", "fail folder", "fail write"])
def test_a_disk_that_fails_ends_the_broker_and_nothing_confirmed_is_lost(
    target: Target, disk: Disk, history: History, failure: str
) -> None:
    with client(target, history) as session:
        declare(session, "q")
        fill(session, "q", 50, size=1000)
    with client(target, history, "publisher") as publisher, client(target, history, "idle") as idle:
        publisher.confirm()
        disk.order(failure)
        ends = [
            until_gone(publisher, lambda: publisher.publish(["q"], size=20_000)),
            until_gone(idle, lambda: idle.listen(0.1)),
        ]
        assert target.wait() == FAILED
    assert [end.said[:4] for end in ends] == ["541 ", "541 "]
    assert disk.failures() == [failure]
    assert str(target.folder) in target.output()
    history.fault("kill")
    target.start()
    drained(target, history, "q")
    verdict = check(history)
    assert verdict.good, verdict
    assert verdict.counts["confirmed"] >= 50
    assert verdict.counts["unknown"] > 0


def test_a_transaction_that_meets_a_failing_disk_is_not_committed_in_part(
    target: Target, disk: Disk, history: History
) -> None:
    with client(target, history) as session:
        declare(session, "q")
        declare(session, "r")
    with client(target, history, "publisher") as publisher:
        publisher.select_transactions()
        for tx in ("t0", "t1", "failing"):
            publisher.publish(["q"], tx=tx)
            publisher.publish(["r"], tx=tx, size=20_000)
            if tx != "failing":
                publisher.commit(tx)
        disk.order("fail")
        with pytest.raises(Gone):
            publisher.commit("failing")
        publisher.drop()
    assert target.wait() == FAILED
    history.fault("kill")
    target.start()
    drained(target, history, "q", "r")
    verdict = check(history)
    assert verdict.good, verdict
    assert verdict.counts["tx committed"] == 2


def test_while_the_disk_hangs_messages_are_delivered_and_none_is_confirmed(
    target: Target, disk: Disk, history: History
) -> None:
    with client(target, history, "publisher") as publisher, client(target, history, "consumer") as consumer:
        declare(publisher, "q")
        fill(publisher, "q", 1)
        consumer.consume("q", 0)
        received = len(consumer.listen(20))
        disk.order("hang")
        for total in (11, 21):
            for _ in range(10):
                publisher.publish(["q"])
            while received < total:
                deliveries = consumer.listen(20)
                assert deliveries, "a delivery waits for the disk"
                received += len(deliveries)
                consumer.settle(deliveries[-1], multiple=True)
        eventually(lambda: "has not answered" in target.output(), "the operator is not told")
        publisher.listen(0)
        assert len(publisher.unconfirmed[1]) == 20
        disk.recover()
        publisher.wait_for_confirms()
        eventually(lambda: "answers again" in target.output(), "the operator is not told that it is over")
    restarted(target, history, kill=True)
    drained(target, history, "q")
    verdict = check(history)
    assert verdict.good, verdict


def test_a_kill_while_the_disk_hangs_takes_only_what_was_not_confirmed(
    target: Target, disk: Disk, history: History
) -> None:
    with client(target, history, "publisher") as publisher:
        declare(publisher, "q")
        fill(publisher, "q", 20)
        disk.order("hang")
        for _ in range(10):
            publisher.publish(["q"])
        publisher.listen(0.2)
        history.fault("kill")
        target.kill()
        disk.recover()
        target.start()
    drained(target, history, "q")
    verdict = check(history)
    assert verdict.good, verdict
    assert verdict.counts["unknown"] == 10
