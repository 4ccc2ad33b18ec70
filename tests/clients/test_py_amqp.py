"""py-amqp, the client under kombu: every method by hand, one frame read at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

import amqp
import pytest
from amqp.exceptions import (
    AccessRefused,
    ConnectionForced,
    ConsumerCancelled,
    MessageNacked,
    NotFound,
    PreconditionFailed,
    RecoverableConnectionError,
    ResourceLocked,
)

from tests.clients.target import Address, Names
from tests.harness.process import BrokerProcess

PATIENCE = 10.0


def connect(address: Address | BrokerProcess, **options: object) -> amqp.Connection:
    connection = amqp.Connection(f"{address.host}:{address.port}", connect_timeout=PATIENCE, **options)
    connection.connect()
    return connection


@pytest.fixture
def connection(server: Address, names: Names) -> Iterator[amqp.Connection]:  # names: tidied up after the close
    with connect(server) as connection:
        yield connection


@pytest.fixture
def channel(connection: amqp.Connection) -> amqp.Channel:
    return connection.channel()


def drain_until(connection: amqp.Connection, done: Callable[[], bool]) -> None:
    while not done():
        connection.drain_events(timeout=PATIENCE)


def receive(channel: amqp.Channel, queue: str, count: int) -> list[str]:
    """Consume and acknowledge so many messages."""
    bodies: list[str] = []

    def on_message(message: amqp.Message) -> None:
        bodies.append(message.body)
        message.channel.basic_ack(message.delivery_tag)

    tag = channel.basic_consume(queue, callback=on_message)
    drain_until(channel.connection, lambda: len(bodies) >= count)
    channel.basic_cancel(tag)
    return bodies


def private_queue(channel: amqp.Channel, exchange: str, *routing_keys: str) -> str:
    queue = channel.queue_declare(exclusive=True, auto_delete=False).queue
    for routing_key in routing_keys:
        channel.queue_bind(queue, exchange, routing_key)
    return queue


def test_hello_world_keeps_body_and_properties(channel: amqp.Channel, names: Names) -> None:
    queue = channel.queue_declare(names("hello"), auto_delete=False).queue
    sent = amqp.Message(
        "Grüß Gott",
        content_type="text/plain",
        content_encoding="utf-8",
        application_headers={"n": 2**40, "f": 0.5, "list": ["a", {"b": True}], "when": datetime(2026, 1, 2, 3, 4, 5)},
        priority=4,
        correlation_id="c",
        timestamp=1_767_323_045,
        type="greeting",
        app_id="tests",
    )
    channel.basic_publish(sent, routing_key=queue)
    received = channel.basic_get(queue)
    channel.basic_ack(received.delivery_tag)
    assert received.body == "Grüß Gott"
    assert received.properties == sent.properties
    assert received.delivery_info["message_count"] == 0
    assert channel.basic_get(queue) is None


def test_a_body_of_many_frames_arrives_whole(connection: amqp.Connection, names: Names) -> None:
    channel = connection.channel()
    queue = channel.queue_declare(names("large"), auto_delete=False).queue
    body = bytes(range(256)) * 4096
    assert len(body) > 4 * connection.frame_max
    channel.basic_publish(amqp.Message(body), routing_key=queue)
    assert bytes(channel.basic_get(queue, no_ack=True).body) == body


def test_workers_share_a_work_queue(server: Address, names: Names) -> None:
    queue = names("tasks")
    done: dict[str, list[str]] = {"first": [], "second": []}
    with connect(server) as connection:
        publisher = connection.channel()
        publisher.queue_declare(queue, durable=True, auto_delete=False)
        for results in done.values():
            channel = connection.channel()
            channel.basic_qos(0, 1, False)

            def work(message: amqp.Message, results: list[str] = results) -> None:
                results.append(message.body)
                message.channel.basic_ack(message.delivery_tag)

            channel.basic_consume(queue, callback=work)
        for number in range(10):
            publisher.basic_publish(amqp.Message(str(number), delivery_mode=2), routing_key=queue)
        drain_until(connection, lambda: sum(map(len, done.values())) == 10)
    assert sorted(done["first"] + done["second"]) == [str(number) for number in range(10)]
    assert done["first"]
    assert done["second"]


def test_a_prefetch_of_three_holds_the_fourth_message_back(connection: amqp.Connection, names: Names) -> None:
    queue = names("held")
    channel = connection.channel()
    channel.queue_declare(queue, auto_delete=False)
    channel.basic_qos(0, 3, False)
    tags: list[int] = []
    for number in range(5):
        channel.basic_publish(amqp.Message(str(number)), routing_key=queue)
    channel.basic_consume(queue, callback=lambda message: tags.append(message.delivery_tag))
    drain_until(connection, lambda: len(tags) == 3)
    assert channel.queue_declare(queue, passive=True, auto_delete=False).message_count == 2
    channel.basic_ack(tags[1], multiple=True)
    drain_until(connection, lambda: len(tags) == 5)


def test_a_cancelled_consumer_gets_nothing_more_when_its_last_message_is_acknowledged(
    connection: amqp.Connection, names: Names
) -> None:
    queue = names("cancelled")
    channel = connection.channel()
    channel.queue_declare(queue, auto_delete=False)
    channel.basic_qos(0, 1, False)
    for number in range(2):
        channel.basic_publish(amqp.Message(str(number)), routing_key=queue)
    got: list[amqp.Message] = []
    tag = channel.basic_consume(queue, callback=got.append)
    drain_until(connection, lambda: bool(got))
    channel.basic_cancel(tag)
    channel.basic_ack(got[0].delivery_tag)
    assert channel.queue_declare(queue, passive=True, auto_delete=False).message_count == 1
    assert len(got) == 1


def test_every_subscriber_of_a_fanout_exchange_gets_a_copy(channel: amqp.Channel, names: Names) -> None:
    exchange = names("logs")
    channel.exchange_declare(exchange, "fanout", auto_delete=False)
    queues = [private_queue(channel, exchange, "") for _ in range(3)]
    channel.basic_publish(amqp.Message("news"), exchange)
    assert [receive(channel, queue, 1) for queue in queues] == [["news"]] * 3


def test_an_exchange_bound_to_an_exchange_passes_messages_on(channel: amqp.Channel, names: Names) -> None:
    source, destination = names("source"), names("destination")
    channel.exchange_declare(source, "direct", auto_delete=False)
    channel.exchange_declare(destination, "fanout", auto_delete=False)
    channel.exchange_bind(destination, source, "through")
    queue = private_queue(channel, destination, "")
    channel.basic_publish(amqp.Message("stays"), source, "elsewhere")
    channel.basic_publish(amqp.Message("goes"), source, "through")
    assert receive(channel, queue, 1) == ["goes"]
    channel.exchange_unbind(destination, source, "through")
    channel.basic_publish(amqp.Message("unbound"), source, "through")
    assert channel.basic_get(queue) is None


def test_a_direct_exchange_routes_by_key(channel: amqp.Channel, names: Names) -> None:
    exchange = names("direct")
    channel.exchange_declare(exchange, "direct", auto_delete=False)
    errors, everything = private_queue(channel, exchange, "error"), private_queue(channel, exchange, "error", "info")
    for severity in ("info", "debug", "error"):
        channel.basic_publish(amqp.Message(severity), exchange, severity)
    assert receive(channel, everything, 2) == ["info", "error"]
    assert receive(channel, errors, 1) == ["error"]
    channel.queue_unbind(errors, exchange, "error")
    channel.basic_publish(amqp.Message("error"), exchange, "error")
    assert receive(channel, everything, 1) == ["error"]
    assert channel.basic_get(errors) is None


def test_a_topic_exchange_routes_by_pattern(channel: amqp.Channel, names: Names) -> None:
    exchange = names("topic")
    channel.exchange_declare(exchange, "topic", auto_delete=False)
    words = private_queue(channel, exchange, "*.orange.*", "lazy.#")
    for key in ("quick.orange.rabbit", "quick.brown.fox", "lazy", "lazy.orange.male.rabbit", "orange"):
        channel.basic_publish(amqp.Message(key), exchange, key)
    assert receive(channel, words, 3) == ["quick.orange.rabbit", "lazy", "lazy.orange.male.rabbit"]


def test_rpc_over_a_reply_queue(connection: amqp.Connection, names: Names) -> None:
    requests = names("rpc")
    server, client = connection.channel(), connection.channel()
    server.queue_declare(requests, auto_delete=False)

    def answer(message: amqp.Message) -> None:
        reply = amqp.Message(str(int(message.body) ** 2), correlation_id=message.properties["correlation_id"])
        server.basic_publish(reply, routing_key=message.properties["reply_to"])
        server.basic_ack(message.delivery_tag)

    server.basic_consume(requests, callback=answer)
    replies: dict[str, str] = {}
    reply_queue = client.queue_declare(exclusive=True).queue

    def on_reply(message: amqp.Message) -> None:
        replies[message.properties["correlation_id"]] = message.body

    client.basic_consume(reply_queue, no_ack=True, callback=on_reply)
    for number in (3, 4):
        request = amqp.Message(str(number), reply_to=reply_queue, correlation_id=f"call {number}")
        client.basic_publish(request, routing_key=requests)
    drain_until(connection, lambda: len(replies) == 2)
    assert replies == {"call 3": "9", "call 4": "16"}


def test_publishing_with_confirms_returns_when_the_server_has_the_message(server: Address, names: Names) -> None:
    queue = names("confirmed")
    with connect(server, confirm_publish=True) as connection:
        channel = connection.channel()
        channel.queue_declare(queue, auto_delete=False)
        for _ in range(10):
            channel.basic_publish_confirm(amqp.Message("kept", delivery_mode=2), routing_key=queue)
        assert channel.queue_purge(queue) == 10


def test_a_full_queue_nacks(server: Address, names: Names) -> None:
    queue = names("full")
    limits = {"x-max-length": 1, "x-overflow": "reject-publish"}
    with connect(server, confirm_publish=True) as connection:
        channel = connection.channel()
        channel.queue_declare(queue, auto_delete=False, arguments=limits)
        channel.basic_publish_confirm(amqp.Message("fits"), routing_key=queue)
        with pytest.raises(MessageNacked):
            channel.basic_publish_confirm(amqp.Message("does not"), routing_key=queue)


def test_an_unroutable_mandatory_message_is_returned(server: Address, names: Names) -> None:
    returned: list[tuple[int, str, str]] = []
    with connect(server, confirm_publish=True) as connection:
        channel = connection.channel()
        nowhere = names("nowhere")
        channel.events["basic_return"].add(
            lambda exception, exchange, key, message: returned.append((exception.reply_code, key, message.body))
        )
        channel.basic_publish_confirm(amqp.Message("lost"), routing_key=nowhere, mandatory=True)
    assert returned == [(312, nowhere, "lost")]


def test_rejected_and_expired_messages_are_dead_lettered(channel: amqp.Channel, names: Names) -> None:
    graveyard, queue = names("graveyard"), names("work")
    channel.queue_declare(graveyard, auto_delete=False)
    arguments = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": graveyard}
    channel.queue_declare(queue, auto_delete=False, arguments=arguments)
    channel.basic_publish(amqp.Message("rejected"), routing_key=queue)
    channel.basic_reject(channel.basic_get(queue).delivery_tag, requeue=False)
    channel.basic_publish(amqp.Message("expired", expiration="20"), routing_key=queue)
    dead: list[amqp.Message] = []
    channel.basic_consume(graveyard, no_ack=True, callback=dead.append)
    drain_until(channel.connection, lambda: len(dead) == 2)
    for message in dead:
        [death] = message.headers["x-death"]
        assert (death["reason"], death["queue"], death["count"]) == (message.body, queue, 1)
    assert dead[1].headers["x-death"][0]["original-expiration"] == "20"
    assert "expiration" not in dead[1].properties


def test_a_transaction_can_be_rolled_back_and_committed(channel: amqp.Channel, names: Names) -> None:
    queue = channel.queue_declare(names("tx"), auto_delete=False).queue
    channel.tx_select()
    channel.basic_publish(amqp.Message("no"), routing_key=queue)
    channel.tx_rollback()
    channel.basic_publish(amqp.Message("yes"), routing_key=queue)
    assert channel.basic_get(queue) is None
    channel.tx_commit()
    assert channel.basic_get(queue, no_ack=True).body == "yes"


def test_faults_arrive_as_the_exceptions_of_their_codes(connection: amqp.Connection, names: Names) -> None:
    queue = names("faults")
    connection.channel().queue_declare(queue, durable=True, auto_delete=False)
    with pytest.raises(NotFound, match=r"no exchange 'clients\.none' in vhost '/'"):
        connection.channel().queue_bind(queue, "clients.none", "")
    with pytest.raises(PreconditionFailed, match="inequivalent arg 'durable'"):
        connection.channel().queue_declare(queue, durable=False, auto_delete=False)
    with pytest.raises(AccessRefused, match="operation not permitted on the default exchange"):
        connection.channel().queue_bind(queue, "", "key")
    with pytest.raises(PreconditionFailed, match="unknown delivery tag 7"):
        channel = connection.channel()
        channel.basic_ack(7)
        connection.drain_events(timeout=PATIENCE)


def test_an_exclusive_queue_is_locked_for_other_connections(server: Address, connection: amqp.Connection) -> None:
    queue = connection.channel().queue_declare(exclusive=True).queue
    with connect(server) as other, pytest.raises(ResourceLocked, match="cannot obtain exclusive access"):
        other.channel().queue_declare(queue, passive=True)


def test_a_deleted_queue_cancels_its_consumer(connection: amqp.Connection, names: Names) -> None:
    queue = names("cancelled")
    channel = connection.channel()
    channel.queue_declare(queue, auto_delete=False)
    channel.basic_consume(queue, callback=lambda message: None)
    # On this channel the answer comes first; between two channels the order is open.
    assert channel.queue_delete(queue) == 0
    with pytest.raises(ConsumerCancelled):
        connection.drain_events(timeout=PATIENCE)


def test_a_wrong_password_is_refused_with_403_and_its_text(server: Address) -> None:
    connection = amqp.Connection(f"{server.host}:{server.port}", password="wrong", connect_timeout=PATIENCE)
    with pytest.raises(AccessRefused, match="Login was refused using authentication mechanism AMQPLAIN"):
        connection.connect()
    connection.collect()


@pytest.mark.parametrize("method", ["PLAIN", "AMQPLAIN"])
def test_both_sasl_mechanisms_log_in(server: Address, method: str) -> None:
    with connect(server, login_method=method) as connection:
        assert connection.connected


def test_a_silent_client_is_dropped_and_one_that_sends_heartbeats_is_not(server: Address) -> None:
    silent = connect(server, heartbeat=1)
    with connect(server, heartbeat=1) as ticking:
        silent.sock.settimeout(0.2)
        for _ in range(100):
            ticking.send_heartbeat()
            try:
                if silent.sock.recv(4096) == b"":
                    break
            except TimeoutError:
                continue
            except ConnectionResetError:
                break
        else:
            pytest.fail("the silent client is still connected")
        assert ticking.channel().is_open
    silent.collect()


def test_reconnecting_by_hand_after_a_restart(broker: BrokerProcess) -> None:
    connection = connect(broker)
    connection.channel().queue_declare("work", durable=True, auto_delete=False)
    broker.terminate()
    with pytest.raises(ConnectionForced):
        connection.drain_events(timeout=PATIENCE)
    assert broker.wait() == 0
    with pytest.raises(OSError):
        connect(broker)

    broker.start()
    connection = connect(broker)
    channel = connection.channel()
    channel.queue_declare("work", durable=True, auto_delete=False)
    channel.basic_publish(amqp.Message("after"), routing_key="work")
    assert receive(channel, "work", 1) == ["after"]

    broker.kill()
    with pytest.raises((OSError, RecoverableConnectionError)):
        connection.drain_events(timeout=PATIENCE)
    connection.collect()
