"""The embedded definition store: one SQLite file, written by one process.

    entries   key, value, revision of the last write
    events    revision, position in its transaction, key, value (NULL: deleted)
    state     revision of the store, and the last one whose events are forgotten

A write-ahead log with synchronous=FULL: a commit is one fsync of the log, and what was waiting for it meanwhile goes
into the next one together. SQLite is called in a worker thread, by one task at a time.

Nothing is retried. After a failed write the store takes no other one, because a log whose fsync failed may be readable
now and gone later; at the next start the log is therefore written into the file (and that is synced) before a word
of it is believed.
"""

import os
import sqlite3
from collections.abc import AsyncGenerator, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import attrs
import trio

from amq.definitions.entry import Compare, Entry, Event, Result, Scan
from amq.definitions.store import Compacted, Store, StoreError, StoreFull

FORMAT: Final = 1
# Of events, about so many are remembered for watches, and in any case those of the latest transaction.
REMEMBERED: Final = 10_000
# Entries written from which on the log is written into the file, so that it stays short.
CHECKPOINT: Final = 2_000
# Events that a watch reads at once.
_PAGE: Final = 500
# SQLITE_FULL.
_FULL: Final = 13

_SCHEMA: Final = f"""
BEGIN;
CREATE TABLE entries (key BLOB PRIMARY KEY, value BLOB NOT NULL, revision INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE events (revision INTEGER, position INTEGER, key BLOB NOT NULL, value BLOB,
                     PRIMARY KEY (revision, position)) WITHOUT ROWID;
CREATE TABLE state (revision INTEGER NOT NULL, forgotten INTEGER NOT NULL);
INSERT INTO state VALUES (0, 0);
PRAGMA user_version = {FORMAT};
COMMIT;
"""

T = TypeVar("T")


@attrs.define(eq=False)
class _Wanted:
    """A transaction that waits to be written, and what became of it."""

    compares: Sequence[Compare]
    puts: Sequence[tuple[bytes, bytes]]
    deletes: Sequence[bytes]
    prefixes: Sequence[bytes]
    result: Result | None = None


