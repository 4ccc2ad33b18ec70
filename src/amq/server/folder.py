"""The data folder: who may use it, whose it is, and what is where in it. Knows nothing of what the files hold.

    LOCK            flock for the life of the broker; its text is the process id of whoever holds it
    store.json      {"format": 1, "store_id": uuid}: random, and born with the folder
    definitions.db  what is durable: vhosts, users, exchanges, queues, bindings
    journal/        messages
    paging/         bodies that need not survive; emptied whenever the folder is opened

The broker makes all of it for its own user alone. A folder that was there already keeps its mode, because whoever made
it may have had a reason, and because the name may be a mistake: others who can look into it are a warning.
"""

import contextlib
import errno
import fcntl
import json
import logging
import os
import shutil
import uuid
from pathlib import Path
from shlex import quote
from types import TracebackType
from typing import Any, Final, Self
from weakref import WeakSet

import attrs

from amq.server.errors import StartError

LOGGER: Final = logging.getLogger(__name__)

FORMAT: Final = 1
LOCK: Final = "LOCK"
STORE: Final = "store.json"
# What may be in a folder that is to become a data folder: what an interrupted first start leaves behind, and what
# belongs to the file system.
NEW: Final = {LOCK, STORE + ".tmp", "lost+found"}
# The folder itself and what is in it: for the broker's user alone.
PRIVATE: Final = 0o700
PRIVATE_FILE: Final = 0o600
OTHERS: Final = 0o007
IN_USE: Final = (errno.EAGAIN, errno.EACCES)

# For processes that are forked off: what they inherit must not keep a folder locked when the broker is gone.
_OPEN: "WeakSet[DataFolder]" = WeakSet()


@attrs.define(eq=False)
class DataFolder:
    """A folder that this broker alone uses until `close`."""

    path: Path
    store_id: uuid.UUID
    # Descriptor of LOCK; None when it is not ours any more.
    _lock: int | None = attrs.field(repr=False)

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Take the folder, which is made if it is not there.

        Raises StartError when it cannot be used: another broker has it, it is none of ours or of a newer broker.
        """
        path = Path(path).absolute()
        try:
            _make(path)
            _refuse_foreign(path)
            lock = _take_lock(path)
            try:
                folder = cls(path, _store_id(path), lock)
                folder._furnish()
            except BaseException:
                os.close(lock)
                raise
        except OSError as error:
            where = f" ({error.filename})" if error.filename not in (None, str(path)) else ""
            raise StartError(f"data folder {path} cannot be used: {error.strerror or error}{where}") from None
        _OPEN.add(folder)
        return folder

    @classmethod
    def look(cls, path: str | Path) -> Self:
        """Take a folder that is there already, without changing anything in it.

        Nobody holds one that has no LOCK (a copy, a snapshot). Raises StartError as `open` does.
        """
        path = Path(path).absolute()
        try:
            if not path.is_dir():
                raise StartError(f"data folder {path}: not a folder")
            if not (path / STORE).exists():
                raise StartError(f"data folder {path} holds no {STORE}: no folder of amq")
            lock = _take_lock(path, os.O_RDONLY) if (path / LOCK).exists() else None
            try:
                folder = cls(path, _store_id(path), lock)
            except BaseException:
                if lock is not None:
                    os.close(lock)
                raise
        except OSError as error:
            raise StartError(f"data folder {path} cannot be used: {error.strerror or error}") from None
        _OPEN.add(folder)
        return folder

    @property
    def definitions(self) -> Path:
        """The file of the definitions."""
        return self.path / "definitions.db"

    @property
    def journal(self) -> Path:
        """The folder of the journal."""
        return self.path / "journal"

    @property
    def paging(self) -> Path:
        """The folder for what need not survive."""
        return self.path / "paging"

    @property
    def salvaged(self) -> Path:
        """The journal that is to take the place of a damaged one."""
        return self.path / "journal.salvaged"

    def close(self) -> None:
        """Let another broker use it. A second time, and in a process that was forked off, nothing happens."""
        if self._lock is None:
            return
        with contextlib.suppress(OSError):
            os.ftruncate(self._lock, 0)
        # Not only closed: a process that was forked without Python's doing would keep the lock.
        fcntl.flock(self._lock, fcntl.LOCK_UN)
        self.forget()

    def forget(self) -> None:
        """Give up this process's hold without giving up that of the process which it was forked from."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _furnish(self) -> None:
        """What must be in it when the broker starts."""
        mode = self.path.stat().st_mode & 0o7777
        if mode & OTHERS:
            LOGGER.warning("data folder %s is open to other users (mode %o): chmod 700 keeps them out", self.path, mode)
        if self.salvaged.exists() and not self.journal.exists():
            # An empty one in its place would be taken for all there is.
            raise StartError(
                f"data folder {self.path}: salvage was interrupted; run amq journal salvage {quote(str(self.path))}"
            )
        for part in (self.journal, self.paging):
            part.mkdir(PRIVATE, exist_ok=True)
        for entry in self.paging.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
        sync_folder(self.path)


