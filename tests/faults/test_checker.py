"""The checker sees losses, inventions and wrong deliveries in histories made by hand, and lets pass what is allowed."""

import pytest

from tests.faults.history import Confirm, Opened, Publish
from tests.faults.message import Name, body_of, intact, properties_of
from tests.faults.story import told


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
