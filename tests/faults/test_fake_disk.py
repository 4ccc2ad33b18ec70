"""The fake disk keeps what was made safe, and of the rest every part that a real one may keep."""

import errno
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amq.server.disk import Disk
from tests.faults.fake_disk import ALL, NONE, PREFIX, TORN, FakeDisk, PowerLoss
from tests.faults.fake_disk_file import SECTOR

MODES = (TORN, PREFIX, ALL, NONE)


def safe_file(content: bytes = b"", name: str = "a") -> FakeDisk:
    """A disk with one file, all of it safe."""
    disk = FakeDisk()
    disk.create(name)
    disk.write(name, 0, [content])
    disk.sync(name)
    disk.sync_folder()
    return disk


def content(disk: Disk, name: str = "a") -> bytes:
    return disk.read(name, 0, disk.size(name))


def crashes(disk: FakeDisk, mode: str = TORN, count: int = 300) -> Iterator[FakeDisk]:
    random = Random(1)
    return (disk.crash(random, mode) for _ in range(count))


def contents(disk: FakeDisk, mode: str = TORN, name: str = "a") -> set[bytes]:
    """What crashes leave of a file; nothing for those that leave no file."""
    return {content(image, name) for image in crashes(disk, mode) if name in image.names()}


def remaining(disk: FakeDisk, mode: str = TORN) -> set[tuple[str, ...]]:
    """The names that crashes leave."""
    return {tuple(image.names()) for image in crashes(disk, mode)}


@pytest.mark.parametrize("mode", MODES)
def test_what_was_synced_survives_every_crash(mode: str) -> None:
    disk = safe_file(b"x" * 1300)
    assert contents(disk, mode) == {b"x" * 1300}
    assert remaining(disk, mode) == {("a",)}


def test_each_sector_of_an_unsynced_write_persists_by_itself() -> None:
    disk = safe_file(b"-" * 3 * SECTOR)
    disk.write("a", 0, [b"x" * 2 * SECTOR, b"x" * SECTOR])
    images = {image[::SECTOR] for image in contents(disk)}
    assert images == {bytes(i) for i in [b"---", b"x--", b"-x-", b"--x", b"xx-", b"x-x", b"-xx", b"xxx"]}


def test_octets_of_one_sector_persist_together() -> None:
    disk = safe_file(b"-" * SECTOR)
    disk.write("a", 10, [b"x" * 100])
    assert {image.count(b"x") for image in contents(disk)} == {0, 100}


def test_a_sector_that_was_written_twice_may_hold_any_of_its_versions() -> None:
    disk = safe_file(b"0" * SECTOR)
    disk.write("a", 0, [b"1"])
    disk.write("a", 1, [b"2"])
    assert {image[:2] for image in contents(disk)} == {b"00", b"10", b"12"}


def test_all_and_nothing_are_the_extremes_of_a_crash() -> None:
    disk = safe_file(b"old")
    disk.write("a", 0, [b"newer"])
    disk.create("b")
    assert contents(disk, NONE) == {b"old"}
    assert contents(disk, ALL) == {b"newer"}
    assert remaining(disk, NONE) == {("a",)}
    assert remaining(disk, ALL) == {("a", "b")}


def test_a_prefix_holds_all_before_one_moment_and_nothing_after_it() -> None:
    disk = safe_file(b"-" * 4 * SECTOR)
    for sector in (3, 0, 2, 1):
        disk.write("a", sector * SECTOR, [b"x" * SECTOR])
    assert {image[::SECTOR] for image in contents(disk, PREFIX)} == {b"----", b"---x", b"x--x", b"x-xx", b"xxxx"}


def test_a_prefix_may_end_within_a_write() -> None:
    disk = safe_file()
    disk.write("a", 0, [b"x" * 3 * SECTOR])
    assert {len(image) for image in contents(disk, PREFIX)} == {0, SECTOR, 2 * SECTOR, 3 * SECTOR}


def test_a_file_that_became_longer_without_a_sync_may_be_shorter_or_hold_zeros() -> None:
    disk = safe_file(b"x")
    disk.write("a", 1, [b"x" * (3 * SECTOR - 1)])
    images = contents(disk)
    assert {1, SECTOR, 3 * SECTOR} <= {len(image) for image in images}
    assert any(b"\0" in image and image.endswith(b"x") for image in images)
    assert any(image.endswith(b"\0") for image in images)
    assert all(set(image) <= set(b"x\0") for image in images)


