"""Testing a program that uses aio-pika. The broker runs in a thread of its own, so any event loop will do.

With pytest-asyncio or anyio the tests would be `async def` and the fixture the same.
"""

import asyncio

import aio_pika


async def measure(url, readings):
    """The program under test: sends readings to whoever listens."""
    connection = await aio_pika.connect_robust(url, reconnect_interval=0.05)
    async with connection:
        channel = await connection.channel()
        exchange = await channel.declare_exchange("readings", aio_pika.ExchangeType.TOPIC)
        for place, value in readings:
            await exchange.publish(aio_pika.Message(str(value).encode()), routing_key=place)


def test_a_listener_hears_only_its_place(amq_broker):
    async def scenario():
        async with await aio_pika.connect(amq_broker.url) as connection:
            channel = await connection.channel()
            exchange = await channel.declare_exchange("readings", aio_pika.ExchangeType.TOPIC)
            queue = await channel.declare_queue(exclusive=True)
            await queue.bind(exchange, "cellar.#")
            await measure(amq_broker.url, [("cellar.north", 11), ("roof", 38), ("cellar.south", 12)])
            return [await take(queue), await take(queue), await queue.get(fail=False)]

    assert asyncio.run(scenario()) == ["11", "12", None]


async def take(queue):
    message = await queue.get(timeout=5)
    await message.ack()
    return message.body.decode()


def test_a_robust_connection_comes_back(amq_broker):
    async def scenario():
        connection = await aio_pika.connect_robust(amq_broker.url, reconnect_interval=0.05)
        async with connection:
            channel = await connection.channel()
            queue = await channel.declare_queue("readings", durable=True)
            came_back = asyncio.Event()
            connection.reconnect_callbacks.add(lambda *_: came_back.set())
            amq_broker.drop_connections()
            await asyncio.wait_for(came_back.wait(), 10)
            await channel.default_exchange.publish(aio_pika.Message(b"7"), routing_key=queue.name)
            return await take(queue)

    assert asyncio.run(scenario()) == "7"
