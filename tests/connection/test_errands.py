"""Methods about very many deliveries: in slices, with the same outcome, while the connection handles nothing more."""

from typing import Any

import pytest

from amq.chores import SLICE
from amq.errors import PRECONDITION_FAILED, ChannelFault
from amq.queues.base import Queue
from tests.connection.build import bodies, consuming, ready
from tests.harness.dialogue import Dialogue, enter

MANY = 2 * SLICE + 10
LAST = {"delivery_tag": MANY, "multiple": True}
ALL = {"delivery_tag": 0, "multiple": True}


def holding(**options: Any) -> Dialogue:
    """A client that has been given MANY messages."""
    client = consuming(bodies=MANY, **options)
    client.drain()
    assert len(bodies(client)) == MANY
    return client


def queue(client: Dialogue) -> Queue:
    return client.broker.vhosts["/"].queues[b"q"]


def finish(client: Dialogue) -> None:
    """Time enough for all slices."""
    for _ in range(6):
        client.wait(0.001)


@pytest.mark.parametrize("which", [LAST, ALL], ids=["up to a tag", "everything"])
def test_one_ack_of_very_many_goes_in_slices(which: dict[str, Any]) -> None:
    client = holding()
    client.say(1, "basic.ack", **which)
    seen = [queue(client).unacked]
    while queue(client).unacked:
        client.wait(0.001)
        seen.append(queue(client).unacked)
    assert seen == [MANY, MANY - SLICE, MANY - 2 * SLICE, 0]


def test_what_comes_behind_it_waits_for_it() -> None:
    client = holding()
    client.say(1, "basic.ack", **LAST)
    client.say(1, "queue.declare", queue="q", passive=True)
    client.hears_nothing()
    assert not client.connection.wants_data()
    finish(client)
    client.hears(1, "queue.declare-ok", message_count=0)
    assert client.connection.wants_data()


def test_deliveries_behind_the_tag_stay_outstanding() -> None:
    client = holding()
    client.say(1, "basic.ack", delivery_tag=MANY - 3, multiple=True)
    finish(client)
    assert queue(client).unacked == 3
    client.say(1, "basic.ack", delivery_tag=MANY - 1)
    client.say(1, "basic.ack", delivery_tag=MANY, multiple=True)
    assert queue(client).unacked == 0
    client.hears_nothing()


def test_a_tag_that_is_not_outstanding_is_refused_at_once() -> None:
    client = holding()
    client.say(1, "basic.ack", delivery_tag=MANY + 1, multiple=True)
    client.hears_channel_close(1, 406, f"unknown delivery tag {MANY + 1}", by=(60, 80))
    finish(client)
    assert (queue(client).unacked, ready(client)) == (0, MANY)


@pytest.mark.parametrize("how", ["nack", "recover", "close", "lost"])
def test_very_many_that_come_back_do_so_in_order(how: str) -> None:
    client = holding()
    other = enter(client.broker, channels=[1])
    client.say(1, "basic.cancel", consumer_tag="c")
    client.publish(2, "q", b"behind")
    client.drain()
    if how == "nack":
        client.say(1, "basic.nack", requeue=True, **LAST)
    elif how == "recover":
        client.say(1, "basic.recover", requeue=True)
    elif how == "close":
        client.say(1, "channel.close", reply_code=200)
    else:
        client.connection.lost(0.0)
    finish(client)
    assert queue(client).unacked == 0
    assert other.get_all(1, "q") == [*[b"%d" % number for number in range(MANY)], b"behind"]


def test_nothing_is_handed_out_before_the_last_of_them_is_back() -> None:
    client = holding()
    other = enter(client.broker, channels=[1])
    client.say(1, "basic.cancel", consumer_tag="c")
    client.publish(2, "q", b"behind")
    client.say(1, "basic.nack", requeue=True, **LAST)
    client.wait(0.001)
    assert 0 < ready(client) < MANY
    other.consume(1, "q", no_ack=True)
    other.hears_nothing()
    finish(client)
    heard = other.hear_all()
    assert [each.body for each in heard] == [*[b"%d" % number for number in range(MANY)], b"behind"]
    assert [each["redelivered"] for each in heard] == [True] * MANY + [False]


def test_who_asks_for_the_head_gets_it_when_the_last_of_them_is_back() -> None:
    client = holding()
    other = enter(client.broker, channels=[1])
    client.say(1, "basic.cancel", consumer_tag="c")
    client.publish(2, "q", b"behind")
    client.say(1, "basic.nack", requeue=True, **LAST)
    client.wait(0.001)
    other.say(1, "basic.get", queue="q", no_ack=True)
    other.hears_nothing()
    finish(client)
    assert other.hears(1, "basic.get-ok", redelivered=True).body == b"0"


def test_close_ok_comes_when_everything_is_back() -> None:
    client = holding()
    client.say(1, "channel.close", reply_code=200)
    client.hears_nothing()
    finish(client)
    client.hears(1, "channel.close-ok")
    assert ready(client) == MANY


def test_an_ack_that_was_said_counts_though_the_connection_goes_in_the_middle_of_it() -> None:
    client = holding()
    client.publish(2, "q", b"kept")
    client.drain()
    client.say(1, "basic.ack", **LAST)
    client.wait(0.001)
    client.connection.lost(client.broker.clock.now)
    finish(client)
    assert (queue(client).unacked, ready(client)) == (0, 1)


def test_what_a_transaction_has_settled_comes_back_when_the_connection_goes_in_the_middle_of_a_recover() -> None:
    client = holding()
    client.say(1, "tx.select")
    client.hears(1, "tx.select-ok")
    client.say(1, "basic.ack", delivery_tag=1)
    client.say(1, "basic.nack", delivery_tag=2, requeue=False)
    client.say(1, "basic.recover", requeue=True)
    client.connection.lost(client.broker.clock.now)
    finish(client)
    assert (queue(client).unacked, ready(client)) == (0, MANY)


def test_nothing_is_answered_on_a_channel_that_was_closed_in_the_middle_of_it() -> None:
    client = holding()
    client.say(1, "basic.recover", requeue=True)
    client.connection.channel_overdue(client.connection.channels[1], ChannelFault(PRECONDITION_FAILED, "timed out"))
    finish(client)
    client.hears_channel_close(1, PRECONDITION_FAILED, "timed out", by=(0, 0))
    client.hears_nothing()
    assert (queue(client).unacked, ready(client)) == (0, MANY)


def test_rejected_ones_leave_in_order() -> None:
    client = holding()
    queue(client).dead_letter_exchange = b""
    queue(client).dead_letter_routing_key = b"morgue"
    client.declare(2, "morgue")
    client.say(1, "basic.nack", requeue=False, **LAST)
    for _ in range(100):
        client.wait(0.001)
    assert ready(client, b"morgue") == MANY
    assert client.get(2, "morgue") == b"0"


def test_a_consumer_has_room_again_when_all_is_back() -> None:
    client = consuming(prefetch=MANY, bodies=MANY)
    client.drain()
    assert len(bodies(client)) == MANY
    client.say(1, "basic.nack", requeue=True, **LAST)
    finish(client)
    client.drain()
    again = [heard for heard in client.hear_all() if heard.name == "basic.deliver"]
    assert [heard.body for heard in again] == [b"%d" % number for number in range(MANY)]
    assert all(heard["redelivered"] for heard in again)
