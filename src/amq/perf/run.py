"""A whole run: connects everybody, lets them go, cuts intervals, ends in good order."""

import math
import ssl
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import trio

from amq.perf import link
from amq.perf.consumer import Consumer
from amq.perf.link import Failure, Link
from amq.perf.load import Address, Load
from amq.perf.meter import Meter
from amq.perf.producer import Producer
from amq.perf.result import COUNTS, Result
from amq.perf.topology import Topology
from amq.perf.watcher import Watcher

# So many connections log in at the same time.
AT_ONCE: Final = 32
FAREWELL: Final = 5.0  # seconds for the last words with the brokers
# Seconds without a message after which nothing more is expected, and between two looks at it.
IDLE: Final = 1.0
LOOK: Final = 0.01
# What is left of an interval at the end and is shorter than this share of one, belongs to the one before.
REST: Final = 0.1
# Seconds between two looks at the messages that wait.
ASK: Final = 0.25
# A broker that says nothing for so many heartbeats is gone.
MISSED: Final = 3


async def run(load: Load, watcher: Watcher, context: ssl.SSLContext, stop: trio.Event) -> Result:
    """Run a load until its end, or until `stop`. `context` is for amqps.

    What goes wrong while it runs is in `errors` of the result. Raises Failure when it cannot even begin.
    """
    return await _Session(load, watcher, context, stop).run()


