"""Looks at everything now and then and remembers how the counts were: where rates and charts come from.

Nothing is counted for it on a message's way but plain ints. A round goes over all objects in slices of about a
millisecond, so that ten thousand queues hold nobody up; an object whose counts stand still costs one comparison and no
memory, and one that is gone is forgotten with its history.
"""

import time
from collections.abc import Callable, Hashable
from typing import Final

import attrs
import trio

from amq.broker import Broker
from amq.metrics import columns
from amq.metrics.facts import Facts
from amq.metrics.history import GLOBAL, History, Row
from amq.metrics.round import CHUNK, Round, Totals
from amq.metrics.slices import Slices
from amq.metrics.sums import Sums, could_deliver
from amq.queues.base import Queue

# Octets for the latest rows of all objects together, of about ROW each: when very many are busy, the rows that are
# seconds apart reach back less far.
BUDGET: Final = 64 << 20
ROW: Final = 100
LEAST_ROWS: Final = 3


@attrs.define(eq=False)
class Sampler:
    """Takes samples of a broker every `interval` s.

    `measure` finds out about the process, which has so many tasks and so many of them that could run at once; it is
    called in a thread. `now` is s since 1970. `began` is when the last whole round did (ms since 1970), and `step` how
    long that was after the one before it (ms).
    """

    broker: Broker
    interval: float = 5.0
    measure: Callable[[int, int], Facts] | None = None
    now: Callable[[], float] = time.time
    facts: Facts | None = attrs.field(default=None, init=False)
    rounds: int = attrs.field(default=0, init=False)
    histories: dict[Hashable, History] = attrs.field(factory=dict, init=False)
    began: int = attrs.field(default=0, init=False)
    step: int = attrs.field(default=0, init=False)
    # The same two for the round that is going on.
    _began: int = attrs.field(default=0, init=False)
    _step: int = attrs.field(default=0, init=False)
    _last: Round | None = attrs.field(default=None, init=False)
    _most_seen: dict[str, int] = attrs.field(factory=dict, init=False)
    # What deleted vhosts had come to, for totals that must not go back.
    _deleted: Sums = attrs.field(factory=Sums, init=False)

    @property
    def totals(self) -> Totals:
        """How many there were of each in the last round."""
        return Totals() if self._last is None else self._last.totals

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
        began = self._began = self._moment()
        self._step = max(began - self.began, 1) if self.rounds else int(self.interval * 1000)
        most = max(LEAST_ROWS, BUDGET // (ROW * max(len(self.histories), 1)))
        current = Round(self.broker, self.histories, self.rounds, began, most)
        await current.walk(self._moment, self._last)
        self._sum_up(current)
        self._last = current
        self.began, self.step = began, self._step
        self.rounds += 1
        if current.seen != len(self.histories):
            await current.mark_seen()
            await self._forget_the_gone(current.number)

    def reset(self) -> None:
        """Forget all samples but the last ones; counts go on, and rates begin anew with the next round."""
        for history in self.histories.values():
            history.restart()

    def moved(self, history: History) -> int:
        """The ms over which a history's last change happened, if that was in the last round; 0: it stands still."""
        if history.changed < self.began:
            return 0
        return self._step if history.changed >= self._began else self.step

    def never_back(self, name: str, count: int) -> int:
        """The most that a count of that name has been; for counters that are put together from what comes and goes."""
        self._most_seen[name] = most = max(self._most_seen.get(name, 0), count)
        return most

    def overview_row(self) -> Row:
        """What all vhosts came to, those that were deleted too, in the columns of VHOST."""
        history = self.histories.get(self.broker)
        return columns.VHOST.zeros if history is None else history.last

    def unacked_octets(self, queue: Queue) -> int:
        """Octets of the bodies of a queue's unacknowledged messages, as they were on average in the last round."""
        weighed, octets = (0, 0) if self._last is None else self._last.weights.get(queue, (0, 0))
        return octets * queue.unacked // weighed if weighed else 0

    def capacity(self, queue: Queue) -> float:
        """The share of the time in which a queue's consumers could take a message at once, 0 to 1; 0 without any."""
        if not queue.consumer_count():
            return 0.0
        known = None if self._last is None else self._last.capacities.get(queue)
        return known if known is not None else float(could_deliver(queue))

    def _moment(self) -> int:
        return int(self.now() * 1000)

    def _sum_up(self, current: Round) -> None:
        """Enter what belongs to no single object of a vhost."""
        for vhost in set() if self._last is None else self._last.sums.keys() - current.sums.keys():
            self._deleted.add((0,) * columns.LENGTHS + current.last(vhost)[columns.LENGTHS :])
        overall = current.note_vhosts()
        overall.add(self._deleted.row())
        row = overall.row()
        current.totals.messages_ready, current.totals.messages_unacknowledged = row[: columns.LENGTHS]
        current.note(self.broker, row, columns.VHOST, GLOBAL)
        current.note(self.broker.churn, columns.churn_row(self.broker.churn), columns.CHURN, GLOBAL)
        if self.facts is not None:
            current.note(self, self.facts.row(), columns.NODE, GLOBAL)

    async def _forget_the_gone(self, number: int) -> None:
        slices = Slices()
        entities = list(self.histories)
        for start in range(0, len(entities), CHUNK):
            for entity in entities[start : start + CHUNK]:
                if self.histories[entity].seen != number:
                    del self.histories[entity]
            await slices.breathe()
