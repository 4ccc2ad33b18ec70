"""pika's SelectConnection: the same modes, driven by callbacks of its own event loop.

A test is a generator, for callbacks nest badly: it yields a function that takes `callback=` and is resumed with what
the callback was given.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial
from typing import Any

import pika
import pytest
from pika import SelectConnection
from pika.channel import Channel
from pika.exceptions import AMQPConnectionError, ConnectionClosedByBroker

from tests.clients.target import Address, Names
from tests.harness.process import BrokerProcess

PATIENCE = 10.0
Ask = Callable[..., Any]
Script = Generator[Ask, Any, None]


class Inbox:
    """Collects what callbacks are given; `take(n)` asks for the next n of it."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self._count = 0
        self._callback: Callable[[list[Any]], None] | None = None

    def put(self, *item: Any) -> None:
        self.items.append(item)
        self._hand_over()

    def take(self, count: int) -> Ask:
        def ask(callback: Callable[[list[Any]], None]) -> None:
            self._count, self._callback = count, callback
            self._hand_over()

        return ask

    def _hand_over(self) -> None:
        if self._callback is not None and len(self.items) >= self._count:
            callback, self._callback = self._callback, None
            taken, self.items = self.items[: self._count], self.items[self._count :]
            callback(taken)


class Player:
    """One SelectConnection that plays a script until the script or the connection ends."""

    def __init__(self, address: Address | BrokerProcess, script: Callable[[SelectConnection], Script]) -> None:
        self.ended: BaseException | None = None
        self._script = script
        self._failure: BaseException | None = None
        self._connection = SelectConnection(
            pika.ConnectionParameters(address.host, address.port, heartbeat=30),
            on_open_callback=self._opened,
            on_open_error_callback=self._closed,
            on_close_callback=self._closed,
        )

    def play(self) -> BaseException:
        """Run to the end; returns why the connection closed. What the script raises is raised."""
        loop = self._connection.ioloop
        loop.call_later(PATIENCE, partial(self._fail, TimeoutError("the script did not end")))
        loop.start()
        loop.close()
        if self._failure is not None:
            raise self._failure
        assert self.ended is not None
        return self.ended

    def _opened(self, connection: SelectConnection) -> None:
        self._steps = self._script(connection)
        self._advance(None)

    def _advance(self, *answer: Any) -> None:
        try:
            ask = self._steps.send(answer[0] if len(answer) == 1 else answer)
        except StopIteration:
            self._connection.close()
        except BaseException as failure:
            self._fail(failure)
        else:
            ask(callback=self._advance)

    def _fail(self, failure: BaseException) -> None:
        self._failure = failure
        self._connection.ioloop.stop()

    def _closed(self, connection: SelectConnection, reason: BaseException) -> None:
        self.ended = reason
        connection.ioloop.stop()


def play(address: Address | BrokerProcess, script: Callable[[SelectConnection], Script]) -> BaseException:
    return Player(address, script).play()


def opening(connection: SelectConnection) -> Ask:
    return lambda callback: connection.channel(on_open_callback=callback)


def consuming(channel: Channel, queue: str, inbox: Inbox, **options: Any) -> Ask:
    return partial(channel.basic_consume, queue, lambda channel, *delivery: inbox.put(*delivery), **options)


def bodies(deliveries: list[Any]) -> list[bytes]:
    return [body for _, _, body in deliveries]


def test_hello_world_goes_through_a_queue(server: Address, names: Names) -> None:
    queue = names("hello")

    def script(connection: SelectConnection) -> Script:
        inbox = Inbox()
        channel = yield opening(connection)
        declared = yield partial(channel.queue_declare, queue)
        assert declared.method.queue == queue
        yield consuming(channel, queue, inbox)
        channel.basic_publish("", queue, b"Hello World!", pika.BasicProperties(headers={"n": 1}))
        [(method, properties, body)] = yield inbox.take(1)
        assert (body, properties.headers, method.redelivered) == (b"Hello World!", {"n": 1}, False)
        channel.basic_ack(method.delivery_tag)

    assert isinstance(play(server, script), pika.exceptions.ConnectionClosedByClient)


