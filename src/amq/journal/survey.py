"""What a journal holds, and what it has lost, said of one that may be damaged.

Recovery (`amq.journal.replay`) stops at the first frame that was safe and cannot be read. A survey goes on behind it:
frames are numbered, so it knows which ones are missing, and LSNs are, so it knows which messages may be. From a frame
of which only some records are damaged it believes the RUNs that are not, and no SETTLED: a message too many is better
than one too few.
"""

from amq.journal import frame, record
from amq.journal.census import Census, Runs
from amq.journal.damage import Damage, Gap
from amq.journal.frame import Frame, Header
from amq.journal.replay import consecutive, records, vouching
from amq.journal.salvageable import Part, disown, makes_sense, readable_records, run_at
from amq.journal.segment import segment_name

# A RUN by the segment that it is in and its index there, and its octets.
Stray = tuple[Runs, int, bytes]


class Scan:
    """One segment as it was read. `frames` are those that can be used, in order: with None all of it, else only the
    RUNs at these offsets. `used` is where the last one ends, `first_lsn` the LSN from which on messages are new here.
    """

    __slots__ = ("part", "header", "first_lsn", "frames", "used", "runs")

    def __init__(self, part: Part, header: Header, first_lsn: int, runs: Runs) -> None:
        self.part = part
        self.header = header
        self.first_lsn = first_lsn
        self.frames: list[tuple[Frame, list[int] | None]] = []
        self.used: int = frame.SEGMENT_HEADER
        self.runs = runs


