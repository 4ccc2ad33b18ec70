"""What a batch has taken down, read from its octets, and messages to give it."""

from collections.abc import Iterable
from itertools import zip_longest
from typing import Any

import attrs

from amq.journal import frame, reading, record
from amq.journal.batch import Batch, Work
from amq.journal.frame import Header
from amq.journal.log import Log
from amq.journal.record import HEAD, Lsns
from amq.journal.replay import Replay
from amq.journal.salvage import Salvage
from amq.journal.segment import Segment
from amq.message import Message, address
from amq.wire import properties as props
from amq.wire.properties import Properties

ADDRESS = address(b"x", b"key")


@attrs.frozen
class Pair:
    """A message on record, for queues by id."""

    lsn: int
    body: bytes
    queues: list[int]
    address: bytes = ADDRESS


def records(octets: bytes) -> list[tuple[int, int]]:
    """Kind and place of every record."""
    found = []
    at = 0
    while at < len(octets):
        size, _, kind = HEAD.unpack_from(octets, at)
        found.append((kind, at))
        at += 8 + size
    assert at == len(octets)
    return found


def published(work: Work) -> list[Pair]:
    """The messages that a batch records, in their order."""
    octets = b"".join(work.pieces)
    pairs = []
    for kind, at in records(octets):
        if kind == record.RUN:
            run = record.read_run(octets, at)
            shared = record.content_like(octets, at, run, None)
            for message in record.messages(octets, at, run, shared):
                pairs.append(Pair(message.lsn, message.body, list(run.queues), message.address))
    return pairs


def settled(work: Work) -> list[tuple[int, int]]:
    """Queue id and LSN of everything that a batch settles, in its order."""
    octets = b"".join(work.pieces)
    found = []
    for kind, at in records(octets):
        if kind == record.SETTLED:
            queue, lsns = record.read_settled(octets, at)
            found += [(queue, lsn) for lsn in lsns]
    return found


def header(body_size: int = 0, **changes: bytes | None) -> bytes:
    """A content header; `changes` by the names of `amq.wire.properties`."""
    plain = bytes((0, 60, 0, 0)) + body_size.to_bytes(8, "big") + bytes(2)
    return props.rewrite(plain, {getattr(props, name): value for name, value in changes.items()})


def some_properties(ttl: int = -1, priority: int = 0, blind: list[bytes] | None = None) -> tuple[bytes, Properties]:
    """A content header of a persistent message, and what was read of it."""
    octets = header(DELIVERY_MODE=b"\2", PRIORITY=bytes((priority,)) if priority else None)
    properties = props.read(octets)
    properties.ttl = ttl
    properties.blind = blind
    return octets, properties


def run(batch: Batch, bodies: Iterable[bytes], queues: list[int], **options: Any) -> int:
    """Record messages of one size under the next LSNs; returns the first LSN."""
    bodies = list(bodies)
    octets, properties = some_properties(**options)
    first = batch.next_lsn
    batch.next_lsn += len(bodies)
    batch.run(first, bodies, ADDRESS, octets, properties, queues)
    return first


def message(body: bytes = b"m", **options: Any) -> Message:
    """A persistent message that has no number yet."""
    octets, properties = some_properties(**options)
    return Message(ADDRESS, octets, body, properties)


class Paper:
    """A journal whose segments are octets in memory, each `size` long; written without waiting."""

    def __init__(self, size: int = 4096) -> None:
        self.size = size
        self.log = Log()
        self.batch = Batch(keeps=True)
        self.octets: dict[str, bytearray] = {}
        self.salt = 1000
        self.roll()

    def roll(self, least: int = 0) -> Segment:
        """Begin another segment."""
        size = max(self.size, least + frame.SEGMENT_HEADER)
        self.salt += 1
        segment = self.log.new_segment(self.salt, size)
        head = Header(segment.salt, segment.number, segment.first_sequence, 0, segment.first_lsn).pack()
        self.octets[segment.name] = bytearray(head.ljust(size, b"\0"))
        self.log.begin(segment)
        return segment

    def put(self, placed: tuple[int, list[bytes]]) -> None:
        """Octets at their place in the last segment."""
        offset, pieces = placed
        octets = b"".join(pieces)
        self.octets[self.log.segments[-1].name][offset : offset + len(octets)] = octets
        assert self.log.segments[-1].used == offset + len(octets)

    def write(self) -> Work:
        """What the writer does with a batch."""
        work = self.batch.take()
        size = frame.frame_size(work.size)
        if work.heads:
            if self.log.room() < size:
                self.roll(size)
            offset, pieces = self.log.place(work)
            self.put((offset, pieces))
            self.log.wrote(work, offset)
        self.batch.landed(work)
        for queue in work.forgotten:
            self.log.forget_queue(queue)
        return work

    def mark(self) -> None:
        """Vouch for what was written."""
        self.put(self.log.place_mark())

    def publish(self, bodies: Iterable[bytes], queues: list[int], **options: Any) -> int:
        """Record messages and write the batch; returns the first LSN."""
        first = run(self.batch, bodies, queues, **options)
        self.write()
        return first

    def settle(self, queue: int, *lsns: int) -> None:
        """Record that messages are gone and write the batch."""
        self.batch.settle_now(queue, record.compact(list(lsns)), -1)
        self.write()

    def salvage(self, slices: int = 1 << 30) -> None:
        """Copy what is alive in the first segment, and drop that segment; with `slices`, stop after so many records."""
        first = self.log.segments[0]
        salvage = Salvage(self.log, first, bytes(self.octets[first.name][: first.used]))
        for _ in range(slices):
            through = salvage.slice(self.batch, 1, 1 << 20)
            self.write()
            if through:
                first.alive.clear()
                self.drop()
                return

    def drop(self) -> list[int]:
        """Let go of segments that nobody needs; returns their numbers."""
        numbers = []
        while self.log.droppable() is not None:
            segment = self.log.drop()
            del self.octets[segment.name]
            numbers.append(segment.number)
        return numbers

    def read(self, lsns: Lsns) -> list[Message]:
        """Messages read back."""
        readings = self.log.readings(lsns)
        pieces = [bytes(self.octets[each.segment.name][each.start : each.end]) for each in readings]
        return reading.messages(lsns, readings, pieces)

    def replay(self) -> Replay:
        """Recovery from what is there."""
        replay = Replay(Log())
        headers = []
        for name, octets in sorted(self.octets.items()):
            header = frame.read_segment_header(bytes(octets))
            assert header is not None
            headers.append((name, header))
        for (name, header), after in zip_longest(headers, headers[1:]):
            before = None if after is None else after[1].first_sequence
            replay.read(name, header, bytes(self.octets[name]), before)
        return replay

    def restart(self) -> dict[int, list[int]]:
        """Go on as after a recovery, in a new segment; returns the LSNs that are alive by queue."""
        replay = self.replay()
        found = alive(replay)
        self.log = replay.log
        self.log.synced = self.log.sequence - 1
        self.batch = Batch(keeps=True)
        self.batch.next_lsn = replay.next_lsn
        self.batch.safe_lsn = replay.next_lsn - 1
        self.roll()
        return found


def alive(replay: Replay, timed: set[int] | None = None, known: set[int] | None = None) -> dict[int, list[int]]:
    """The LSNs that a recovery found alive, by queue."""
    everything = {queue for contents in replay.contents for queue in contents.segment.alive}
    stretches = replay.alive(timed or set(), everything if known is None else known)
    return {
        queue: [lsn for each in found for lsn in range(each.first, each.first + each.count)]
        for queue, found in stretches.items()
        if found
    }
