"""Looks at everything now and then and remembers how the counts were: where rates and charts come from.

Nothing is counted for it on a message's way but plain ints. A round goes over all objects in slices of about a
millisecond, so that ten thousand queues hold nobody up; an object whose counts stand still costs one comparison and no
memory, and one that is gone is forgotten with its history.
"""

import time
from collections.abc import Callable, Hashable, Sequence
from typing import Final

import attrs
import trio

from amq.broker import Broker
from amq.connection.connection import Connection
from amq.exchanges.base import Exchange
from amq.metrics import columns
from amq.metrics.columns import Columns
from amq.metrics.facts import Facts
from amq.metrics.history import BASIC, GLOBAL, History, Policy, Row
from amq.metrics.slices import Slices
from amq.metrics.sums import Sums, could_deliver, sums_of, unconfirmed, weigh
from amq.queues.base import Queue
from amq.vhost.vhost import Vhost

# How many objects are looked at before the clock is.
CHUNK: Final = 32
# Octets for the latest rows of all objects together, of about ROW each: when very many are busy, the rows that are
# seconds apart reach back less far.
BUDGET: Final = 64 << 20
ROW: Final = 100
LEAST_ROWS: Final = 3
# How much the latest look counts in a queue's consumer capacity.
SMOOTHING: Final = 0.2


@attrs.define
class Totals:
    """How many there were of each in the last round."""

    connections: int = 0
    channels: int = 0
    consumers: int = 0
    # Channels that have published.
    publishers: int = 0
    # Messages that were published and whose publishers wait for a confirm.
    unconfirmed: int = 0
    messages_ready: int = 0
    messages_unacknowledged: int = 0


