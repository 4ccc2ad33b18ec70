"""What hostile input was found to do once. Each of these failed."""

import pytest

from amq.broker import Broker
from amq.config.settings import Settings
from amq.connection.connection import Connection
from amq.connection.peer import Peer
from amq.queues.classic import HeadExpiry
from tests.conformance.methods import Method
from tests.conformance.values import Typed
from tests.fuzz import wire
from tests.fuzz.client import Client
from tests.harness.machine import memory_tracer


@pytest.fixture
def broker() -> Broker:
    return Broker(Settings(), 0.0, 0.0)


@pytest.fixture
def client(broker: Broker) -> Client:
    return Client(broker)


def named(name: str, heard: list[Method]) -> list[Method]:
    return [method for method in heard if method.name == name]


def test_arguments_of_a_publish_that_cannot_be_decoded_end_the_connection(client: Client) -> None:
    (close,) = client.send(wire.frame(wire.METHOD, 1, b"\x00\x3c\x00\x28\x00\x00\x09x"))
    assert (close.name, close.fields["reply_code"]) == ("connection.close", 501)


def test_a_count_of_deaths_at_its_highest_stays_there(client: Client) -> None:
    client.say("queue.declare", queue="grave")
    client.say(
        "queue.declare",
        queue="q",
        arguments={"x-message-ttl": 0, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "grave"},
    )
    most = 2**63 - 1
    death = {"queue": "q", "reason": "expired", "count": Typed("l", most)}
    client.send(*wire.publish(1, "q", b"x", headers={"x-death": [death]}))
    client.connection.receive(wire.method(1, "basic.get", queue="grave", no_ack=True), 0.0)
    (_, header, _) = wire.split(client.connection.outbox.take())
    assert most.to_bytes(8, "big") in header[2]


def test_a_dead_letter_routing_key_that_fits_no_frame_is_refused(client: Client) -> None:
    arguments = {"x-dead-letter-exchange": "amq.fanout", "x-dead-letter-routing-key": "k" * 256}
    (close,) = client.say("queue.declare", queue="q", arguments=arguments)
    assert (close.name, close.fields["reply_code"]) == ("channel.close", 406)


@pytest.mark.parametrize("arguments", [{}, {"x-single-active-consumer": True}], ids=["plain", "single active"])
def test_a_consumer_is_given_nothing_when_it_acknowledges_after_it_was_cancelled(
    client: Client, arguments: dict[str, bool]
) -> None:
    client.say("queue.declare", queue="q", arguments=arguments)
    client.say("basic.qos", prefetch_count=1)
    client.say("basic.consume", queue="q", consumer_tag="t")
    client.send(*wire.publish(1, "q", b"one"), *wire.publish(1, "q", b"two"))
    client.say("basic.cancel", consumer_tag="t")
    assert client.say("basic.ack", delivery_tag=1) == []
    assert named("queue.declare-ok", client.say("queue.declare", queue="q", passive=True))[0].fields == {
        "queue": "q",
        "message_count": 1,
        "consumer_count": 0,
    }


def test_body_frames_without_octets_are_not_kept(client: Client) -> None:
    client.say("queue.declare", queue="q")
    head = wire.method(1, "basic.publish", routing_key="q")
    header = wire.content(1, b"12345")[0]
    client.send(head, header, *[wire.frame(wire.BODY, 1, b"")] * 10_000)
    assert client.connection.channels[1].publisher.parts == []


def test_content_that_is_still_coming_counts_as_publishing_under_an_alarm(broker: Broker, client: Client) -> None:
    client.send(wire.method(1, "basic.publish"), wire.content(1, b"12345")[0])
    broker.set_alarm("memory", True)
    assert client.connection.wants_data()
    client.send(wire.frame(wire.BODY, 1, b"123"))
    assert not client.connection.wants_data()


