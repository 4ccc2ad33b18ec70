"""Recovery: what the segments say, read in order, and whether all that was ever safe is still there.

A frame that cannot be read is either the torn end of the log, which nobody was promised, or damage. It is damage when
anything behind it, here or in a later segment, says that it was safe.
"""

from array import array
from collections.abc import Iterator
from struct import error as StructError
from typing import Final

from amq.journal import frame, record
from amq.journal.batch import Placed, Work
from amq.journal.frame import Frame, Header
from amq.journal.log import Log
from amq.journal.record import HEAD, RecordError
from amq.journal.segment import Segment


class Corrupt(Exception):
    """What was safe once cannot be read: `name` and `offset` say where, `sequence` which frame is missing there."""

    def __init__(self, name: str, offset: int, sequence: int, problem: str) -> None:
        super().__init__(f"{name}: offset {offset}: {problem}")
        self.name = name
        self.offset = offset
        self.sequence = sequence
        self.problem = problem


class End:
    """How the last segment ends: whole frames up to `at`, the next one to be numbered `sequence`.

    `unvouched` are the last frames, which nothing says were ever safe.
    """

    __slots__ = ("at", "sequence", "synced", "unvouched", "empty")

    def __init__(self, at: int, sequence: int, synced: int, unvouched: list[Frame], empty: bool) -> None:
        self.at = at
        self.sequence = sequence
        self.synced = synced
        self.unvouched = unvouched
        self.empty = empty


def survey(name: str, octets: bytes, header: Header) -> End:
    """Where the log ends, in its last segment. Raises Corrupt when something behind says that it went on."""
    frames = list(consecutive(octets, header.salt, frame.SEGMENT_HEADER, header.first_sequence, None))
    at = frames[-1].end if frames else frame.SEGMENT_HEADER
    wanted = header.first_sequence + len(frames)
    synced = max([header.first_sequence - 1, *[found.synced for found in frames]])
    later = vouching(octets, at, header.salt, wanted)
    if later is not None:
        problem = f"a frame that was safe cannot be read, the one at {later.start} says so"
        raise Corrupt(name, at, wanted, problem)
    unvouched = [each for each in frames if each.sequence > synced]
    return End(at, wanted, synced, unvouched, not any(found.count for found in frames))


def vouching(octets: bytes, at: int, salt: int, sequence: int) -> Frame | None:
    """A frame from an offset on that says that the one of that number, which is not at the offset, was safe."""
    later = frame.find_frame(octets, at, salt)
    while later is not None and not (later.sequence >= sequence and later.synced >= sequence):
        later = frame.find_frame(octets, later.end, salt)
    return later


def consecutive(octets: bytes, salt: int, at: int, sequence: int, before: int | None) -> Iterator[Frame]:
    """The whole frames from an offset on, numbered from `sequence` on without a gap; none from number `before` on."""
    while before is None or sequence < before:
        found = frame.read_frame(octets, at, salt)
        if found is None or found.sequence != sequence:
            return
        yield found
        at = found.end
        sequence += 1


def records(octets: bytes, found: Frame) -> Iterator[tuple[int, int]]:
    """Where each record of a frame stands, and its kind."""
    pos = found.records_at
    while pos < found.records_end:
        size, _, kind = HEAD.unpack_from(octets, pos)
        yield pos, kind
        pos += 8 + size


class Stretch:
    """Messages with LSNs from `first` on that are alive in a queue: `count` of them, bodies of `octets` together.

    `priority` is the property; `expires` and `time`, when they were published, in ms since 1970, are those of all of
    them (-1: never; time is 0 for queues that do not ask for it).
    """

    __slots__ = ("first", "count", "priority", "expires", "time", "octets")

    def __init__(self, first: int, count: int, priority: int, expires: int, time: int, octets: int) -> None:
        self.first = first
        self.count = count
        self.priority = priority
        self.expires = expires
        self.time = time
        self.octets = octets

    def deadline(self, ttl: int) -> int:
        """When the messages expire in a queue with that time to live, in ms since 1970; negative: never."""
        if ttl < 0:
            return self.expires
        own = self.time + ttl
        return own if self.expires < 0 else min(own, self.expires)


class Contents:
    """What RUNs of one segment are like, in their order: as little as the second pass needs."""

    __slots__ = ("segment", "lsns", "counts", "sizes", "kinds", "times", "expires")

    def __init__(self, segment: Segment) -> None:
        self.segment = segment
        self.lsns: array[int] = array("Q")
        self.counts: array[int] = array("I")
        self.sizes: array[int] = array("I")
        self.kinds: array[int] = array("I")
        self.times: array[int] = array("Q")
        # Few messages expire by themselves.
        self.expires: dict[int, int] = {}


# Queue ids and priority, of which there are few combinations.
Kind = tuple[list[int], int]
_NOTHING: Final[set[int]] = set()


