"""Which consumer gets a message: turns, prefetch, priorities, single active and exclusive consumers."""

from collections.abc import Callable

import pytest

from tests.conformance.client import Channel, Connection

Connect = Callable[..., Connection]


def test_consumers_take_turns(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    for tag in "one", "two", "three":
        c.consume(q, tag, no_ack=True)
    heard = []
    for number in range(9):
        c.publish(str(number), "", q)
        heard.append(c.delivered(str(number))["consumer_tag"])
    assert heard[:3] == heard[3:6] == heard[6:]
    assert set(heard) == {"one", "two", "three"}


def test_a_consumer_without_credit_is_passed_over(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.call("basic.qos", prefetch_count=1)
    c.consume(q, "full")
    c.publish("a", "", q)
    c.delivered("a", consumer_tag="full")
    c.call("basic.qos", prefetch_count=0)
    c.consume(q, "free")
    for body in "bcd":
        c.publish(body, "", q)
        c.delivered(body, consumer_tag="free")


def test_an_exclusive_consumer_wants_to_be_alone(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.consume(q)
    other = c.connection.channel(2)
    other.say("basic.consume", queue=q, exclusive=True)
    other.channel_closed(403, f"queue '{q}' in vhost '/' in exclusive use")


def test_an_exclusive_consumer_stays_alone(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.consume(q, exclusive=True)
    other = c.connection.channel(2)
    other.say("basic.consume", queue=q)
    other.channel_closed(403, f"queue '{q}' in vhost '/' in exclusive use")
    c.call("basic.cancel", consumer_tag="t")
    other.consume(q)


def test_an_exclusive_consumer_does_not_stop_gets(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.call("basic.qos", prefetch_count=1)
    c.consume(q, exclusive=True)
    c.publish("a", "", q)
    c.publish("b", "", q)
    c.delivered("a")
    c.connection.channel(2).get(q, "b")


@pytest.mark.parametrize("priority", ["high", 1.5, True], ids=["text", "float", "bool"])
def test_a_consumer_priority_is_an_integer(c: Channel, q: str, priority: object) -> None:
    kind = {str: "longstr", float: "double", bool: "bool"}[type(priority)]
    c.call("queue.declare", queue=q)
    c.say("basic.consume", queue=q, arguments={"x-priority": priority})
    c.channel_closed(406, f"invalid arg 'x-priority' for queue '{q}' in vhost '/': \"expected integer, got {kind}\"")


def test_a_higher_consumer_priority_takes_all_it_can(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.call("basic.qos", prefetch_count=2)
    c.consume(q, "low", arguments={"x-priority": -1})
    c.consume(q, "default")
    c.consume(q, "high", arguments={"x-priority": 10})
    order = []
    for number in range(6):
        c.publish(str(number), "", q)
        order.append(c.delivered(str(number))["consumer_tag"])
    assert order == ["high", "high", "default", "default", "low", "low"]


def test_a_single_active_consumer_gets_everything(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q, arguments={"x-single-active-consumer": True})
    for tag in "one", "two", "three":
        c.consume(q, tag, no_ack=True)
    for number in range(4):
        c.publish(str(number), "", q)
        c.delivered(str(number), consumer_tag="one")


def test_single_active_consumers_succeed_one_another_in_order(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q, arguments={"x-single-active-consumer": True})
    for tag in "one", "two", "three":
        c.consume(q, tag, no_ack=True)
    c.call("basic.cancel", consumer_tag="two")
    c.call("basic.cancel", consumer_tag="one")
    c.publish("m", "", q)
    c.delivered("m", consumer_tag="three")


def test_unacked_messages_of_a_former_active_consumer_stay_with_it(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q, arguments={"x-single-active-consumer": True})
    c.consume(q, "one")
    c.consume(q, "two")
    c.publish("a", "", q)
    c.delivered("a", consumer_tag="one", delivery_tag=1)
    c.call("basic.cancel", consumer_tag="one")
    c.publish("b", "", q)
    c.delivered("b", consumer_tag="two", redelivered=False)
    c.say("basic.nack", delivery_tag=1, requeue=True)
    c.delivered("a", consumer_tag="two", redelivered=True)


def test_single_active_and_exclusive_exclude_each_other(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q, arguments={"x-single-active-consumer": True})
    c.say("basic.consume", queue=q, exclusive=True)
    c.channel_closed(403, f"queue '{q}' in vhost '/' in exclusive use")


def test_prefetch_holds_deliveries_until_acks(c: Channel, q: str) -> None:
    c.fill(q, "abcd")
    c.call("basic.qos", prefetch_count=2)
    c.consume(q)
    c.delivered("a", delivery_tag=1)
    c.delivered("b", delivery_tag=2)
    c.quiet(q)
    c.say("basic.ack", delivery_tag=1)
    c.delivered("c", delivery_tag=3)
    c.quiet(q)
    c.say("basic.ack", delivery_tag=3, multiple=True)
    c.delivered("d", delivery_tag=4)


def test_prefetch_is_per_consumer(c: Channel, q: str) -> None:
    c.fill(q, "abcd")
    c.call("basic.qos", prefetch_count=1)
    c.consume(q, "one")
    c.delivered("a", consumer_tag="one")
    c.consume(q, "two")
    c.delivered("b", consumer_tag="two")
    c.quiet(q)


def test_prefetch_applies_to_consumers_that_start_later(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.consume(q, "free")
    c.call("basic.qos", prefetch_count=1)
    for number in range(3):
        c.publish(str(number), "", q)
    for number in range(3):
        c.delivered(str(number), consumer_tag="free")


def test_a_global_prefetch_is_shared_by_the_channel(c: Channel, q: str) -> None:
    c.fill(q, "abcd")
    c.call("basic.qos", prefetch_count=2, **{"global": True})
    c.consume(q, "one")
    c.delivered("a")
    c.delivered("b")
    c.consume(q, "two")
    c.quiet(q)
    c.say("basic.ack", delivery_tag=2, multiple=True)
    c.delivered("c")
    c.delivered("d")


def test_a_global_prefetch_reaches_consumers_that_exist(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.consume(q)
    c.call("basic.qos", prefetch_count=1, **{"global": True})
    c.publish("a", "", q)
    c.publish("b", "", q)
    c.delivered("a")
    c.quiet(q)
    c.say("basic.ack", delivery_tag=1)
    c.delivered("b")


def test_both_kinds_of_prefetch_hold_together(c: Channel, q: str) -> None:
    c.fill(q, "abcdef")
    c.call("basic.qos", prefetch_count=2)
    c.call("basic.qos", prefetch_count=3, **{"global": True})
    c.consume(q, "one")
    c.delivered("a", consumer_tag="one")
    c.delivered("b", consumer_tag="one")
    c.quiet(q)
    c.consume(q, "two")
    c.delivered("c", consumer_tag="two")
    c.quiet(q)


def test_a_global_prefetch_lifted_lets_the_rest_go(c: Channel, q: str) -> None:
    c.fill(q, "abc")
    c.call("basic.qos", prefetch_count=1, **{"global": True})
    c.consume(q)
    c.delivered("a")
    c.quiet(q)
    c.say("basic.qos", prefetch_count=0, **{"global": True})
    c.hear("basic.qos-ok")
    c.delivered("b")
    c.delivered("c")


def test_consumers_without_acks_ignore_the_prefetch(c: Channel, q: str) -> None:
    c.fill(q, "abc")
    c.call("basic.qos", prefetch_count=1)
    c.consume(q, no_ack=True)
    for body in "abc":
        c.delivered(body)


def test_gets_ignore_the_prefetch(c: Channel, q: str) -> None:
    c.fill(q, "ab")
    c.call("basic.qos", prefetch_count=1)
    c.get(q, "a", no_ack=False)
    c.get(q, "b", no_ack=False)


def test_a_prefetch_size_is_not_implemented(c: Channel) -> None:
    c.say("basic.qos", prefetch_size=10)
    c.connection_closed(540, "prefetch_size!=0 (10)")


def test_a_lost_active_consumer_is_succeeded_and_its_messages_come_first(c: Channel, connect: Connect, q: str) -> None:
    c.call("queue.declare", queue=q, arguments={"x-single-active-consumer": True})
    lost = connect().channel(1)
    lost.consume(q)
    c.consume(q, "next")
    c.publish("a", "", q)
    lost.delivered("a")
    lost.connection.hang_up()
    c.delivered("a", consumer_tag="next", redelivered=True)


def test_a_higher_priority_consumer_with_credit_again_is_served_first(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.call("basic.qos", prefetch_count=1)
    c.consume(q, "low")
    c.consume(q, "high", arguments={"x-priority": 1})
    c.publish("a", "", q)
    c.delivered("a", consumer_tag="high", delivery_tag=1)
    c.publish("b", "", q)
    c.delivered("b", consumer_tag="low")
    c.publish("c", "", q)
    c.quiet(q)
    c.say("basic.ack", delivery_tag=1)
    c.delivered("c", consumer_tag="high")