def test_a_connection_does_not_remember_exclusive_queues_that_deleted_themselves(client: Client) -> None:
    for _ in range(100):
        client.say("queue.declare", exclusive=True, auto_delete=True)
        client.say("basic.consume", consumer_tag="t")
        client.say("basic.cancel", consumer_tag="t")
    assert client.connection.session is not None
    assert len(client.connection.session.exclusive) < 20


def test_no_timer_holds_on_to_what_is_gone_for_long(broker: Broker) -> None:
    client = Client(broker, heartbeat=65_535)
    client.say("queue.declare", queue="q", arguments={"x-expires": 10**9, "x-message-ttl": 10**9})
    client.send(*wire.publish(1, "q", b"x"))
    client.say("basic.get", queue="q")
    client.say("queue.delete", queue="q")
    client.lose()
    broker.advance(16.0)
    assert broker.timers.heap == []


def test_what_takes_longer_still_happens_at_its_time(broker: Broker) -> None:
    client = Client(broker, heartbeat=300)
    client.say("queue.declare", queue="expiring", arguments={"x-expires": 200_000})
    client.say("queue.declare", queue="q", arguments={"x-message-ttl": 200_000})
    client.send(*wire.publish(1, "q", b"x"))
    happened = []
    for now in range(10, 1_000, 10):
        broker.advance(float(now))
        happened += [(now, event) for event in client.connection.outbox.take()[:1]]
        happened += [(now, name) for name in ("expiring",) if now == 190 and name.encode() in broker.vhosts["/"].queues]
        if now in (190, 200):
            happened.append((now, broker.vhosts["/"].queues[b"q"].ready_count()))
    assert happened == [(190, "expiring"), (190, 1), (200, 0), (300, wire.HEARTBEAT), (450, wire.HEARTBEAT)]
    assert b"expiring" not in broker.vhosts["/"].queues
    assert client.connection.finished


def test_heads_that_expire_ever_earlier_leave_one_timer_in_the_end(broker: Broker, client: Client) -> None:
    client.say("queue.declare", queue="q")
    for ttl in range(50_000, 0, -1_000):
        client.send(*wire.publish(1, "q", b"x", expiration=str(ttl)))
        client.say("basic.get", queue="q", no_ack=True)
    client.send(*wire.publish(1, "q", b"x", expiration="100000"))
    broker.advance(51.0)
    assert len([timed for _, _, timed in broker.timers.heap if isinstance(timed, HeadExpiry)]) == 1


def test_acknowledging_and_rolling_back_looks_at_outstanding_deliveries_only(client: Client) -> None:
    ledger = client.connection.channels[1].ledger
    client.say("queue.declare", queue="q")
    client.say("tx.select")
    client.send(*wire.publish(1, "q", b"x"), *wire.publish(1, "q", b"x"))
    client.say("tx.commit")
    client.say("basic.get", queue="q")
    # As after very many deliveries that need no acknowledgement; looking at each number would take hours.
    ledger.next_tag = 10**12
    client.say("basic.get", queue="q")
    for _ in range(3):
        client.say("basic.ack", delivery_tag=10**12, multiple=True)
        assert [heard.name for heard in client.say("tx.rollback")] == ["tx.rollback-ok"]
    client.say("basic.ack", delivery_tag=10**12, multiple=True)
    assert [heard.name for heard in client.say("tx.commit")] == ["tx.commit-ok"]
    assert ledger.unacked == {}


def test_a_long_body_is_not_copied_for_everybody_who_waits_to_be_sent_it(broker: Broker, client: Client) -> None:
    client.say("queue.declare", queue="q")
    client.send(*wire.publish(1, "q", bytes(1 << 20)))
    ask = [wire.method(1, "basic.get", queue="q"), wire.method(1, "basic.recover", requeue=True)]
    tracemalloc = memory_tracer()
    tracemalloc.start()
    try:
        client.connection.receive(b"".join(ask * 100), 0.0)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert client.connection.outbox.size > 100 << 20
    assert held < 4 << 20