class _Session:
    def __init__(self, load: Load, watcher: Watcher, context: ssl.SSLContext, stop: trio.Event) -> None:
        self._load: Final = load
        self._watcher: Final = watcher
        self._context: Final = context
        self._over: Final = stop
        self._meter: Final = Meter()
        self._topology: Final = Topology(load)
        self._links: Final[list[Link]] = []
        self._producers: Final[list[Producer]] = []
        self._consumers: Final[list[Consumer]] = []
        self._failures: Final[list[Failure]] = []
        self._publishing = 0
        self._consuming = 0
        self._started = 0.0
        self._ended = False
        self._scope: Final = trio.CancelScope()

    async def run(self) -> Result:
        try:
            with self._scope:
                async with trio.open_nursery() as nursery:
                    self._nursery = nursery
                    self._spawn(self._give_up)
                    await self._guard(self._whole)()
                    nursery.cancel_scope.cancel()
        finally:
            for each in self._links:
                await each.wire.close()
        if self._failures and not self._started:
            raise self._failures[0]
        if not self._ended:
            self._cut()
        result = self._result()
        self._watcher.ends(result)
        return result

    async def _whole(self) -> None:
        first = await self._link(self._load.addresses[0])
        await self._topology.declare(first)
        await self._connect()
        await self._begin(first)
        with trio.move_on_after(math.inf if self._load.seconds is None else self._load.seconds):
            await self._over.wait()
        for consumer in self._consumers:
            consumer.stop()
        self._cut()
        await self._farewell()

    async def _give_up(self) -> None:
        """Who is stopped before anything goes does not wait for a broker that says nothing."""
        await self._over.wait()
        if not self._started:
            raise Failure("stopped before it began")

    # -- who fails, ends the run --

    def _guard(self, work: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        async def guarded() -> None:
            try:
                await work()
            except Failure as failure:
                if not self._ended:
                    self._failures.append(failure)
                self._scope.cancel()

        return guarded

    def _spawn(self, work: Callable[[], Awaitable[None]]) -> None:
        self._nursery.start_soon(self._guard(work))

    # -- setting up --

    async def _link(self, address: Address) -> Link:
        made = await link.connect(address, self._context, self._load, self._watcher.notes)
        made.returned = self._returned
        self._links.append(made)
        self._spawn(made.hear)
        self._spawn(made.write)
        await made.log_in()
        return made

    def _returned(self, count: int) -> None:
        self._meter.returned += count

    async def _connect(self) -> None:
        """Consumers first, so that no message waits for them; they take turns with the addresses."""
        load = self._load
        consuming, publishing = [await self._links_of(count) for count in (load.consumers, load.producers)]
        for number, found in enumerate(consuming):
            await self._consumers_of(found, number * load.consumer_channels)
        for number, found in enumerate(publishing):
            await self._producers_of(found, number * load.producer_channels)

    async def _links_of(self, count: int) -> list[Link]:
        addresses = self._load.addresses
        found: list[Link | None] = [None] * count
        limit = trio.Semaphore(AT_ONCE)

        async def one(index: int) -> None:
            async with limit:
                found[index] = await self._link(addresses[index % len(addresses)])

        async with trio.open_nursery() as nursery:
            for index in range(count):
                nursery.start_soon(self._guard(partial(one, index)))
        return [each for each in found if each is not None]

    async def _consumers_of(self, found: Link, first: int) -> None:
        load = self._load
        for channel in range(load.consumer_channels):
            number = channel + 1
            if load.queues:
                made = self._consumer(found, number, self._topology.queue_of(first + channel))
                await made.prepare()
            else:
                made = self._consumer(found, number, b"")
                await made.prepare()
                made.queue = await self._topology.own_queue(found, number)
            self._consumers.append(made)

    async def _producers_of(self, found: Link, first: int) -> None:
        load = self._load
        for channel in range(load.producer_channels):
            place = first + channel
            phase = place / (load.producers * load.producer_channels)
            key = self._topology.key_of(place)
            made = Producer(found, channel + 1, load, self._meter, key, phase, self._published)
            await made.prepare()
            self._producers.append(made)

    def _consumer(self, found: Link, number: int, queue: bytes) -> Consumer:
        return Consumer(found, number, self._load, self._meter, queue, self._consumed)

    async def _begin(self, first: Link) -> None:
        load = self._load
        self._publishing, self._consuming = len(self._producers), len(self._consumers)
        for consumer in self._consumers:
            if consumer.paced:
                self._spawn(consumer.run)
        if not load.producers:
            # What waits in the queues is what counts.
            self._start(first)
        if load.slow_start:
            self._spawn(self._start_slowly)
        else:
            for consumer in self._consumers:
                await consumer.consume()
        if load.producers:
            self._start(first)

    def _start(self, first: Link) -> None:
        load = self._load
        self._product, self._version = first.product, first.version
        self._started = time.time()
        self._meter.start()
        self._watcher.starts(load, first.product, first.version)
        for producer in self._producers:
            self._spawn(producer.run)
        self._spawn(self._sample)
        self._spawn(self._beat)
        if load.exit_when == "idle":
            self._spawn(self._until_idle)
        elif load.exit_when == "empty":
            self._spawn(lambda: self._until_empty(first))

    async def _start_slowly(self) -> None:
        for consumer in self._consumers:
            await consumer.consume()
            await trio.sleep(1.0)

    # -- while it goes --

    async def _sample(self) -> None:
        due = trio.current_time()
        while True:
            due += self._load.interval
            await trio.sleep_until(due)
            if self._ended:
                return
            self._watcher.interval(self._meter.cut(self._blocked()))

    def _blocked(self) -> bool:
        return any(each.blocked is not None for each in self._links)

    async def _beat(self) -> None:
        rounds = 0
        while True:
            await trio.sleep(1.0)
            rounds += 1
            for each in self._links:
                if each.heartbeat and rounds % max(1, each.heartbeat // 2) == 0:
                    each.beat()
                if each.heartbeat and rounds % (each.heartbeat * MISSED) == 0:
                    each.check()

    # -- the end --

    def _published(self) -> None:
        """A producer has published all that it should."""
        self._publishing -= 1
        if self._publishing:
            return
        if self._load.consumer_messages:
            self._one_side_done()
        else:
            self._spawn(self._drain)

    def _consumed(self) -> None:
        """A consumer has consumed all that it should, or gets no more."""
        self._consuming -= 1
        if not self._consuming:
            self._one_side_done()

    def _one_side_done(self) -> None:
        publishing = self._publishing and self._load.producer_messages
        if not publishing and not self._consuming:
            self._over.set()

    async def _drain(self) -> None:
        """All is published: until it has arrived, or nothing comes any more."""
        meter, copies = self._meter, self._topology.copies()
        while self._consuming:
            expected = None if copies is None else (meter.total("published") - meter.total("returned")) * copies
            if expected is not None and meter.total("consumed") >= expected:
                break
            if self._idle_seconds(max(meter.last_consumed, meter.last_published)) > IDLE:
                break
            await trio.sleep(LOOK)
        self._over.set()

    def _idle_seconds(self, latest: int) -> float:
        return (time.monotonic_ns() - latest) / 1e9

    async def _until_idle(self) -> None:
        """Something has come, and then nothing more."""
        while True:
            await trio.sleep(LOOK)
            if self._meter.total("consumed") and self._idle_seconds(self._meter.last_consumed) > IDLE:
                break
        self._over.set()

    async def _until_empty(self, first: Link) -> None:
        """No message waits, and none has come since the look before."""
        before = -1
        while True:
            await trio.sleep(ASK)
            consumed = self._meter.total("consumed")
            waiting = await self._topology.waiting(first)
            if consumed == before and not waiting:
                break
            before = consumed
        self._over.set()

    def _cut(self) -> None:
        """The last interval; nothing counts after it."""
        self._ended = True
        self._end = time.monotonic_ns()
        last = self._meter.end(self._blocked(), self._load.interval * REST)
        if last is not None:
            self._watcher.interval(last)

    async def _farewell(self) -> None:
        """What was consumed is acknowledged, and every connection closed in good order."""
        for producer in self._producers:
            producer.stop()
        with trio.move_on_after(FAREWELL):
            async with trio.open_nursery() as nursery:
                for each in self._links:
                    nursery.start_soon(self._guard(each.close))

    def _result(self) -> Result:
        meter = self._meter
        return Result(
            load=self._load,
            product=self._product,
            version=self._version,
            started=self._started,
            seconds=(self._end - meter.began) / 1e9,
            publishing_seconds=(meter.last_published - meter.began) / 1e9,
            consuming_seconds=(meter.last_consumed - meter.began) / 1e9,
            **{name: meter.totals[name] for name in COUNTS},
            unexpected=meter.unexpected,
            consumer_latency=meter.consumer_latency,
            confirm_latency=meter.confirm_latency,
            intervals=tuple(meter.intervals),
            errors=tuple(str(each) for each in self._failures),
        )
