"""Records on their way to the disk, and the numbers that stand for them.

Whatever is handed in belongs to the batch that is being filled, and is safe once the disk has that batch: `ticket` is
its number, and everything up to `durable` is safe. A batch reaches the disk as a whole or not at all, so what is handed
in without a `take` in between is atomic. One that does not `keep` takes nothing: nothing then waits for anything.
"""

from bisect import bisect_left
from hashlib import blake2b

from amq.clock import Clock
from amq.journal import record
from amq.journal.change import Change
from amq.journal.loading import Load, Page
from amq.journal.record import Lsns
from amq.message import Message
from amq.wire.properties import Properties


class Settled:
    """The messages that have gone from one durable queue since the last batch, by LSN. `queue` is the queue's id."""

    __slots__ = ("queue", "lsns", "octets")

    def __init__(self, queue: int) -> None:
        self.queue = queue
        self.lsns: list[int] = []
        # Of their bodies.
        self.octets: int = 0


class Placed:
    """Where a RUN stands in a frame's payload, and how long its record is."""

    __slots__ = ("lsn", "count", "body_size", "queues", "offset", "size")

    def __init__(self, lsn: int, count: int, body_size: int, queues: list[int], offset: int, size: int) -> None:
        self.lsn = lsn
        self.count = count
        self.body_size = body_size
        self.queues = queues
        self.offset = offset
        self.size = size


class Work:
    """What one `take` took: changes of definitions, and the records of one frame.

    `pieces` are the octets of all records in order, `size` of them together, `heads` the first 8 octets of each record;
    `runs` say where each RUN stands among them, `gone` what was settled: queue id, LSNs, octets of the bodies.
    """

    __slots__ = ("ticket", "changes", "pieces", "heads", "size", "runs", "gone", "forgotten", "first_lsn", "last_lsn")

    def __init__(self, ticket: int, first_lsn: int) -> None:
        self.ticket = ticket
        self.changes: list[Change] = []
        self.pieces: list[bytes] = []
        self.heads: list[bytes] = []
        self.size: int = 0
        self.runs: list[Placed] = []
        self.gone: list[tuple[int, Lsns, int]] = []
        # Ids of queues that were deleted.
        self.forgotten: list[int] = []
        # Messages in it have LSNs from here on; none has a higher one than `last_lsn`.
        self.first_lsn = first_lsn
        self.last_lsn: int = 0

    def add(self, pieces: list[bytes]) -> int:
        """Append a record; returns its offset."""
        offset = self.size
        self.pieces += pieces
        self.heads.append(pieces[0][:8])
        for piece in pieces:
            self.size += len(piece)
        return offset

    def settle(self, queue: int, lsns: Lsns, octets: int) -> None:
        """Append a SETTLED."""
        self.add(record.settled(queue, lsns))
        self.gone.append((queue, lsns, octets))


