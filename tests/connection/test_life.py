"""A connection once it is open: frames, heartbeats, alarms, and its end."""

import gc
from collections.abc import Callable

import pytest

from amq.broker import DEBUG, INFO, WARNING
from amq.connection.channel import Channel
from amq.connection.connection import Connection
from amq.connection.lifecycle import CLOSING, HEARTBEAT
from amq.connection.session import Session
from tests.connection.build import consuming
from tests.harness.dialogue import Dialogue, enter, frame, method, new_broker, publish

UNEXPECTED = [
    (frame(2, 0, bytes(14)), 505, "type 2, all octets = <<0,0,0,0,0,0,0,0,0,0,0,0,0,0>>"),
    (frame(3, 0, b"\0\1"), 505, "type 3, all octets = <<0,1>>"),
    (frame(8, 1, b""), 505, "type 8, all octets = <<>>"),
    (frame(8, 2, b""), 505, "type 8, all octets = <<>>"),
    (frame(8, 0, b"\0"), 501, "type 8, all octets = <<0>>: unknown_frame"),
    (frame(9, 0, b"\0\1"), 501, "type 9, all octets = <<0,1>>: unknown_frame"),
    (frame(9, 1, bytes(17)), 501, f"type 9, first 16 octets = <<{','.join('0' * 16)}>>: unknown_frame"),
    (frame(9, 2, b""), 501, "type 9, all octets = <<>>: unknown_frame"),
    (frame(1, 0, b"\0\1"), 501, "type 1, all octets = <<0,1>>: unknown_frame"),
    (frame(1, 1, b""), 501, "type 1, all octets = <<>>: unknown_frame"),
    (frame(1, 2, b"\0"), 501, "type 1, all octets = <<0>>: unknown_frame"),
    (frame(3, 2, b"x"), 505, "expected method frame, got non method frame instead"),
]


@pytest.mark.parametrize(("octets", "code", "text"), UNEXPECTED)
@pytest.mark.parametrize("whole", [True, False], ids=["whole", "cut"])
def test_frames_that_have_no_business_here_end_the_connection(octets: bytes, code: int, text: str, whole: bool) -> None:
    client = enter(channels=[1])
    client.send_cut(octets + frame(8, 0, b""), () if whole else range(1, len(octets) + 8))
    client.hears_close(code, text)
    client.hears_nothing()


@pytest.mark.parametrize(
    ("octets", "term"),
    [
        (b"\x08\0\0\0\0\0\0\x00", "type 8, all octets = <<>>: {invalid_frame_end_marker,0}"),
        (b"\x01\0\x01\0\0\0\x04\0\x14\0\x28\xcf", "type 1, all octets = <<0,20,0,40>>: {invalid_frame_end_marker,207}"),
    ],
)
def test_another_octet_where_the_end_mark_should_be_is_named(octets: bytes, term: str) -> None:
    client = enter(channels=[1])
    client.send(octets)
    client.hears_close(501, term, by=(0, 0))


def test_a_frame_that_is_too_large_is_refused_by_its_first_seven_octets() -> None:
    client = enter(channels=[1])
    client.send(b"\x03\0\x01" + (131073).to_bytes(4, "big"))
    client.hears_close(501, "type 3, all octets = <<>>: {frame_too_large,131073,131064}", by=(0, 0))
    client = enter(channels=[1])
    client.send(b"\x03\0\x01" + (131072).to_bytes(4, "big"))
    client.hears_nothing()


def test_after_a_fault_everything_but_close_and_its_answer_is_ignored() -> None:
    client = enter(channels=[1])
    client.declare(1, "q")
    client.send(frame(9, 0, b"") + publish(1, "q", b"x"))
    client.hears_close(501, "type 9, all octets = <<>>: unknown_frame")
    client.publish(1, "q", b"x")
    client.say(2, "channel.open")
    client.send(frame(8, 0, b""))
    client.hears_nothing()
    assert not client.connection.finished
    client.say(0, "connection.close-ok")
    assert client.connection.finished
    assert client.broker.vhosts["/"].queues[b"q"].ready_count() == 0


