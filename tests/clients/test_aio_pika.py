"""aio-pika (over aiormq): the six modes, what keeps messages safe, and the connection that heals itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import aio_pika
import aiormq
import pytest
from aio_pika import DeliveryMode, ExchangeType, Message
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue
from aio_pika.exceptions import ChannelClosed, DeliveryError, PublishError

from tests.clients.asyncio_client import PATIENCE, open_channel, run
from tests.clients.target import Address, Names, operator
from tests.harness.process import BrokerProcess


async def receive(queue: AbstractQueue, count: int) -> list[bytes]:
    bodies: list[bytes] = []
    async with queue.iterator(timeout=PATIENCE) as messages:
        async for message in messages:
            async with message.process():
                bodies.append(message.body)
            if len(bodies) == count:
                break
    return bodies


async def private_queue(channel: AbstractChannel, exchange: aio_pika.abc.AbstractExchange, *keys: str) -> AbstractQueue:
    queue = await channel.declare_queue(exclusive=True)
    for key in keys:
        await queue.bind(exchange, key)
    return queue


def test_hello_world_keeps_body_and_properties(server: Address, names: Names) -> None:
    async def scenario() -> None:
        async with open_channel(server) as channel:
            queue = await channel.declare_queue(names("hello"), auto_delete=True)
            sent = Message(
                b"Hello World!",
                content_type="text/plain",
                headers={"answer": 42, "list": [1, "two"], "nested": {"deep": True, "none": None}},
                message_id="m1",
                priority=3,
            )
            await channel.default_exchange.publish(sent, queue.name)
            received = await queue.get(timeout=PATIENCE)
            await received.ack()
            assert (received.body, received.content_type, received.message_id) == (b"Hello World!", "text/plain", "m1")
            assert received.headers == sent.headers
            assert (received.priority, received.redelivered, received.routing_key) == (3, False, queue.name)
            assert await queue.get(fail=False) is None

    run(scenario())


def test_workers_share_a_work_queue(server: Address, names: Names) -> None:
    async def scenario() -> None:
        done: dict[str, list[bytes]] = {"first": [], "second": []}
        finished = asyncio.Event()

        def worker(name: str) -> Callable[[AbstractIncomingMessage], Awaitable[None]]:
            async def work(message: AbstractIncomingMessage) -> None:
                async with message.process():
                    done[name].append(message.body)
                if sum(map(len, done.values())) == 20:
                    finished.set()

            return work

        name = names("tasks")
        async with open_channel(server) as publisher, open_channel(server) as one, open_channel(server) as two:
            await publisher.declare_queue(name, durable=True)
            for channel, label in ((one, "first"), (two, "second")):
                await channel.set_qos(prefetch_count=1)
                await (await channel.get_queue(name)).consume(worker(label))
            for number in range(20):
                message = Message(b"%d" % number, delivery_mode=DeliveryMode.PERSISTENT)
                await publisher.default_exchange.publish(message, name)
            await asyncio.wait_for(finished.wait(), PATIENCE)
        assert sorted(done["first"] + done["second"], key=int) == [b"%d" % number for number in range(20)]
        assert done["first"]
        assert done["second"]

    run(scenario())


def test_a_task_whose_worker_raises_is_requeued_and_redelivered(server: Address, names: Names) -> None:
    async def scenario() -> None:
        async with open_channel(server) as channel:
            queue = await channel.declare_queue(names("tasks"))
            await channel.default_exchange.publish(Message(b"task"), queue.name)
            message = await queue.get(timeout=PATIENCE)
            with pytest.raises(ZeroDivisionError):
                async with message.process(requeue=True):
                    raise ZeroDivisionError
            again = await queue.get(timeout=PATIENCE)
            await again.ack()
            assert (again.redelivered, again.body) == (True, b"task")

    run(scenario())


def test_every_subscriber_of_a_fanout_exchange_gets_a_copy(server: Address, names: Names) -> None:
    async def scenario() -> None:
        async with open_channel(server) as channel:
            exchange = await channel.declare_exchange(names("logs"), ExchangeType.FANOUT)
            queues = [await private_queue(channel, exchange, "") for _ in range(3)]
            await exchange.publish(Message(b"news"), "ignored")
            assert [await receive(queue, 1) for queue in queues] == [[b"news"]] * 3

    run(scenario())


@pytest.mark.parametrize(
    ("kind", "patterns", "expected"),
    [
        (ExchangeType.DIRECT, ["error", "warning"], ["error", "warning"]),
        (ExchangeType.TOPIC, ["kern.*", "#.critical"], ["kern.info", "cron.critical", "kern.critical"]),
    ],
    ids=["routing", "topics"],
)
def test_bindings_choose_by_routing_key(
    server: Address, names: Names, kind: ExchangeType, patterns: list[str], expected: list[str]
) -> None:
    async def scenario() -> None:
        async with open_channel(server) as channel:
            exchange = await channel.declare_exchange(names("logs"), kind)
            queue = await private_queue(channel, exchange, *patterns)
            for key in ("error", "info", "kern.info", "cron.critical", "warning", "cron.info", "kern.critical"):
                await exchange.publish(Message(key.encode()), key, mandatory=False)
            await channel.default_exchange.publish(Message(b"end"), queue.name)
            assert await receive(queue, len(expected) + 1) == [key.encode() for key in [*expected, "end"]]

    run(scenario())


def test_headers_exchange_chooses_by_all_or_any_header(server: Address, names: Names) -> None:
    async def scenario() -> None:
        async with open_channel(server) as channel:
            exchange = await channel.declare_exchange(names("headers"), ExchangeType.HEADERS)
            wanted = {"format": "pdf", "type": "report"}
            both, either = await private_queue(channel, exchange), await private_queue(channel, exchange)
            await both.bind(exchange, arguments={"x-match": "all", **wanted})
            await either.bind(exchange, arguments={"x-match": "any", **wanted})
            await exchange.publish(Message(b"one", headers={"format": "pdf"}), "")
            await exchange.publish(Message(b"two", headers={**wanted, "more": 1}), "")
            assert await receive(either, 2) == [b"one", b"two"]
            assert await receive(both, 1) == [b"two"]

    run(scenario())


def test_direct_reply_to_needs_no_queue_of_the_caller(server: Address, names: Names) -> None:
    async def scenario() -> None:
        async with open_channel(server) as serving, open_channel(server) as calling:
            requests = await serving.declare_queue(names("requests"))

            async def answer(message: AbstractIncomingMessage) -> None:
                assert message.reply_to is not None
                assert message.reply_to.startswith("amq.rabbitmq.reply-to.")
                reply = Message(message.body[::-1], correlation_id=message.correlation_id)
                await serving.default_exchange.publish(reply, message.reply_to)

            await requests.consume(answer, no_ack=True)
            replies: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
            pseudo = await calling.declare_queue("amq.rabbitmq.reply-to", passive=True)
            await pseudo.consume(replies.put, no_ack=True)
            request = Message(b"abc", reply_to=pseudo.name, correlation_id="7")
            await calling.default_exchange.publish(request, requests.name)
            reply = await asyncio.wait_for(replies.get(), PATIENCE)
            assert (reply.body, reply.correlation_id) == (b"cba", "7")

    run(scenario())


def test_a_thousand_concurrent_publishes_are_all_confirmed(server: Address, names: Names) -> None:
    async def scenario() -> None:
        async with open_channel(server) as channel:
            queue = await channel.declare_queue(names("confirmed"))
            publishes = (channel.default_exchange.publish(Message(b"%d" % n), queue.name) for n in range(1000))
            confirmations = await asyncio.gather(*publishes)
            assert all(isinstance(confirmation, aiormq.spec.Basic.Ack) for confirmation in confirmations)
            state = await channel.declare_queue(queue.name, passive=True)
            assert state.declaration_result.message_count == 1000

    run(scenario())


def test_an_unroutable_message_is_returned_before_its_confirm(server: Address, names: Names) -> None:
    async def scenario() -> None:
        async with open_channel(server, on_return_raises=True) as channel:
            with pytest.raises(PublishError, match="NO_ROUTE"):
                await channel.default_exchange.publish(Message(b"lost"), names("nowhere"))
        async with open_channel(server) as channel:
            returned: list[bytes] = []
            channel.return_callbacks.add(lambda _, message: returned.append(message.body))
            await channel.default_exchange.publish(Message(b"lost"), names("nowhere"))
            assert returned == [b"lost"]

    run(scenario())


def test_a_full_queue_refuses_with_a_nack(server: Address, names: Names) -> None:
    async def scenario() -> None:
        async with open_channel(server) as channel:
            limits = {"x-max-length": 1, "x-overflow": "reject-publish"}
            queue = await channel.declare_queue(names("full"), arguments=limits)
            await channel.default_exchange.publish(Message(b"fits"), queue.name)
            with pytest.raises(DeliveryError):
                await channel.default_exchange.publish(Message(b"does not"), queue.name)

    run(scenario())


def test_dead_letters_carry_their_history(server: Address, names: Names) -> None:
    async def scenario() -> None:
        async with open_channel(server) as channel:
            exchange = await channel.declare_exchange(names("dlx"), ExchangeType.FANOUT)
            graveyard = await channel.declare_queue(names("graveyard"))
            await graveyard.bind(exchange)
            arguments = {"x-dead-letter-exchange": exchange.name}
            first = await channel.declare_queue(names("first"), arguments=arguments)
            second = await channel.declare_queue(names("second"), arguments={**arguments, "x-message-ttl": 20})
            await channel.default_exchange.publish(Message(b"bad"), first.name)
            await (await first.get(timeout=PATIENCE)).reject(requeue=False)
            [rejected] = await take(graveyard, 1)
            await channel.default_exchange.publish(Message(b"", headers=dict(rejected.headers)), second.name)
            [expired] = await take(graveyard, 1)
            history = [(death["reason"], death["queue"], death["count"]) for death in expired.headers["x-death"]]
            assert history == [("expired", second.name, 1), ("rejected", first.name, 1)]
            assert expired.headers["x-first-death-reason"] == "rejected"

    async def take(queue: AbstractQueue, count: int) -> list[AbstractIncomingMessage]:
        taken: list[AbstractIncomingMessage] = []
        async with queue.iterator(timeout=PATIENCE, no_ack=True) as messages:
            async for message in messages:
                taken.append(message)
                if len(taken) == count:
                    break
        return taken

    run(scenario())


def test_a_transaction_publishes_all_or_nothing(server: Address, names: Names) -> None:
    async def scenario() -> None:
        async with open_channel(server, publisher_confirms=False) as channel:
            queue = await channel.declare_queue(names("tx"))
            with pytest.raises(ZeroDivisionError):
                async with channel.transaction():
                    await channel.default_exchange.publish(Message(b"rolled back"), queue.name)
                    raise ZeroDivisionError
            async with channel.transaction():
                await channel.default_exchange.publish(Message(b"committed"), queue.name)
            assert await receive(queue, 1) == [b"committed"]

    run(scenario())


def test_declaring_a_queue_differently_is_refused_with_rabbitmqs_text(server: Address, names: Names) -> None:
    async def scenario() -> None:
        async with open_channel(server) as channel:
            name = names("queue")
            await channel.declare_queue(name, durable=True)
            with pytest.raises(ChannelClosed) as raised:
                await channel.declare_queue(name, durable=False)
            assert f"inequivalent arg 'durable' for queue '{name}' in vhost '/'" in str(raised.value)
            assert "received 'false' but current is 'true'" in str(raised.value)

    run(scenario())


def test_a_robust_connection_comes_back_with_its_topology_and_consumers(broker: BrokerProcess) -> None:
    async def scenario() -> None:
        async with await aio_pika.connect_robust(broker.url, reconnect_interval=0.1, fail_fast=False) as connection:
            channel = await connection.channel()
            exchange = await channel.declare_exchange("news", ExchangeType.TOPIC)
            queue = await channel.declare_queue("reader", auto_delete=True)
            await queue.bind(exchange, "news.*")
            inbox: asyncio.Queue[bytes] = asyncio.Queue()

            async def read(message: AbstractIncomingMessage) -> None:
                await message.ack()
                await inbox.put(message.body)

            await queue.consume(read)
            await exchange.publish(Message(b"before"), "news.today")
            assert await asyncio.wait_for(inbox.get(), PATIENCE) == b"before"

            back = asyncio.Event()
            connection.reconnect_callbacks.add(lambda _: back.set())
            await asyncio.to_thread(broker.restart)
            await asyncio.wait_for(back.wait(), PATIENCE)

            await exchange.publish(Message(b"after"), "news.today")
            assert await asyncio.wait_for(inbox.get(), PATIENCE) == b"after"

    run(scenario())


def test_a_robust_connection_survives_a_kill_too(broker: BrokerProcess) -> None:
    async def scenario() -> None:
        async with await aio_pika.connect_robust(broker.url, reconnect_interval=0.1, fail_fast=False) as connection:
            channel = await connection.channel()
            queue = await channel.declare_queue("survivor", durable=True)
            back = asyncio.Event()
            connection.reconnect_callbacks.add(lambda _: back.set())
            broker.kill()
            await asyncio.to_thread(broker.start)
            await asyncio.wait_for(back.wait(), PATIENCE)
            await channel.default_exchange.publish(Message(b"after"), queue.name)
            assert await receive(queue, 1) == [b"after"]
        with operator(Address(broker.host, broker.port)) as looking:
            assert looking.queue_declare("survivor", passive=True).message_count == 0

    run(scenario())