class Batch:
    """What was handed in since the last `take`.

    `urgent`: somebody waits for it; what is not urgent may wait a little for company. `size` is how many octets wait
    here, `flying` how many were taken and are not safe yet.
    """

    __slots__ = (
        "keeps",
        "clock",
        "ticket",
        "durable",
        "defining",
        "restoring",
        "next_lsn",
        "work",
        "settled",
        "purged",
        "urgent",
        "flying",
        "limit",
        "secret",
        "ids",
        "safe_lsn",
        "wanted",
        "pages",
        "owing",
        "emptied",
    )

    def __init__(self, keeps: bool, clock: Clock | None = None) -> None:
        self.keeps = keeps
        self.clock = clock or Clock(0.0, 0.0)
        self.ticket: int = 1
        self.durable: int = 0
        # The ticket of the latest change of definitions.
        self.defining: int = 0
        # True while what the store holds already is made: no change of it.
        self.restoring: bool = False
        self.next_lsn: int = 1
        self.work = Work(1, 1)
        self.settled: list[Settled] = []
        # What was purged, by queue id: on a full disk an operator's first resort, so it may go ahead of a batch too.
        self.purged: list[tuple[int, Lsns]] = []
        self.urgent: bool = False
        self.flying: int = 0
        # Octets on their way to the disk from which on publishers have to wait.
        self.limit: int = 1 << 23
        # What makes ids unique over restarts: the broker sets random octets.
        self.secret: bytes = b""
        self.ids: int = 0
        # Messages up to this one stand in the journal.
        self.safe_lsn: int = 0
        # Messages that are to be read back.
        self.wanted: list[Load] = []
        # What is to be written to a paging file; None when there is none.
        self.pages: list[Page] | None = None
        # How many purges have more to hand in.
        self.owing: int = 0
        # One of them has handed in the last of it: whoever waits for it may be waiting for nothing else.
        self.emptied: bool = False

    def behind(self) -> bool:
        """True when so much is on its way to the disk that publishers have to wait."""
        return self.work.size + self.flying > self.limit

    def idle(self) -> bool:
        """True when there is nothing to take."""
        return not (self.work.size or self.work.changes or self.settled or self.purged)

    # -- handing in --

    def define(self, change: Change) -> None:
        """A durable definition changed."""
        if self.keeps and not self.restoring:
            self.work.changes.append(change)
            self.defining = self.ticket
            self.urgent = True

    def keep(self, message: Message) -> Message:
        """The message with a number of its own, to be enqueued and then recorded."""
        lsn = self.next_lsn
        self.next_lsn = lsn + 1
        return record.Kept(message.address, message.header, message.body, message.properties, lsn)

    def run(
        self,
        lsn: int,
        bodies: list[bytes],
        address: bytes,
        header: bytes,
        properties: Properties,
        queues: list[int],
    ) -> int:
        """Record messages with LSNs from `lsn` on for the queues of these ids; returns the ticket to wait for.

        They differ in their bodies, which are of one size; that may be 0.
        """
        now = int(self.clock.wall() * 1000)
        ttl = properties.ttl
        size = len(bodies[0])
        front = record.run_front(
            lsn,
            len(bodies),
            size,
            now,
            now + ttl if ttl >= 0 else record.NEVER,
            properties.priority,
            record.u64s(queues),
            address,
            header,
            record.pack_blind(properties.blind),
        )
        whole = bodies[0] if len(bodies) == 1 else b"".join(bodies)
        work = self.work
        offset = work.add(record.seal(record.RUN, [front, whole]))
        work.runs.append(Placed(lsn, len(bodies), size, queues, offset, work.size - offset))
        self.urgent = True
        return self.ticket

    def settle_now(self, queue: int, lsns: Lsns, octets: int) -> int:
        """Record that messages, `octets` of bodies, are gone from a queue, bound to what else is in this batch.

        Returns the ticket.
        """
        self.work.settle(queue, lsns, octets)
        self.urgent = True
        return self.ticket

    def purge(self, queue: int, lsns: Lsns) -> int:
        """Record that messages, ascending, are gone from a queue that was purged; returns the ticket."""
        self.purged.append((queue, lsns))
        self.urgent = True
        return self.ticket

    def forget_queue(self, queue: int) -> None:
        """A queue was deleted; what the journal has for it is needed no more once that is safe."""
        self.work.forgotten.append(queue)

    def new_id(self) -> int:
        """A number of 63 bits for a durable queue, never 0, that no other has or had."""
        self.ids += 1
        digest = blake2b(self.ids.to_bytes(8, "big"), key=self.secret, digest_size=8).digest()
        return int.from_bytes(digest, "big") >> 1 or 1

    def bind_settled(self) -> int:
        """Bind all that was settled since the last batch to what else is in this one; returns the ticket (0: none)."""
        if not (self.settled or self.purged):
            return 0
        self._add_settled(self.work)
        self.urgent = True
        return self.ticket

    def say_clean(self, delivered: list[tuple[int, int, int]]) -> None:
        """Record a stop in good order."""
        self.work.add(record.clean(delivered))
        self.urgent = True

    # -- what the writer does --

    def take(self) -> Work:
        """All that was handed in; a new batch begins."""
        work = self.work
        self._add_settled(work)
        work.last_lsn = self.next_lsn - 1
        self.urgent = False
        self.ticket += 1
        self.work = Work(self.ticket, self.next_lsn)
        self.flying += work.size
        return work

    def take_settled(self, below: int, most: int) -> Work:
        """Only what is bound to nothing and concerns messages with LSNs below that, about `most` of them: it may go
        ahead of a batch that was taken and cannot be written yet. Nothing waits for it.
        """
        work = Work(0, below)
        later: list[Settled] = []
        count = 0
        for settled in self.settled:
            ahead = [lsn for lsn in settled.lsns if lsn < below][: most - count]
            if len(ahead) < len(settled.lsns):
                gone = set(ahead)
                settled.lsns = [lsn for lsn in settled.lsns if lsn not in gone]
                later.append(settled)
            else:
                settled.lsns = []
            if ahead:
                count += len(ahead)
                work.settle(settled.queue, record.compact(ahead), settled.octets)
                settled.octets = 0
        self.settled = later
        waiting: list[tuple[int, Lsns]] = []
        for queue, lsns in self.purged:
            at = bisect_left(lsns, below)
            size = 1 if isinstance(lsns, range) else at
            if at and count + size <= most:
                count += size
                work.settle(queue, lsns[:at], -1)
                lsns = lsns[at:]
            if lsns:
                waiting.append((queue, lsns))
        self.purged = waiting
        self.flying += work.size
        return work

    def _add_settled(self, work: Work) -> None:
        for settled in self.settled:
            work.settle(settled.queue, record.compact(settled.lsns), settled.octets)
            settled.lsns = []
            settled.octets = 0
        self.settled = []
        for queue, lsns in self.purged:
            work.settle(queue, lsns, -1)
        self.purged = []

    def landed(self, work: Work) -> None:
        """That is safe now, with all before it."""
        self.durable = max(self.durable, work.ticket)
        self.safe_lsn = max(self.safe_lsn, work.last_lsn)
        self.flying -= work.size