def test_an_unsynced_truncation_may_have_happened_or_not() -> None:
    disk = safe_file(b"x" * 2 * SECTOR)
    disk.truncate("a", 10)
    assert {10, 2 * SECTOR} <= {len(image) for image in contents(disk)}
    disk.sync("a")
    assert contents(disk) == {b"x" * 10}


def test_what_was_cut_off_does_not_come_back_when_the_file_grows() -> None:
    disk = safe_file(b"x" * 2 * SECTOR)
    disk.truncate("a", 10)
    disk.truncate("a", 2 * SECTOR)
    assert content(disk) == b"x" * 10 + bytes(2 * SECTOR - 10)
    disk.sync("a")
    assert contents(disk) == {b"x" * 10 + bytes(2 * SECTOR - 10)}


def test_a_file_may_be_missing_although_it_was_synced_when_its_name_was_not() -> None:
    disk = FakeDisk()
    disk.create("a")
    disk.write("a", 0, [b"x"])
    disk.sync("a")
    assert remaining(disk) == {(), ("a",)}
    assert contents(disk) == {b"x"}


def test_a_rename_leaves_the_old_name_or_the_new_one_and_never_both_or_none() -> None:
    disk = safe_file(b"x")
    disk.rename("a", "b")
    assert remaining(disk) == remaining(disk, PREFIX) == {("a",), ("b",)}
    assert contents(disk, name="b") == {b"x"}
    disk.sync_folder()
    assert remaining(disk) == {("b",)}


def test_a_rename_over_a_file_leaves_one_of_the_two_contents() -> None:
    disk = safe_file(b"old")
    disk.create("b")
    disk.write("b", 0, [b"new"])
    disk.sync("b")
    disk.rename("b", "a")
    assert disk.names() == ["a"]
    assert contents(disk) == {b"old", b"new"}


def test_a_sync_follows_the_file_through_its_rename() -> None:
    disk = safe_file(b"old")
    disk.rename("a", "b")
    disk.write("b", 0, [b"new"])
    disk.sync("b")
    assert contents(disk, name="a") == contents(disk, name="b") == {b"new"}


def test_an_unlinked_file_may_be_back_with_its_safe_contents() -> None:
    disk = safe_file(b"x")
    disk.unlink("a")
    assert remaining(disk) == {(), ("a",)}
    assert contents(disk) == {b"x"}
    disk.sync_folder()
    assert remaining(disk) == {()}


def test_changes_of_names_persist_in_any_order() -> None:
    disk = safe_file(b"x", "a")
    disk.create("b")
    disk.sync_folder()
    disk.unlink("a")
    disk.unlink("b")
    disk.create("c")
    assert len(remaining(disk)) == 8
    assert len(remaining(disk, PREFIX)) == 4


def test_a_name_that_was_used_again_leads_to_one_of_its_files() -> None:
    disk = safe_file(b"first")
    disk.unlink("a")
    disk.create("a")
    disk.write("a", 0, [b"second"])
    disk.sync("a")
    assert contents(disk) == {b"first", b"second"}


def test_a_failed_sync_drops_what_was_dirty_and_the_next_one_succeeds_without_it() -> None:
    disk = safe_file(b"old")
    disk.write("a", 0, [b"new"])
    disk.fail("sync")
    with pytest.raises(OSError) as caught:
        disk.sync("a")
    assert caught.value.errno == errno.EIO
    disk.sync("a")
    assert content(disk) == b"new"
    for mode in MODES:
        assert contents(disk, mode) == {b"old"}


def test_after_a_failed_sync_what_is_written_again_can_be_made_safe() -> None:
    disk = safe_file()
    disk.write("a", 0, [b"x" * 2 * SECTOR])
    disk.fail("sync")
    with pytest.raises(OSError):
        disk.sync("a")
    disk.write("a", SECTOR, [b"y"])
    disk.sync("a")
    assert contents(disk) == {bytes(SECTOR) + b"y" + b"x" * (SECTOR - 1)}


def test_a_failed_sync_of_the_folder_leaves_its_names_in_doubt_until_they_change_again() -> None:
    disk = safe_file()
    disk.create("b")
    disk.fail("sync_folder")
    with pytest.raises(OSError):
        disk.sync_folder()
    disk.sync_folder()
    assert remaining(disk) == {("a",), ("a", "b")}
    disk.create("c")
    disk.sync_folder()
    assert remaining(disk) == {("a", "b", "c")}


