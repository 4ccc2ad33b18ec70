"""The checker sees every kind of violation in histories made by hand, and lets pass what the promises allow."""

from pathlib import Path

import pytest

from tests.faults.history import Complaint, Confirm, Deliver, Opened, Publish, Seen
from tests.faults.message import Name, body_of, intact, properties_of
from tests.faults.story import Story


def told(*queues: str, **facts: object) -> Story:
    """A story about these queues (`q` when none is named)."""
    story = Story()
    for queue in queues or ("q",):
        story.queue(queue, **facts)
    return story


def test_a_history_without_faults_is_good() -> None:
    story = told()
    for counter in (1, 2, 3):
        story.publish(counter)
    story.take(1)
    story.drain()
    story.take(2, "d")
    story.take(3, "d")
    assert story.verdict().good, story.verdict()
    assert story.verdict().counts["confirmed"] == 3


@pytest.mark.parametrize(
    ("missing", "kind"),
    [((1,), "lost (prefix)"), ((2,), "lost (middle)"), ((3,), "lost (postfix)"), ((1, 2, 3), "lost (whole)")],
)
def test_a_confirmed_message_that_never_comes_is_lost(missing: tuple[int, ...], kind: str) -> None:
    story = told()
    for counter in (1, 2, 3):
        story.publish(counter)
    story.kill()
    story.drain()
    for counter in {1, 2, 3} - set(missing):
        story.take(counter, "d", again=True)
    assert story.kinds() == {kind}


def test_one_of_several_queues_may_not_lose_its_copy() -> None:
    story = told("q", "r")
    story.publish(1, "q", "r")
    story.kill()
    story.drain()
    story.take(1, "d", again=True)
    assert story.kinds() == {"lost (whole)"}


def test_an_unconfirmed_message_may_be_lost_or_be_there() -> None:
    story = told()
    story.publish(1, confirmed=False)
    story.publish(2, confirmed=False)
    story.kill()
    story.drain()
    story.take(2, "d", again=True)
    assert story.verdict().good
    assert story.verdict().counts["unknown but there"] == 1


def test_a_delivered_message_that_nobody_acknowledged_must_come_again() -> None:
    story = told()
    story.publish(1)
    story.deliver(1)
    story.end()
    story.drain()
    assert story.kinds() == {"vanished"}


def test_nothing_is_said_about_losses_before_the_drain() -> None:
    story = told()
    story.publish(1)
    assert story.verdict().good


def test_a_message_that_nobody_published_is_invented() -> None:
    story = told()
    story.take(7)
    assert story.kinds() == {"invented"}


def test_a_message_in_a_queue_that_it_was_not_meant_for_is_seen() -> None:
    story = told("q", "r")
    story.publish(1, "q")
    story.take(1, "c", "r")
    story.take(1, "c", "q")
    assert story.kinds() == {"in the wrong queue"}


def test_a_message_that_its_queue_refused_may_not_come_out_of_it() -> None:
    story = told()
    story.publish(1, confirmed=False)
    story.add(Confirm(story.name(1), refused=True))
    story.drain()
    assert story.verdict().good
    story.take(1, "d")
    assert story.kinds() == {"refused and delivered"}


def test_a_delayed_message_may_come_a_second_time_after_a_kill() -> None:
    for kill in (True, False):
        story = told(indirect=True)
        story.publish(1)
        story.take(1)
        story.kill() if kill else story.stop()
        story.take(1, "d")
        assert story.kinds() == (set() if kill else {"redelivery without its flag"})


def test_an_altered_message_is_seen() -> None:
    story = told()
    story.publish(1)
    story.deliver(1, intact=False)
    assert story.kinds() == {"altered"}


@pytest.mark.parametrize("size", [0, 1, 19, 20, 21, 5_000, 102_400])
def test_body_and_properties_tell_when_they_were_altered(size: int) -> None:
    name = str(Name("p", 1, size, True, 3))
    body, properties = body_of(name), properties_of(name)
    assert len(body) == size
    assert intact(body, properties)
    assert not intact(body + b"x", properties)
    assert not intact(body, properties | {"priority": 4})
    assert not intact(body, properties | {"delivery_mode": 1})
    assert not intact(body, properties | {"message_id": "?"})
    assert not intact(body, {})
    if size:
        assert not intact(body[:-1] + bytes([body[-1] ^ 1]), properties)
    if size > 20:
        assert body != body_of(str(Name("p", 2, size, True, 3)))


def test_first_deliveries_out_of_order_are_seen_where_a_queue_has_one_consumer() -> None:
    for ordered in (True, False):
        story = told(ordered=ordered)
        story.publish(1)
        story.publish(2)
        story.take(2)
        story.take(1)
        assert story.kinds() == ({"out of order"} if ordered else set())


def test_redeliveries_do_not_disturb_the_order() -> None:
    story = told(ordered=True)
    for counter in (1, 2, 3):
        story.publish(counter)
    story.deliver(1)
    story.take(2)
    story.settle(1, "requeue")
    story.take(1, again=True)
    story.take(3)
    assert story.verdict().good


def test_what_was_requeued_must_have_its_place_in_the_drain() -> None:
    story = told(ordered=True)
    story.publish(1)
    story.publish(2)
    story.deliver(1)
    story.end()
    story.drain()
    story.take(2, "d")
    story.take(1, "d", again=True)
    assert story.kinds() == {"drained out of order"}


def test_priorities_out_of_order_are_seen() -> None:
    story = told(priorities=True)
    story.known.add("p")
    story.add(Opened("p", 0))
    low, high = story.name(1, priority=1), story.name(2, priority=2)
    for message in (low, high):
        story.add(Publish("p", message, ("q",)))
    story.drain()
    story.take(low, "d")
    story.take(high, "d")
    assert story.kinds() == {"priority"}


def test_a_second_delivery_needs_a_cause() -> None:
    story = told()
    story.publish(1)
    story.deliver(1, "c")
    story.deliver(1, "other", again=True)
    assert story.kinds() == {"duplicate without a cause"}


@pytest.mark.parametrize("cause", ["end", "requeue", "kill", "stop"])
def test_a_second_delivery_must_be_flagged(cause: str) -> None:
    for again in (True, False):
        story = told()
        story.publish(1)
        story.deliver(1, "c")
        match cause:
            case "end":
                story.end("c")
            case "requeue":
                story.settle(1, "requeue")
            case "kill":
                story.kill()
            case "stop":
                story.stop()
        story.take(1, "other", again=again)
        assert story.kinds() == (set() if again else {"redelivery without its flag"})


def test_a_first_delivery_may_not_be_flagged_for_nothing() -> None:
    story = told()
    story.publish(1)
    story.take(1, again=True)
    assert story.kinds() == {"flagged without a cause"}


def test_a_first_delivery_after_a_stop_in_good_order_may_not_be_flagged() -> None:
    for fault, kinds in (("kill", set()), ("stop", {"flagged without a cause"})):
        story = told()
        story.publish(1)
        story.kill() if fault == "kill" else story.stop()
        story.take(1, again=True)
        assert story.kinds() == kinds


def test_a_consumer_that_went_may_have_had_the_message_on_its_way() -> None:
    story = told()
    story.consume("gone")
    story.publish(1)
    story.end("gone")
    story.take(1, again=True)
    assert story.verdict().good


def test_a_consumer_that_went_long_ago_explains_nothing() -> None:
    for seconds, kinds in ((0.1, set()), (5.0, {"flagged without a cause"})):
        story = told()
        story.consume("gone")
        story.end("gone")
        story.later(seconds)
        story.publish(1)
        story.take(1, again=True)
        assert story.kinds() == kinds


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