class Survey:
    """Reads `parts`, the segments of a journal, in order; then `finish`.

    `damages` are in order, `torn` is where the last segment ends in octets that nobody was promised. `strays` are RUNs
    that were written again and whose originals are lost, in segments that are still there.
    """

    __slots__ = (
        "parts",
        "census",
        "damages",
        "torn",
        "strays",
        "frames",
        "clean",
        "sequence",
        "base",
        "unread",
        "open",
        "near",
        "nearby",
    )

    def __init__(self, parts: list[Part]) -> None:
        disown(parts)
        self.parts = parts
        self.census = Census()
        self.damages: list[Damage] = []
        self.torn: tuple[str, int] | None = None
        self.strays: list[Stray] = []
        # Whole ones.
        self.frames: int = 0
        # Whether a stop in good order is the last that happened.
        self.clean: bool = False
        # The number of the next frame; 0 before the first one.
        self.sequence: int = 0
        # The LSN from which on messages were new in a segment that is still there.
        self.base: int = 1
        # Damages of whole files since the last segment that could be read.
        self.unread: list[Damage] = []
        # Damages whose gap of LSNs ends with the next new RUN, and those that want to know which queues are next.
        self.open: list[Damage] = []
        self.near: list[Damage] = []
        self.nearby: list[int] = []

    def read(self, index: int, octets: bytes) -> Scan | None:
        """Take the segment `parts[index]`, whose octets these are; None when nothing in it can be read."""
        part = self.parts[index]
        runs = self.census.begin()
        if index and part.number != self.parts[index - 1].number + 1:
            self._miss_segments(self.parts[index - 1].number + 1, part.number - 1)
        if part.problem:
            readable = part.header is not None
            damage = Damage(part.name, 0, frame.SEGMENT_HEADER if readable else part.size, part.problem)
            damage.unknown = not readable
            if damage.unknown:
                self.unread.append(damage)
            self._add(damage)
        if part.header is None:
            return None
        scan = Scan(part, part.header, part.header.first_lsn or self.census.last_lsn + 1, runs)
        self._enter(scan)
        self._read(scan, octets, *self._following(index))
        return scan

    def finish(self) -> None:
        """All segments were read."""
        self.census.resolve()
        for damage in self.open:
            damage.gaps.append((self._first_missing(), None))
        self.open.clear()
        for damage in self.damages:
            damage.carried = self._oldest() - 1 if damage.loses() else 0
            damage.gaps = [part for gap in damage.gaps for part in self._without_copies(gap)]
            for low, high in damage.gaps:
                if low is not None and high is not None:
                    damage.settled += self._settled_once(low, high + 1)

    def _without_copies(self, gap: Gap) -> list[Gap]:
        """The parts of a gap that were not written again elsewhere."""
        low, high = gap
        if low is None or high is None:
            return [gap]
        return [(start, stop - 1) for start, stop in self.census.copied.outside(low, high + 1)]

    def _oldest(self) -> int:
        """The first LSN that was new in a segment which is still there."""
        for part, runs in zip(self.parts, self.census.segments, strict=True):
            if part.number == 1:
                break
            if part.header is not None and part.header.first_lsn:
                return part.header.first_lsn
            if runs.lsns:
                # Some of these may have been carried on, too.
                return max(runs.lsns) + 1
        return 1

    def _settled_once(self, start: int, stop: int) -> int:
        gone = 0
        for lsns in self.census.settled.values():
            gone = max(gone, lsns.count(start, stop))
        return gone

    # -- files --

    def _miss_segments(self, first: int, last: int) -> None:
        problem = "the segment is missing" if first == last else f"segments {first} to {last} are missing"
        damage = Damage(segment_name(first), 0, 0, problem)
        damage.unknown = True
        self.unread.append(damage)
        self._add(damage)

    def _enter(self, scan: Scan) -> None:
        """Compare the number of a segment's first frame with that of the last one before it."""
        first = scan.header.first_sequence
        if not self.sequence:
            self.base = scan.first_lsn
        if self.sequence and first > self.sequence:
            if not self.unread:
                problem = "frames that were safe cannot be read"
                self.unread.append(Damage(scan.part.name, scan.used, scan.used, problem))
                self._add(self.unread[-1])
            self.unread[-1].first = self.sequence
            self.unread[-1].last = first - 1
        elif self.sequence:
            for damage in self.unread:
                # There was nothing in it.
                damage.unknown = False
                self.open.remove(damage)
            if first < self.sequence:
                problem = f"its frames are numbered from {first} on, where number {self.sequence} comes next"
                self._add(Damage(scan.part.name, 0, frame.SEGMENT_HEADER, problem))
        self.unread = []
        self.sequence = first
        if scan.header.first_lsn:
            # 0 when the header is damaged.
            self._close_gaps(scan.header.first_lsn)
            self.census.last_lsn = max(self.census.last_lsn, scan.header.first_lsn - 1)

    def _following(self, index: int) -> tuple[int | None, bool]:
        """The number of the first frame in the next segment, and whether the last before it must be in this one."""
        number = self.parts[index].number + 1
        for part in self.parts[index + 1 :]:
            if part.header is not None:
                return part.header.first_sequence, part.exact and part.number == number
            # What is missing may have been in this one.
            number = 0
        return None, False

    # -- frames --

    def _read(self, scan: Scan, octets: bytes, before: int | None, closed: bool) -> None:
        salt = scan.header.salt
        if before is not None and before < self.sequence:
            before = None
        while True:
            for found in consecutive(octets, salt, scan.used, self.sequence, before):
                self._take(scan, octets, found)
            at = scan.used
            if before is not None and self.sequence >= before:
                return
            later = self._later(octets, at, salt, before)
            if before is None and vouching(octets, at, salt, self.sequence) is None:
                if later is not None or frame.read_head(octets, at, salt) is not None:
                    self.torn = (scan.part.name, at)
                return
            if self._read_partly(scan, octets, at, later):
                continue
            if later is not None:
                self._miss(scan, at, later.start, later.sequence - 1)
                scan.used = later.start
            elif before is not None and closed:
                self._miss(scan, at, len(octets), before - 1)
            if later is None:
                return

    def _later(self, octets: bytes, at: int, salt: int, before: int | None) -> Frame | None:
        """The next whole frame that is not older than the one that is missing."""
        later = frame.find_frame(octets, at, salt)
        while later is not None and later.sequence < self.sequence:
            later = frame.find_frame(octets, later.end, salt)
        return None if later is None or (before is not None and later.sequence >= before) else later

    def _miss(self, scan: Scan, at: int, end: int, last: int) -> None:
        problem = "a frame that was safe cannot be read" if last == self.sequence else "frames that were safe are lost"
        self._add(Damage(scan.part.name, at, end, problem, self.sequence, last))
        self.sequence = last + 1

    def _read_partly(self, scan: Scan, octets: bytes, at: int, later: Frame | None) -> bool:
        """Take what can be read of the frame that is damaged; returns whether it is that frame alone."""
        head = frame.read_head(octets, at, scan.header.salt)
        if head is None or head.sequence != self.sequence or (later is not None and head.end > later.start):
            return False
        found = readable_records(octets, head)
        if found is None:
            return False
        good = [pos for pos, kind, valid in found if valid and kind == record.RUN]
        bad = sum([not valid for _, _, valid in found])
        self._take_partly(scan, octets, head, good, f"{bad} of {len(found)} records of a frame are damaged")
        return True

    def _take_partly(self, scan: Scan, octets: bytes, found: Frame, good: list[int], problem: str) -> None:
        damage = Damage(scan.part.name, found.start, found.end, problem, found.sequence, found.sequence)
        self._add(damage)
        for pos in good:
            run = self._note_run(octets, pos)
            damage.kept += run.count
            # The next record may be the damaged one again.
            if damage not in self.open:
                self.open.append(damage)
        scan.frames.append((found, good))
        scan.used = found.end
        self.sequence = found.sequence + 1
        self.clean = False

    def _take(self, scan: Scan, octets: bytes, found: Frame) -> None:
        """Note a whole frame."""
        if not found.flags & frame.MARK:
            problem = makes_sense(octets, found)
            if problem is not None:
                good = [pos for pos, kind in records(octets, found) if kind == record.RUN and run_at(octets, pos)]
                self._take_partly(scan, octets, found, good, problem)
                return
            self._note(octets, found)
        scan.frames.append((found, None))
        scan.used = found.end
        self.sequence = found.sequence + 1
        self.frames += 1

    def _note(self, octets: bytes, found: Frame) -> None:
        queues: dict[int, None] = {}
        self.clean = False
        for pos, kind in records(octets, found):
            if kind == record.RUN:
                queues.update(dict.fromkeys(self._note_run(octets, pos).queues))
            elif kind == record.SETTLED:
                queue, lsns = record.read_settled(octets, pos)
                queues[queue] = None
                self.census.note_settled(queue, lsns)
            else:
                self.clean = True
        if queues:
            self.nearby = list(queues)
            for damage in self.near:
                damage.around = list(dict.fromkeys(damage.around + self.nearby))
            self.near.clear()

    def _note_run(self, octets: bytes, pos: int) -> record.Run:
        run = record.read_run(octets, pos)
        census = self.census
        if run.lsn > census.last_lsn:
            self._close_gaps(run.lsn)
        elif run.lsn >= self.base and census.originals.outside(run.lsn, run.lsn + run.count):
            runs = census.segments[-1]
            size = run.bodies_at + run.count * run.body_size
            self.strays.append((runs, len(runs.lsns), octets[pos : pos + size]))
        census.note_run(run)
        return run

    def _close_gaps(self, lsn: int) -> None:
        """What is lost has lower LSNs than that, with which the journal goes on."""
        low = self._first_missing()
        if low is None or low < lsn:
            for damage in self.open:
                damage.gaps.append((low, lsn - 1))
        self.open.clear()

    def _first_missing(self) -> int | None:
        last = self.census.last_lsn
        return last + 1 if last or self.parts[0].number == 1 else None

    def _add(self, damage: Damage) -> None:
        damage.around = list(self.nearby)
        self.damages.append(damage)
        if damage.loses():
            self.open.append(damage)
            self.near.append(damage)
