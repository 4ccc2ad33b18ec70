"""The checker sees what was settled and is back, and the other way round, in histories made by hand."""

from pathlib import Path

import pytest

from tests.faults.history import Complaint, Confirm, Deliver, Opened, Publish, Seen
from tests.faults.story import told


def test_an_acknowledged_message_may_not_come_back() -> None:
    story = told()
    story.publish(1)
    story.take(1, "c")
    story.barrier("c")
    story.end("c")
    story.deliver(1, "other", again=True)
    assert story.kinds() == {"came back"}


def test_an_acknowledgement_may_be_lost_with_its_connection() -> None:
    story = told()
    story.publish(1)
    story.take(1, "c")
    story.end("c")
    story.take(1, "other", again=True)
    assert story.verdict().good
    assert story.verdict().counts["acks lost"] == 1


@pytest.mark.parametrize(("seconds", "kinds"), [(0.1, set()), (1.5, {"came back after a crash"})])
def test_an_old_acknowledgement_survives_a_kill(seconds: float, kinds: set[str]) -> None:
    story = told()
    story.publish(1)
    story.take(1)
    story.later(seconds)
    story.kill()
    story.deliver(1, "other", again=True)
    assert story.kinds() == kinds


def test_on_a_machine_that_is_slow_to_confirm_an_acknowledgement_must_be_older() -> None:
    story = told()
    story.publish(2, confirmed=False)
    story.publish(1)
    story.take(1)
    story.later(3.0)
    story.add(Confirm(story.name(2), at=story.clock))
    story.kill()
    story.deliver(1, "other", again=True)
    assert story.verdict().good


@pytest.mark.parametrize(("durable", "kinds"), [(False, set()), (True, {"came back after a crash"})])
def test_an_acknowledgement_before_a_confirmed_mark_survives_a_kill(durable: bool, kinds: set[str]) -> None:
    story = told()
    story.publish(1)
    story.take(1)
    story.barrier(durable=durable)
    story.kill()
    story.deliver(1, "other", again=True)
    assert story.kinds() == kinds


def test_a_processed_acknowledgement_survives_a_stop_in_good_order() -> None:
    story = told()
    story.publish(1)
    story.take(1)
    story.barrier()
    story.stop()
    story.deliver(1, "other", again=True)
    assert story.kinds() == {"came back after a crash"}


def test_a_dead_letter_reaches_its_queue_or_is_lost() -> None:
    story = told("q", dead_letter_to="dead")
    story.queue("dead")
    for counter in (1, 2):
        story.publish(counter)
        story.deliver(counter)
        story.settle(counter, "reject")
    story.drain()
    story.take(1, "d", "dead")
    assert story.kinds() == {"vanished"}


def test_a_dead_letter_may_not_be_in_both_places() -> None:
    story = told("q", dead_letter_to="dead")
    story.queue("dead")
    story.publish(1)
    story.deliver(1)
    story.settle(1, "reject")
    story.barrier(durable=True)
    story.kill()
    story.take(1, "d", "dead", again=True)
    story.take(1, "d", "q", again=True)
    assert story.kinds() == {"came back after a crash"}


def test_a_dead_lettering_that_a_kill_undid_may_take_place_again() -> None:
    story = told("q", dead_letter_to="dead")
    story.queue("dead")
    story.publish(1)
    story.deliver(1)
    story.settle(1, "reject")
    story.take(1, "d", "dead")
    story.kill()
    story.deliver(1, "e", "q", again=True)
    story.settle(1, "reject", "e")
    story.take(1, "e", "dead")
    assert story.verdict().good


def test_an_expired_message_is_in_one_queue_or_the_other() -> None:
    story = told("q", dead_letter_to="dead", expires=True)
    story.queue("dead")
    for counter in (1, 2, 3):
        story.publish(counter)
    story.drain()
    story.take(1, "d", "q")
    story.take(2, "d", "dead")
    assert story.kinds() == {"lost (postfix)"}


def test_a_committed_transaction_is_kept() -> None:
    story = told()
    story.publish(1, tx="t")
    story.commit("t")
    story.kill()
    story.drain()
    assert story.kinds() == {"lost (whole)"}


