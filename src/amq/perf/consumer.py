"""One channel that consumes: counts what comes, acknowledges it, and takes its time if it is asked to."""

import time
from collections import deque
from collections.abc import Callable
from math import inf
from typing import Final

import trio

from amq.management.entities_json import arguments_in
from amq.perf.incoming import Run
from amq.perf.link import Channel, Link
from amq.perf.load import Load, Phase
from amq.perf.meter import Meter
from amq.perf.pace import NO_LIMIT, Course, Pace
from amq.perf.publishing import acknowledgements, stepped
from amq.wire import methods, spec

TAG: Final = b"c"
# A consumer that takes its time makes up for so many seconds that it was late.
CATCH_UP: Final = 0.05
# So many messages may wait for one that takes its time; then its connection is not read.
MOST_PENDING: Final = 1000


class Consumer(Channel):
    """Consumes a queue on channel `number` of a link. `done` is called when it gets no more."""

    def __init__(
        self, link: Link, number: int, load: Load, meter: Meter, queue: bytes, done: Callable[[], None]
    ) -> None:
        self._link: Final = link
        self._number: Final = number
        self._load: Final = load
        self._meter: Final = meter
        self.queue: bytes = queue
        self._done: Final = done
        self._left = load.consumer_messages or NO_LIMIT << 32
        self._pending: Final[deque[Run]] = deque()
        self._pending_count = 0
        self._changed = trio.Event()
        self._room = trio.Event()
        self._last = 0
        self._unacknowledged = 0
        self._in_transaction = 0
        self._paced: Final = bool(
            load.consumer_rate is not None or load.consumer_latency_us or load.consumer_latencies_us
        )
        link.paced = link.paced or self._paced
        self._method: Final = _method(number, load)
        self._commit: Final = methods.encode(number, spec.TX_COMMIT, [])

    async def prepare(self) -> None:
        """Open the channel and say how much may come at once."""
        link, load = self._link, self._load
        await link.open(self._number, self)
        for count, everybody in ((load.prefetch, False), (load.global_prefetch, True)):
            if count:
                await link.ask(self._number, spec.BASIC_QOS, [0, count, everybody], spec.BASIC_QOS_OK)
        if load.consumer_tx:
            await link.ask(self._number, spec.TX_SELECT, [], spec.TX_SELECT_OK)

    async def consume(self) -> None:
        """Let messages come."""
        load = self._load
        table = arguments_in({"arguments": load.consumer_arguments})
        asked = [0, self.queue, TAG, False, load.auto_ack, False, False, table]
        await self._link.ask(self._number, spec.BASIC_CONSUME, list(asked), spec.BASIC_CONSUME_OK)

    # -- what is heard --

    def deliver(self, run: Run, now: int) -> None:
        """Take messages now, or one after the other."""
        if self._paced:
            self._pending.append(run)
            self._pending_count += run.count
            self._changed.set()
        elif self._left > 0:
            if run.count > self._left:
                run = part(run, self._left)
            self._take(run, now)

    def cancelled(self) -> None:
        """No more will come."""
        if self._left > 0:
            self._left = 0
            self._done()

    async def room(self) -> None:
        """Wait until not too many wait any more."""
        while self._pending_count > MOST_PENDING:
            self._room = trio.Event()
            await self._room.wait()

    async def run(self) -> None:
        """Take messages by the schedule, for ever; one that has none is not started."""
        pace = Pace(_course(self._load), CATCH_UP)
        began = time.monotonic()
        while self._left > 0:
            count = min(self._left, self._pending_count, pace.due(time.monotonic() - began))
            if count:
                self._take_pending(count)
                pace.took(count)
                self._link.flush()
            if self._pending_count:
                await trio.sleep(pace.wait())
            else:
                self._changed = trio.Event()
                await self._changed.wait()
                pace.due(time.monotonic() - began)
                pace.rest()

    @property
    def paced(self) -> bool:
        """Whether `run` must be started."""
        return self._paced

    def _take_pending(self, count: int) -> None:
        self._pending_count -= count
        now = time.monotonic_ns()
        while count:
            run = self._pending[0]
            if run.count <= count:
                self._pending.popleft()
                self._take(run, now)
                count -= run.count
            else:
                self._take(part(run, count), now)
                count = 0
        if self._pending_count <= MOST_PENDING:
            self._room.set()

    def _take(self, run: Run, now: int) -> None:
        self._meter.consume(run.stamps, now)
        if not self._load.auto_ack:
            self._answer(run)
        self._left -= run.count
        if self._left <= 0:
            self._link.later(methods.encode(self._number, spec.BASIC_CANCEL, [TAG, True]))
            self.finish()
            self._done()

    def _answer(self, run: Run) -> None:
        """Acknowledge what has been taken, and commit after so many messages."""
        size = self._load.consumer_tx
        if not size:
            self._acknowledge(run.first, run.count)
            return
        first, left = run.first, run.count
        while left:
            count = min(left, size - self._in_transaction)
            self._acknowledge(first, count)
            self._in_transaction += count
            if self._in_transaction == size:
                self._link.later(self._commit)
                self._in_transaction = 0
            first += count
            left -= count

    def _acknowledge(self, first: int, count: int) -> None:
        """Acknowledge each, or every so many together."""
        every = self._load.multi_ack_every
        self._last = first + count - 1
        if every == 1:
            self._link.later(acknowledgements(self._method, first, count))
            self._meter.acked += count
            return
        tags = list(range(first + every - self._unacknowledged - 1, self._last + 1, every))
        self._unacknowledged += count - len(tags) * every
        if tags:
            self._link.later(stepped(self._method, tags))
            self._meter.acked += len(tags) * every

    def stop(self) -> None:
        """Take no more; what was taken is acknowledged."""
        self._left = 0
        self.finish()
        self._link.flush()

    def finish(self) -> None:
        """Acknowledge what is left over of the last group, and commit; it goes with the next flush."""
        count, self._unacknowledged = self._unacknowledged, 0
        if count:
            self._link.later(stepped(self._method, [self._last]))
            self._meter.acked += count
        if self._load.consumer_tx and (count or self._in_transaction):
            self._link.later(self._commit)
            self._in_transaction = 0


def part(run: Run, count: int) -> Run:
    """The first `count` of a run, which is left with the others."""
    taken: dict[int, int] = {}
    left = count
    for stamp, many in list(run.stamps.items()):
        taken[stamp] = min(many, left)
        left -= taken[stamp]
        run.stamps[stamp] = many - taken[stamp]
        if not run.stamps[stamp]:
            del run.stamps[stamp]
        if not left:
            break
    first, run.first, run.count = run.first, run.first + count, run.count - count
    return Run(run.channel, first, count, taken)


def _method(number: int, load: Load) -> bytes:
    """The frame that acknowledges, or refuses, one message or all up to it."""
    multiple = load.multi_ack_every > 1
    if load.nack:
        return methods.encode(number, spec.BASIC_NACK, [0, multiple, load.requeue])
    return methods.encode(number, spec.BASIC_ACK, [0, multiple])


def _course(load: Load) -> Course:
    """Messages per second: the rate, or what the pretended work allows."""
    most = inf if load.consumer_rate is None else load.consumer_rate
    phases = [Phase(_limited(most, phase.value), phase.seconds) for phase in load.consumer_latencies_us]
    return Course(_limited(most, load.consumer_latency_us), phases)


def _limited(most: float, latency_us: float) -> float:
    return min(most, 1e6 / latency_us) if latency_us else most
