"""Connections and channels once they are open: closing, flow, heartbeats, secrets, tickets."""

import time
from collections.abc import Callable

from tests.conformance.client import Channel, Connection
from tests.conformance.heard import Mismatch

Connect = Callable[..., Connection]


def test_close_is_answered(c: Channel) -> None:
    c.connection.control.call("connection.close", reply_code=200, reply_text="bye")
    c.connection.hang_up()


def test_close_needs_no_open_channel(connect: Connect) -> None:
    connection = connect()
    connection.control.call("connection.close", reply_code=200)
    connection.hang_up()


def test_close_may_be_blamed_on_a_method(c: Channel) -> None:
    c.connection.control.call("connection.close", reply_code=541, reply_text="sorry", class_id=60, method_id=60)
    c.connection.hang_up()


def test_publishes_before_a_close_are_kept(c: Channel, connect: Connect, q: str) -> None:
    c.call("queue.declare", queue=q)
    other = connect().channel(1)
    for number in range(20):
        other.publish(str(number), "", q)
    other.connection.leave()
    c.ready(q, 20)


def test_publishes_before_a_lost_connection_are_kept(c: Channel, connect: Connect, q: str) -> None:
    c.call("queue.declare", queue=q)
    other = connect().channel(1)
    for number in range(20):
        other.publish(str(number), "", q)
    other.connection.hang_up()
    c.ready(q, 20)


def test_a_channel_number_may_be_used_again_at_once(c: Channel) -> None:
    for _ in range(3):
        c.call("channel.close", reply_code=200)
        c.call("channel.open")
    c.quiet()


def test_channel_numbers_need_not_be_consecutive(connect: Connect) -> None:
    connection = connect()
    for number in 2047, 3, 1000:
        connection.channel(number).quiet()


def test_closing_an_unopened_channel_is_answered(connect: Connect) -> None:
    unopened = Channel(connect(), 3)
    unopened.say("channel.close", reply_code=200)
    unopened.connection_closed(504, "expected 'channel.open'")


def test_a_method_after_channel_close_wants_an_open(c: Channel) -> None:
    c.call("channel.close", reply_code=200)
    c.say("basic.qos", prefetch_count=1)
    c.connection_closed(504, "expected 'channel.open'")


def test_a_faulted_channel_ignores_everything_until_close_ok(c: Channel, q: str) -> None:
    c.call("queue.declare", queue=q)
    c.say("queue.declare", queue="amq.mine")
    c.say("queue.delete", queue=q)
    c.publish("m", "", q)
    c.say("basic.qos", prefetch_size=5)
    c.last = "queue.declare"
    c.channel_closed(403, "queue name 'amq.mine' contains reserved prefix 'amq.*'")
    c.ready(q, 0)


def test_a_fault_of_one_channel_leaves_the_others(c: Channel, q: str) -> None:
    other = c.connection.channel(2)
    other.call("queue.declare", queue=q)
    c.say("queue.declare", queue="amq.mine")
    c.channel_closed(403, "queue name 'amq.mine' contains reserved prefix 'amq.*'")
    other.publish("m", "", q)
    other.get(q, "m")


def test_a_close_that_crosses_a_fault_is_answered(c: Channel) -> None:
    c.say("queue.declare", queue="amq.mine")
    c.say("channel.close", reply_code=200)
    c.hear("channel.close", reply_code=403)
    c.hear("channel.close-ok")
    c.say("channel.close-ok")
    c.call("channel.open")


def test_after_a_fault_of_the_connection_only_close_ok_counts(c: Channel, q: str) -> None:
    c.say("basic.qos", prefetch_size=5)
    c.say("queue.declare", queue=q)
    c.publish("m", "", q)
    c.last = "basic.qos"
    c.connection_closed(540, "prefetch_size!=0 (5)")


def test_a_close_instead_of_close_ok_is_answered(c: Channel) -> None:
    c.say("basic.qos", prefetch_size=5)
    c.connection.control.hear("connection.close", reply_code=540)
    c.connection.control.call("connection.close", reply_code=200)
    c.connection.hang_up()


def test_flow_on_is_answered(c: Channel) -> None:
    c.say("channel.flow", active=True)
    c.hear("channel.flow-ok", active=True)


def test_flow_off_is_not_implemented(c: Channel) -> None:
    c.say("channel.flow", active=False)
    c.connection_closed(540, "active=false")


def test_an_old_client_gets_its_ticket(c: Channel) -> None:
    c.say("access.request", realm="/data", active=True)
    c.hear("access.request-ok", ticket=1)


def test_a_new_secret_is_taken(c: Channel) -> None:
    c.connection.control.say("connection.update-secret", new_secret="guest", reason="renewed")
    c.connection.control.hear("connection.update-secret-ok")
    c.quiet()


def test_heartbeats_come_when_nothing_else_does(connect: Connect) -> None:
    connection = connect(heartbeat=1)
    until = time.monotonic() + 3
    while connection.heartbeats < 2 and time.monotonic() < until:
        connection.send_frame(8, 0, b"")
        connection.pump(until)
    assert connection.heartbeats == 2


def test_a_silent_client_is_dropped_without_a_word_while_a_busy_one_stays(connect: Connect) -> None:
    silent, busy = connect(heartbeat=1), connect(heartbeat=1).channel(1)
    until = time.monotonic() + 5
    while not silent.ended:
        busy.quiet()
        try:
            silent.hear_end(patience=0.2)
        except Mismatch:
            assert time.monotonic() < until, "the silent client is still there"
    busy.quiet()


def test_a_heartbeat_of_zero_means_none(c: Channel) -> None:
    time.sleep(0.6)
    c.quiet()
    assert c.connection.heartbeats == 0