def sync_folder(path: Path) -> None:
    """Make a folder's entries safe. Raises OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _make(path: Path) -> None:
    """Make the folder and those above it; a folder that a crash could take away again would take everything along."""
    if path.is_dir():
        return
    if path.parent != path:
        _make(path.parent)
    with contextlib.suppress(FileExistsError):
        path.mkdir(PRIVATE)
        sync_folder(path.parent)
    if not path.is_dir():
        raise StartError(f"data folder {path}: not a folder")


def _refuse_foreign(path: Path) -> None:
    """Refuse a folder of something else, in which paging/ would be emptied, or a store that has lost its identity."""
    foreign = sorted({entry.name for entry in path.iterdir()} - NEW)
    if foreign and not (path / STORE).exists():
        raise StartError(f"data folder {path} holds {foreign[0]} but no {STORE}: neither empty nor a folder of amq")


def _take_lock(path: Path, flags: int = os.O_RDWR | os.O_CREAT) -> int:
    lock = os.open(path / LOCK, flags | os.O_CLOEXEC, PRIVATE_FILE)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.pread(lock, 20, 0).strip()
        os.close(lock)
        if error.errno not in IN_USE:
            raise
        by = f"process {holder.decode()}" if holder.isdigit() else "another process"
        raise StartError(f"data folder {path} is in use by another broker ({by})") from None
    # On a full disk the lock has to do without.
    with contextlib.suppress(OSError):
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    return lock


def _store_id(path: Path) -> uuid.UUID:
    """The identity of the store; a new one in a folder that has held nothing yet."""
    try:
        text = (path / STORE).read_bytes()
    except FileNotFoundError:
        return _found_store(path)
    try:
        store: Any = json.loads(text)
        if store["format"] > FORMAT:
            newer = f"format {store['format']}; this one knows formats up to {FORMAT}"
            raise StartError(f"data folder {path} is of a newer amq ({newer})")
        return uuid.UUID(store["store_id"])
    except (ValueError, LookupError, TypeError, AttributeError):
        raise StartError(f"data folder {path}: {STORE} is damaged; bring it back from a backup") from None


def _found_store(path: Path) -> uuid.UUID:
    """Make this folder a store."""
    store_id = uuid.uuid4()
    draft = path / (STORE + ".tmp")
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, PRIVATE_FILE)
    with os.fdopen(fd, "w") as file:
        file.write(json.dumps({"format": FORMAT, "store_id": str(store_id)}) + "\n")
        file.flush()
        os.fsync(fd)
    draft.rename(path / STORE)
    sync_folder(path)
    return store_id


def _forget_all() -> None:
    for folder in list(_OPEN):
        folder.forget()
    _OPEN.clear()


os.register_at_fork(after_in_child=_forget_all)
