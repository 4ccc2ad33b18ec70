"""One channel that publishes: as fast as it goes or by a schedule, with or without a window of unconfirmed messages."""

import os
import random
import time
from collections.abc import Callable
from math import inf
from typing import Final

import trio

from amq.perf.link import Channel, Failure, Link
from amq.perf.load import Load
from amq.perf.meter import Meter
from amq.perf.pace import NO_LIMIT, Course, Pace
from amq.perf.publishing import Publishing
from amq.perf.unconfirmed import Unconfirmed
from amq.wire import spec

# Hexadecimal digits of a random routing key.
KEY: Final = 16
# What could not be published in time is made up for, for so many seconds.
CATCH_UP: Final = 0.1
MUCH: Final = 1e9
# Messages that share a stamp from the schedule were due within so many seconds.
SPAN: Final = 0.001
# A window is not sent all at once, so that the broker works on one part while the next is made.
PARTS: Final = 4


class Producer(Channel):
    """Publishes on channel `number` of a link. `done` is called when it has published all that it should.

    `phase` (0 to 1) is its place among the others of a schedule, so that they do not all publish at the same moment.
    """

    def __init__(
        self, link: Link, number: int, load: Load, meter: Meter, key: bytes, phase: float, done: Callable[[], None]
    ) -> None:
        self._link: Final = link
        self._number: Final = number
        self._load: Final = load
        self._meter: Final = meter
        self._key: Final = b"0" * KEY if load.random_routing_key else key
        self._done: Final = done
        self._limit: Final = load.producer_messages or NO_LIMIT << 32
        self._sizes: Final = Course(load.size, load.sizes)
        self._publishings: Final[dict[int, Publishing]] = {}
        self._pace: Final = _pace(load, phase)
        self._unconfirmed: Final = Unconfirmed()
        self._sent = 0
        self._in_transaction = 0
        self._changed = trio.Event()
        self._stopped = False

    async def prepare(self) -> None:
        """Open the channel and say how it publishes."""
        await self._link.open(self._number, self)
        if self._load.confirm:
            await self._link.ask(self._number, spec.CONFIRM_SELECT, [False], spec.CONFIRM_SELECT_OK)
        if self._load.producer_tx:
            await self._link.ask(self._number, spec.TX_SELECT, [], spec.TX_SELECT_OK)

    async def run(self) -> None:
        """Publish until there is no more to publish, or until stopped. Raises Failure."""
        await trio.sleep(random.random() * self._load.producer_random_start_delay)
        began = time.monotonic()
        while self._sent < self._limit and not self._stopped:
            seconds = time.monotonic() - began
            publishing = self._publishing(seconds)
            count = min(self._room(), publishing.most, self._pace.due(seconds))
            if self._load.latency_from_schedule:
                count = min(count, self._pace.step(SPAN))
            if count > 0:
                self._publish(publishing, count)
                await self._link.wire.drained()
                self._meter.publish(0, time.monotonic_ns())
                await self._commit()
            elif self._room() > 0:
                await trio.sleep(self._pace.wait())
            else:
                await self._wait()
        if not self._stopped:
            await self._finish()
            self._done()

    def _publishing(self, seconds: float) -> Publishing:
        size = int(self._sizes.at(seconds))
        found = self._publishings.get(size)
        if found is None:
            load = self._load
            properties = {"delivery_mode": 2 if load.persistent else 1, **load.message_properties}
            exchange = load.exchange.encode("utf-8", "surrogateescape")
            found = self._publishings[size] = Publishing(
                self._number,
                exchange,
                self._key,
                load.mandatory,
                properties,
                size,
                self._link.frame_max,
                load.random_routing_key,
            )
        return found

    def _room(self) -> int:
        """How many may be published now, but for the schedule."""
        load = self._load
        room = self._limit - self._sent
        if load.producer_tx:
            room = min(room, load.producer_tx - self._in_transaction)
        if load.confirm:
            room = min(room, load.confirm - self._unconfirmed.count, load.confirm // PARTS + 1)
        return room if self._link.blocked is None else 0

    def _publish(self, publishing: Publishing, count: int) -> None:
        keys = os.urandom(KEY // 2 * count).hex().encode() if self._load.random_routing_key else b""
        stamp = time.monotonic_ns()
        if self._load.latency_from_schedule:
            stamp -= int(self._pace.late() * 1e9)
        self._link.push(publishing.batch(count, self._sent, stamp, keys))
        if self._load.confirm:
            self._unconfirmed.add(self._sent + 1, count, stamp)
        self._sent += count
        self._in_transaction += count
        self._pace.took(count)
        self._meter.publish(count, stamp)

    async def _commit(self, last: bool = False) -> None:
        size = self._load.producer_tx
        if size and (self._in_transaction >= size or (last and self._in_transaction)):
            await self._link.ask(self._number, spec.TX_COMMIT, [], spec.TX_COMMIT_OK, inf)
            self._in_transaction = 0

    async def _wait(self) -> None:
        """Until something was confirmed, or the broker takes messages again."""
        self._changed = trio.Event()
        if self._link.blocked is not None:
            await self._changed.wait()
            return
        with trio.move_on_after(self._load.confirm_timeout):
            await self._changed.wait()
            return
        waiting = self._unconfirmed.count
        # What is blocked since may take as long as it takes.
        if self._link.blocked is None:
            shown = self._link.address.shown
            raise Failure(f"{shown}: {waiting} messages not confirmed for {self._load.confirm_timeout:g} s")

    async def _finish(self) -> None:
        """Until the broker has taken everything, with or without confirms."""
        await self._commit(last=True)
        if not self._load.confirm and not self._stopped:
            # What comes back comes back before the answer.
            await self._link.ask(self._number, spec.BASIC_QOS, [0, 0, False], spec.BASIC_QOS_OK, inf)
            self._meter.publish(0, time.monotonic_ns())
        while self._unconfirmed.count and not self._stopped:
            await self._wait()

    def stop(self) -> None:
        """Publish no more."""
        self._stopped = True
        self._changed.set()

    # -- what is heard --

    def settle(self, tag: int, multiple: bool, refused: bool, now: int) -> None:
        """Confirmed, or refused."""
        self._meter.settle(self._unconfirmed.settle(tag, multiple), now, refused)
        self._changed.set()

    def wake(self) -> None:
        """The broker takes messages again."""
        self._changed.set()


def _pace(load: Load, phase: float) -> Pace:
    # Who measures from the schedule leaves nothing of it out.
    catch_up = MUCH if load.latency_from_schedule else CATCH_UP
    return Pace(Course(inf if load.rate is None else load.rate, load.rates), catch_up, phase)