def test_a_close_that_crosses_ours_is_answered() -> None:
    client = enter()
    client.send(frame(9, 0, b""))
    client.hears(0, "connection.close")
    client.say(0, "connection.close")
    client.hears(0, "connection.close-ok")
    assert client.connection.finished


def test_garbage_after_a_fault_is_not_listened_to() -> None:
    client = enter()
    client.send(frame(9, 0, b""))
    client.hears(0, "connection.close")
    client.send(b"\x01\0\0\0\0\0\x01xx" * 10)
    client.send(method(0, "connection.close-ok"))
    client.hears_nothing()
    client.wait(CLOSING)
    assert client.connection.finished


@pytest.mark.parametrize(("heartbeat", "patience"), [(0, CLOSING), (10, 10), (60, CLOSING)])
def test_a_client_that_does_not_answer_its_close_is_left(heartbeat: int, patience: float) -> None:
    client = enter(heartbeat=heartbeat)
    client.send(frame(9, 0, b""))
    client.hears(0, "connection.close")
    client.wait(patience - 0.5)
    assert not client.connection.finished
    client.wait(1.0)
    assert client.connection.finished
    client.hears_nothing()


def test_a_client_that_closes_is_answered_when_all_of_it_is_taken_down() -> None:
    broker = new_broker()
    client, other = enter(broker, channels=[1]), enter(broker, channels=[1])
    client.declare(1, "own", exclusive=True)
    client.declare(1, "shared")
    client.publish(1, "shared", b"m")
    client.consume(1, "shared")
    client.hears_delivery(1, b"m")
    client.send(method(0, "connection.close") + publish(1, "shared", b"late"))
    client.hears(0, "connection.close-ok")
    client.hears_nothing()
    assert client.connection.finished
    assert client.connection not in broker.clients
    assert list(broker.vhosts["/"].queues) == [b"shared"]
    assert other.get_all(1, "shared") == [b"m"]


def test_what_a_lost_client_held_returns_and_its_exclusive_queues_go() -> None:
    broker = new_broker()
    client, other = enter(broker, channels=[1, 2]), enter(broker, channels=[1])
    client.declare(1, "own", exclusive=True)
    client.declare(1, "shared")
    for body in (b"1", b"2", b"3"):
        client.publish(1, "shared", body)
    client.get(2, "shared", no_ack=False)
    client.get(1, "shared", no_ack=False)
    other.consume(1, "shared", no_ack=True)
    other.hears_delivery(1, b"3", redelivered=False)
    other.say(1, "queue.declare", queue="own", passive=True)
    other.hears(1, "channel.close", reply_code=405)
    other.say(1, "channel.close-ok")
    client.connection.lost(1.0)
    other.open(1)
    other.say(1, "queue.declare", queue="own", passive=True)
    other.hears_channel_close(1, 404, "no queue 'own' in vhost '/'")
    assert broker.vhosts["/"].queues[b"shared"].ready_count() == 2
    client.connection.lost(1.0)
    client.send(publish(1, "shared", b"late"))
    assert broker.vhosts["/"].queues[b"shared"].ready_count() == 2


# -- heartbeats --


def test_connections_that_came_one_after_the_other_are_looked_after_together() -> None:
    broker = new_broker()
    clients = [enter(broker, heartbeat=10)]
    for _ in range(99):
        clients[0].wait(0.01)
        clients.append(enter(broker, heartbeat=10))
    moments = {deadline for deadline, _, timed in broker.timers.heap if timed in broker.clients}
    assert len(broker.clients) == 100
    # A second and a bit, in eighths, for the handshake and for the heartbeats.
    assert len(moments) <= 2 * 9


