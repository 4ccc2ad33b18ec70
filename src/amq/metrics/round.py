"""One look at everything: what a sampler does every few seconds, in slices.

A connection that has neither sent nor been sent anything but heartbeats since the last look has channels that stand
still, too: what they came to is known and is not looked at again.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import Final

import attrs

from amq.broker import Broker
from amq.connection.connection import Connection
from amq.exchanges.base import Exchange
from amq.metrics import columns
from amq.metrics.columns import Columns
from amq.metrics.history import BASIC, GLOBAL, History, Policy, Row
from amq.metrics.slices import Slices
from amq.metrics.sums import Sums, could_deliver, sums_of, unconfirmed, weigh
from amq.queues.base import Queue
from amq.vhost.vhost import Vhost

# How many objects are looked at before the clock is.
CHUNK: Final = 32
# How much the latest look counts in a queue's consumer capacity.
SMOOTHING: Final = 0.2

# What a connection without channels counts for, and what most idle ones do.
NOTHING: Final = (0, 0, 0, 0)
ONE_CHANNEL: Final = (1, 0, 0, 0)

# Unacknowledged deliveries that were weighed, and the octets of their bodies, by queue.
Weights = dict[Queue, tuple[int, int]]


@attrs.define
class Totals:
    """How many there were of each in a round."""

    connections: int = 0
    channels: int = 0
    consumers: int = 0
    # Channels that have published.
    publishers: int = 0
    # Messages that were published and whose publishers wait for a confirm.
    unconfirmed: int = 0
    messages_ready: int = 0
    messages_unacknowledged: int = 0


class Standing:
    """What a connection came to when it had made so many `moves`: chunks that came or went, but for heartbeats.

    Nobody looks again until there are more, or `due` (ms).
    """

    __slots__ = ("moves", "histories", "due", "counts", "published", "weights")

    def __init__(self, moves: int) -> None:
        self.moves = moves
        # Its own and those of its channels, as far as they have any.
        self.histories: list[History] = []
        self.due: float = 0.0
        # Of Totals: channels, consumers, publishers, unconfirmed.
        self.counts: tuple[int, int, int, int] = NOTHING
        # The sums of the channels' columns.
        self.published: Row = columns.CHANNEL.zeros
        self.weights: Weights | None = None


class Round:
    """One round: its findings are complete once `walk` returns. `number` counts rounds from 0.

    Moments are ms since 1970. `most` is how many rows of the last minutes a history may have.
    """

    def __init__(self, broker: Broker, histories: dict[Hashable, History], number: int, moment: int, most: int) -> None:
        self.broker = broker
        self.histories = histories
        self.number = number
        self.began = moment
        self.moment = moment
        self.most = most
        self.totals = Totals()
        self.weights: Weights = {}
        self.capacities: dict[Queue, float] = {}
        self.standing: dict[Connection, Standing] = {}
        # Vhosts with what they come to.
        self.sums: dict[Vhost, Sums] = {}
        # Histories that have been looked at.
        self.seen: int = 0

    async def walk(self, now: Callable[[], int], before: "Round | None") -> None:
        """Look at everything. `before` is the round before this one."""
        slices = Slices()
        self.sums = {vhost: sums_of(vhost, self.last(vhost)) for vhost in self.broker.vhosts.values()}
        known = {} if before is None else before.standing
        looks = 0
        for client in list(self.broker.clients):
            if isinstance(client, Connection):
                looks += self._look_at(client, known.get(client))
            if looks >= CHUNK:
                looks = 0
                if await slices.breathe():
                    self.moment = now()
        capacities = {} if before is None else before.capacities
        for vhost, sums in self.sums.items():
            queues = list(vhost.queues.values())
            for start in range(0, len(queues), CHUNK):
                self._look_at_queues(queues[start : start + CHUNK], sums, capacities)
                if await slices.breathe():
                    self.moment = now()
            exchanges = list(vhost.exchanges.values())
            for start in range(0, len(exchanges), CHUNK):
                self._look_at_exchanges(exchanges[start : start + CHUNK], sums)
                if await slices.breathe():
                    self.moment = now()

    def note(self, entity: Hashable, row: Row, kind: Columns, policy: Policy = BASIC) -> History | None:
        """These are an object's counts now; returns its history, if it has any."""
        history = self.histories.get(entity)
        if history is None:
            if row == kind.zeros:
                return None
            # Whoever was there before the first round has not moved.
            history = self.histories[entity] = History(kind.zeros if self.number else row, policy)
            history.put(self.moment, row, self.most)
        elif history.last != row:
            history.put(self.moment, row, self.most)
        elif history.due <= self.began:
            history.forget(self.began, self.most)
        history.seen = self.number
        self.seen += 1
        return history

    def last(self, vhost: Vhost) -> Row:
        """What a vhost came to in the round before."""
        history = self.histories.get(vhost)
        return columns.VHOST.zeros if history is None else history.last

    def note_vhosts(self) -> Sums:
        """Enter what the vhosts came to; returns the sum."""
        overall = Sums()
        for vhost, sums in self.sums.items():
            row = sums.row()
            self.note(vhost, row, columns.VHOST, GLOBAL)
            overall.add(row)
        return overall

    # -- clients --

    def _look_at(self, client: Connection, standing: Standing | None) -> int:
        """Returns how many objects that were. As little as possible is touched of who is idle: there may be very many,
        and none of them is in the processor's cache.
        """
        looks = 1
        moves = client.received_count + client.sent_count - client.beats
        if standing is None or standing.moves != moves or standing.due <= self.began:
            session = client.session
            sums = None if session is None else self.sums.get(session.vhost)
            if sums is None:
                return looks
            looks += len(client.channels)
            standing = self._look_closely(client, Standing(moves), sums)
        else:
            self.seen += len(standing.histories)
            if standing.weights is not None:
                self._add_weights(standing.weights)
        self.standing[client] = standing
        if standing.published is not columns.CHANNEL.zeros and client.session is not None:
            sums = self.sums.get(client.session.vhost)
            if sums is not None:
                sums.add_channel(standing.published)
        totals = self.totals
        totals.connections += 1
        if standing.counts is ONE_CHANNEL:
            totals.channels += 1
        elif standing.counts is not NOTHING:
            self._count(standing)
        return looks

    async def mark_seen(self) -> None:
        """Enter into the histories of those who stood still that they were looked at, for who forgets the others."""
        slices = Slices()
        for standing in self.standing.values():
            for history in standing.histories:
                history.seen = self.number
            await slices.breathe()

    def _count(self, standing: Standing) -> None:
        totals = self.totals
        channels, consumers, publishers, waiting = standing.counts
        totals.channels += channels
        totals.consumers += consumers
        totals.publishers += publishers
        totals.unconfirmed += waiting

    def _look_closely(self, client: Connection, standing: Standing, sums: Sums) -> Standing:
        row = columns.connection_row(client)
        known = self.histories.get(client)
        sums.add_connection(row, columns.CONNECTION.zeros if known is None else known.last)
        histories = standing.histories
        history = self.note(client, row, columns.CONNECTION)
        if history is not None:
            histories.append(history)
        consumers = publishers = waiting = 0
        published = columns.CHANNEL.zeros
        weights: Weights | None = None
        for channel in client.channels.values():
            consumers += len(channel.ledger.subscribers)
            row = columns.channel_row(channel)
            if row[1]:
                publishers += 1
                waiting += unconfirmed(channel)
            history = self.note(channel, row, columns.CHANNEL)
            if history is not None:
                histories.append(history)
                if not channel.closing:
                    # What it counted stands with the vhost's gone ones otherwise.
                    published = tuple(map(int.__add__, published, row))
            if channel.ledger.unacked:
                weights = weigh(channel, weights)
        standing.published = published
        if client.channels:
            counts = len(client.channels), consumers, publishers, waiting
            standing.counts = ONE_CHANNEL if counts == ONE_CHANNEL else counts
        standing.due = min([history.due for history in histories], default=float("inf"))
        if weights is not None:
            standing.weights = weights
            self._add_weights(weights)
        return standing

    def _add_weights(self, weights: Weights) -> None:
        for queue, (count, octets) in weights.items():
            before = self.weights.get(queue)
            self.weights[queue] = (count, octets) if before is None else (before[0] + count, before[1] + octets)

    # -- what is in vhosts --

    def _look_at_queues(self, queues: Sequence[Queue], sums: Sums, capacities: dict[Queue, float]) -> None:
        for queue in queues:
            if queue.deleted:
                continue
            row = columns.queue_row(queue)
            if self.note(queue, row, columns.QUEUE) is not None:
                sums.add_queue(row)
            if queue.consumer_count():
                able = float(could_deliver(queue))
                known = capacities.get(queue, able)
                self.capacities[queue] = known + SMOOTHING * (able - known)

    def _look_at_exchanges(self, exchanges: Sequence[Exchange], sums: Sums) -> None:
        for exchange in exchanges:
            row = columns.exchange_row(exchange)
            if row[1]:
                history = self.histories.get(exchange)
                sums.add_routed(row[1] - (0 if history is None else history.last[1]))
            self.note(exchange, row, columns.EXCHANGE)
