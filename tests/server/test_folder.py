"""The data folder on a real file system: made, locked, refused, handed on."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import pytest

from amq.server import folder as folder_module
from amq.server.errors import StartError
from amq.server.folder import DataFolder
from tests.harness.machine import needs_proc

SECONDS = 20


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where nothing is yet."""
    return tmp_path / "state/amq"


def refusal(path: Path) -> str:
    with pytest.raises(StartError) as refused:
        DataFolder.open(path)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def names(path: Path) -> list[str]:
    return sorted(entry.name for entry in path.iterdir())


def store(path: Path) -> dict[str, object]:
    return json.loads((path / "store.json").read_text())  # type: ignore[no-any-return]


def test_a_folder_is_made_with_all_that_is_above_it_and_for_its_user_alone(place: Path) -> None:
    with DataFolder.open(place) as folder:
        assert folder.path == place
        assert names(place) == ["LOCK", "journal", "paging", "store.json"]
        for private in (place.parent, place, folder.journal, folder.paging):
            assert mode(private) == 0o700
        assert mode(place / "store.json") == 0o600
        assert (folder.definitions.parent, folder.definitions.exists()) == (place, False)


def test_every_folder_that_is_made_is_safe_before_anything_is_in_it(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[Path, list[str]]] = []
    sync_folder = folder_module.sync_folder

    def sync_and_note(path: Path) -> None:
        sync_folder(path)
        synced.append((path, names(path)))

    monkeypatch.setattr(folder_module, "sync_folder", sync_and_note)
    DataFolder.open(place).close()
    assert synced == [
        (place.parent.parent, ["state"]),
        (place.parent, ["amq"]),
        (place, ["LOCK", "store.json"]),
        (place, ["LOCK", "journal", "paging", "store.json"]),
    ]