def test_half_a_transaction_is_seen() -> None:
    story = told("q", "r")
    story.publish(1, "q", tx="t")
    story.publish(2, "r", tx="t")
    story.commit("t", answered=False)
    story.kill()
    story.drain()
    story.take(2, "d", "r", again=True)
    assert story.kinds() == {"torn transaction"}


@pytest.mark.parametrize("there", [(), (1, 2)])
def test_all_or_nothing_of_an_unanswered_transaction_is_good(there: tuple[int, ...]) -> None:
    story = told()
    story.publish(1, tx="t")
    story.publish(2, tx="t")
    story.commit("t", answered=False)
    story.kill()
    story.drain()
    for counter in there:
        story.take(counter, "d", again=True)
    assert story.verdict().good


@pytest.mark.parametrize(("published", "acknowledged"), [(True, False), (False, True)])
def test_a_transaction_that_published_and_not_acknowledged_or_the_other_way_round_is_seen(
    published: bool, acknowledged: bool
) -> None:
    story = told("q", "r")
    story.publish(1, "q")
    story.deliver(1, "p")
    story.publish(2, "r", tx="t")
    story.settle(1, by="p", tx="t")
    story.commit("t", answered=False)
    story.kill()
    story.drain()
    if published:
        story.take(2, "d", "r", again=True)
    if not acknowledged:
        story.take(1, "d", "q", again=True)
    assert story.kinds() == {"torn transaction"}


def test_what_was_rolled_back_or_never_committed_may_not_come() -> None:
    for ending in ("rollback", "nothing"):
        story = told()
        story.publish(1, tx="t")
        if ending == "rollback":
            story.rollback("t")
        story.take(1)
        assert story.kinds() == {"never committed"}


@pytest.mark.parametrize("how", ["purge", "delete"])
def test_what_was_purged_or_deleted_may_not_come_back(how: str) -> None:
    story = told()
    story.publish(1)
    story.empty("purge" if how == "purge" else "delete")
    story.kill()
    story.drain()
    assert story.verdict().good
    story.take(1, "d", again=True)
    assert story.kinds() == {f"{how} undone"}


def test_an_unanswered_purge_excuses_either() -> None:
    story = told()
    story.publish(1)
    story.publish(2)
    story.empty("purge", answered=False)
    story.kill()
    story.drain()
    story.take(2, "d", again=True)
    assert story.verdict().good


def test_a_message_of_a_deleted_queue_may_not_be_in_the_next_of_that_name() -> None:
    story = told("q#1")
    story.publish(1, "q#1")
    story.empty("delete", "q#1")
    story.queue("q#2")
    story.take(1, "c", "q#2")
    assert story.kinds() == {"back in a new queue of that name"}


def test_transient_messages_are_gone_after_a_restart_and_kept_without_one() -> None:
    for fault in (True, False):
        story = told()
        story.known.add("p")
        story.add(Opened("p", 0))
        message = story.name(1, persistent=False)
        story.add(Publish("p", message, ("q",)))
        if fault:
            story.stop()
        story.take(message)
        assert story.kinds() == ({"transient after a restart"} if fault else set())


def test_entities_must_be_there_or_not() -> None:
    for there, expected, kinds in (
        (True, True, set()),
        (False, True, {"entity is missing"}),
        (True, False, {"entity came back"}),
        (True, None, set()),
    ):
        story = told()
        story.add(Seen("queue q", there, expected))
        assert story.kinds() == kinds


def test_a_complaint_of_the_broker_is_a_violation() -> None:
    story = told()
    story.add(Complaint("c", "541 INTERNAL_ERROR"))
    assert story.kinds() == {"complaint"}


def test_a_history_can_be_kept(tmp_path: Path) -> None:
    story = told()
    story.publish(1)
    story.take(1)
    story.history.save(tmp_path / "history")
    lines = (tmp_path / "history").read_text().splitlines()
    assert len(lines) == len(story.history.events)
    assert f'"event": "{Deliver.__name__}"' in lines[-2]