def test_an_idle_client_hears_a_heartbeat_in_every_half_interval() -> None:
    client = enter(heartbeat=10)
    heard = []
    for _ in range(40):
        client.wait(1.0)
        client.send(frame(8, 0, b""))
        heard += client.hear_all()
    assert {item.name for item in heard} == {"heartbeat"}
    assert 7 <= len(heard) <= 8


def test_heartbeats_alone_are_counted_apart_from_what_moves_a_connection() -> None:
    client = enter(heartbeat=10)
    connection = client.connection
    # What was said on the way in stands for the first heartbeat.
    client.wait(5.2)
    client.hear_all()
    before = connection.received_count + connection.sent_count - connection.beats
    client.wait(5.2)
    assert [heard.name for heard in client.hear_all()] == ["heartbeat"]
    client.send(HEARTBEAT)
    assert connection.beats >= 2
    assert connection.received_count + connection.sent_count - connection.beats == before


def test_a_client_that_is_spoken_to_needs_no_heartbeats() -> None:
    client = enter(heartbeat=10, channels=[1])
    for _ in range(40):
        client.wait(1.0)
        client.say(1, "basic.qos")
        assert [heard.name for heard in client.hear_all()] == ["basic.qos-ok"]


def test_what_waits_to_be_sent_stands_for_a_heartbeat() -> None:
    client = enter(heartbeat=10, channels=[1])
    client.say(1, "basic.qos")
    for _ in range(8):
        client.wait(2.0)
        client.send(frame(8, 0, b""))
    assert [heard.name for heard in client.hear_all()] == ["basic.qos-ok"]


def silent_for(client: Dialogue, seconds: int) -> bool:
    """Whether the client is still connected after saying nothing for so long."""
    for _ in range(seconds):
        client.wait(1.0)
    return not client.connection.finished


def test_a_client_that_falls_silent_is_left_after_two_to_three_intervals() -> None:
    assert silent_for(enter(heartbeat=10), 19)
    client = enter(heartbeat=10)
    assert not silent_for(client, 31)
    assert {heard.name for heard in client.hear_all()} == {"heartbeat"}
    assert any("missed heartbeats from client, timeout: 10s" in text for _, text in client.broker.log)


def test_any_octet_is_a_sign_of_life() -> None:
    client = enter(heartbeat=10)
    for octet in method(1, "channel.open"):
        assert silent_for(client, 15)
        client.send(bytes([octet]))
    assert not client.connection.finished


def stuffed(client: Dialogue) -> Dialogue:
    """A client that has been sent more than it reads."""
    client.declare(1, "q")
    for _ in range(3):
        client.publish(1, "q", bytes(100_000))
        client.say(1, "basic.get", queue="q", no_ack=True)
    assert not client.connection.wants_data()
    return client


def test_a_client_that_does_not_read_is_listened_to_in_every_half_interval() -> None:
    client = stuffed(enter(channels=[1], heartbeat=10))
    for _ in range(10):
        client.wait(5.0)
        assert client.connection.wants_data()
        client.send(frame(8, 0, b""))
        assert not client.connection.wants_data()
    assert not client.connection.finished


def test_a_client_that_neither_reads_nor_says_anything_is_missed() -> None:
    assert not silent_for(stuffed(enter(channels=[1], heartbeat=10)), 31)


def test_what_a_missed_client_held_is_free_at_once() -> None:
    client = enter(channels=[1], heartbeat=10)
    client.declare(1, "own", exclusive=True)
    assert not silent_for(client, 31)
    assert client.broker.vhosts["/"].queues == {}


def test_without_an_interval_nobody_is_missed() -> None:
    client = enter(heartbeat=0)
    assert silent_for(client, 1000)
    client.hears_nothing()


# -- alarms --


