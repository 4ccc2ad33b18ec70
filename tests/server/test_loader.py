"""Messages that stand in the journal are read back from its files."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from amq.journal.loading import Load
from amq.journal.record import Lsns, compact
from amq.message import Message
from amq.server.disk import FolderDisk
from amq.server.errors import StorageFailed, leaves
from amq.server.journal_files import JournalFiles
from amq.server.loader import Loader
from amq.server.paging import Paging
from tests.harness.dialogue import new_broker
from tests.journal.build import run

QUEUE = 7


class Wish(Load):
    """Messages by their numbers; `got` is what came."""

    __slots__ = ("numbers", "unwanted", "got")

    def __init__(self, *numbers: int) -> None:
        self.numbers = compact(list(numbers))
        self.unwanted = False
        self.got: list[bytes] | None = None

    def lsns(self) -> Lsns | None:
        return self.numbers

    def stale(self) -> bool:
        return self.unwanted

    def arrived(self, messages: list[Message]) -> None:
        self.got = [message.body for message in messages]


class Shelf:
    """A broker whose journal is in a folder."""

    def __init__(self, folder: Path) -> None:
        self.broker = new_broker(keeps=True)
        self.files = JournalFiles(FolderDisk(folder), 1 << 20)
        self.files.recover()
        self.flushed = 0
        self.loader = Loader(self.broker, self.files, Paging(folder), self.flush)

    def flush(self) -> None:
        self.flushed += 1

    def write(self, *bodies: bytes) -> None:
        """Messages for a queue, in a frame of their own."""
        journal = self.broker.journal
        run(journal, bodies, [QUEUE])
        work = journal.take()
        offset, pieces = self.files.log.place(work)
        self.files.append(offset, pieces)
        self.files.log.wrote(work, offset)
        journal.landed(work)

    def roll(self) -> None:
        self.files.log.begin(self.files.roll(1000, True))

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """The loader works; everything that was wanted has come in the end."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.loader.run)
            yield
            nursery.cancel_scope.cancel()

    async def want(self, *wishes: Wish) -> None:
        """Wish for messages and wait for them."""
        self.broker.journal.wanted += wishes
        self.loader.kick()
        with trio.fail_after(30):
            while any(wish.got is None for wish in wishes):  # noqa: ASYNC110 - what came says so itself
                await trio.sleep(0.001)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """Messages 1 to 6, the last two in a second segment."""
    shelf = Shelf(tmp_path)
    shelf.write(b"1", b"2")
    shelf.write(b"three")
    shelf.write(b"")
    shelf.roll()
    shelf.write(b"5", b"6")
    return shelf


async def test_messages_come_in_the_order_of_their_numbers_from_wherever_they_stand(shelf: Shelf) -> None:
    async with shelf.serving():
        one, other = Wish(1, 3, 6), Wish(2, 4, 5)
        await shelf.want(one, other)
        assert (one.got, other.got) == ([b"1", b"three", b"6"], [b"2", b"", b"5"])
        later = Wish(1, 2, 3, 4, 5, 6)
        await shelf.want(later)
        assert later.got == [b"1", b"2", b"three", b"", b"5", b"6"]
    assert shelf.flushed == 3


async def test_a_wish_that_nobody_has_any_more_is_answered_without_looking(shelf: Shelf) -> None:
    async with shelf.serving():
        wish = Wish(1000)
        wish.unwanted = True
        await shelf.want(wish)
        assert wish.got == []


async def test_a_segment_is_not_dropped_while_it_is_read(shelf: Shelf) -> None:
    log = shelf.files.log
    held: list[int] = []
    read = shelf.files.disk.read

    def watching(name: str, offset: int, size: int) -> bytes:
        log.forget_queue(QUEUE)
        held.append(log.segments[0].readers)
        assert log.droppable() is None
        return read(name, offset, size)

    shelf.files.disk.read = watching  # type: ignore[method-assign]
    async with shelf.serving():
        await shelf.want(Wish(1, 2))
    assert held == [1]
    assert log.droppable() is log.segments[0]


async def test_a_message_that_is_damaged_ends_the_broker(shelf: Shelf, tmp_path: Path) -> None:
    segment = shelf.files.log.segments[0]
    path = tmp_path / segment.name
    octets = bytearray(path.read_bytes())
    octets[segment.offsets[1] + 30] ^= 1
    path.write_bytes(octets)
    with pytest.raises(ExceptionGroup) as caught:
        async with shelf.serving():
            await shelf.want(Wish(1), Wish(3))
    (failure,) = leaves(caught.value)
    assert isinstance(failure, StorageFailed)
    assert f"{segment.name}: offset {segment.offsets[1]}: a message is damaged" in str(failure)


async def test_a_file_that_cannot_be_read_ends_the_broker(shelf: Shelf) -> None:
    def failing(name: str, offset: int, size: int) -> bytes:
        raise OSError(5, "Input/output error")

    shelf.files.disk.read = failing  # type: ignore[method-assign]
    with pytest.raises(ExceptionGroup) as caught:
        async with shelf.serving():
            await shelf.want(Wish(1))
    (failure,) = leaves(caught.value)
    assert isinstance(failure, StorageFailed)
    assert str(failure).endswith("Input/output error")
