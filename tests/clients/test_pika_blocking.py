"""pika's BlockingConnection: the six modes of the RabbitMQ tutorials, and what keeps messages safe."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel, BlockingConnection
from pika.exceptions import AMQPConnectionError, ChannelClosedByBroker, ConnectionClosedByBroker, UnroutableError

from tests.clients.target import Address, Names
from tests.harness.process import BrokerProcess

PATIENCE = 10.0
PERSISTENT = pika.BasicProperties(delivery_mode=pika.DeliveryMode.Persistent.value)


def connect(address: Address | BrokerProcess, **options: object) -> BlockingConnection:
    return BlockingConnection(pika.ConnectionParameters(address.host, address.port, **options))


@pytest.fixture
def connection(server: Address, names: Names) -> Iterator[BlockingConnection]:  # names: tidied up after the close
    with connect(server) as connection:
        yield connection


@pytest.fixture
def channel(connection: BlockingConnection) -> BlockingChannel:
    return connection.channel()


def receive(channel: BlockingChannel, queue: str, count: int) -> list[bytes]:
    """Consume and acknowledge so many messages, one by one."""
    bodies: list[bytes] = []
    for method, _, body in channel.consume(queue, inactivity_timeout=PATIENCE):
        assert method is not None, f"only {bodies} came"
        channel.basic_ack(method.delivery_tag)
        bodies.append(body)
        if len(bodies) == count:
            break
    channel.cancel()
    return bodies


def drain(connection: BlockingConnection, done: Callable[[], bool]) -> None:
    """Let callbacks run until they have done what the test waits for."""
    for _ in range(100):
        if done():
            return
        connection.process_data_events(time_limit=0.1)
    pytest.fail("the expected callbacks never came")


def private_queue(channel: BlockingChannel, exchange: str, *routing_keys: str) -> str:
    """A server-named exclusive queue, bound with each key."""
    queue = channel.queue_declare("", exclusive=True).method.queue
    for routing_key in routing_keys:
        channel.queue_bind(queue, exchange, routing_key)
    return queue


def test_the_server_announces_the_capabilities_that_pika_reads(connection: BlockingConnection) -> None:
    assert connection.publisher_confirms_supported
    assert connection.basic_nack_supported
    assert connection.consumer_cancel_notify_supported
    assert connection.exchange_exchange_bindings_supported


def test_hello_world_goes_through_a_queue(channel: BlockingChannel, names: Names) -> None:
    queue = names("hello")
    declared = channel.queue_declare(queue)
    assert (declared.method.queue, declared.method.message_count, declared.method.consumer_count) == (queue, 0, 0)

    channel.basic_publish("", queue, b"Hello World!", pika.BasicProperties(content_type="text/plain", message_id="1"))
    method, properties, body = next(channel.consume(queue, inactivity_timeout=PATIENCE))

    assert body == b"Hello World!"
    assert (method.exchange, method.routing_key, method.redelivered) == ("", queue, False)
    assert (properties.content_type, properties.message_id) == ("text/plain", "1")
    channel.basic_ack(method.delivery_tag)
    channel.cancel()
    assert channel.queue_declare(queue, passive=True).method.message_count == 0


def test_basic_get_tells_how_many_remain_and_then_that_the_queue_is_empty(
    channel: BlockingChannel, names: Names
) -> None:
    queue = names("get")
    channel.confirm_delivery()
    channel.queue_declare(queue)
    channel.basic_publish("", queue, b"a")
    channel.basic_publish("", queue, b"b")

    method, _, body = channel.basic_get(queue, auto_ack=True)
    assert (body, method.message_count) == (b"a", 1)
    method, _, body = channel.basic_get(queue, auto_ack=True)
    assert (body, method.message_count) == (b"b", 0)
    assert channel.basic_get(queue) == (None, None, None)


def test_two_workers_share_a_durable_work_queue_one_task_at_a_time(
    connection: BlockingConnection, names: Names
) -> None:
    queue = names("tasks")
    publisher = connection.channel()
    publisher.queue_declare(queue, durable=True)
    done: dict[str, list[bytes]] = {"first": [], "second": []}
    for worker, results in done.items():
        channel = connection.channel()
        channel.basic_qos(prefetch_count=1)

        def work(
            channel: BlockingChannel, method: object, _: object, body: bytes, results: list[bytes] = results
        ) -> None:
            results.append(body)
            channel.basic_ack(method.delivery_tag)

        channel.basic_consume(queue, work, consumer_tag=worker)
    for number in range(10):
        publisher.basic_publish("", queue, b"task %d" % number, PERSISTENT)
    drain(connection, lambda: sum(map(len, done.values())) == 10)

    assert sorted(done["first"] + done["second"]) == sorted(b"task %d" % number for number in range(10))
    assert done["first"]
    assert done["second"]


def test_a_task_that_was_not_acknowledged_goes_to_the_next_worker(server: Address, names: Names) -> None:
    queue = names("tasks")
    with connect(server) as patient, patient.channel() as channel:
        channel.queue_declare(queue, durable=True)
        with connect(server) as dying:
            dying.channel().basic_publish("", queue, b"task", PERSISTENT)
            method, _, _ = next(dying.channel().consume(queue, inactivity_timeout=PATIENCE))
            assert not method.redelivered
        method, _, body = next(channel.consume(queue, inactivity_timeout=PATIENCE))
        assert (method.redelivered, body) == (True, b"task")
        channel.basic_ack(method.delivery_tag)


def test_every_subscriber_of_a_fanout_exchange_gets_a_copy(channel: BlockingChannel, names: Names) -> None:
    exchange = names("logs")
    channel.exchange_declare(exchange, "fanout")
    queues = [private_queue(channel, exchange, "") for _ in range(3)]

    channel.basic_publish(exchange, "", b"info: hello")

    assert [receive(channel, queue, 1) for queue in queues] == [[b"info: hello"]] * 3


def test_a_direct_exchange_routes_by_severity(channel: BlockingChannel, names: Names) -> None:
    exchange = names("direct_logs")
    channel.exchange_declare(exchange, "direct")
    errors = private_queue(channel, exchange, "error")
    everything = private_queue(channel, exchange, "info", "warning", "error")

    for severity in ("info", "warning", "error"):
        channel.basic_publish(exchange, severity, severity.encode())

    assert receive(channel, everything, 3) == [b"info", b"warning", b"error"]
    assert receive(channel, errors, 1) == [b"error"]


def test_a_topic_exchange_routes_by_pattern(channel: BlockingChannel, names: Names) -> None:
    exchange = names("topic_logs")
    channel.exchange_declare(exchange, "topic")
    kernel = private_queue(channel, exchange, "kern.*")
    critical = private_queue(channel, exchange, "*.critical", "#.critical")
    everything = private_queue(channel, exchange, "#")
    keys = ["kern.critical", "kern.info", "cron.critical", "a.b.critical", "anonymous"]

    for key in keys:
        channel.basic_publish(exchange, key, key.encode())

    assert receive(channel, everything, 5) == [key.encode() for key in keys]
    assert receive(channel, kernel, 2) == [b"kern.critical", b"kern.info"]
    assert receive(channel, critical, 3) == [b"kern.critical", b"cron.critical", b"a.b.critical"]


def serve_fibonacci(channel: BlockingChannel, queue: str) -> None:
    def fibonacci(number: int) -> int:
        return number if number < 2 else fibonacci(number - 1) + fibonacci(number - 2)

    def answer(channel: BlockingChannel, method: object, properties: pika.BasicProperties, body: bytes) -> None:
        reply = pika.BasicProperties(correlation_id=properties.correlation_id)
        channel.basic_publish("", properties.reply_to, str(fibonacci(int(body))), reply)
        channel.basic_ack(method.delivery_tag)

    channel.basic_qos(prefetch_count=1)
    channel.basic_consume(queue, answer)


@pytest.mark.parametrize("reply_queue", ["", "amq.rabbitmq.reply-to"], ids=["own queue", "direct reply-to"])
def test_rpc_answers_come_back_with_their_correlation_id(
    connection: BlockingConnection, names: Names, reply_queue: str
) -> None:
    requests = names("rpc")
    server = connection.channel()
    server.queue_declare(requests)
    serve_fibonacci(server, requests)
    client = connection.channel()
    if not reply_queue:
        reply_queue = client.queue_declare("", exclusive=True).method.queue
    answers: dict[str, bytes] = {}

    def on_answer(_: BlockingChannel, method: object, properties: pika.BasicProperties, body: bytes) -> None:
        answers[properties.correlation_id] = body

    client.basic_consume(reply_queue, on_answer, auto_ack=True)
    for number in (1, 7, 12):
        properties = pika.BasicProperties(reply_to=reply_queue, correlation_id=f"call {number}")
        client.basic_publish("", requests, str(number), properties)
    drain(connection, lambda: len(answers) == 3)

    assert answers == {"call 1": b"1", "call 7": b"13", "call 12": b"144"}


def test_a_confirmed_publish_is_in_the_queue(channel: BlockingChannel, names: Names) -> None:
    queue = names("confirmed")
    channel.confirm_delivery()
    channel.queue_declare(queue)
    for number in range(20):
        channel.basic_publish("", queue, b"%d" % number, PERSISTENT, mandatory=True)
    assert channel.queue_declare(queue, passive=True).method.message_count == 20


def test_a_refused_publish_is_nacked(channel: BlockingChannel, names: Names) -> None:
    queue = names("full")
    channel.confirm_delivery()
    channel.queue_declare(queue, arguments={"x-max-length": 1, "x-overflow": "reject-publish"})
    channel.basic_publish("", queue, b"fits")
    with pytest.raises(pika.exceptions.NackError):
        channel.basic_publish("", queue, b"does not fit")
    assert receive(channel, queue, 1) == [b"fits"]


def test_an_unroutable_mandatory_message_is_returned(channel: BlockingChannel, names: Names) -> None:
    channel.confirm_delivery()
    with pytest.raises(UnroutableError) as raised:
        channel.basic_publish("", names("nowhere"), b"lost", pika.BasicProperties(app_id="me"), mandatory=True)
    [returned] = raised.value.messages
    assert (returned.method.reply_code, returned.method.reply_text) == (312, "NO_ROUTE")
    assert (returned.body, returned.properties.app_id) == (b"lost", "me")


def test_without_confirms_a_mandatory_message_comes_back_through_the_return_callback(
    connection: BlockingConnection, names: Names
) -> None:
    channel = connection.channel()
    nowhere = names("nowhere")
    returned: list[tuple[int, str, bytes]] = []
    channel.add_on_return_callback(
        lambda channel, method, properties, body: returned.append((method.reply_code, method.routing_key, body))
    )
    channel.basic_publish("", nowhere, b"lost", mandatory=True)
    drain(connection, lambda: bool(returned))
    assert returned == [(312, nowhere, b"lost")]


@pytest.mark.parametrize("reason", ["rejected", "expired", "maxlen"])
def test_a_dead_letter_tells_its_story(channel: BlockingChannel, names: Names, reason: str) -> None:
    exchange, graveyard, queue = names("dlx"), names("graveyard"), names("work")
    channel.exchange_declare(exchange, "direct")
    channel.queue_declare(graveyard)
    channel.queue_bind(graveyard, exchange, "dead")
    limits = {"rejected": {}, "expired": {"x-message-ttl": 20}, "maxlen": {"x-max-length": 0}}[reason]
    arguments = {"x-dead-letter-exchange": exchange, "x-dead-letter-routing-key": "dead", **limits}
    channel.queue_declare(queue, arguments=arguments)
    channel.basic_publish("", queue, b"doomed", pika.BasicProperties(headers={"kept": "yes"}))
    if reason == "rejected":
        method, _, _ = next(channel.consume(queue, inactivity_timeout=PATIENCE))
        channel.basic_reject(method.delivery_tag, requeue=False)
        channel.cancel()

    method, properties, body = next(channel.consume(graveyard, inactivity_timeout=PATIENCE))

    assert (body, method.exchange, method.routing_key) == (b"doomed", exchange, "dead")
    headers = properties.headers
    assert headers["kept"] == "yes"
    assert (headers["x-first-death-queue"], headers["x-first-death-reason"]) == (queue, reason)
    assert headers["x-first-death-exchange"] == ""
    [death] = headers["x-death"]
    assert {key: death[key] for key in ("count", "reason", "queue", "exchange", "routing-keys")} == {
        "count": 1,
        "reason": reason,
        "queue": queue,
        "exchange": "",
        "routing-keys": [queue],
    }


@pytest.mark.parametrize("way", ["queue", "message"])
def test_a_message_that_may_not_wait_reaches_a_waiting_consumer(
    connection: BlockingConnection, names: Names, way: str
) -> None:
    queue = names("impatient")
    channel = connection.channel()
    channel.queue_declare(queue, arguments={"x-message-ttl": 0} if way == "queue" else {})
    properties = pika.BasicProperties(expiration="0" if way == "message" else None)
    channel.basic_publish("", queue, b"nobody waits", properties)
    got: list[bytes] = []
    channel.basic_consume(queue, lambda channel, method, properties, body: got.append(body), auto_ack=True)
    channel.basic_publish("", queue, b"someone waits", properties)
    channel.basic_publish("", queue, b"end")
    drain(connection, lambda: len(got) == 2)
    assert got == [b"someone waits", b"end"]


def test_the_next_single_active_consumer_takes_over_and_the_old_ones_message_is_not_lost(
    connection: BlockingConnection, names: Names
) -> None:
    queue = names("single")
    first, second = connection.channel(), connection.channel()
    first.queue_declare(queue, arguments={"x-single-active-consumer": True})
    got: dict[str, list[tuple[bytes, bool]]] = {"first": [], "second": []}
    tags: list[int] = []

    def take(channel: BlockingChannel, method: object, properties: object, body: bytes) -> None:
        got[method.consumer_tag].append((body, method.redelivered))
        tags.append(method.delivery_tag)

    for channel, tag in ((first, "first"), (second, "second")):
        channel.basic_qos(prefetch_count=1)
        channel.basic_consume(queue, take, consumer_tag=tag)
    for body in (b"one", b"two"):
        first.basic_publish("", queue, body)
    drain(connection, lambda: len(tags) == 1)
    first.basic_cancel("first")
    first.basic_nack(tags[0], requeue=True)
    drain(connection, lambda: len(tags) == 2)
    second.basic_ack(tags[1])
    drain(connection, lambda: len(tags) == 3)
    assert got["first"] == [(b"one", False)]
    assert sorted(got["second"]) == [(b"one", True), (b"two", False)]


def test_a_fault_closes_the_channel_and_not_the_connection(connection: BlockingConnection, names: Names) -> None:
    channel = connection.channel()
    missing = names("missing")
    with pytest.raises(ChannelClosedByBroker) as raised:
        channel.queue_declare(missing, passive=True)
    assert raised.value.reply_code == 404
    assert raised.value.reply_text == f"NOT_FOUND - no queue '{missing}' in vhost '/'"
    assert connection.channel().queue_declare(missing).method.message_count == 0


def test_deleting_a_queue_cancels_its_consumers(connection: BlockingConnection, names: Names) -> None:
    queue = names("cancelled")
    channel = connection.channel()
    channel.queue_declare(queue)
    cancelled: list[str] = []
    channel.add_on_cancel_callback(lambda frame: cancelled.append(frame.method.consumer_tag))
    tag = channel.basic_consume(queue, lambda *delivery: None)
    connection.channel().queue_delete(queue)
    drain(connection, lambda: bool(cancelled))
    assert cancelled == [tag]


def test_a_consumer_is_told_of_the_shutdown_and_goes_on_after_the_restart(broker: BrokerProcess) -> None:
    connection = connect(broker)
    channel = connection.channel()
    channel.queue_declare("work", durable=True)
    channel.basic_consume("work", lambda *delivery: None)
    broker.terminate()
    with pytest.raises(ConnectionClosedByBroker) as raised:
        channel.start_consuming()
    assert raised.value.reply_code == 320
    assert broker.wait() == 0

    with pytest.raises(AMQPConnectionError):
        connect(broker)
    broker.start()
    with connect(broker, connection_attempts=5, retry_delay=0.1) as again:
        channel = again.channel()
        channel.queue_declare("work", durable=True)
        channel.basic_publish("", "work", b"after", PERSISTENT)
        assert receive(channel, "work", 1) == [b"after"]


def test_a_killed_broker_shows_as_a_lost_stream(broker: BrokerProcess) -> None:
    connection = connect(broker)
    channel = connection.channel()
    broker.kill()
    with pytest.raises(AMQPConnectionError):
        channel.queue_declare("work")
    broker.start()
    with connect(broker) as again:
        assert again.channel().queue_declare("work", durable=True).method.message_count == 0
