"""How much memory there is: the machine's, or the control group's limit."""

from __future__ import annotations

from pathlib import Path

import pytest

from amq.server import memory

GIB = 1 << 30


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """A machine with 8 GiB and no control groups."""
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/meminfo").write_text(f"MemFree: 17 kB\nMemTotal:  {8 * GIB // 1024} kB\n")
    return tmp_path / "proc"


@pytest.fixture
def cgroups(tmp_path: Path) -> Path:
    (tmp_path / "cgroup").mkdir()
    return tmp_path / "cgroup"


def limit(group: Path, file: str, value: str) -> None:
    group.mkdir(parents=True, exist_ok=True)
    (group / file).write_text(f"{value}\n")


def test_without_control_groups_the_machine_counts(proc: Path, cgroups: Path) -> None:
    assert memory.available(proc, cgroups) == 8 * GIB


def test_the_limit_of_the_own_group_counts(proc: Path, cgroups: Path) -> None:
    (proc / "self/cgroup").write_text("0::/services/amq\n")
    limit(cgroups / "services/amq", "memory.max", str(2 * GIB))
    limit(cgroups / "services", "memory.max", "max")
    assert memory.available(proc, cgroups) == 2 * GIB


def test_a_tighter_limit_further_up_counts(proc: Path, cgroups: Path) -> None:
    (proc / "self/cgroup").write_text("0::/services/amq\n")
    limit(cgroups / "services/amq", "memory.max", str(2 * GIB))
    limit(cgroups / "services", "memory.max", str(1 * GIB))
    assert memory.available(proc, cgroups) == GIB


def test_inside_a_container_the_mount_is_the_group(proc: Path, cgroups: Path) -> None:
    (proc / "self/cgroup").write_text("0::/docker/5f2a\n")
    limit(cgroups, "memory.max", str(3 * GIB))
    assert memory.available(proc, cgroups) == 3 * GIB


def test_version_1_of_control_groups_counts_too(proc: Path, cgroups: Path) -> None:
    (proc / "self/cgroup").write_text("5:cpu,cpuacct:/\n4:memory:/services/amq\n")
    limit(cgroups / "memory/services/amq", "memory.limit_in_bytes", str(GIB))
    assert memory.available(proc, cgroups) == GIB


def test_no_limit_in_version_1_is_a_number_above_the_machine(proc: Path, cgroups: Path) -> None:
    (proc / "self/cgroup").write_text("4:memory:/\n")
    limit(cgroups / "memory", "memory.limit_in_bytes", "9223372036854771712")
    assert memory.available(proc, cgroups) == 8 * GIB


def test_a_system_that_tells_nothing_has_no_answer(tmp_path: Path) -> None:
    assert memory.available(tmp_path, tmp_path) is None


def test_memory_that_this_process_takes_is_seen() -> None:
    before = memory.resident()
    ballast = bytearray(64 << 20)
    ballast[::4096] = b"x" * len(ballast[::4096])
    after = memory.resident()
    assert after > before + (32 << 20)


def test_freed_memory_is_given_back() -> None:
    # Pieces under the size from which malloc maps memory by itself, with one kept at the end so that the heap's top
    # cannot simply shrink.
    ballast = [bytes(64_000) for _ in range(2000)]
    keep = ballast[-1]
    used = memory.resident()
    ballast.clear()
    memory.release()
    after = memory.resident()
    assert len(keep) == 64_000
    assert after < used - (64 << 20)
