"""The journal under random histories on the fake disk, with crashes at any operation.

A `History` plays one life after the other, each on what a crash left of the disk of the one before, and recovers from
several images of every crash. `Rot` turns bits over in what is safe.
"""

import re
from collections import Counter
from random import Random

import attrs
import trio
import trio.testing

from amq.journal import frame
from amq.journal.replay import Corrupt
from amq.server.errors import StorageFailed, leaves
from amq.server.journal_files import NoRoom
from tests.faults.crash_images_book import Book
from tests.faults.crash_images_life import SEGMENT, Life
from tests.faults.fake_disk import ALL, NONE, PREFIX, TORN, FakeDisk, PowerLoss

# How likely each step is, for three kinds of days: as usual, with quick consumers, with hardly any.
KINDS = (Life.publish, Life.settle, Life.catch_up, Life.bind, Life.delete)
DAYS = ((50, 25, 6, 3, 1), (50, 10, 30, 3, 1), (50, 5, 0, 1, 0))
MODES = (TORN, TORN, TORN, PREFIX, PREFIX, ALL, NONE)


@attrs.define(eq=False)
class History:
    """`images` counts the crash images that were recovered, `operations` by kind what was done to disks while there
    was life on them, `events` what else happened.
    """

    seed: int
    images: int = attrs.field(default=0, init=False)
    operations: Counter[str] = attrs.field(factory=Counter, init=False)
    events: Counter[str] = attrs.field(factory=Counter, init=False)
    random: Random = attrs.field(init=False)
    disk: FakeDisk = attrs.field(factory=FakeDisk, init=False)
    book: Book = attrs.field(init=False)
    regular: bool = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.random = Random(self.seed)
        self.book = Book({self.random.getrandbits(63) or 1 for _ in range(4)})
        self.regular = self.random.random() < 0.2
        if self.random.random() < 0.3:
            self.disk.capacity = self.random.randint(5, 10) * SEGMENT

    def play(self, lives: int) -> None:
        """Live, crash and recover so many times, then once more in peace. Raises AssertionError with the seed."""
        try:
            for _ in range(lives):
                self._live()
            self._check(self.disk.crash(self.random, NONE))
        except AssertionError as error:
            raise AssertionError(f"seed {self.seed}, image {self.images}: {error}") from error
        except Corrupt as error:
            raise AssertionError(f"seed {self.seed}, image {self.images}: taken for damage: {error}") from error

    def _ended_by(self, error: BaseException) -> None:
        """Account for what ended a life; raises it again if there is more to it."""
        # (Not `except*`: PyPy 3.11 fails over it when what it gets is no Exception.)
        found = list(leaves(error)) if isinstance(error, BaseExceptionGroup) else [error]
        if not all(isinstance(each, (PowerLoss, StorageFailed, OSError, NoRoom)) for each in found):
            raise error
        if any(isinstance(each, PowerLoss) for each in found):
            self.events["power"] += 1
        if any(isinstance(each, (StorageFailed, OSError)) for each in found):
            # As the broker does: whatever failed, nothing is tried again.
            self.events["failed"] += 1
        if any(isinstance(each, NoRoom) for each in found):
            self.events["no room"] += 1
            self.disk.capacity += 4 * SEGMENT

    def _live(self) -> None:
        random = self.random
        life = Life(self.disk, self.book, random, self.regular)
        steps = random.choices(KINDS, random.choice(DAYS), k=random.randint(1, 60))
        clean = random.random() < 0.3
        self._cut(0.3, 12)
        self._fail(0.05, 6)
        try:
            self.book.settle_for(self.book.check(life.recover()))
            self._cut(0.8, 150)
            self._fail(0.1, 20)
            trio.run(life.serve, steps, clean, clock=trio.testing.MockClock(autojump_threshold=0))
            self.events["clean" if clean else "killed"] += 1
        except (PowerLoss, StorageFailed, OSError, NoRoom, BaseExceptionGroup) as error:
            self._ended_by(error)
        self.disk.revive()
        self.events["starved"] += life.starvations
        self.events["salvaged"] += life.files.log.salvaged > 0
        self.operations.update(operation.kind for operation in self.disk.operations)
        self._next()

    def _next(self) -> None:
        """What the next life finds: the disk after a loss of power, or the page cache when only the process died."""
        for _ in range(3):
            self._check(self.disk.crash(self.random, self._mode()))
        if self.random.random() < 0.7:
            self.disk = self.disk.crash(self.random, self._mode())

    def _check(self, disk: FakeDisk) -> None:
        """Recovery on an image of the crash finds all that it must, and makes it safe."""
        disk.capacity = max(disk.capacity, 100 * SEGMENT)
        self.images += 1
        flying = self.book.check(Life(disk, self.book, self.random).recover())
        again = disk.crash(self.random, self._mode())
        found = Life(again, self.book, self.random).recover()
        assert self.book.check(found) == flying, "a second crash has undone what recovery had found"

    def _cut(self, chance: float, most: int) -> None:
        """Lose power before long, in any operation or in one that changes the folder."""
        if self.random.random() < chance:
            if self.random.random() < 0.5:
                self.disk.cut_power(self.random.randint(1, most))
            else:
                kind = self.random.choice(("create", "rename", "unlink", "sync_folder"))
                self.disk.cut_power(self.random.randint(1, 8), kind)

    def _fail(self, chance: float, most: int) -> None:
        """Let an operation before long fail."""
        if self.random.random() < chance:
            kind = self.random.choice(
                ("sync", "sync", "sync_folder", "write", "create", "rename", "unlink", "truncate")
            )
            self.disk.fail(kind, self.random.randint(1, most))

    def _mode(self) -> str:
        return self.random.choice(MODES)