@needs_proc
def test_a_store_is_written_and_synced_before_it_gets_its_name(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    fsync, rename = os.fsync, Path.rename

    def sync_and_note(fd: int) -> None:
        fsync(fd)
        steps.append("sync " + Path(f"/proc/self/fd/{fd}").readlink().name)

    def rename_and_note(path: Path, target: Path) -> Path:
        assert json.loads(path.read_text())["format"] == 1
        steps.append(f"rename to {target.name}")
        return rename(path, target)

    place.mkdir(0o700, parents=True)
    monkeypatch.setattr(os, "fsync", sync_and_note)
    monkeypatch.setattr(Path, "rename", rename_and_note)
    DataFolder.open(place).close()
    assert steps == ["sync store.json.tmp", "rename to store.json", "sync amq", "sync amq"]


def test_a_store_keeps_its_identity_and_every_store_has_one_of_its_own(tmp_path: Path) -> None:
    identities = []
    for name in ("a", "a", "b"):
        with DataFolder.open(tmp_path / name) as folder:
            identities.append(folder.store_id)
            assert store(tmp_path / name) == {"format": 1, "store_id": str(folder.store_id)}
    assert identities[0] == identities[1] != identities[2]


def test_a_relative_name_means_the_same_folder_wherever_the_process_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with DataFolder.open("data") as folder:
        assert folder.path == tmp_path / "data"


def test_paging_is_emptied_and_nothing_else(place: Path) -> None:
    with DataFolder.open(place) as folder:
        (folder.paging / "bodies").write_bytes(b"1")
        (folder.paging / "more").mkdir()
        (folder.paging / "more/bodies").write_bytes(b"2")
        (folder.paging / "elsewhere").symlink_to(folder.journal)
        (folder.journal / "0000000001.seg").write_bytes(b"3")
        folder.definitions.write_bytes(b"4")
    with DataFolder.open(place) as folder:
        assert list(folder.paging.iterdir()) == []
        assert (folder.journal / "0000000001.seg").read_bytes() == b"3"
        assert folder.definitions.read_bytes() == b"4"


# -- one broker at a time --


def test_a_second_broker_is_told_the_folder_and_who_uses_it(place: Path) -> None:
    with DataFolder.open(place):
        assert refusal(place) == f"data folder {place} is in use by another broker (process {os.getpid()})"
    DataFolder.open(place).close()


def test_a_holder_that_could_not_say_who_it_is_is_another_process(place: Path) -> None:
    with DataFolder.open(place):
        (place / "LOCK").write_text("")
        assert refusal(place) == f"data folder {place} is in use by another broker (another process)"


def test_a_full_disk_keeps_nobody_from_taking_a_folder(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    DataFolder.open(place).close()

    def no_room(fd: int, data: bytes, offset: int) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", no_room)
    with DataFolder.open(place):
        assert "in use" in refusal(place)


def test_a_folder_that_was_closed_is_closed_for_good(place: Path) -> None:
    first = DataFolder.open(place)
    first.close()
    with DataFolder.open(place):
        first.close()
        assert "in use" in refusal(place)


def test_a_broker_that_was_killed_holds_no_folder(place: Path) -> None:
    program = (
        "import sys, time; from amq.server.folder import DataFolder; "
        "folder = DataFolder.open(sys.argv[1]); print('open', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(place)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"open\n"
        assert refusal(place).endswith(f"(process {holder.pid})")
        holder.kill()
        assert holder.wait(SECONDS) == -signal.SIGKILL
    DataFolder.open(place).close()


# Opens a folder and forks; the child ends when nobody holds the other end of its stdin any more.
FORKING = """
import os, sys, time
from amq.server.folder import DataFolder

folder = DataFolder.open(sys.argv[1])
if os.fork() == 0:
    {child}
    print("forked", flush=True)
    sys.stdin.read()
else:
    time.sleep(60)
"""


@contextmanager
def forked(child: str, place: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A program that holds the folder, with a child that did something and goes on."""
    command = [sys.executable, "-c", FORKING.format(child=child), str(place)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"forked\n"
        try:
            yield holder
        finally:
            holder.stdin.close()
            holder.kill()


def test_a_process_that_was_forked_off_does_not_hold_the_folder_of_a_broker_that_was_killed(place: Path) -> None:
    with forked("pass", place) as holder:
        assert "in use" in refusal(place)
        holder.kill()
        holder.wait(SECONDS)
        DataFolder.open(place).close()


def test_a_process_that_was_forked_off_gives_nobodys_folder_away(place: Path) -> None:
    with forked("folder.close()", place):
        assert "in use" in refusal(place)


def test_a_folder_is_free_when_it_is_closed_although_another_process_has_inherited_the_lock(place: Path) -> None:
    folder = DataFolder.open(place)
    assert folder._lock is not None
    sleeper = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    with subprocess.Popen(sleeper, stdin=subprocess.PIPE, pass_fds=[folder._lock]) as heir:
        folder.close()
        DataFolder.open(place).close()
        assert heir.poll() is None


# -- what is refused --


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert refusal(tmp_path / "file") == f"data folder {tmp_path / 'file'}: not a folder"
    assert refusal(tmp_path / "file/amq") == f"data folder {tmp_path / 'file'}: not a folder"


def test_a_link_to_a_folder_is_one_and_a_link_to_nowhere_is_not(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert refusal(tmp_path / "link") == f"data folder {tmp_path / 'link'}: not a folder"
    (tmp_path / "real").mkdir()
    DataFolder.open(tmp_path / "link").close()
    assert (tmp_path / "real/store.json").exists()


def test_a_folder_that_holds_something_else_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "paging").mkdir()
    (tmp_path / "paging/thesis.txt").write_text("years of work")
    assert refusal(tmp_path) == (
        f"data folder {tmp_path} holds paging but no store.json: neither empty nor a folder of amq"
    )
    assert (tmp_path / "paging/thesis.txt").read_text() == "years of work"
    assert names(tmp_path) == ["paging"]


def test_a_store_that_has_lost_its_identity_is_not_started_over(place: Path) -> None:
    DataFolder.open(place).close()
    (place / "store.json").unlink()
    assert "holds journal but no store.json" in refusal(place)


@pytest.mark.parametrize("left", ["", "LOCK", "store.json.tmp", "lost+found"])
def test_a_first_start_that_was_interrupted_is_begun_again(place: Path, left: str) -> None:
    place.mkdir(parents=True)
    if left:
        (place / left).touch()
    with DataFolder.open(place) as folder:
        assert store(place)["store_id"] == str(folder.store_id)


def test_a_folder_of_a_newer_broker_is_refused_whatever_else_its_store_says(place: Path) -> None:
    place.mkdir(parents=True)
    (place / "store.json").write_text('{"format": 2, "identity": "new style"}')
    assert refusal(place) == (f"data folder {place} is of a newer amq (format 2; this one knows formats up to 1)")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\0" * 64,
        b"\xff\xfe",
        b"[]",
        b"7",
        b"{}",
        b'{"format": 1}',
        b'{"format": 1, "store_id": 7}',
        b'{"format": 1, "store_id": "mine"}',
        b'{"format": "1", "store_id": "%s"}' % str(UUID(int=1)).encode(),
    ],
)
def test_a_damaged_store_is_refused_and_its_lock_released(place: Path, text: bytes) -> None:
    place.mkdir(parents=True)
    (place / "store.json").write_bytes(text)
    damaged = f"data folder {place}: store.json is damaged; bring it back from a backup"
    assert refusal(place) == damaged
    assert refusal(place) == damaged


def test_what_a_newer_broker_of_the_same_format_adds_does_not_matter(place: Path) -> None:
    place.mkdir(parents=True)
    (place / "store.json").write_text(f'{{"format": 1, "store_id": "{UUID(int=1)}", "node": "a"}}')
    with DataFolder.open(place) as folder:
        assert folder.store_id == UUID(int=1)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_to_is_named(place: Path) -> None:
    place.mkdir(0o500, parents=True)
    assert refusal(place) == f"data folder {place} cannot be used: Permission denied ({place / 'LOCK'})"
    assert refusal(place / "deeper") == f"data folder {place / 'deeper'} cannot be used: Permission denied"


def test_a_folder_that_fails_is_named_with_the_file_and_the_reason(place: Path) -> None:
    (place / "LOCK").mkdir(parents=True)
    assert refusal(place) == f"data folder {place} cannot be used: Is a directory ({place / 'LOCK'})"


@pytest.mark.parametrize(("given", "warned"), [(0o700, False), (0o750, False), (0o755, True), (0o701, True)])
def test_a_folder_that_others_can_look_into_keeps_its_mode_and_is_a_warning(
    place: Path, given: int, warned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    place.mkdir(parents=True)
    place.chmod(given)
    DataFolder.open(place).close()
    assert mode(place) == given
    warning = f"data folder {place} is open to other users (mode {given:o}): chmod 700 keeps them out"
    assert [record.getMessage() for record in caplog.records] == [warning] * warned
    assert all(record.levelno == logging.WARNING for record in caplog.records)