def test_two_workers_share_a_work_queue_one_task_at_a_time(server: Address, names: Names) -> None:
    queue = names("tasks")
    done: dict[str, list[bytes]] = {"first": [], "second": []}

    def script(connection: SelectConnection) -> Script:
        inbox = Inbox()
        for worker in done:
            channel = yield opening(connection)
            yield partial(channel.queue_declare, queue, durable=True)
            yield partial(channel.basic_qos, prefetch_count=1)

            def work(channel: Channel, method: Any, properties: Any, body: bytes, worker: str = worker) -> None:
                done[worker].append(body)
                channel.basic_ack(method.delivery_tag)
                inbox.put(body)

            yield partial(channel.basic_consume, queue, work)
        for number in range(10):
            channel.basic_publish("", queue, b"%d" % number, pika.BasicProperties(delivery_mode=2))
        yield inbox.take(10)

    play(server, script)
    assert sorted(done["first"] + done["second"]) == [b"%d" % number for number in range(10)]
    assert done["first"]
    assert done["second"]


def test_a_nacked_task_comes_back_redelivered(server: Address, names: Names) -> None:
    queue = names("tasks")

    def script(connection: SelectConnection) -> Script:
        inbox = Inbox()
        channel = yield opening(connection)
        yield partial(channel.queue_declare, queue)
        yield consuming(channel, queue, inbox)
        for body in (b"a", b"b", b"c"):
            channel.basic_publish("", queue, body)
        first = yield inbox.take(3)
        channel.basic_nack(first[-1][0].delivery_tag, multiple=True, requeue=True)
        again = yield inbox.take(3)
        assert bodies(again) == [b"a", b"b", b"c"]
        assert [method.redelivered for method, _, _ in again] == [True, True, True]
        channel.basic_ack(again[-1][0].delivery_tag, multiple=True)

    play(server, script)


def test_every_subscriber_of_a_fanout_exchange_gets_a_copy(server: Address, names: Names) -> None:
    exchange = names("logs")

    def script(connection: SelectConnection) -> Script:
        inboxes = [Inbox(), Inbox(), Inbox()]
        channel = yield opening(connection)
        yield partial(channel.exchange_declare, exchange, "fanout")
        for inbox in inboxes:
            declared = yield partial(channel.queue_declare, "", exclusive=True)
            yield partial(channel.queue_bind, declared.method.queue, exchange)
            yield consuming(channel, declared.method.queue, inbox, auto_ack=True)
        channel.basic_publish(exchange, "", b"news")
        for inbox in inboxes:
            assert bodies((yield inbox.take(1))) == [b"news"]

    play(server, script)


@pytest.mark.parametrize(
    ("kind", "patterns", "expected"),
    [
        ("direct", ["error", "warning"], [b"error", b"warning"]),
        ("topic", ["*.orange.*", "lazy.#"], [b"quick.orange.rabbit", b"lazy.brown.fox", b"lazy"]),
    ],
)
def test_keys_that_match_a_binding_arrive_in_order(
    server: Address, names: Names, kind: str, patterns: list[str], expected: list[bytes]
) -> None:
    exchange = names(kind)
    published = ["error", "info", "quick.orange.rabbit", "warning", "lazy.brown.fox", "orange", "lazy"]

    def script(connection: SelectConnection) -> Script:
        inbox = Inbox()
        channel = yield opening(connection)
        yield partial(channel.exchange_declare, exchange, kind)
        declared = yield partial(channel.queue_declare, "", exclusive=True)
        queue = declared.method.queue
        for pattern in patterns:
            yield partial(channel.queue_bind, queue, exchange, pattern)
        yield consuming(channel, queue, inbox, auto_ack=True)
        for key in published:
            channel.basic_publish(exchange, key, key.encode())
        channel.basic_publish("", queue, b"end")
        assert bodies((yield inbox.take(len(expected) + 1))) == [*expected, b"end"]

    play(server, script)


