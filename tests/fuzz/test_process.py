"""Hostile clients against a broker process. The innocent client beside them is served all the time (`Siege`)."""

import contextlib
import socket
import struct
from collections.abc import Iterator
from random import Random

import pytest

from tests.conformance.client import Connection
from tests.fuzz import wire
from tests.fuzz.siege import MIB, Siege, descriptors, eventually, served
from tests.harness.process import BrokerProcess

HANDSHAKE_TIMEOUT = 2_000  # ms


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    yield from served(tmp_path_factory.mktemp("amq"), f"handshake_timeout = {HANDSHAKE_TIMEOUT}\n")


@pytest.fixture(scope="module")
def boundless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    """Without a limit on channels and with large frames."""
    yield from served(tmp_path_factory.mktemp("boundless"), "channel_max = 0\nframe_max = 16777216\n")


def closed(connection: Connection) -> bool:
    """Whether the broker has closed the socket; everything that comes before its end is dropped."""
    connection.socket.setblocking(False)
    try:
        while connection.socket.recv(MIB):
            pass
    except BlockingIOError:
        return False
    except ConnectionError:
        return True
    return True


def deaf(connection: Connection) -> Connection:
    """The same connection, with room for little in the kernel."""
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    return connection


def push(connection: Connection, octets: bytes, limit: int) -> int:
    """Send the octets again and again until the broker takes no more for a second; returns how many it took."""
    sent = 0
    connection.socket.settimeout(1.0)
    with contextlib.suppress(TimeoutError):
        while sent < limit:
            sent += connection.socket.send(octets)
    return sent


def test_a_thousand_silent_clients_are_sent_away(broker: BrokerProcess) -> None:
    with Siege(broker) as siege:
        silent = [siege.dial() for _ in range(1_000)]
        siege.serves()
        for connection in silent:
            eventually(lambda connection=connection: closed(connection), "a silent client may stay")


def test_a_handshake_that_comes_octet_by_octet_gets_no_more_time(broker: BrokerProcess) -> None:
    with Siege(broker) as siege:
        slow = [siege.dial() for _ in range(20)]
        octets = b"".join(wire.handshake())
        for octet in octets[:80]:
            for connection in slow:
                connection.send_raw(bytes((octet,)))
        siege.serves()
        for connection in slow:
            eventually(lambda connection=connection: closed(connection), "a slow client may stay")


def test_octets_that_come_one_by_one_are_put_together(broker: BrokerProcess) -> None:
    with Siege(broker) as siege:
        connection = siege.enter()
        channel = connection.channel(1)
        channel.call("queue.declare", queue="dribble", exclusive=True)
        connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for octet in b"".join(wire.publish(1, "dribble", bytes(3_000))):
            connection.send_raw(bytes((octet,)))
        channel.get("dribble", bytes(3_000))


def test_one_channel_too_many_ends_the_connection(broker: BrokerProcess) -> None:
    with Siege(broker) as siege:
        connection = siege.enter()
        connection.send_raw(b"".join([wire.method(number, "channel.open") for number in range(1, 65_536)]))
        text = "number of channels opened (2047) has reached the negotiated channel_max (2047)"
        connection.inbox.clear()
        heard = connection.next_method(0, "connection.close")
        assert (heard["reply_code"], heard["reply_text"]) == (530, f"NOT_ALLOWED - {text}")


def test_all_channels_that_there_are_can_be_open(boundless: BrokerProcess) -> None:
    with Siege(boundless) as siege:
        connection = siege.enter(channel_max=0, frame_max=16_777_216)
        for first in range(1, 65_536, 4_096):
            numbers = range(first, min(first + 4_096, 65_536))
            connection.send_raw(b"".join([wire.method(number, "channel.open") for number in numbers]))
            for number in numbers:
                connection.next_method(number, "channel.open-ok")
        connection.send_raw(wire.method(65_535, "queue.declare", queue="far", exclusive=True))
        connection.next_method(65_535, "queue.declare-ok")
        siege.serves()


def test_content_that_never_ends_takes_no_more_than_was_sent(broker: BrokerProcess) -> None:
    with Siege(broker) as siege:
        for _ in range(50):
            connection = siege.enter()
            connection.channel(1)
            head, *_ = wire.publish(1, "nobody", b"")
            announced = wire.frame(wire.CONTENT_HEADER, 1, struct.pack(">HHQH", 60, 0, 128 * MIB, 0))
            connection.send_raw(head + announced + wire.frame(wire.BODY, 1, bytes(1_000)) * 20)
        siege.serves()
        assert siege.grown() < 16 * MIB


def test_content_beyond_the_largest_size_is_refused_before_it_comes(broker: BrokerProcess) -> None:
    with Siege(broker) as siege:
        connection = siege.enter()
        channel = connection.channel(1)
        announced = wire.frame(wire.CONTENT_HEADER, 1, struct.pack(">HHQH", 60, 0, 2**63, 0))
        connection.send_raw(wire.method(1, "basic.publish") + announced)
        text = f"message size {2**63} is larger than configured max size {128 * MIB}"
        channel.channel_closed(406, text, by="basic.publish")


def test_content_that_goes_on_after_its_end_ends_the_connection(broker: BrokerProcess) -> None:
    with Siege(broker) as siege:
        connection = siege.enter()
        connection.channel(1)
        head, header, body = wire.publish(1, "nobody", bytes(100))
        connection.send_raw(head + header + body * 3)
        assert connection.next_method(0, "connection.close")["reply_code"] == 505


