"""How much memory this process uses, and how much there is. Reads the kernel's files; decides nothing."""

import ctypes
import os
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc")
CGROUPS: Final = Path("/sys/fs/cgroup")


def resident() -> int:
    """Bytes of this process in main memory now; 0 where the system does not tell (no /proc)."""
    try:
        pages = (PROC / "self/statm").read_bytes().split()[1]
    except OSError:
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def available(proc: Path = PROC, cgroups: Path = CGROUPS) -> int | None:
    """Bytes of memory this process may count on: the machine's, or its control group's limit if that is less.

    None where the system does not tell.
    """
    limits = [limit for path in _limit_files(proc, cgroups) if (limit := _read_limit(path)) is not None]
    machine = _machine_memory(proc)
    if machine is not None:
        limits.append(machine)
    return min(limits, default=None)


def release() -> None:
    """Give free memory back to the system, where the C library can (glibc); `resident` shows it then.

    Without this, a drained backlog stays in the allocator's pools and looks like memory in use. May take a while.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _machine_memory(proc: Path) -> int | None:
    try:
        lines = (proc / "meminfo").read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) * 1024
    return None


def _limit_files(proc: Path, cgroups: Path) -> list[Path]:
    """Where a limit for this process may stand: its groups and all above them, versions 1 and 2."""
    files = []
    try:
        lines = (proc / "self/cgroup").read_text().splitlines()
    except OSError:
        return []
    for line in lines:
        _, controllers, name = line.split(":", 2)
        if controllers == "":
            top, limit = cgroups, "memory.max"
        elif "memory" in controllers.split(","):
            top, limit = cgroups / "memory", "memory.limit_in_bytes"
        else:
            continue
        group = top / name.strip("/")
        # Inside a container the path may name what only the host can see; the mount itself is the container's group.
        files += [folder / limit for folder in (group, *group.parents) if folder == top or top in folder.parents]
    return files


def _read_limit(path: Path) -> int | None:
    try:
        text = path.read_text().strip()
    except OSError:
        return None
    return None if text == "max" else int(text)