def test_rpc_over_direct_reply_to(server: Address, names: Names) -> None:
    requests = names("rpc")

    def script(connection: SelectConnection) -> Script:
        channel = yield opening(connection)
        yield partial(channel.queue_declare, requests)

        def answer(channel: Channel, method: Any, properties: pika.BasicProperties, body: bytes) -> None:
            reply = pika.BasicProperties(correlation_id=properties.correlation_id)
            channel.basic_publish("", properties.reply_to, body.upper(), reply)
            channel.basic_ack(method.delivery_tag)

        yield partial(channel.basic_consume, requests, answer)
        client = yield opening(connection)
        answers = Inbox()
        yield consuming(client, "amq.rabbitmq.reply-to", answers, auto_ack=True)
        for word in ("one", "two"):
            properties = pika.BasicProperties(reply_to="amq.rabbitmq.reply-to", correlation_id=word)
            client.basic_publish("", requests, word, properties)
        received = yield answers.take(2)
        assert {properties.correlation_id: body for _, properties, body in received} == {"one": b"ONE", "two": b"TWO"}

    play(server, script)


def test_confirms_cover_every_publish_and_a_return_comes_before_its_confirm(server: Address, names: Names) -> None:
    queue, nowhere = names("confirmed"), names("nowhere")

    def script(connection: SelectConnection) -> Script:
        events: list[Any] = []
        confirms = Inbox()

        def confirmed(frame: Any) -> None:
            assert isinstance(frame.method, pika.spec.Basic.Ack)
            events.append((frame.method.delivery_tag, frame.method.multiple))
            confirms.put(frame.method.delivery_tag)

        channel = yield opening(connection)
        yield partial(channel.queue_declare, queue)
        channel.add_on_return_callback(lambda channel, method, properties, body: events.append(method.reply_text))
        yield partial(channel.confirm_delivery, confirmed)
        for _ in range(10):
            channel.basic_publish("", queue, b"kept", mandatory=True)
        channel.basic_publish("", nowhere, b"lost", mandatory=True)
        highest = 0
        while highest < 11:
            [(tag,)] = yield confirms.take(1)
            highest = max(highest, tag)
        last = next(index for index, event in enumerate(events) if event[0] == 11)
        assert "NO_ROUTE" in events[:last]
        assert (yield partial(channel.queue_declare, queue, passive=True)).method.message_count == 10

    play(server, script)


def test_a_rejected_message_goes_to_the_dead_letter_queue(server: Address, names: Names) -> None:
    queue, graveyard = names("work"), names("graveyard")

    def script(connection: SelectConnection) -> Script:
        work, dead = Inbox(), Inbox()
        channel = yield opening(connection)
        yield partial(channel.queue_declare, graveyard)
        arguments = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": graveyard}
        yield partial(channel.queue_declare, queue, arguments=arguments)
        yield consuming(channel, queue, work)
        yield consuming(channel, graveyard, dead, auto_ack=True)
        channel.basic_publish("", queue, b"bad")
        [(method, _, _)] = yield work.take(1)
        channel.basic_reject(method.delivery_tag, requeue=False)
        [(_, properties, body)] = yield dead.take(1)
        assert body == b"bad"
        assert properties.headers["x-death"][0]["reason"] == "rejected"
        assert properties.headers["x-first-death-queue"] == queue

    play(server, script)


def test_a_fault_is_told_to_the_channel_close_callback(server: Address) -> None:
    def script(connection: SelectConnection) -> Script:
        closed = Inbox()
        channel = yield opening(connection)
        channel.add_on_close_callback(closed.put)
        channel.exchange_declare("amq.wrong", "direct")
        [(_, reason)] = yield closed.take(1)
        assert reason.reply_code == 403
        assert reason.reply_text == ("ACCESS_REFUSED - exchange name 'amq.wrong' contains reserved prefix 'amq.*'")

    play(server, script)


def test_the_loop_hears_of_the_shutdown_and_a_new_connection_works_after_the_restart(broker: BrokerProcess) -> None:
    def waits(connection: SelectConnection) -> Script:
        channel = yield opening(connection)
        yield partial(channel.queue_declare, "work", durable=True)
        broker.terminate()
        yield Inbox().take(1)

    reason = play(broker, waits)
    assert isinstance(reason, ConnectionClosedByBroker)
    assert reason.reply_code == 320
    assert broker.wait() == 0
    assert isinstance(play(broker, waits), AMQPConnectionError)

    broker.start()

    def works(connection: SelectConnection) -> Script:
        inbox = Inbox()
        channel = yield opening(connection)
        yield partial(channel.queue_declare, "work", durable=True)
        yield consuming(channel, "work", inbox, auto_ack=True)
        channel.basic_publish("", "work", b"after")
        assert bodies((yield inbox.take(1))) == [b"after"]

    play(broker, works)