class SqliteStore(Store):
    """A store in one file; `open` makes one. May be used in one trio run at a time."""

    def __init__(self, path: Path, database: sqlite3.Connection, remembered: int = REMEMBERED) -> None:
        self._path = path
        self._database = database
        self._remembered = remembered
        state = self._rows("SELECT revision, forgotten FROM state")[0]
        self._revision: int = state[0]
        self._forgotten: int = state[1]
        self._events: int = self._rows("SELECT count(*) FROM events")[0][0]
        self._waiting: list[_Wanted] = []
        self._turn = trio.Lock()
        self._threads = trio.CapacityLimiter(1)
        # Replaced at every commit; the old one is set.
        self._written = trio.Event()
        self._unmerged = 0
        self._failure = ""

    @classmethod
    def open(cls, path: Path, remembered: int = REMEMBERED) -> "SqliteStore":
        """The store in that file, made (readable by its owner alone) if there is none. Blocks for some milliseconds.

        `remembered` is how many events are kept for watches. Raises StoreError.
        """
        try:
            return cls(path, _connect(path), remembered)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"{path}: {error}") from error

    async def get(self, key: bytes) -> Entry | None:
        return await self._read(partial(self._get, key))

    async def scan(self, prefix: bytes = b"") -> Scan:
        return await self._read(partial(self._scan, prefix))

    async def txn(
        self,
        compares: Sequence[Compare] = (),
        puts: Sequence[tuple[bytes, bytes]] = (),
        deletes: Sequence[bytes] = (),
        prefixes: Sequence[bytes] = (),
    ) -> Result:
        wanted = _Wanted(compares, puts, deletes, prefixes)
        self._waiting.append(wanted)
        try:
            async with self._turn:
                # Whoever had the turn before may have written this one along with its own.
                if wanted.result is None:
                    await self._commit_waiting()
        finally:
            if wanted in self._waiting:
                self._waiting.remove(wanted)
        assert wanted.result is not None
        return wanted.result

    async def watch(self, prefix: bytes, after_revision: int) -> AsyncGenerator[list[Event], None]:
        while True:
            written = self._written
            try:
                found = await self._read(partial(self._events_after, prefix, after_revision))
            except StoreError:
                if self._failure == _CLOSED:
                    return
                raise
            for events in found:
                yield events
                after_revision = events[-1].revision
            if not found:
                await written.wait()

    async def close(self) -> None:
        async with self._turn:
            if self._failure != _CLOSED:
                self._failure = _CLOSED
                self._announce()
                await self._in_thread(self._database.close)

    # -- taking turns --

    async def _read(self, action: Callable[[], T]) -> T:
        async with self._turn:
            self._check()
            try:
                return await self._in_thread(action)
            except sqlite3.Error as error:
                raise StoreError(f"{self._path}: {error}") from error

    async def _commit_waiting(self) -> None:
        """Write everything that waits, in one commit."""
        self._check()
        group, self._waiting = self._waiting, []
        before = self._revision
        try:
            results = await self._in_thread(partial(self._commit, group))
        except StoreFull:
            # Each of those who wait finds out for itself whether there is room by then.
            self._waiting = group + self._waiting
            raise
        except sqlite3.Error as error:
            self._failure = f"{error}; nothing can be written any more"
            raise StoreError(f"{self._path}: {error}") from error
        for wanted, result in zip(group, results, strict=True):
            wanted.result = result
        if self._revision > before:
            self._announce()

    async def _in_thread(self, action: Callable[[], T]) -> T:
        with trio.CancelScope(shield=True):
            result = await trio.to_thread.run_sync(action, limiter=self._threads)
        return result  # noqa: RET504 - a return in there would look optional, as a scope may swallow its cancellation

    def _check(self) -> None:
        if self._failure:
            raise StoreError(f"{self._path}: {self._failure}")

    def _announce(self) -> None:
        written, self._written = self._written, trio.Event()
        written.set()

    # -- in the thread --

    def _rows(self, statement: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        # All of them: a statement that is left unfinished would hold on to its view of the file.
        return self._database.execute(statement, parameters).fetchall()

    def _get(self, key: bytes) -> Entry | None:
        rows = self._rows("SELECT key, value, revision FROM entries WHERE key = ?", (key,))
        return Entry(*rows[0]) if rows else None

    def _scan(self, prefix: bytes) -> Scan:
        condition, limits = _beginning_with(prefix)
        rows = self._rows(f"SELECT key, value, revision FROM entries WHERE {condition} ORDER BY key", limits)
        return Scan([Entry(*row) for row in rows], self._revision)

    def _events_after(self, prefix: bytes, revision: int) -> list[list[Event]]:
        """The next events by transaction: at least one transaction, and about a page."""
        if revision < self._forgotten:
            raise Compacted(f"{self._path}: events up to revision {self._forgotten} are forgotten, not so {revision}")
        condition, limits = _beginning_with(prefix)
        order = "ORDER BY revision, position"
        rows = self._rows(
            f"SELECT revision FROM events WHERE revision > ? AND {condition} {order} LIMIT 1 OFFSET {_PAGE}",
            (revision, *limits),
        )
        last = rows[0][0] if rows else self._revision
        found: list[list[Event]] = []
        for row in self._rows(
            f"SELECT key, value, revision FROM events WHERE revision > ? AND revision <= ? AND {condition} {order}",
            (revision, last, *limits),
        ):
            event = Event(*row)
            if found and found[-1][0].revision == event.revision:
                found[-1].append(event)
            else:
                found.append([event])
        return found

    def _commit(self, group: list[_Wanted]) -> list[Result]:
        changed = self._database.total_changes
        events = self._events
        try:
            results = self._write_all(group)
        except sqlite3.OperationalError as error:
            if not _is_full(error):
                raise
            # Nothing of it is in the file; SQLite may have undone it already.
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            self._events = events
            raise StoreFull(f"{self._path}: {error}") from error
        self._unmerged += self._database.total_changes - changed
        if self._unmerged >= CHECKPOINT:
            self._merge()
        return results

    def _merge(self) -> None:
        """Bring what was written into the file. Not left to SQLite, which would say nothing when this fails."""
        try:
            self._rows("PRAGMA wal_checkpoint(PASSIVE)")
        except sqlite3.OperationalError as error:
            # It is in the log as safely, and may stay there for now.
            if not _is_full(error):
                raise
        else:
            self._unmerged = 0

    def _write_all(self, group: list[_Wanted]) -> list[Result]:
        database = self._database
        revision = self._revision
        database.execute("BEGIN IMMEDIATE")
        results = []
        for wanted in group:
            succeeded = all(self._holds(compare) for compare in wanted.compares)
            if succeeded and self._write(wanted, revision + 1):
                revision += 1
            results.append(Result(succeeded, revision))
        forgotten = self._forget()
        if revision > self._revision:
            database.execute("UPDATE state SET revision = ?, forgotten = ?", (revision, forgotten))
        database.execute("COMMIT")
        self._revision = revision
        self._forgotten = forgotten
        return results

    def _holds(self, compare: Compare) -> bool:
        entry = self._get(compare.key)
        return compare.revision == (0 if entry is None else entry.revision)

    def _write(self, wanted: _Wanted, revision: int) -> bool:
        """Write a transaction whose conditions hold; False when it changes nothing."""
        database = self._database
        gone = self._there(wanted)
        database.executemany("DELETE FROM entries WHERE key = ?", [(key,) for key in gone])
        database.executemany(
            "INSERT OR REPLACE INTO entries VALUES (?, ?, ?)", [(key, value, revision) for key, value in wanted.puts]
        )
        events: list[tuple[bytes, bytes | None]] = [(key, None) for key in gone]
        events += wanted.puts
        database.executemany(
            "INSERT INTO events VALUES (?, ?, ?, ?)",
            [(revision, position, *event) for position, event in enumerate(events)],
        )
        self._events += len(events)
        return bool(events)

    def _there(self, wanted: _Wanted) -> list[bytes]:
        """Of what a transaction deletes, what is there."""
        there = [key for key in wanted.deletes if self._get(key) is not None]
        kept = {key for key, _ in wanted.puts}.union(there)
        for prefix in wanted.prefixes:
            found = [entry.key for entry in self._scan(prefix).entries if entry.key not in kept]
            kept.update(found)
            there += found
        return there

    def _forget(self) -> int:
        """Drop the oldest events by whole transactions, now and then; returns the last revision that is forgotten."""
        if self._events <= self._remembered + self._remembered // 10:
            return self._forgotten
        # The latest one that is not among those to be remembered; of its transaction there may be some.
        ((latest,),) = self._rows(
            "SELECT revision FROM events ORDER BY revision DESC, position DESC LIMIT 1 OFFSET ?", (self._remembered,)
        )
        forgotten = int(latest) - 1
        self._events -= self._database.execute("DELETE FROM events WHERE revision <= ?", (forgotten,)).rowcount
        return max(forgotten, self._forgotten)


_CLOSED: Final = "the store is closed"


def _is_full(error: sqlite3.OperationalError) -> bool:
    # Not all of PyPy's errors have the code.
    return getattr(error, "sqlite_errorcode", None) == _FULL or "disk is full" in str(error)


def _connect(path: Path) -> sqlite3.Connection:
    """The database in that file, with our tables. Raises OSError, sqlite3.Error or StoreError."""
    if not path.exists():
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        if database.execute("PRAGMA journal_mode = WAL").fetchall() != [("wal",)]:
            raise StoreError(f"{path}: SQLite cannot keep a write-ahead log here")
        database.execute("PRAGMA synchronous = FULL")
        database.execute("PRAGMA wal_autocheckpoint = 0")
        ((found,),) = database.execute("PRAGMA user_version").fetchall()
        if found == 0:
            database.executescript(_SCHEMA)
        elif found != FORMAT:
            raise StoreError(f"{path}: has format {found}, and this version of amq knows {FORMAT} alone")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        # The file's name, which SQLite does not see to; that of the log it does.
        _sync_folder(path.parent)
    except BaseException:
        database.close()
        raise
    return database


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _beginning_with(prefix: bytes) -> tuple[str, tuple[bytes, ...]]:
    """The condition that a key begins with `prefix`, and its parameters."""
    # The smallest octets that are larger than all that begin so; none for a prefix of nothing but 255.
    cut = prefix.rstrip(b"\xff")
    if not cut:
        return "key >= ?", (prefix,)
    return "key >= ? AND key < ?", (prefix, cut[:-1] + bytes([cut[-1] + 1]))
