"""kombu, the messaging library under Celery: entities, producers and consumers, retries, remote control."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import kombu
import pytest
from amqp.exceptions import MessageNacked
from kombu import Connection, Consumer, Exchange, Producer, Queue
from kombu.exceptions import ChannelError, OperationalError
from kombu.mixins import ConsumerMixin
from kombu.pidbox import Mailbox

from tests.clients.target import Address, Names
from tests.harness.process import BrokerProcess

PATIENCE = 10.0
# Attempts and pauses (seconds) that fit a broker which is back within a second or two.
RETRY = {"max_retries": 100, "interval_start": 0.05, "interval_step": 0.0, "interval_max": 0.05}


@pytest.fixture
def connection(server: Address, names: Names) -> Iterator[Connection]:  # names: tidied up after the close
    with Connection(server.url) as connection:
        yield connection


def receive(connection: Connection, queue: Queue, count: int) -> list[kombu.Message]:
    """Consume and acknowledge so many messages."""
    messages: list[kombu.Message] = []

    def on_message(message: kombu.Message) -> None:
        message.ack()
        messages.append(message)

    with connection.channel() as channel, Consumer(channel, [queue], on_message=on_message, accept=["json"]):
        while len(messages) < count:
            connection.drain_events(timeout=PATIENCE)
    return messages


def payloads(messages: list[kombu.Message]) -> list[Any]:
    return [message.payload for message in messages]


def private_queue(name: str, exchange: Exchange, routing_key: str = "", **options: Any) -> Queue:
    return Queue(name, exchange, routing_key, exclusive=True, **options)


def test_kombu_takes_the_server_for_a_rabbitmq_with_its_qos_semantics(connection: Connection) -> None:
    assert connection.connection.server_properties["product"] == "RabbitMQ"
    assert connection.transport.qos_semantics_matches_spec(connection.connection) is False


def test_simple_queue_is_a_queue(connection: Connection, names: Names) -> None:
    queue = connection.SimpleQueue(names("simple"))
    queue.put({"hello": "world", "n": [1, 2.5, None]}, serializer="json", compression="zlib")
    message = queue.get(timeout=PATIENCE)
    message.ack()
    assert message.payload == {"hello": "world", "n": [1, 2.5, None]}
    with pytest.raises(queue.Empty):
        queue.get(block=False)
    queue.close()


def test_consumers_share_a_work_queue(connection: Connection, names: Names) -> None:
    work = Queue(names("tasks"), Exchange(names("work"), "direct"), "task")
    done: dict[str, list[int]] = {"first": [], "second": []}
    with ExitStack() as stack:
        for results in done.values():
            channel = stack.enter_context(connection.channel())

            def on_task(message: kombu.Message, results: list[int] = results) -> None:
                results.append(message.payload)
                message.ack()

            consumer = stack.enter_context(Consumer(channel, [work], on_message=on_task, accept=["json"]))
            consumer.qos(prefetch_count=1)
        producer = Producer(connection)
        for number in range(20):
            producer.publish(number, exchange=work.exchange, routing_key="task", serializer="json", declare=[work])
        while sum(map(len, done.values())) < 20:
            connection.drain_events(timeout=PATIENCE)
    assert sorted(done["first"] + done["second"]) == list(range(20))
    assert done["first"]
    assert done["second"]


def test_a_global_prefetch_is_shared_by_the_consumers_of_a_channel(connection: Connection, names: Names) -> None:
    queues = [Queue(names("one")), Queue(names("two"))]
    held: list[kombu.Message] = []
    channel = connection.channel()
    channel.basic_qos(0, 3, True)
    for queue in queues:
        queue(channel).declare()
        for number in range(4):
            Producer(channel).publish(number, routing_key=queue.name, serializer="json")
    with Consumer(channel, queues, on_message=held.append, accept=["json"]):
        while len(held) < 3:
            connection.drain_events(timeout=PATIENCE)
        waiting = sum(queue(channel).queue_declare(passive=True).message_count for queue in queues)
        assert (len(held), waiting) == (3, 5)
        held[0].ack()
        while len(held) < 4:
            connection.drain_events(timeout=PATIENCE)


def test_every_subscriber_of_a_fanout_exchange_gets_a_copy(connection: Connection, names: Names) -> None:
    news = Exchange(names("news"), "fanout", durable=False)
    queues = [private_queue(names(f"reader{number}"), news) for number in range(3)]
    with connection.channel() as channel:
        for queue in queues:
            queue(channel).declare()
        Producer(channel, news, serializer="json").publish("news")
        for queue in queues:
            assert payloads(receive(connection, queue, 1)) == ["news"]


@pytest.mark.parametrize(
    ("kind", "key", "expected"),
    [
        ("direct", "error", ["error"]),
        ("topic", "*.critical", ["kern.critical", "cron.critical"]),
        ("topic", "kern.#", ["kern.critical", "kern.info", "kern"]),
    ],
    ids=["routing", "topics with a star", "topics with a hash"],
)
def test_a_binding_chooses_by_routing_key(
    connection: Connection, names: Names, kind: str, key: str, expected: list[str]
) -> None:
    logs = Exchange(names("logs"), kind, durable=False)
    queue = private_queue(names("reader"), logs, key)
    with connection.channel() as channel:
        queue(channel).declare()
        producer = Producer(channel, logs, serializer="json")
        for published in ("error", "info", "kern.critical", "kern.info", "cron.critical", "kern"):
            producer.publish(published, routing_key=published)
        Producer(channel).publish("end", routing_key=queue.name, serializer="json")
        assert payloads(receive(connection, queue, len(expected) + 1)) == [*expected, "end"]


def test_rpc_over_a_reply_queue(server: Address, connection: Connection, names: Names) -> None:
    requests = Queue(names("rpc"))
    answered = threading.Event()

    class Service(ConsumerMixin):
        def __init__(self) -> None:
            self.connection = Connection(server.url)
            self.ready = threading.Event()

        def get_consumers(self, consumer: Any, channel: Any) -> list[Any]:
            return [consumer([requests], on_message=self.on_request, accept=["json"])]

        def on_consume_ready(self, *context: Any, **options: Any) -> None:
            self.ready.set()

        def on_request(self, message: kombu.Message) -> None:
            Producer(message.channel).publish(
                {"result": message.payload * 2},
                routing_key=message.properties["reply_to"],
                correlation_id=message.properties["correlation_id"],
                serializer="json",
            )
            message.ack()
            self.should_stop = answered.is_set()

    service = Service()
    thread = threading.Thread(target=service.run)
    thread.start()
    try:
        assert service.ready.wait(PATIENCE)
        with connection.channel() as channel:
            reply_queue = Queue(names("reply"), exclusive=True, auto_delete=True)
            reply_queue(channel).declare()
            for number, correlation_id in ((21, "a"), (4, "b")):
                if correlation_id == "b":
                    answered.set()
                Producer(channel).publish(
                    number,
                    routing_key=requests.name,
                    reply_to=reply_queue.name,
                    correlation_id=correlation_id,
                    serializer="json",
                )
            replies = receive(connection, reply_queue, 2)
    finally:
        service.should_stop = True
        thread.join(PATIENCE)
    assert {reply.properties["correlation_id"]: reply.payload for reply in replies} == {
        "a": {"result": 42},
        "b": {"result": 8},
    }


def test_a_confirmed_publish_is_in_the_queue(server: Address, names: Names) -> None:
    queue = Queue(names("confirmed"))
    with Connection(server.url, transport_options={"confirm_publish": True}) as connection:
        bound = queue(connection.default_channel)
        bound.declare()
        for number in range(10):
            Producer(connection).publish(number, routing_key=queue.name, serializer="json")
        assert bound.queue_declare(passive=True).message_count == 10


def test_a_full_queue_refuses_a_confirmed_publish(server: Address, names: Names) -> None:
    queue = Queue(names("full"), queue_arguments={"x-overflow": "reject-publish"}, max_length=1)
    with Connection(server.url, transport_options={"confirm_publish": True}) as connection:
        queue(connection.default_channel).declare()
        producer = Producer(connection)
        producer.publish("fits", routing_key=queue.name, serializer="json")
        with pytest.raises(MessageNacked):
            producer.publish("does not", routing_key=queue.name, serializer="json")


def test_an_unroutable_mandatory_message_is_returned(server: Address, names: Names) -> None:
    returned: list[tuple[int, str]] = []
    with Connection(server.url, transport_options={"confirm_publish": True}) as connection:
        producer = Producer(
            connection,
            on_return=lambda exception, exchange, key, message: returned.append((exception.reply_code, key)),
        )
        nowhere = names("nowhere")
        producer.publish("lost", routing_key=nowhere, mandatory=True, serializer="json")
    assert returned == [(312, nowhere)]


def test_a_rejected_message_and_an_expired_one_go_to_the_dead_letter_exchange(
    connection: Connection, names: Names
) -> None:
    dead = Exchange(names("dlx"), "topic")
    graveyard = Queue(names("graveyard"), dead, "#")
    work = Queue(names("work"), queue_arguments={"x-dead-letter-exchange": dead.name})
    with connection.channel() as channel:
        graveyard(channel).declare()
        bound = work(channel)
        bound.declare()
        producer = Producer(channel, serializer="json")
        producer.publish("rejected", routing_key=work.name)
        bound.get(accept=["json"]).reject()
        producer.publish("expired", routing_key=work.name, expiration=0.02)
        messages = receive(connection, graveyard, 2)
    assert payloads(messages) == ["rejected", "expired"]
    for message in messages:
        [death] = message.headers["x-death"]
        assert (death["reason"], death["queue"]) == (message.payload, work.name)


def test_a_priority_queue_delivers_the_urgent_first(connection: Connection, names: Names) -> None:
    queue = Queue(names("priorities"), max_priority=10)
    with connection.channel() as channel:
        queue(channel).declare()
        for priority in (1, 9, 5, 9):
            Producer(channel).publish(priority, routing_key=queue.name, priority=priority, serializer="json")
        assert payloads(receive(connection, queue, 4)) == [9, 9, 5, 1]


def test_an_exclusive_consumer_keeps_others_out(connection: Connection, names: Names) -> None:
    queue = Queue(names("exclusive"))
    with connection.channel() as first, connection.channel() as second, Consumer(first, [queue(first)]) as consumer:
        consumer.cancel()
        first.basic_consume(queue.name, exclusive=True, consumer_tag="only")
        with pytest.raises(ChannelError, match="in exclusive use"):
            second.basic_consume(queue.name, consumer_tag="other")


def test_remote_control_broadcasts_and_gathers_replies(server: Address, names: Names) -> None:
    namespace = uuid.uuid4().hex
    names.taken += [f"{namespace}.pidbox", f"reply.{namespace}.pidbox"]
    mailbox = Mailbox(namespace, type="fanout")
    stopping = threading.Event()
    ready = threading.Barrier(3)

    def serve(hostname: str) -> None:
        with Connection(server.url) as connection, connection.channel() as channel:
            node = mailbox(connection).Node(hostname, channel=channel)
            node.handlers["ping"] = lambda state, **arguments: {"ok": arguments["text"]}
            with node.listen():
                ready.wait(PATIENCE)
                while not stopping.is_set():
                    try:
                        connection.drain_events(timeout=0.1)
                    except TimeoutError:
                        continue

    threads = [threading.Thread(target=serve, args=(hostname,)) for hostname in ("w1@host", "w2@host")]
    for thread in threads:
        thread.start()
    try:
        ready.wait(PATIENCE)
        with Connection(server.url) as connection:
            replies = mailbox(connection).multi_call("ping", {"text": "pong"}, timeout=PATIENCE, limit=2)
    finally:
        stopping.set()
        for thread in threads:
            thread.join(PATIENCE)
    assert sorted(replies, key=str) == [{"w1@host": {"ok": "pong"}}, {"w2@host": {"ok": "pong"}}]


def test_ensure_connection_and_a_retried_publish_get_over_a_restart(broker: BrokerProcess) -> None:
    queue = Queue("work")
    with Connection(broker.url, transport_options={"confirm_publish": True}) as connection:
        producer = Producer(connection, serializer="json")
        producer.publish("before", routing_key="work", declare=[queue])
        broker.kill()
        failures: list[BaseException] = []
        starter = threading.Timer(0.2, broker.start)
        starter.start()
        producer.publish(
            "after",
            routing_key="work",
            declare=[queue],
            retry=True,
            retry_policy={**RETRY, "errback": lambda failure, interval: failures.append(failure)},
        )
        starter.join(PATIENCE)
        assert failures
        message = queue(connection.default_channel).get(accept=["json"])
        assert message.payload in ("before", "after")
        message.ack()

        broker.kill()
        with pytest.raises(OperationalError):
            Connection(broker.url).ensure_connection(max_retries=1, interval_start=0.01)
        broker.start()
        with Connection(broker.url).ensure_connection(**RETRY) as again:
            assert again.connected


def test_a_consumer_mixin_resumes_after_a_restart(broker: BrokerProcess) -> None:
    queue = Queue("mixin")
    inbox: list[Any] = []
    arrived = threading.Condition()
    ready = threading.Semaphore(0)

    class Worker(ConsumerMixin):
        def __init__(self) -> None:
            self.connection = Connection(broker.url)

        def get_consumers(self, consumer: Any, channel: Any) -> list[Any]:
            return [consumer([queue], on_message=self.on_task, accept=["json"])]

        def on_consume_ready(self, *context: Any, **options: Any) -> None:
            ready.release()

        def on_connection_error(self, failure: BaseException, interval: float) -> None:
            """Silent: losing the connection is what this test is about."""

        def on_task(self, message: kombu.Message) -> None:
            message.ack()
            with arrived:
                inbox.append(message.payload)
                arrived.notify()

    def send(text: str) -> None:
        with Connection(broker.url) as connection:
            Producer(connection).publish(text, routing_key="mixin", serializer="json")
        with arrived:
            assert arrived.wait_for(lambda: text in inbox, PATIENCE)

    worker = Worker()
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        assert ready.acquire(timeout=PATIENCE)
        send("before")
        assert broker.stop() == 0
        broker.start()
        assert ready.acquire(timeout=PATIENCE)
        send("after")
    finally:
        worker.should_stop = True
        thread.join(PATIENCE)
    assert inbox == ["before", "after"]
