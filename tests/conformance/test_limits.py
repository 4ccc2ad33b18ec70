"""Length limits of queues and their overflow modes; priorities."""

from typing import Any

import pytest

from tests.conformance.client import Channel


def limited(c: Channel, queue: str, **arguments: Any) -> None:
    """A queue with arguments, on a channel with confirms; underscores stand for dashes."""
    named = {"x-" + name.replace("_", "-"): value for name, value in arguments.items()}
    c.call("queue.declare", queue=queue, arguments=named)
    if not c.confirming:
        c.select_confirms()


def published(c: Channel, queue: str, bodies: list[str], nacked: tuple[int, ...] = (), **properties: Any) -> None:
    """Publish and hear all confirmed, these refused."""
    for body in bodies:
        c.publish(body, "", queue, **properties)
    c.settle(nacked)


def holds(c: Channel, queue: str, bodies: list[str]) -> None:
    """The queue holds these and no more."""
    for body in bodies:
        c.get(queue, body)
    c.get(queue, None)


def test_a_full_queue_drops_its_head(c: Channel, q: str) -> None:
    limited(c, q, max_length=2)
    published(c, q, ["a", "b", "c", "d"])
    holds(c, q, ["c", "d"])


def test_drop_head_may_be_asked_for_by_name(c: Channel, q: str) -> None:
    limited(c, q, max_length=1, overflow="drop-head")
    published(c, q, ["a", "b"])
    holds(c, q, ["b"])


def test_a_limit_in_octets_counts_bodies(c: Channel, q: str) -> None:
    limited(c, q, max_length_bytes=10)
    published(c, q, ["aaaa", "bbbb", "cc", "d"], headers={"long": "x" * 100})
    holds(c, q, ["bbbb", "cc", "d"])


def test_a_body_above_the_limit_in_octets_empties_the_queue(c: Channel, q: str) -> None:
    limited(c, q, max_length_bytes=5)
    published(c, q, ["aaa", "bbbbbb"])
    holds(c, q, [])


def test_both_limits_hold(c: Channel, q: str) -> None:
    limited(c, q, max_length=3, max_length_bytes=5)
    published(c, q, ["a", "b", "c", "d"])
    c.ready(q, 3)
    published(c, q, ["eeee"])
    holds(c, q, ["d", "eeee"])


def test_unacked_messages_do_not_count(c: Channel, q: str) -> None:
    limited(c, q, max_length=1)
    published(c, q, ["a"])
    c.get(q, "a", no_ack=False, delivery_tag=1)
    published(c, q, ["b"])
    c.ready(q, 1)
    c.say("basic.reject", delivery_tag=1, requeue=True)
    holds(c, q, ["b"])


def test_a_limit_of_zero_keeps_nothing(c: Channel, q: str) -> None:
    limited(c, q, max_length=0)
    published(c, q, ["a"])
    holds(c, q, [])


def test_a_limit_of_zero_still_serves_a_ready_consumer(c: Channel, q: str) -> None:
    limited(c, q, max_length=0)
    c.consume(q, no_ack=True)
    c.publish("a", "", q)
    heard = sorted(c.connection.next_method(1, "the delivery and the confirm").name for _ in range(2))
    assert heard == ["basic.ack", "basic.deliver"]


def test_reject_publish_refuses_the_new_message(c: Channel, q: str) -> None:
    limited(c, q, max_length=2, overflow="reject-publish")
    published(c, q, ["a", "b", "c"], nacked=(3,))
    holds(c, q, ["a", "b"])
    published(c, q, ["d"])
    holds(c, q, ["d"])


def test_reject_publish_by_octets(c: Channel, q: str) -> None:
    limited(c, q, max_length_bytes=5, overflow="reject-publish")
    published(c, q, ["aaaa", "bbbb", "c", "d"], nacked=(2, 4))
    holds(c, q, ["aaaa", "c"])


def test_reject_publish_refuses_what_would_not_fit_even_with_a_ready_consumer(c: Channel, q: str) -> None:
    limited(c, q, max_length=0, overflow="reject-publish")
    c.consume(q, no_ack=True)
    published(c, q, ["a"], nacked=(1,))
    c.quiet(q)


def test_reject_publish_is_silent_without_confirms(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q, arguments={"x-max-length": 1, "x-overflow": "reject-publish"})
    c.publish("a", "", q)
    c.publish("b", "", q, mandatory=True)
    c.quiet(q)
    holds(c, q, ["a"])


def test_reject_publish_does_not_dead_letter(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q + "-dead")
    limited(
        c,
        q,
        max_length=1,
        overflow="reject-publish",
        dead_letter_exchange="",
        dead_letter_routing_key=q + "-dead",
    )
    published(c, q, ["a", "b"], nacked=(2,))
    c.quiet(q + "-dead")
    c.get(q + "-dead", None)


def test_reject_publish_dlx_refuses_and_dead_letters_the_new_message(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q + "-dead")
    limited(
        c,
        q,
        max_length=1,
        overflow="reject-publish-dlx",
        dead_letter_exchange="",
        dead_letter_routing_key=q + "-dead",
    )
    published(c, q, ["a", "b"], nacked=(2,))
    c.ready(q + "-dead", 1)
    dead = c.get(q + "-dead", "b")
    assert dead["headers"]["x-first-death-reason"] == "maxlen"
    holds(c, q, ["a"])