def test_dead_letters_without_end_do_not_keep_everybody_else_waiting(broker: Broker, client: Client) -> None:
    client.say("exchange.declare", exchange="x", type="fanout")
    for number in range(12):
        # Each queue passes what it is given on to all others that it has not been in: 12! ways.
        arguments = {"x-message-ttl": 0, "x-dead-letter-exchange": "x"}
        client.say("queue.declare", queue=f"q{number}", arguments=arguments)
        client.say("queue.bind", queue=f"q{number}", exchange="x")
    client.send(*wire.publish(1, "", b"x", exchange="x"))
    other = Client(broker)
    other.say("queue.declare", queue="innocent")
    other.send(*wire.publish(1, "innocent", b"x"))
    assert [heard.name for heard in other.say("basic.get", queue="innocent")] == ["basic.get-ok"]


def test_routes_to_very_many_queues_are_remembered_in_smaller_numbers(broker: Broker, client: Client) -> None:
    client.say("exchange.declare", exchange="x", type="fanout")
    for number in range(3_000):
        client.say("queue.declare", queue=f"q{number}")
        client.say("queue.bind", queue=f"q{number}", exchange="x")
    for number in range(300):
        client.send(*wire.publish(1, f"key {number}", b"", exchange="x"))
    assert 100 < len(broker.vhosts["/"].routes["guest"]) < 200


def test_a_large_frame_is_put_together_once(client: Client) -> None:
    client.say("queue.declare", queue="q")
    octets = b"".join(wire.publish(1, "q", bytes(130_000)))
    connection = client.connection
    pieces = [octets[at : at + 100] for at in range(0, len(octets), 100)]
    for piece in pieces[:-1]:
        connection.receive(piece, 0.0)
    # Joining at every piece would copy the frame a thousand times.
    assert len(connection.tail.pieces) > len(pieces) - 5
    connection.receive(pieces[-1], 0.0)
    assert connection.tail.pieces == []
    assert [heard.name for heard in client.say("basic.get", queue="q")] == ["basic.get-ok"]


def test_a_protocol_header_in_any_pieces_is_a_protocol_header(broker: Broker) -> None:
    for cut in range(1, 8):
        connection = Connection(broker, Peer("127.0.0.1", 1, "127.0.0.1", 2), 0.0)
        connection.receive(wire.PROTOCOL_HEADER[:cut], 0.0)
        connection.receive(wire.PROTOCOL_HEADER[cut:], 0.0)
        ((_, start),) = wire.spoken(connection.outbox.take())
        assert start.name == "connection.start"


def test_dead_letters_that_had_to_wait_arrive_all_the_same(broker: Broker, client: Client) -> None:
    client.say("queue.declare", queue="grave")
    arguments = {"x-message-ttl": 1, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "grave"}
    client.say("queue.declare", queue="q", arguments=arguments)
    client.send(*wire.publish(1, "q", b"x") * 3_000)
    for turn in range(1, 100):
        broker.advance(float(turn))
    (declared,) = client.say("queue.declare", queue="grave", passive=True)
    assert declared.fields["message_count"] == 3_000


def test_a_message_that_waits_takes_little_more_than_its_octets(client: Client) -> None:
    client.say("queue.declare", queue="q")
    # Every entry of three octets is an object or two once it is decoded.
    headers = {f"{number:x}": None for number in range(20_000)}
    messages = [b"".join(wire.publish(1, "q", b"x", headers=headers, message_id=str(number))) for number in range(20)]
    tracemalloc = memory_tracer()
    tracemalloc.start()
    try:
        for message in messages:
            client.send(message)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 1.5 * sum(map(len, messages))


def test_a_client_that_shows_signs_of_life_and_never_reads_is_not_read_from_for_ever(broker: Broker) -> None:
    client = Client(broker, heartbeat=1)
    chunk = wire.method(1, "queue.declare", queue="q" * 250) * 2_000
    for turn in range(1, 200):
        broker.advance(turn / 2)
        if client.connection.wants_data():
            client.connection.receive(chunk, turn / 2)
        assert client.connection.outbox.size < 8 << 20
    assert client.connection.finished