def test_body_frames_without_octets_take_no_memory(broker: BrokerProcess) -> None:
    with Siege(broker) as siege:
        connection = siege.enter()
        connection.channel(1)
        head, header, _ = wire.publish(1, "nobody", b"x")
        connection.send_raw(head + header)
        connection.send_raw(wire.frame(wire.BODY, 1, b"") * 1_000_000)
        siege.serves()
        assert siege.grown() < 8 * MIB


def test_endless_headers_take_no_memory(broker: BrokerProcess) -> None:
    with Siege(broker) as siege:
        connection = siege.enter()
        connection.channel(1)
        octets = b"".join(wire.publish(1, "nobody", b"", headers={"k": "v" * 50}))
        connection.send_raw(octets * 50_000)
        siege.serves()
        assert siege.grown() < 8 * MIB


def test_tables_in_each_other_ten_thousand_deep_end_the_connection(broker: BrokerProcess) -> None:
    value = b"\x01kV"
    for _ in range(10_000):
        value = b"\x01kF" + len(value).to_bytes(4, "big") + value
    table = len(value).to_bytes(4, "big") + value
    with Siege(broker) as siege:
        connection = siege.enter()
        connection.channel(1).say("queue.declare", queue="deep", arguments=table)
        assert connection.next_method(0, "connection.close")["reply_code"] == 501
        connection = siege.enter()
        connection.channel(1)
        header = struct.pack(">HHQH", 60, 0, 0, 0x2000) + table
        connection.send_raw(wire.method(1, "basic.publish") + wire.frame(wire.CONTENT_HEADER, 1, header))
        assert connection.next_method(0, "connection.close")["reply_code"] == 501
        connection = siege.dial()
        connection.greet()
        connection.control.say("connection.start-ok", client_properties=table, mechanism="PLAIN")
        eventually(lambda: closed(connection), "a client may log in with such a table")


def test_consumers_that_never_read_take_little_memory_each(broker: BrokerProcess) -> None:
    # What the messages took, the allocator may keep for the next ones; so there are next ones.
    with Siege(broker, slack=48 * MIB) as siege:
        for _ in range(3):
            publisher = siege.enter().channel(1)
            publisher.call("queue.declare", queue="backlog")
            publisher.select_confirms()
            for _ in range(320):
                publisher.publish(bytes(100_000), routing_key="backlog")
            publisher.settle()
            stored = siege.grown()
            for _ in range(20):
                deaf(siege.enter()).channel(1).say("basic.consume", queue="backlog")
            siege.serves()
            assert siege.grown() < stored + 20 * 2 * MIB
            publisher.call("queue.delete", queue="backlog")
            while siege.opened:
                siege.opened.pop().hang_up()


def test_a_client_that_never_reads_its_replies_is_not_read_from(broker: BrokerProcess) -> None:
    with Siege(broker) as siege:
        connection = deaf(siege.enter())
        connection.channel(1)
        declares = wire.method(1, "queue.declare", queue="q", passive=False, exclusive=True) * 4_000
        assert push(connection, declares, 256 * MIB) < 256 * MIB
        siege.serves()
        assert siege.grown() < 16 * MIB


def test_a_client_that_asks_for_much_and_never_reads_takes_little_memory(broker: BrokerProcess) -> None:
    with Siege(broker) as siege:
        connection = siege.enter()
        channel = connection.channel(1)
        channel.call("queue.declare", queue="large", exclusive=True)
        channel.publish(bytes(4 * MIB), routing_key="large")
        ask = wire.method(1, "basic.get", queue="large") + wire.method(1, "basic.recover", requeue=True)
        connection.send_raw(ask * 1_000)
        siege.serves()
        assert siege.grown() < 24 * MIB


def test_a_client_that_neither_reads_nor_lives_is_dropped(broker: BrokerProcess) -> None:
    with Siege(broker) as siege:
        publisher = siege.enter().channel(1)
        publisher.call("queue.declare", queue="dead", exclusive=False)
        for _ in range(200):
            publisher.publish(bytes(100_000), routing_key="dead")
        deaf(siege.enter(heartbeat=1)).channel(1).say("basic.consume", queue="dead")
        siege.serves()
        eventually(lambda: descriptors(broker) == siege.descriptors + 1, "a dead client may stay")
        publisher.ready("dead", 200, consumers=0)
        publisher.call("queue.delete", queue="dead")


def test_random_octets_on_many_sockets_leave_nothing(broker: BrokerProcess) -> None:
    random = Random(5)
    opened = b"".join([*wire.handshake(), wire.method(1, "channel.open")])
    with Siege(broker) as siege:
        for number in range(300):
            connection = siege.dial()
            with contextlib.suppress(OSError):
                connection.send_raw(
                    (opened if number % 3 else b"") + random.randbytes(random.choice((10, 300, 20_000)))
                )
            if len(siege.opened) > 40:
                siege.opened.pop(0).hang_up()


def test_frames_as_large_as_the_configuration_allows_come_through_in_pieces(boundless: BrokerProcess) -> None:
    with Siege(boundless) as siege:
        connection = siege.enter(channel_max=0, frame_max=16_777_216)
        channel = connection.channel(1)
        channel.call("queue.declare", queue="large", exclusive=True)
        body = bytes(16_777_000)
        channel.publish(body, routing_key="large")
        channel.get("large", body)