def test_only_the_call_that_was_asked_for_fails_and_with_that_error() -> None:
    disk = safe_file()
    disk.fail("write", 2, errno.EDQUOT)
    disk.write("a", 0, [b"one"])
    with pytest.raises(OSError) as caught:
        disk.write("a", 3, [b"four"])
    assert caught.value.errno == errno.EDQUOT
    assert content(disk) == b"onefo"
    disk.write("a", 3, [b"4"])
    assert content(disk) == b"one4o"


def test_a_full_disk_takes_what_fits_and_no_more_until_something_is_given_back() -> None:
    disk = FakeDisk(capacity=4 * SECTOR)
    disk.create("a")
    disk.write("a", 0, [b"x" * SECTOR])
    assert (disk.free(), disk.total()) == (3 * SECTOR, 4 * SECTOR)
    disk.create("b")
    with pytest.raises(OSError) as caught:
        disk.write("b", 100, [b"y" * 4 * SECTOR])
    assert caught.value.errno == errno.ENOSPC
    assert (disk.free(), disk.size("b")) == (0, 3 * SECTOR)
    disk.write("b", 0, [b"z" * 3 * SECTOR])
    disk.unlink("a")
    assert disk.free() == SECTOR
    disk.truncate("b", SECTOR + 1)
    assert disk.free() == 2 * SECTOR


def test_power_goes_in_the_middle_of_an_operation_and_stays_away() -> None:
    disk = safe_file(b"old")
    disk.cut_power(2)
    disk.write("a", 0, [b"new"])
    with pytest.raises(PowerLoss):
        disk.sync("a")
    for call in (disk.names, disk.sync_folder, lambda: disk.read("a", 0, 1), lambda: disk.create("b")):
        with pytest.raises(PowerLoss):
            call()
    assert contents(disk) == {b"old", b"new"}


def test_power_can_go_in_an_operation_of_one_kind() -> None:
    disk = safe_file()
    disk.cut_power(2, "sync")
    disk.write("a", 0, [b"new"])
    disk.sync("a")
    disk.sync_folder()
    disk.write("a", 3, [b"er"])
    with pytest.raises(PowerLoss):
        disk.sync("a")


def test_a_process_that_dies_leaves_the_page_cache_as_it_was() -> None:
    disk = safe_file(b"old")
    disk.cut_power(1)
    with pytest.raises(PowerLoss):
        disk.write("a", 0, [b"new"])
    assert disk.dead
    disk.revive()
    assert content(disk) == b"new"
    assert contents(disk) == {b"old", b"new"}


def test_a_flipped_bit_is_read_and_survives() -> None:
    disk = safe_file(b"AB")
    disk.flip("a", 9)
    assert content(disk) == b"A@"
    assert contents(disk) == {b"A@"}


def test_a_crashed_disk_is_not_changed_by_what_its_image_does() -> None:
    disk = safe_file(b"x")
    image = disk.crash(Random(1))
    image.write("a", 0, [b"y"])
    image.unlink("a")
    assert content(disk) == b"x"


def test_the_operations_are_told_in_order() -> None:
    disk = safe_file(b"x")
    disk.rename("a", "b")
    assert [(op.kind, op.name) for op in disk.operations] == [
        ("create", "a"),
        ("write", "a"),
        ("sync", "a"),
        ("sync_folder", ""),
        ("rename", "a"),
    ]


steps = st.lists(
    st.tuples(
        st.sampled_from(["write", "write", "write", "truncate", "sync"]),
        st.integers(0, 4 * SECTOR),
        st.integers(1, 2 * SECTOR),
    ),
    max_size=12,
)


@settings(max_examples=150)
@given(steps, st.integers(0, 1 << 30))
def test_crashes_of_any_history_hold_sectors_that_once_were_and_sizes_between_the_extremes(
    history: list[tuple[str, int, int]], seed: int
) -> None:
    disk = safe_file()
    seen: list[bytes] = [b""]
    for fill, (kind, offset, size) in enumerate(history):
        if kind == "write":
            disk.write("a", offset, [bytes([fill + 1]) * size])
        elif kind == "truncate":
            disk.truncate("a", offset)
        else:
            disk.sync("a")
            seen.clear()
        seen.append(content(disk))
    random = Random(seed)
    for mode in MODES:
        left = content(disk.crash(random, mode))
        assert min(map(len, seen)) <= len(left) <= max(map(len, seen))
        for start in range(0, len(left), SECTOR):
            sector = left[start : start + SECTOR]
            versions = [once[start : start + SECTOR].ljust(SECTOR, b"\0") for once in seen]
            assert any(version.startswith(sector) for version in versions)
    assert content(disk.crash(random, ALL)) == seen[-1]
    assert content(disk.crash(random, NONE)) == seen[0]
