"""What is particular to the store in an SQLite file: the file, forgetting, and failures of the disk."""

import os
import sqlite3
import stat
from collections.abc import Callable
from contextlib import aclosing, closing
from pathlib import Path

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from amq.definitions.entry import Event, Result
from amq.definitions.sqlite import SqliteStore
from amq.definitions.store import Compacted, Store, StoreError, StoreFull


def open_in(folder: Path, remembered: int = 10_000) -> SqliteStore:
    return SqliteStore.open(folder / "definitions.db", remembered)


def modes_in(folder: Path) -> dict[str, int]:
    """The permissions of every file there."""
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


def number_of(path: Path) -> int:
    """The number of a file, for comparison with that of an open one."""
    return path.stat().st_ino


async def first(store: Store, after: int) -> list[Event]:
    """The first item of a watch of everything."""
    with trio.fail_after(5):
        async with aclosing(store.watch(b"", after)) as watch:
            return await anext(watch)


async def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    store = open_in(tmp_path)
    await store.txn(puts=[(b"a", b"1"), (b"b", b"1")])
    await store.txn(deletes=[b"a"])
    before = await store.scan()
    await store.close()
    store = open_in(tmp_path)
    assert await store.scan() == before
    assert await first(store, 1) == [Event(b"a", None, 2)]
    assert await store.txn(puts=[(b"c", b"")]) == Result(True, 3)
    await store.close()


async def test_what_was_answered_is_there_when_the_store_was_never_closed(tmp_path: Path) -> None:
    store = open_in(tmp_path)
    await store.txn(puts=[(b"a", b"1")])
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("definitions.db", "definitions.db-wal"):
        (copy / name).write_bytes((tmp_path / name).read_bytes())
    await store.close()
    again = open_in(copy)
    assert [entry.key for entry in (await again.scan()).entries] == [b"a"]
    # Read from a log that a failed sync may have left in memory alone: it is in the file before it is believed.
    assert (copy / "definitions.db-wal").stat().st_size == 0
    await again.close()


async def test_nobody_else_may_read_the_files(tmp_path: Path) -> None:
    store = open_in(tmp_path)
    await store.txn(puts=[(b"users/guest", b"a hash")])
    modes = modes_in(tmp_path)
    assert {"definitions.db", "definitions.db-wal"} <= set(modes)
    assert set(modes.values()) == {0o600}
    await store.close()


async def test_every_commit_is_synced(tmp_path: Path) -> None:
    store = open_in(tmp_path)
    with closing(sqlite3.connect(tmp_path / "definitions.db")) as other:
        assert other.execute("PRAGMA journal_mode").fetchall() == [("wal",)]
    assert store._database.execute("PRAGMA synchronous").fetchall() == [(2,)], "FULL"
    await store.close()


async def test_the_name_of_a_new_file_is_synced_after_the_file_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[int, bool]] = []
    sync = os.fsync
    folder = number_of(tmp_path)

    def note(descriptor: int) -> None:
        synced.append((os.fstat(descriptor).st_ino, (tmp_path / "definitions.db").stat().st_size > 0))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    await open_in(tmp_path).close()
    assert synced == [(folder, True)]


async def test_the_log_is_written_into_the_file_now_and_then(tmp_path: Path) -> None:
    store = open_in(tmp_path)
    for number in range(40):
        await store.txn(puts=[(b"%d" % place, b"%d" % number * 100) for place in range(100)])
    assert (tmp_path / "definitions.db-wal").stat().st_size < 3 << 20
    await store.close()
    assert list(modes_in(tmp_path)) == ["definitions.db"]


async def test_old_events_are_forgotten_and_a_watch_that_needs_them_is_told(tmp_path: Path) -> None:
    store = open_in(tmp_path, remembered=20)
    for number in range(50):
        await store.txn(puts=[(b"a", b"%d" % number)])
    with pytest.raises(Compacted, match="forgotten"):
        await first(store, 0)
    assert await first(store, 30) == [Event(b"a", b"30", 31)]
    await store.close()
    store = open_in(tmp_path, remembered=20)
    with pytest.raises(Compacted):
        await first(store, 0)
    await store.close()


async def test_the_events_of_a_large_transaction_are_remembered_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    store = open_in(tmp_path, remembered=20)
    await store.txn(puts=[(b"before", b"")])
    await store.txn(puts=[(b"%d" % number, b"") for number in range(100)])
    assert len(await first(store, 1)) == 100
    for number in range(30):
        await store.txn(puts=[(b"a", b"%d" % number)])
    with pytest.raises(Compacted):
        await first(store, 1)
    assert await first(store, 10) == [Event(b"a", b"8", 11)]
    await store.close()


