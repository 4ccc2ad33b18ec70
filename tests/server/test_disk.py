"""Files in one folder: the same for the real disk and for the fake one, and what only the real one has."""

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from amq.server import disk as disks
from amq.server.disk import IOV_MAX, JOINED, Disk, FolderDisk, portions
from tests.faults.fake_disk import FakeDisk
from tests.harness.machine import needs_proc


@pytest.fixture(params=["folder", "fake"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    disk = FakeDisk() if request.param == "fake" else FolderDisk(tmp_path)
    yield disk
    disk.close()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[FolderDisk]:
    disk = FolderDisk(tmp_path)
    yield disk
    disk.close()


def descriptors() -> int:
    """How many this process has open."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_a_new_file_is_empty_and_has_a_name(disk: Disk) -> None:
    disk.create("b")
    disk.create("a")
    assert disk.names() == ["a", "b"]
    assert disk.size("a") == 0
    assert disk.read("a", 0, 10) == b""


def test_a_file_is_not_created_twice(disk: Disk) -> None:
    disk.create("a")
    disk.write("a", 0, [b"kept"])
    with pytest.raises(FileExistsError):
        disk.create("a")
    assert disk.read("a", 0, 10) == b"kept"


def test_what_was_written_is_read_at_once(disk: Disk) -> None:
    disk.create("a")
    disk.write("a", 0, [b"ab", b"", b"cdef"])
    disk.write("a", 2, [b"CD"])
    assert disk.read("a", 0, 100) == b"abCDef"
    assert disk.read("a", 1, 3) == b"bCD"
    assert disk.read("a", 6, 1) == b""
    assert disk.read("a", 60, 1) == b""


def test_nothing_at_all_may_be_written(disk: Disk) -> None:
    disk.create("a")
    disk.write("a", 0, [])
    disk.write("a", 5, [b""])
    assert disk.size("a") == 0


def test_a_gap_reads_as_zeros(disk: Disk) -> None:
    disk.create("a")
    disk.write("a", 1000, [b"x"])
    assert disk.size("a") == 1001
    assert disk.read("a", 0, 2000) == bytes(1000) + b"x"


def test_what_is_allocated_is_zeros_of_that_length(disk: Disk) -> None:
    disk.create("a")
    disk.allocate("a", 3000)
    assert disk.size("a") == 3000
    disk.write("a", 1000, [b"x"])
    disk.sync("a")
    assert disk.read("a", 0, 4000) == bytes(1000) + b"x" + bytes(1999)


def test_where_blocks_cannot_be_allocated_zeros_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_fd: int, _offset: int, _size: int) -> None:
        raise OSError(errno.EOPNOTSUPP, "not here")

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    disk = FolderDisk(tmp_path)
    disk.create("a")
    disk.allocate("a", (1 << 20) + 1000)
    assert (tmp_path / "a").read_bytes() == bytes((1 << 20) + 1000)
    assert (tmp_path / "a").stat().st_blocks * 512 >= 1 << 20
    disk.close()


def test_a_disk_without_room_for_all_of_it_allocates_nothing_that_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_fd: int, _offset: int, _size: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    disk = FolderDisk(tmp_path)
    disk.create("a")
    with pytest.raises(OSError, match="No space left") as caught:
        disk.allocate("a", 1000)
    assert caught.value.filename == str(tmp_path / "a")
    disk.close()


def test_more_pieces_than_one_call_takes_are_all_written(disk: Disk) -> None:
    disk.create("a")
    pieces = [b"%06d" % i for i in range(2 * IOV_MAX + 1)]
    disk.write("a", 7, pieces)
    assert disk.read("a", 7, 1 << 20) == b"".join(pieces)


def test_without_a_call_for_many_pieces_small_ones_are_joined_and_others_written_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disks, "VECTORS", False)
    half, whole = bytes([1]) * (JOINED // 2), bytes([2]) * (JOINED + 1)
    pieces = [half, half, b"a", whole, b"b", whole]
    assert list(portions(pieces)) == [[half, half], [b"a"], [whole], [b"b"], [whole]]
    disk = FolderDisk(tmp_path)
    disk.create("a")
    disk.write("a", 3, pieces)
    assert disk.read("a", 3, 1 << 20) == b"".join(pieces)
    disk.close()


def test_a_file_is_cut_or_extended_with_zeros(disk: Disk) -> None:
    disk.create("a")
    disk.write("a", 0, [b"abcdef"])
    disk.truncate("a", 2)
    disk.truncate("a", 4)
    assert disk.read("a", 0, 10) == b"ab\0\0"


def test_syncs_change_nothing_that_is_read(disk: Disk) -> None:
    disk.create("a")
    disk.write("a", 0, [b"abc"])
    disk.sync("a")
    disk.sync_folder()
    assert (disk.names(), disk.read("a", 0, 10)) == (["a"], b"abc")


def test_a_renamed_file_keeps_its_octets_under_the_new_name_alone(disk: Disk) -> None:
    disk.create("a")
    disk.write("a", 0, [b"abc"])
    disk.rename("a", "b")
    disk.write("b", 3, [b"d"])
    disk.sync("b")
    assert disk.names() == ["b"]
    assert disk.read("b", 0, 10) == b"abcd"
    with pytest.raises(FileNotFoundError):
        disk.read("a", 0, 1)


def test_a_rename_replaces_a_file_of_that_name(disk: Disk) -> None:
    for name in ("a", "b"):
        disk.create(name)
        disk.write(name, 0, [name.encode()])
    disk.rename("a", "b")
    disk.write("b", 1, [b"!"])
    assert disk.names() == ["b"]
    assert disk.read("b", 0, 10) == b"a!"


def test_a_name_can_be_used_again(disk: Disk) -> None:
    disk.create("a")
    disk.write("a", 0, [b"first"])
    disk.unlink("a")
    disk.create("a")
    disk.write("a", 0, [b"2nd"])
    assert disk.read("a", 0, 10) == b"2nd"
    disk.rename("a", "b")
    disk.create("a")
    assert disk.read("a", 0, 10) == b""
    assert disk.read("b", 0, 10) == b"2nd"


def test_files_that_do_not_exist_are_not_made_by_the_way(disk: Disk) -> None:
    for call in (
        lambda: disk.size("a"),
        lambda: disk.write("a", 0, [b"x"]),
        lambda: disk.sync("a"),
        lambda: disk.read("a", 0, 1),
        lambda: disk.rename("a", "b"),
        lambda: disk.unlink("a"),
        lambda: disk.truncate("a", 1),
    ):
        with pytest.raises(FileNotFoundError):
            call()
    assert disk.names() == []


def test_it_works_on_after_a_close(disk: Disk) -> None:
    disk.create("a")
    disk.write("a", 0, [b"abc"])
    disk.close()
    disk.write("a", 3, [b"d"])
    assert disk.read("a", 0, 10) == b"abcd"
    disk.close()
    disk.close()


def test_what_is_free_is_part_of_the_whole(disk: Disk) -> None:
    assert 0 < disk.free() <= disk.total()


def test_it_says_which_folder_it_is(folder: FolderDisk, tmp_path: Path) -> None:
    assert folder.where() == str(tmp_path)


def test_another_one_on_the_same_folder_finds_the_files(folder: FolderDisk, tmp_path: Path) -> None:
    folder.create("a")
    folder.write("a", 0, [b"abc"])
    other = FolderDisk(tmp_path)
    assert other.read("a", 0, 10) == b"abc"
    other.close()


def test_files_are_for_their_owner_alone(folder: FolderDisk, tmp_path: Path) -> None:
    folder.create("a")
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600


@needs_proc
def test_no_descriptor_outlives_its_file_or_the_close(folder: FolderDisk) -> None:
    before = descriptors()
    for name in ("a", "b", "c", "d"):
        folder.create(name)
    folder.unlink("a")
    folder.rename("b", "c")
    assert descriptors() == before + 2
    folder.close()
    assert descriptors() == before


def test_a_failed_rename_or_removal_leaves_the_file_usable(folder: FolderDisk) -> None:
    folder.create("a")
    with pytest.raises(OSError):
        folder.rename("a", "nowhere/b")
    folder.write("a", 0, [b"x"])
    assert folder.read("a", 0, 1) == b"x"


def test_a_folder_that_is_gone_is_an_error(tmp_path: Path) -> None:
    disk = FolderDisk(tmp_path / "none")
    for call in (disk.names, disk.sync_folder, disk.free, disk.total, lambda: disk.create("a")):
        with pytest.raises(FileNotFoundError):
            call()


WRITE_TO_LIMIT = """
import pathlib, resource, signal, sys
from amq.server.disk import FolderDisk
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
disk = FolderDisk(pathlib.Path(sys.argv[1]))
disk.create("a")
for pieces in ([b"12345678", b"90abc"], [b"d"]):
    try:
        disk.write("a", disk.size("a"), pieces)
    except OSError as error:
        print(error.errno, error, disk.size("a"))
"""


def test_a_write_goes_on_as_long_as_the_kernel_takes_some_of_it(
    folder: FolderDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_little(fd: int, pieces: list[bytes], offset: int) -> int:
        return os.pwrite(fd, b"".join(pieces)[:3], offset)

    monkeypatch.setattr(disks, "write_some", write_little)
    folder.create("a")
    folder.write("a", 0, [b"1234", b"5678"])
    assert folder.read("a", 0, 10) == b"12345678"


def test_a_write_that_the_kernel_cuts_short_is_the_error_that_the_rest_of_it_runs_into(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", WRITE_TO_LIMIT, tmp_path], capture_output=True, text=True, timeout=60, check=True
    )
    short, over = run.stdout.splitlines()
    assert short == f"{errno.EFBIG} [Errno 27] File too large: '{tmp_path / 'a'}' 10"
    assert over.startswith(f"{errno.EFBIG} ")
