"""What the operating system and Python tell about this process. Reads the kernel's files; decides nothing.

What a system does not tell (it has no /proc) is 0.
"""

import ctypes
import gc
import os
import resource
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import attrs

from amq.broker import Broker
from amq.metrics.history import Row
from amq.metrics.journal import JournalStatistics

# What RabbitMQ shows where there is no limit.
UNLIMITED: Final = 1_048_576
DESCRIPTORS: Final = Path("/proc/self/fd")
INPUT_OUTPUT: Final = Path("/proc/self/io")


@attrs.frozen(kw_only=True)
class Facts:
    """How the process is at one moment. Octets, unless a comment says otherwise; counts are since the start."""

    mem_used: int
    # What of it was in use when the broker began to serve, and what the allocator keeps for later.
    mem_at_start: int
    mem_unused: int
    mem_limit: int
    disk_free: int
    disk_free_limit: int
    fd_used: int
    fd_total: int
    sockets_used: int
    sockets_total: int
    # Tasks, which are what processes are to Erlang, and those of them that could run at once.
    proc_used: int
    proc_total: int
    run_queue: int
    processors: int
    # ms
    uptime: int
    gc_num: int
    # Objects, for Python does not tell how large they were.
    gc_objects_reclaimed: int
    context_switches: int
    cpu_seconds: float
    io_read_bytes: int
    io_write_count: int
    io_write_bytes: int
    io_sync_count: int
    # µs
    io_sync_avg_time: int
    messages_written: int

    def row(self) -> Row:
        """The figures that a history is kept of: NODE of `amq.metrics.columns`."""
        return (
            self.mem_used,
            self.fd_used,
            self.sockets_used,
            self.proc_used,
            self.disk_free,
            self.gc_num,
            self.context_switches,
            self.io_read_bytes,
            self.io_write_count,
            self.io_write_bytes,
            self.io_sync_avg_time,
            self.io_sync_count,
            self.io_sync_avg_time,
            self.messages_written,
        )


@attrs.define(eq=False)
class Process:
    """Measures this process, which serves `broker` since `started` (s since 1970).

    `resident` is the memory in use, `folder` where the data are. The limits are asked for each time: they may change.
    """

    broker: Broker
    started: float
    resident: Callable[[], int]
    mem_limit: Callable[[], int]
    disk_free_limit: Callable[[], int]
    folder: str = "/"
    journal: JournalStatistics | None = None
    now: Callable[[], float] = time.time
    _at_start: int = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._at_start = self.resident()

    def measure(self, tasks: int, runnable: int) -> Facts:
        """The facts now. Takes no longer than a few system calls, and may be called in a thread."""
        fd_total = descriptor_limit()
        usage = resource.getrusage(resource.RUSAGE_SELF)
        collections, collected = collections_so_far()
        journal = self.journal or JournalStatistics()
        return Facts(
            mem_used=self.resident(),
            mem_at_start=self._at_start,
            mem_unused=allocator_unused(),
            mem_limit=self.mem_limit(),
            disk_free=free_space(self.folder),
            disk_free_limit=self.disk_free_limit(),
            fd_used=descriptors(),
            fd_total=fd_total,
            sockets_used=len(self.broker.clients),
            # As RabbitMQ reckons: nine of ten may be clients.
            sockets_total=max((fd_total - 100) * 9 // 10, 0),
            proc_used=tasks,
            proc_total=UNLIMITED,
            run_queue=runnable,
            processors=os.cpu_count() or 1,
            uptime=int((self.now() - self.started) * 1000),
            gc_num=collections,
            gc_objects_reclaimed=collected,
            context_switches=usage.ru_nvcsw + usage.ru_nivcsw,
            cpu_seconds=usage.ru_utime + usage.ru_stime,
            io_read_bytes=octets_read(),
            io_write_count=journal.syncs,
            io_write_bytes=journal.octets,
            io_sync_count=journal.syncs,
            io_sync_avg_time=int(1_000_000 * journal.seconds / journal.syncs) if journal.syncs else 0,
            messages_written=journal.messages,
        )


class AllocatorInfo(ctypes.Structure):
    """`struct mallinfo2` of glibc, of which `fordblks` are the octets in free blocks."""

    _fields_ = tuple(
        (name, ctypes.c_size_t)
        for name in (
            "arena",
            "ordblks",
            "smblks",
            "hblks",
            "hblkhd",
            "usmblks",
            "fsmblks",
            "uordblks",
            "fordblks",
            "keepcost",
        )
    )


def allocator_unused() -> int:
    """Octets that the C library keeps for later; 0 where it does not tell (only glibc does)."""
    info = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if info is None:
        return 0
    info.restype = AllocatorInfo
    return int(info().fordblks)


def descriptor_limit() -> int:
    """How many file descriptors the process may have."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return UNLIMITED if soft == resource.RLIM_INFINITY else soft


def descriptors() -> int:
    """How many file descriptors the process has."""
    try:
        # Kernels from 6.2 on know the number; to list ten thousand takes milliseconds.
        return DESCRIPTORS.stat().st_size or sum(1 for _ in DESCRIPTORS.iterdir())
    except OSError:
        return 0


def free_space(folder: str) -> int:
    """Octets that are free where that folder is."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 0


def octets_read() -> int:
    """Octets that the process has read from disks."""
    try:
        lines = INPUT_OUTPUT.read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("read_bytes:")), 0)


def collections_so_far() -> tuple[int, int]:
    """How often the garbage collector ran, and the objects that it found; PyPy counts neither."""
    if sys.implementation.name != "cpython":
        return 0, 0
    generations = gc.get_stats()
    return (
        sum(generation["collections"] for generation in generations),
        sum(generation["collected"] for generation in generations),
    )