def test_a_refusal_by_one_of_two_queues_refuses_the_publish(c: Channel, q: str, x: str) -> None:
    c.call("exchange.declare", exchange=x, type="fanout")
    limited(c, q, max_length=1, overflow="reject-publish")
    c.call("queue.declare", queue=q + "-free")
    for name in q, q + "-free":
        c.call("queue.bind", queue=name, exchange=x)
    for body in "ab":
        c.publish(body, x)
    c.settle(nacked=(2,))
    holds(c, q, ["a"])
    holds(c, q + "-free", ["a", "b"])


def test_a_dropped_head_is_dead_lettered(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q + "-dead")
    limited(c, q, max_length=1, dead_letter_exchange="", dead_letter_routing_key=q + "-dead")
    published(c, q, ["a", "b"])
    c.ready(q + "-dead", 1)
    dead = c.get(q + "-dead", "a")
    assert dead["headers"]["x-death"][0]["reason"] == "maxlen"
    holds(c, q, ["b"])


def test_higher_priorities_come_first(c: Channel, q: str) -> None:
    limited(c, q, max_priority=10)
    for number in 0, 5, 10, 1, 5:
        c.publish(str(number), "", q, priority=number)
    c.publish("none", "", q)
    c.settle()
    holds(c, q, ["10", "5", "5", "1", "0", "none"])


def test_a_priority_above_the_maximum_counts_as_the_maximum(c: Channel, q: str) -> None:
    limited(c, q, max_priority=5)
    for body, priority in ("a", 5), ("b", 200), ("c", 6), ("d", 4):
        c.publish(body, "", q, priority=priority)
    c.settle()
    c.get(q, "a", properties={"priority": 5})
    c.get(q, "b", properties={"priority": 200})
    holds(c, q, ["c", "d"])


def test_priorities_mean_nothing_to_a_queue_without_a_maximum(c: Channel, q: str) -> None:
    limited(c, q)
    for body, priority in ("a", 1), ("b", 9):
        c.publish(body, "", q, priority=priority)
    c.settle()
    holds(c, q, ["a", "b"])


def test_a_requeued_message_regains_its_place_within_its_priority(c: Channel, q: str) -> None:
    limited(c, q, max_priority=5)
    for body, priority in ("a1", 1), ("b1", 1), ("a3", 3), ("b3", 3):
        c.publish(body, "", q, priority=priority)
    c.settle()
    c.get(q, "a3", no_ack=False, delivery_tag=1)
    c.get(q, "b3", no_ack=False, delivery_tag=2)
    c.get(q, "a1", no_ack=False, delivery_tag=3)
    c.say("basic.nack", delivery_tag=3, multiple=True, requeue=True)
    holds(c, q, ["a3", "b3", "a1", "b1"])


def test_a_waiting_consumer_gets_priorities_in_order(c: Channel, q: str) -> None:
    limited(c, q, max_priority=5)
    for number in 1, 3, 2, 5:
        c.publish(str(number), "", q, priority=number)
    c.settle()
    c.consume(q, no_ack=True)
    for number in 5, 3, 2, 1:
        c.delivered(str(number))


def test_a_purge_takes_all_priorities(c: Channel, q: str) -> None:
    limited(c, q, max_priority=5)
    for number in 1, 3, 5:
        c.publish(str(number), "", q, priority=number)
    c.settle()
    c.say("queue.purge", queue=q)
    c.hear("queue.purge-ok", message_count=3)
    holds(c, q, [])


def test_a_full_priority_queue_drops_from_its_highest_priority(c: Channel, q: str) -> None:
    limited(c, q, max_priority=5, max_length=2)
    for body, priority in ("low", 1), ("high", 5), ("middle", 3):
        c.publish(body, "", q, priority=priority)
    c.settle()
    holds(c, q, ["middle", "low"])


@pytest.mark.parametrize("limit", ["x-max-length", "x-max-length-bytes"])
def test_a_large_limit_changes_nothing(c: Channel, q: str, limit: str) -> None:
    c.call("queue.declare", queue=q, arguments={limit: 2**40})
    c.select_confirms()
    published(c, q, ["a", "b"])
    holds(c, q, ["a", "b"])


def test_a_limit_is_kept_while_a_slow_consumer_holds_messages(c: Channel, q: str) -> None:
    limited(c, q, max_length=2)
    c.call("basic.qos", prefetch_count=1)
    c.consume(q)
    c.publish("a", "", q)
    heard = {c.connection.next_method(1, "the delivery and the confirm").name for _ in range(2)}
    assert heard == {"basic.ack", "basic.deliver"}
    c.unconfirmed.clear()
    published(c, q, ["b", "c", "d"])
    c.say("basic.ack", delivery_tag=1)
    c.delivered("c")


def test_dropped_heads_go_in_order_to_the_dead(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q + "-dead")
    limited(c, q, max_length_bytes=4, dead_letter_exchange="", dead_letter_routing_key=q + "-dead")
    published(c, q, ["a", "b", "cccc"])
    c.ready(q + "-dead", 2)
    holds(c, q + "-dead", ["a", "b"])
    holds(c, q, ["cccc"])