class Replay:
    """Reads segments in order into a log. `delivered` says, by queue id and priority, up to which LSN a stop in good
    order had delivered; None after any other end.
    """

    __slots__ = ("log", "next_lsn", "contents", "kinds", "numbers", "delivered")

    def __init__(self, log: Log) -> None:
        self.log = log
        self.next_lsn: int = 1
        self.contents: list[Contents] = []
        self.kinds: list[Kind] = []
        self.numbers: dict[tuple[bytes, int], int] = {}
        self.delivered: dict[int, dict[int, int]] | None = None

    def read(self, name: str, header: Header, octets: bytes, before: int | None) -> None:
        """Take the next segment. Frames from number `before` on do not count; None: there is no later segment, and
        all that can be read do. Raises Corrupt.
        """
        log = self.log
        if not log.segments:
            log.sequence = header.first_sequence
            log.synced = log.sequence - 1
            log.last_lsn = header.first_lsn - 1
            self.next_lsn = header.first_lsn
        segment = Segment(header.number, header.salt, len(octets), header.first_sequence, header.first_lsn)
        log.begin(segment)
        contents = Contents(segment)
        self.contents.append(contents)
        at = frame.SEGMENT_HEADER
        for found in consecutive(octets, header.salt, at, log.sequence, before):
            self.take(octets, contents, found)
            at = found.end
        segment.used = at
        if before is not None:
            if log.sequence != before:
                raise Corrupt(name, at, log.sequence, "a frame that was safe cannot be read")
            log.synced = max(log.synced, before - 1)

    def take(self, octets: bytes, contents: Contents, found: Frame) -> None:
        """Apply a frame."""
        log = self.log
        log.sequence += 1
        if found.synced > log.synced:
            log.synced = found.synced
        if found.flags & frame.MARK:
            return
        self.delivered = None
        work = Work(0, 0)
        pos = found.records_at
        try:
            for pos, kind in records(octets, found):
                if kind == record.RUN:
                    self.take_run(octets, pos, contents, work)
                elif kind == record.SETTLED:
                    queue, lsns = record.read_settled(octets, pos)
                    work.gone.append((queue, lsns, -1))
                    self.next_lsn = max(self.next_lsn, max(lsns) + 1)
                elif kind == record.CLEAN:
                    self.delivered = record.read_clean(octets, pos)
                else:
                    raise RecordError(f"a record of the unknown kind {kind}")
        except (RecordError, StructError, ValueError) as error:
            raise Corrupt(contents.segment.name, pos, found.sequence, f"a record makes no sense: {error}") from None
        log.note(contents.segment, work, 0)

    def take_run(self, octets: bytes, pos: int, contents: Contents, work: Work) -> None:
        """Note a RUN."""
        lsn, count, body_size, time, expires, priority, ids, _, bodies_at = record.read_run_front(octets, pos)
        number = self.numbers.get((ids, priority))
        if number is None:
            number = self.numbers[ids, priority] = len(self.kinds)
            self.kinds.append((list(record.read_u64s(ids)), priority))
        if expires != record.NEVER:
            contents.expires[len(contents.lsns)] = expires
        contents.lsns.append(lsn)
        contents.counts.append(count)
        contents.sizes.append(body_size)
        contents.kinds.append(number)
        contents.times.append(time)
        if lsn + count > self.next_lsn:
            self.next_lsn = lsn + count
        size = bodies_at + count * body_size
        work.runs.append(Placed(lsn, count, body_size, self.kinds[number][0], pos, size))

    def alive(self, timed: set[int], known: set[int]) -> dict[int, list[Stretch]]:
        """By queue id, what is alive, in order. `timed` are the queues that want to know when it was published;
        nothing is alive in a queue that is not `known`.
        """
        found: dict[int, list[Stretch]] = {}
        for contents in self.contents:
            for queue in [queue for queue in contents.segment.alive if queue not in known]:
                contents.segment.forget(queue)
        while self.contents:
            self.collect(self.contents.pop(0), timed, found)
        if self.log.moved:
            for stretches in found.values():
                stretches.sort(key=_first)
        return found

    def collect(self, contents: Contents, timed: set[int], found: dict[int, list[Stretch]]) -> None:
        """Add what is alive in one segment."""
        segment = contents.segment
        alive = segment.alive
        if not alive:
            return
        gone = {queue: segment.gone(queue) for queue in segment.settled}
        moved_end = self.log.moved_end()
        for index, lsn in enumerate(contents.lsns):
            queues, priority = self.kinds[contents.kinds[index]]
            count = contents.counts[index]
            size = contents.sizes[index]
            expires = contents.expires.get(index, record.NEVER)
            for queue in queues:
                if queue not in alive:
                    continue
                time = contents.times[index] if queue in timed else 0
                stretches = found.setdefault(queue, [])
                if queue not in gone and lsn >= moved_end:
                    append(stretches, lsn, count, priority, expires, time, size)
                    continue
                settled = gone.get(queue, _NOTHING)
                for each in range(lsn, lsn + count):
                    if each not in settled and self.log.segment_of(each) is segment:
                        append(stretches, each, 1, priority, expires, time, size)


def append(stretches: list[Stretch], lsn: int, count: int, priority: int, expires: int, time: int, size: int) -> None:
    """Add messages to those of a queue, to the last stretch if they go on where it ends."""
    if stretches:
        last = stretches[-1]
        if (
            last.first + last.count == lsn
            and last.priority == priority
            and last.expires == expires
            and last.time == time
        ):
            last.count += count
            last.octets += count * size
            return
    stretches.append(Stretch(lsn, count, priority, expires, time, count * size))


def _first(stretch: Stretch) -> int:
    return stretch.first