async def test_those_that_wait_are_committed_together(tmp_path: Path) -> None:
    store = open_in(tmp_path)
    statements: list[str] = []
    store._database.set_trace_callback(statements.append)
    async with trio.open_nursery() as nursery:
        for number in range(50):
            nursery.start_soon(put, store, b"%d" % number)
    store._database.set_trace_callback(None)
    # At worst the first finds nobody else; all others have come by the time it is done.
    assert statements.count("COMMIT") <= 2
    assert (await store.scan()).revision == 50
    await store.close()


async def put(store: Store, key: bytes) -> None:
    await store.txn(puts=[(key, b"")])


async def test_who_is_cancelled_before_its_turn_has_written_nothing(tmp_path: Path) -> None:
    store = open_in(tmp_path)
    await store._turn.acquire()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(put, store, b"a")
        await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    store._turn.release()
    assert await store.txn(puts=[(b"b", b"")]) == Result(True, 1)
    assert [entry.key for entry in (await store.scan()).entries] == [b"b"]
    await store.close()


class BrokenDisk:
    """A database whose statements fail from the one on that `breaks` is true of."""

    def __init__(self, database: sqlite3.Connection, breaks: Callable[[str], bool]) -> None:
        self.database = database
        self.breaks = breaks

    def execute(self, statement: str, parameters: tuple[object, ...] = ()) -> sqlite3.Cursor:
        if self.breaks(statement):
            raise sqlite3.OperationalError("disk I/O error")
        return self.database.execute(statement, parameters)

    def __getattr__(self, name: str) -> object:
        return getattr(self.database, name)


@pytest.mark.parametrize("statement", ["BEGIN", "COMMIT", "PRAGMA wal_checkpoint", "UPDATE state"])
async def test_after_a_failed_write_nothing_is_written_any_more(tmp_path: Path, statement: str) -> None:
    store = open_in(tmp_path)
    store._unmerged = 10_000
    whole = store._database
    broken = BrokenDisk(whole, lambda each: each.startswith(statement))
    store._database = broken  # type: ignore[assignment]
    failures: list[StoreError] = []

    async def try_to_put(number: int) -> None:
        try:
            await store.txn(puts=[(b"%d" % number, b"")])
        except StoreError as error:
            failures.append(error)

    async with trio.open_nursery() as nursery:
        for number in range(5):
            nursery.start_soon(try_to_put, number)
    assert len(failures) == 5
    assert all("disk I/O error" in str(error) for error in failures)
    store._database = whole
    with pytest.raises(StoreError, match="nothing can be written any more"):
        await store.txn(puts=[(b"b", b"")])
    await store.close()


async def test_what_finds_no_room_is_not_written_at_all_and_may_be_tried_again(tmp_path: Path) -> None:
    store = open_in(tmp_path)
    await store.txn(puts=[(b"a", b"1")])
    pages = store._database.execute("PRAGMA page_count").fetchone()[0]
    store._database.execute(f"PRAGMA max_page_count = {pages + 8}")
    much = [(b"%d" % number, bytes(1000)) for number in range(100)]
    with pytest.raises(StoreFull, match="full"):
        await store.txn(puts=much)
    assert [entry.key for entry in (await store.scan()).entries] == [b"a"]
    assert (await store.txn(puts=[(b"b", b"2")])).revision == 2
    store._database.execute(f"PRAGMA max_page_count = {pages + 400}")
    assert (await store.txn(puts=much)).revision == 3
    await store.close()
    store = open_in(tmp_path)
    assert len((await store.scan()).entries) == 102
    await store.close()


async def test_of_several_that_find_no_room_each_is_told_so(tmp_path: Path) -> None:
    store = open_in(tmp_path)
    pages = store._database.execute("PRAGMA page_count").fetchone()[0]
    store._database.execute(f"PRAGMA max_page_count = {pages + 8}")
    outcomes: list[str] = []

    async def put(key: bytes, size: int) -> None:
        try:
            await store.txn(puts=[(key, bytes(size))])
        except StoreFull:
            outcomes.append("full")
        else:
            outcomes.append("written")

    async with trio.open_nursery() as nursery:
        for number in range(3):
            nursery.start_soon(put, b"%d" % number, 100_000)
    assert outcomes == ["full"] * 3
    await put(b"small", 10)
    assert outcomes[3:] == ["written"]
    await store.close()


def test_a_file_that_is_none_of_ours_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "definitions.db"
    path.write_bytes(b"not a database at all, but long enough to be one" * 100)
    with pytest.raises(StoreError, match=r"definitions\.db: file is not a database"):
        open_in(tmp_path)


def test_a_later_format_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "definitions.db")) as database:
        database.execute("PRAGMA user_version = 2")
    with pytest.raises(StoreError, match="has format 2, and this version of amq knows 1 alone"):
        open_in(tmp_path)


def test_a_folder_that_is_not_there_is_an_error_with_a_name(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="No such file"):
        open_in(tmp_path / "missing")