def test_a_publisher_is_blocked_while_an_alarm_is_set() -> None:
    client = enter(channels=[1])
    client.broker.set_alarm("memory", True)
    client.hears_nothing()
    client.publish(1, "nowhere")
    client.hears(0, "connection.blocked", reason="low on memory")
    assert not client.connection.wants_data()
    client.broker.set_alarm("disk", True)
    client.broker.set_alarm("memory", False)
    client.hears_nothing()
    client.broker.set_alarm("disk", False)
    client.hears(0, "connection.unblocked")
    assert client.connection.wants_data()
    client.publish(1, "nowhere")
    client.hears_nothing()


def test_a_publisher_that_meets_two_alarms_hears_of_both() -> None:
    client = enter(channels=[1])
    client.broker.set_alarm("memory", True)
    client.broker.set_alarm("disk", True)
    client.publish(1, "nowhere")
    client.hears(0, "connection.blocked", reason="low on memory & disk")


def test_a_client_that_does_not_understand_is_blocked_all_the_same() -> None:
    client = enter(channels=[1], capabilities=())
    client.broker.set_alarm("memory", True)
    client.publish(1, "nowhere")
    client.hears_nothing()
    assert not client.connection.wants_data()
    client.broker.writable.clear()
    client.broker.set_alarm("memory", False)
    client.hears_nothing()
    assert client.connection.wants_data()
    # The shell must look again whether to read.
    assert client.connection in client.broker.writable


def test_who_only_consumes_is_not_blocked() -> None:
    broker = new_broker()
    client, other = enter(broker, channels=[1]), enter(broker, channels=[1])
    client.declare(1, "q")
    other.publish(1, "q", b"m")
    broker.set_alarm("memory", True)
    client.consume(1, "q")
    client.hears_delivery(1, b"m")
    client.say(1, "basic.ack", delivery_tag=1)
    assert client.connection.wants_data()


def test_what_is_published_under_an_alarm_waits_with_all_that_came_after_it_until_the_alarm_is_over() -> None:
    client = enter(channels=[1])
    client.declare(1, "q")
    client.select_confirms(1)
    client.broker.set_alarm("memory", True)
    client.send(publish(1, "q", b"x") * 5 + method(1, "queue.declare", queue="q", passive=True))
    client.hears(0, "connection.blocked")
    client.hears_nothing()
    queue = client.broker.vhosts["/"].queues[b"q"]
    assert queue.ready_count() == 0
    client.broker.set_alarm("memory", False)
    client.hears(0, "connection.unblocked")
    client.hears(1, "queue.declare-ok", message_count=5)
    client.hears(1, "basic.ack", delivery_tag=5, multiple=True)
    assert queue.ready_count() == 5


def test_under_an_alarm_what_is_not_published_is_still_done() -> None:
    client = enter(channels=[1])
    client.declare(1, "q")
    client.broker.set_alarm("memory", True)
    client.say(1, "queue.declare", queue="q", passive=True)
    client.hears(1, "queue.declare-ok")
    client.hears_nothing()


def test_a_blocked_client_is_not_missed() -> None:
    client = enter(channels=[1], heartbeat=10)
    client.broker.set_alarm("memory", True)
    client.publish(1, "nowhere")
    assert silent_for(client, 300)
    client.broker.set_alarm("memory", False)
    assert silent_for(client, 19)
    assert not silent_for(client, 12)


# -- the rest --


def test_a_new_secret_is_taken() -> None:
    client = enter()
    client.say(0, "connection.update-secret", new_secret="new", reason="old one expires")
    client.hears(0, "connection.update-secret-ok")


def forced(client: Dialogue) -> None:
    client.connection.force_close("broker forced connection closure with reason 'shutdown'")


def vhost_deleted(client: Dialogue) -> None:
    client.broker.delete_vhost("/")


@pytest.mark.parametrize(
    ("force", "text"),
    [
        (forced, "broker forced connection closure with reason 'shutdown'"),
        (vhost_deleted, "vhost '/' is deleted"),
    ],
)
def test_a_client_may_be_told_to_go(force: Callable[[Dialogue], None], text: str) -> None:
    client = enter(channels=[1])
    client.say(1, "basic.qos")
    client.hear_all()
    force(client)
    client.hears_close(320, text, by=(0, 0))
    forced(client)
    client.hears_nothing()
    client.say(0, "connection.close-ok")
    assert client.connection.finished


