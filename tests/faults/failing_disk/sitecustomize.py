"""A disk that fails or hangs when it is told to, for a process whose PYTHONPATH begins with this folder.

Python imports this module at its start. It stands between the process and `os.pwritev`, `os.fdatasync` and `os.fsync`;
the file that AMQ_FAULT_DISK names says how the disk does:

    (no such file)   well
    slow SECONDS     every write of several pieces (a frame; no filling with zeros) takes that much longer
    hang             a sync does not return until the file says something else
    fail             the next sync fails, and what was written to that file since the last one is gone, as on Linux: it
                     holds what it held before, and later syncs succeed as if nothing had happened
    fail folder      the next sync of a folder fails
    fail write       the next write fails

A failure is announced by a line in the file `<AMQ_FAULT_DISK>.done`, and is not repeated.
"""

import errno
import os
import threading
import time
from pathlib import Path

CONTROL = Path(os.environ["AMQ_FAULT_DISK"])
POLL = 0.01

real_pwritev, real_fdatasync, real_fsync = os.pwritev, os.fdatasync, os.fsync
# What the parts of a file held that were written to and not synced since, oldest first, by inode.
overwritten: dict[int, list[tuple[int, bytes]]] = {}
lock = threading.Lock()


def order() -> str:
    """How the disk is to do."""
    try:
        return CONTROL.read_text().strip()
    except FileNotFoundError:
        return ""


def carried_out(what: str) -> None:
    """Let the test know, and be well from now on."""
    with Path(f"{CONTROL}.done").open("a") as file:
        file.write(f"{what}\n")
    CONTROL.unlink()


def inode(fd: int) -> int:
    """Which file this is, whatever its name."""
    return os.fstat(fd).st_ino


def pwritev(fd, buffers, offset, flags=0):  # type: ignore[no-untyped-def]
    """os.pwritev that remembers what it overwrites."""
    what = order() if len(buffers) > 1 else ""
    if what.startswith("slow "):
        time.sleep(float(what[5:]))
    size = sum(len(buffer) for buffer in buffers)
    with lock:
        if order() == "fail write":
            carried_out("fail write")
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        overwritten.setdefault(inode(fd), []).append((offset, os.pread(fd, size, offset)))
        return real_pwritev(fd, buffers, offset, flags)


def synced(fd, sync, orders):  # type: ignore[no-untyped-def]
    """A sync, as the disk does just now; one of these orders makes it fail."""
    while order() == "hang":
        time.sleep(POLL)
    with lock:
        what = order()
        if what in orders:
            for offset, octets in reversed(overwritten.pop(inode(fd), [])):
                os.pwrite(fd, octets, offset)
            carried_out(what)
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        overwritten.pop(inode(fd), None)
    sync(fd)


def fdatasync(fd):  # type: ignore[no-untyped-def]
    """os.fdatasync on that disk."""
    synced(fd, real_fdatasync, ("fail",))


def fsync(fd):  # type: ignore[no-untyped-def]
    """os.fsync on that disk."""
    synced(fd, real_fsync, ("fail", "fail folder"))


os.pwritev, os.fdatasync, os.fsync = pwritev, fdatasync, fsync