@attrs.define(eq=False)
class Rot:
    """One life that ends with everything safe and vouched for, and bits of its files that turn over afterwards.

    What vouches for the last frame is a MARK, or the next segment.
    """

    seed: int
    random: Random = attrs.field(init=False)
    life: Life = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        random = self.random = Random(self.seed)
        book = Book({random.getrandbits(63) or 1 for _ in range(3)})
        life = self.life = Life(FakeDisk(), book, random)
        life.recover()
        steps = random.choices(KINDS, random.choice(DAYS), k=random.randint(5, 80))
        trio.run(life.serve, steps, random.random() < 0.3, clock=trio.testing.MockClock(autojump_threshold=0))
        if random.random() < 0.5 or life.files.log.room() < frame.FRAME_HEADER:
            life.files.log.begin(life.files.roll(100, False))
        else:
            life.files.append(*life.files.log.place_mark())

    def flip(self, times: int) -> Counter[str]:
        """Turn one bit over, each time on the undamaged disk; returns how often that was detected or harmless.

        Raises AssertionError when it was neither.
        """
        return Counter(self._outcome() for _ in range(times))

    def _outcome(self) -> str:
        disk = self.life.disk.crash(self.random, NONE)
        name = self.random.choice(disk.names())
        bit = self._bit(disk, name)
        disk.flip(name, bit)
        blamed = ""
        try:
            self.life.book.check(Life(disk, self.life.book, self.random).recover())
        except Corrupt as corrupt:
            blamed = corrupt.name
        except AssertionError as error:
            raise AssertionError(f"seed {self.seed}, {name} bit {bit}: {error}") from None
        assert blamed in ("", name), f"seed {self.seed}: {name} bit {bit} was blamed on {blamed}"
        return "detected" if blamed else "harmless"

    def _bit(self, disk: FakeDisk, name: str) -> int:
        """Any bit, or one of a header, of which there are not many."""
        octets = disk.read(name, 0, disk.size(name))
        start, size = 0, len(octets)
        heads = [match.start() for match in re.finditer(frame.MAGIC, octets)]
        if heads and self.random.random() < 0.5:
            start, size = self.random.choice(heads), frame.FRAME_HEADER
        return start * 8 + self.random.randrange(size * 8)