@attrs.define(eq=False)
class Sampler:
    """Takes samples of a broker every `interval` s.

    `measure` finds out about the process, which has so many tasks and so many of them that could run at once; it is
    called in a thread. `now` is s since 1970. `began` is when the last
    whole round did (ms since 1970), and `step` how long that was after the one before it (ms).
    """

    broker: Broker
    interval: float = 5.0
    measure: Callable[[int, int], Facts] | None = None
    now: Callable[[], float] = time.time
    totals: Totals = attrs.field(factory=Totals, init=False)
    facts: Facts | None = attrs.field(default=None, init=False)
    rounds: int = attrs.field(default=0, init=False)
    histories: dict[Hashable, History] = attrs.field(factory=dict, init=False)
    began: int = attrs.field(default=0, init=False)
    step: int = attrs.field(default=0, init=False)
    # The same two for the round that is going on.
    _began: int = attrs.field(default=0, init=False)
    _step: int = attrs.field(default=0, init=False)
    _slices: Slices = attrs.field(factory=Slices, init=False)
    # The moment of a slice (ms since 1970), and how many rows an object may have in this round.
    _moment: int = attrs.field(default=0, init=False)
    _most: int = attrs.field(default=LEAST_ROWS, init=False)
    # Unacknowledged deliveries that were weighed, and their octets, by queue.
    _weights: dict[Queue, tuple[int, int]] = attrs.field(factory=dict, init=False)
    _capacities: dict[Queue, float] = attrs.field(factory=dict, init=False)
    _most_seen: dict[str, int] = attrs.field(factory=dict, init=False)
    _vhosts: set[Vhost] = attrs.field(factory=set, init=False)
    # What deleted vhosts had come to, for totals that must not go back.
    _deleted: Sums = attrs.field(factory=Sums, init=False)

    async def run(self) -> None:
        """Sample until cancelled."""
        due = trio.current_time()
        while True:
            await self.sample()
            due = max(due + self.interval, trio.current_time())
            await trio.sleep_until(due)

    async def sample(self) -> None:
        """One round."""
        if self.measure is not None:
            tasks = trio.lowlevel.current_statistics()
            self.facts = await trio.to_thread.run_sync(self.measure, tasks.tasks_living, tasks.tasks_runnable)
        self._slices = Slices()
        self._began = self._moment = int(self.now() * 1000)
        self._step = max(self._began - self.began, 1) if self.rounds else int(self.interval * 1000)
        self._most = max(LEAST_ROWS, BUDGET // (ROW * max(len(self.histories), 1)))
        totals = Totals()
        sums = {vhost: sums_of(vhost, self._last(vhost)) for vhost in self.broker.vhosts.values()}
        await self._walk_clients(totals, sums)
        for vhost, of_vhost in sums.items():
            await self._walk_queues(list(vhost.queues.values()), of_vhost)
            await self._walk_exchanges(list(vhost.exchanges.values()), of_vhost)
        self._sum_up(totals, sums)
        self.began, self.step = self._began, self._step
        self.totals = totals
        await self._forget_the_gone()
        self.rounds += 1

    def reset(self) -> None:
        """Forget all samples; counts go on, and rates begin anew with the next round."""
        self.histories.clear()
        self.rounds = 0

    def note(self, entity: Hashable, row: Row, kind: Columns, policy: Policy = BASIC) -> None:
        """These are an object's counts now."""
        history = self.histories.get(entity)
        if history is None:
            if row == kind.zeros:
                return
            # Whoever was there before the first round has not moved.
            history = self.histories[entity] = History(kind.zeros if self.rounds else row, policy)
            history.put(self._moment, row, self._most)
        elif history.last != row:
            history.put(self._moment, row, self._most)
        elif history.aged(self._began):
            history.forget(self._began, self._most)
        history.seen = self.rounds

    def moved(self, history: History) -> int:
        """The ms over which a history's last change happened, if that was in the last round; 0: it stands still."""
        if history.changed < self.began:
            return 0
        return self._step if history.changed >= self._began else self.step

    def never_back(self, name: str, count: int) -> int:
        """The most that a count of that name has been; for counters that are put together from what comes and goes."""
        self._most_seen[name] = most = max(self._most_seen.get(name, 0), count)
        return most

    def vhost_row(self, vhost: Vhost) -> Row:
        """What a vhost came to in the last round, in the columns of VHOST."""
        return self._last(vhost)

    def overview_row(self) -> Row:
        """What all vhosts came to, those that were deleted too, in the columns of VHOST."""
        return self._last(self.broker)

    def unacked_octets(self, queue: Queue) -> int:
        """Octets of the bodies of a queue's unacknowledged messages, as they were on average in the last round."""
        weighed, octets = self._weights.get(queue, (0, 0))
        return octets * queue.unacked // weighed if weighed else 0

    def capacity(self, queue: Queue) -> float:
        """The share of the time in which a queue's consumers could take a message at once, 0 to 1; 0 without any."""
        if not queue.consumer_count():
            return 0.0
        known = self._capacities.get(queue)
        return known if known is not None else float(could_deliver(queue))

    # -- a round --

    async def _breathe(self) -> None:
        if await self._slices.breathe():
            self._moment = int(self.now() * 1000)

    def _last(self, entity: Hashable) -> Row:
        history = self.histories.get(entity)
        return columns.VHOST.zeros if history is None else history.last

    async def _walk_clients(self, totals: Totals, sums: dict[Vhost, Sums]) -> None:
        weights: dict[Queue, tuple[int, int]] = {}
        for client in list(self.broker.clients):
            assert isinstance(client, Connection), "nobody else is a client"
            session = client.session
            if session is not None and session.vhost in sums:
                totals.connections += 1
                self._look_at_client(client, totals, sums[session.vhost], weights)
            await self._breathe()
        self._weights = weights

    def _look_at_client(
        self, client: Connection, totals: Totals, sums: Sums, weights: dict[Queue, tuple[int, int]]
    ) -> None:
        history = self.histories.get(client)
        row = columns.connection_row(client)
        sums.add_connection(row, columns.CONNECTION.zeros if history is None else history.last)
        self.note(client, row, columns.CONNECTION)
        for channel in list(client.channels.values()):
            totals.channels += 1
            totals.consumers += len(channel.ledger.subscribers)
            row = columns.channel_row(channel)
            if row[1]:
                totals.publishers += 1
                totals.unconfirmed += unconfirmed(channel)
            self.note(channel, row, columns.CHANNEL)
            if not channel.closing:
                # What it counted stands with the vhost's gone ones otherwise.
                sums.add_channel(row)
            if channel.ledger.unacked:
                weigh(channel, weights)

    async def _walk_queues(self, queues: Sequence[Queue], sums: Sums) -> None:
        zeros = columns.QUEUE.zeros
        for start in range(0, len(queues), CHUNK):
            for queue in queues[start : start + CHUNK]:
                if queue.deleted:
                    continue
                row = columns.queue_row(queue)
                self.note(queue, row, columns.QUEUE)
                if row != zeros:
                    sums.add_queue(row)
                if queue.consumer_count():
                    able = float(could_deliver(queue))
                    known = self._capacities.get(queue, able)
                    self._capacities[queue] = known + SMOOTHING * (able - known)
            await self._breathe()

    async def _walk_exchanges(self, exchanges: Sequence[Exchange], sums: Sums) -> None:
        for start in range(0, len(exchanges), CHUNK):
            for exchange in exchanges[start : start + CHUNK]:
                row = columns.exchange_row(exchange)
                if row[1]:
                    history = self.histories.get(exchange)
                    sums.add_routed(row[1] - (0 if history is None else history.last[1]))
                self.note(exchange, row, columns.EXCHANGE)
            await self._breathe()

    def _sum_up(self, totals: Totals, sums: dict[Vhost, Sums]) -> None:
        """Enter what belongs to no single object of a vhost."""
        for vhost in self._vhosts - sums.keys():
            self._deleted.add((0,) * columns.LENGTHS + self._last(vhost)[columns.LENGTHS :])
        self._vhosts = set(sums)
        overall = Sums()
        overall.add(self._deleted.row())
        for vhost, of_vhost in sums.items():
            row = of_vhost.row()
            self.note(vhost, row, columns.VHOST, GLOBAL)
            overall.add(row)
        row = overall.row()
        totals.messages_ready, totals.messages_unacknowledged = row[: columns.LENGTHS]
        self.note(self.broker, row, columns.VHOST, GLOBAL)
        self.note(self.broker.churn, columns.churn_row(self.broker.churn), columns.CHURN, GLOBAL)
        if self.facts is not None:
            self.note(self, self.facts.row(), columns.NODE, GLOBAL)

    async def _forget_the_gone(self) -> None:
        entities = list(self.histories)
        for start in range(0, len(entities), CHUNK):
            for entity in entities[start : start + CHUNK]:
                if self.histories[entity].seen != self.rounds:
                    del self.histories[entity]
            await self._breathe()
        for queue in list(self._capacities):
            if queue.deleted or not queue.consumer_count():
                del self._capacities[queue]