def test_a_client_that_has_not_come_in_is_sent_away_without_a_word() -> None:
    client = Dialogue(new_broker())
    client.greet()
    forced(client)
    client.hears_nothing()
    assert client.connection.finished


@pytest.mark.parametrize("number", [0x000A0063, 0x003C0063, 0x00640001, 0xFFFFFFFF])
@pytest.mark.parametrize("channel", [0, 1, 2])
def test_a_method_that_does_not_exist_ends_the_connection(number: int, channel: int) -> None:
    client = enter(channels=[1])
    client.send(frame(1, channel, number.to_bytes(4, "big") + b"argument"))
    assert client.hears(0, "connection.close")["reply_code"] in (501, 503)


def test_a_connection_reads_nothing_while_its_client_does_not() -> None:
    client = enter(channels=[1])
    client.declare(1, "q")
    for _ in range(4):
        client.publish(1, "q", bytes(100_000))
    for _ in range(4):
        client.say(1, "basic.get", queue="q", no_ack=True)
    assert not client.connection.wants_data()
    client.hear_all()
    assert client.connection.wants_data()


def test_the_shell_is_told_once_that_there_is_something_to_send() -> None:
    client = enter(channels=[1])
    client.hear_all()
    client.broker.writable.clear()
    client.say(1, "basic.qos")
    client.say(1, "basic.qos")
    assert client.broker.writable == [client.connection]


def test_a_client_that_an_alarm_blocks_is_heard_again_when_it_is_told_to_go() -> None:
    client = enter(channels=[1])
    client.declare(1, "q")
    client.broker.set_alarm("disk", True)
    client.publish(1, "q", b"held back")
    client.hears(0, "connection.blocked", reason="low on disk")
    assert not client.connection.wants_data()
    client.connection.force_close("broker forced connection closure with reason 'shutdown'")
    client.hears(0, "connection.close", reply_code=320)
    assert client.connection.wants_data()
    client.say(0, "connection.close-ok")
    assert client.connection.finished


# -- the log --


def test_who_comes_and_goes_without_a_word_is_told_to_nobody() -> None:
    client = Dialogue(new_broker())
    client.connection.lost(client.broker.clock.now)
    assert [level for level, _ in client.broker.log if level > DEBUG] == []


def test_who_says_something_and_goes_leaves_two_lines() -> None:
    client = Dialogue(new_broker())
    for octets in (b"AM", b"QP"):
        client.connection.receive(octets, client.broker.clock.now)
    client.connection.lost(client.broker.clock.now)
    peer = client.connection.peer
    assert [line for line in client.broker.log if line[0] > DEBUG] == [
        (INFO, f"accepting AMQP connection {peer}"),
        (WARNING, f"closing AMQP connection {peer}: client unexpectedly closed TCP connection"),
    ]


def those_left() -> list[object]:
    return [found for found in gc.get_objects() if isinstance(found, Connection | Session | Channel)]


@pytest.mark.skipif(not hasattr(gc, "freeze"), reason="CPython's way to free what is in no cycle")
def test_what_a_client_leaves_behind_is_in_no_cycle() -> None:
    """To find it a collector would have to look at every message that waits."""
    gc.collect()
    gc.disable()
    try:
        before = len(those_left())
        client = consuming(bodies=3)
        client.drain()
        assert len(those_left()) == before + 4
        broker = client.broker
        client.connection.lost(0.0)
        del client
        # The shell sends what there was to be sent; timers hold on to it for a while.
        broker.writable.clear()
        for seconds in range(1, 100):
            broker.advance(float(seconds))
        assert len(those_left()) == before
    finally:
        gc.enable()
