"""A channel from open to close, and what a fault leaves of it."""

import pytest

from tests.harness.dialogue import content, enter, frame, method, publish


def test_a_number_is_free_again_once_its_channel_is_closed() -> None:
    client = enter(channels=[1])
    client.say(1, "channel.close", reply_code=200)
    client.hears(1, "channel.close-ok")
    client.open(1)
    client.say(1, "channel.open")
    client.hears_close(504, "second 'channel.open' seen", by=(20, 10))


def test_numbers_may_be_any_and_only_their_count_is_limited() -> None:
    client = enter(channel_max=2, channels=[65535, 7])
    client.say(1, "channel.open")
    text = "number of channels opened (2) has reached the negotiated channel_max (2)"
    client.hears_close(530, text)


def test_a_closed_channel_makes_room_for_another() -> None:
    client = enter(channel_max=1, channels=[1])
    client.say(1, "channel.close")
    client.hears(1, "channel.close-ok")
    client.open(2)


def test_a_channel_is_opened_before_anything_else_is_said_on_it() -> None:
    client = enter()
    client.say(1, "queue.declare", queue="q")
    client.hears_close(504, "expected 'channel.open'", by=(50, 10))


def test_what_came_before_a_fault_in_the_same_chunk_is_finished_first() -> None:
    client = enter(channels=[1])
    client.send(
        method(1, "queue.declare", queue="q")
        + publish(1, "q", b"before")
        + method(1, "basic.consume", queue="q", consumer_tag="c")
        + publish(1, "q", b"last")
        + method(1, "basic.ack", delivery_tag=99)
        + publish(1, "q", b"after")
        + method(1, "queue.delete", queue="q")
    )
    client.hears(1, "queue.declare-ok")
    client.hears(1, "basic.consume-ok")
    # Deliveries may come in between: the consumer lived for a moment.
    assert client.hear_all()[-1].name == "channel.close"
    client.say(1, "channel.close-ok")
    client.open(1)
    assert client.get_all(1, "q") == [b"before", b"last"]


def test_a_closing_channel_ignores_everything_until_its_close_is_answered() -> None:
    client = enter(channels=[1, 2])
    client.say(1, "queue.declare", queue="q", passive=True)
    client.hears_channel_close(1, 404, "no queue 'q' in vhost '/'", by=(50, 10))
    for octets in (
        method(1, "queue.declare", queue="q"),
        publish(1, "q", b"x", mandatory=True),
        content(1, b"stray"),
        method(1, "channel.open"),
        method(1, "tx.commit"),
    ):
        client.send(octets)
    client.hears_nothing()
    client.say(1, "channel.close")
    client.hears(1, "channel.close-ok")
    client.say(1, "queue.declare", queue="q")
    client.hears_nothing()
    client.say(1, "channel.close-ok")
    client.open(1)
    client.say(2, "queue.declare", queue="q", passive=True)
    client.hears(2, "channel.close", reply_code=404)


def test_a_fault_of_one_channel_leaves_the_others_alone() -> None:
    client = enter(channels=[1, 2])
    client.declare(2, "q")
    client.send(method(1, "basic.ack", delivery_tag=1) + publish(2, "q", b"x") + publish(1, "q", b"y"))
    client.hears_channel_close(1, 406, "unknown delivery tag 1", by=(60, 80))
    assert client.get_all(2, "q") == [b"x"]


def test_a_fault_returns_what_is_unacknowledged_before_its_close_is_answered() -> None:
    client = enter(channels=[1, 2])
    client.declare(2, "q")
    client.publish(2, "q", b"m")
    client.get(1, "q", no_ack=False)
    client.say(1, "basic.ack", delivery_tag=7)
    client.hears(1, "channel.close")
    client.say(2, "basic.get", queue="q")
    assert client.hears(2, "basic.get-ok", redelivered=True).body == b"m"


def test_a_fault_ends_consumers_and_deletes_what_depended_on_them() -> None:
    client = enter(channels=[1, 2])
    client.declare(1, "q", auto_delete=True)
    client.consume(1, "q")
    client.say(1, "basic.ack", delivery_tag=7)
    client.hears(1, "channel.close")
    client.say(2, "queue.declare", queue="q", passive=True)
    client.hears(2, "channel.close", reply_code=404)


@pytest.mark.parametrize(("code", "name"), [(200, "close"), (541, "close")])
def test_a_client_may_close_for_any_reason(code: int, name: str) -> None:
    client = enter(channels=[1])
    client.say(1, "channel.close", reply_code=code, reply_text="because", class_id=60, method_id=40)
    client.hears(1, f"channel.{name}-ok")


def test_an_answer_to_a_close_that_nobody_sent_is_no_mistake_on_a_channel_that_is_not_open() -> None:
    client = enter()
    client.say(1, "channel.close-ok")
    client.open(1)


def test_half_a_frame_on_a_closing_channel_is_waited_for() -> None:
    client = enter(channels=[1])
    client.say(1, "basic.ack", delivery_tag=1)
    client.hears(1, "channel.close")
    octets = frame(3, 1, bytes(100)) + method(1, "channel.close-ok") + method(1, "channel.open")
    client.send_cut(octets, range(1, len(octets)))
    client.hears(1, "channel.open-ok")


def test_flow_is_on_and_stays_on() -> None:
    client = enter(channels=[1])
    client.say(1, "channel.flow", active=True)
    client.hears(1, "channel.flow-ok", active=True)
    client.say(1, "channel.flow", active=False)
    client.hears_close(540, "active=false", by=(20, 20))
