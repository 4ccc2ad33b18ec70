"""`amq journal` on folders that a real broker has filled, and that were damaged since."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pika
import pytest

from amq.cli.main import main
from amq.journal import frame, record
from amq.journal.replay import consecutive, records
from amq.server import salvaging
from amq.server.errors import StartError
from amq.server.folder import DataFolder
from tests.harness.process import BrokerFailed, BrokerProcess

SECONDS = 30
PERSISTENT = pika.BasicProperties(delivery_mode=2, content_type="text/plain", message_id="m", headers={"a": 1})
SEGMENT = "0000000001.seg"


def fill(broker: BrokerProcess) -> None:
    """Messages 1 to 20 for one queue and 21 for two; of the first queue the first five are gone."""
    connection = pika.BlockingConnection(pika.ConnectionParameters(broker.host, broker.port, heartbeat=0))
    channel = connection.channel()
    channel.confirm_delivery()
    for name in ("tasks", "other"):
        channel.queue_declare(name, durable=True)
        channel.queue_bind(name, "amq.direct", "both")
    for number in range(1, 21):
        channel.basic_publish("", "tasks", f"body {number}".encode(), PERSISTENT)
    channel.basic_publish("amq.direct", "both", b"for both", PERSISTENT)
    for _ in range(5):
        method, _, _ = channel.basic_get("tasks")
        assert method is not None
        channel.basic_ack(method.delivery_tag)
    connection.close()


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder of a broker that was stopped in good order."""
    folder = tmp_path_factory.mktemp("filled")
    broker = BrokerProcess(folder, data=folder / "data")
    broker.start()
    try:
        fill(broker)
        assert broker.stop() == 0
    finally:
        broker.kill()
    return folder / "data"


@pytest.fixture
def data(filled: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(filled, tmp_path / "data"))


def amq(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run `amq journal` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "amq", "journal", *map(str, arguments)], capture_output=True, text=True, timeout=SECONDS
    )


def facts(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, dict[str, Any]]:
    """Exit status and JSON of `amq journal`."""
    status = main(["journal", *map(str, arguments), "--json"])
    return status, json.loads(capsys.readouterr().out)


def said(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str]:
    """Exit status and text of `amq journal`."""
    status = main(["journal", *map(str, arguments)])
    return status, capsys.readouterr().out


def frames(data: Path) -> list[frame.Frame]:
    """The frames of the first segment."""
    octets = (data / "journal" / SEGMENT).read_bytes()
    header = frame.read_segment_header(octets)
    assert header is not None
    return list(consecutive(octets, header.salt, frame.SEGMENT_HEADER, header.first_sequence, None))


def flip(data: Path, at: int, name: str = SEGMENT) -> None:
    """Turn one bit of a segment over."""
    path = data / "journal" / name
    octets = bytearray(path.read_bytes())
    octets[at] ^= 1 << at % 8
    path.write_bytes(octets)


def state(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Everything in a folder, with times and contents."""
    return {
        str(path): (path.stat().st_mtime_ns, path.stat().st_mode, path.read_bytes() if path.is_file() else b"")
        for path in sorted(folder.rglob("*"))
    }


def drained(tmp_path: Path, data: Path) -> dict[str, list[str]]:
    """What a broker on that folder delivers, by queue."""
    broker = BrokerProcess(tmp_path, data=data)
    broker.start()
    try:
        connection = pika.BlockingConnection(pika.ConnectionParameters(broker.host, broker.port, heartbeat=0))
        channel = connection.channel()
        found: dict[str, list[str]] = {}
        for name in ("tasks", "other"):
            found[name] = []
            while (got := channel.basic_get(name, auto_ack=True))[0] is not None:
                found[name].append(got[2].decode())
        connection.close()
        assert broker.stop() == 0
    finally:
        broker.kill()
    return found


ALL = {"tasks": [*[f"body {number}" for number in range(6, 21)], "for both"], "other": ["for both"]}


# -- verify --


def test_a_whole_journal_is_fine(data: Path) -> None:
    ended = amq("verify", data)
    assert (ended.returncode, ended.stderr) == (0, "")
    lines = ended.stdout.splitlines()
    assert lines[0] == f"{data}/journal: OK"
    assert " 1 segment, " in lines[1] and " 21 messages, " in lines[1]
    table = [line.split()[:4] for line in lines[3:]]
    assert table == [["other", "/", "1", "8"], ["tasks", "/", "16", str(sum(map(len, ALL["tasks"])))]]


def test_verify_and_inspect_change_nothing(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flip(data, frames(data)[3].records_at + 20)
    before = state(data)
    assert said(capsys, "verify", data)[0] == 1
    assert said(capsys, "inspect", data)[0] == 0
    assert said(capsys, "salvage", data)[0] == 1
    assert state(data) == before


def test_a_folder_that_may_only_be_read_is_enough(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in [*data.rglob("*"), data]:
        path.chmod(0o500 if path.is_dir() else 0o400)
    assert said(capsys, "verify", data)[0] == 0


def test_a_damaged_frame_is_named_with_what_is_lost(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = frames(data)[6]
    flip(data, found.start + 20)
    ended = amq("verify", data)
    assert ended.returncode == 1
    place = f"{data}/journal/{SEGMENT}: offset {found.start}: a frame that was safe cannot be read"
    assert place in ended.stdout.splitlines()
    assert "  frame 7\n  lost: message 7\n" in ended.stdout
    assert "  around it: tasks in /\n" in ended.stdout
    assert ended.stdout.endswith(f"What to do: amq journal salvage {data}\n")
    status, told = facts(capsys, "verify", data)
    assert (status, told["status"]) == (1, "damaged")
    (damage,) = told["damages"]
    assert (damage["file"], damage["offset"], damage["end"]) == (SEGMENT, found.start, found.end)
    assert (damage["frames"], damage["lost_messages"]) == ([7, 7], [[7, 7]])


def test_messages_that_are_lost_and_were_consumed_are_counted(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flip(data, frames(data)[2].start + 20)
    (damage,) = facts(capsys, "verify", data)[1]["damages"]
    assert (damage["lost_messages"], damage["consumed_at_least"]) == ([[3, 3]], 1)


def test_a_torn_end_is_fine(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = data / "journal" / SEGMENT
    # All but the first octets of the stop in good order, and of what vouches for it.
    _, clean, _ = frames(data)[-3:]
    octets = path.read_bytes()
    path.write_bytes(octets[: clean.start + 52] + bytes(len(octets) - clean.start - 52))
    status, told = facts(capsys, "verify", data)
    assert (status, told["status"]) == (0, "ok")
    assert told["torn_end"] == {"file": SEGMENT, "offset": clean.start}
    assert not told["stopped_in_good_order"]
    assert "the end is torn" in said(capsys, "verify", data)[1]


def test_flipped_bits_are_harmless_or_reported_at_the_frame_that_they_are_in(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = data / "journal" / SEGMENT
    whole = path.read_bytes()
    begins = [0, *[each.start for each in frames(data)]]
    end = frames(data)[-1].end
    for at in Random(1).sample(range(end), 60):
        flip(data, at)
        status, told = facts(capsys, "verify", data)
        path.write_bytes(whole)
        if status == 0:
            assert {queue["name"]: queue["messages"] for queue in told["queues"]} == {"tasks": 16, "other": 1}
        else:
            (damage,) = told["damages"]
            assert (damage["file"], damage["offset"]) == (SEGMENT, max(begin for begin in begins if begin <= at))


def test_a_running_broker_keeps_its_folder(data: Path) -> None:
    with DataFolder.open(data):
        for command in ("verify", "inspect", "salvage"):
            ended = amq(command, data)
            assert (ended.returncode, ended.stdout) == (2, "")
            assert ended.stderr == f"amq: data folder {data} is in use by another broker (process {os.getpid()})\n"


def test_no_broker_starts_while_a_folder_is_looked_at(data: Path) -> None:
    with DataFolder.look(data), pytest.raises(StartError, match="in use"):
        DataFolder.open(data)
    DataFolder.open(data).close()


def test_a_copy_without_a_lock_is_looked_at_and_gets_none(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (data / "LOCK").unlink()
    assert said(capsys, "verify", data)[0] == 0
    assert not (data / "LOCK").exists()


def test_what_is_no_data_folder_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder, problem in (
        (tmp_path, f"data folder {tmp_path} holds no store.json: no folder of amq"),
        (tmp_path / "none", f"data folder {tmp_path / 'none'}: not a folder"),
    ):
        assert main(["journal", "verify", str(folder)]) == 2
        assert capsys.readouterr().err == f"amq: {problem}\n"


def test_a_folder_without_a_journal_cannot_be_read(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(data / "journal")
    assert main(["journal", "verify", str(data)]) == 2
    assert capsys.readouterr().err == f"amq: {data}/journal: {os.strerror(errno.ENOENT)}\n"


def test_a_file_that_the_disk_does_not_give_is_named(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = data / "journal" / "0000000002.seg"
    # Address 0 is in no process, and reading there fails as a bad block does.
    path.symlink_to("/proc/self/mem")
    assert main(["journal", "verify", str(data)]) == 2
    assert capsys.readouterr().err == f"amq: {path}: {os.strerror(errno.EIO)}\n"


def test_without_definitions_queues_have_no_names(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (data / "definitions.db").write_bytes(b"no database")
    status, text = said(capsys, "verify", data)
    assert status == 0
    assert "definitions.db cannot be read" in text
    _, told = facts(capsys, "verify", data)
    assert sorted(queue["messages"] for queue in told["queues"]) == [1, 16]
    assert {queue["name"] for queue in told["queues"]} == {None}


def test_messages_that_an_exchange_delays_are_shown_as_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broker = BrokerProcess(tmp_path, data=tmp_path / "data")
    broker.start()
    connection = pika.BlockingConnection(pika.ConnectionParameters(broker.host, broker.port, heartbeat=0))
    channel = connection.channel()
    channel.confirm_delivery()
    channel.exchange_declare("later", "x-delayed-message", durable=True, arguments={"x-delayed-type": "fanout"})
    delayed = pika.BasicProperties(delivery_mode=2, headers={"x-delay": 600_000})
    channel.basic_publish("later", "key", b"wait", delayed)
    connection.close()
    assert broker.stop() == 0
    _, told = facts(capsys, "verify", tmp_path / "data")
    assert [(row["vhost"], row["name"], row["messages"]) for row in told["queues"]] == [("/", "exchange later", 1)]


# -- inspect --


def test_inspect_shows_segments_and_queues(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, told = facts(capsys, "inspect", data)
    assert status == 0
    (segment,) = told["segments"]
    assert (segment["number"], segment["file"], segment["alive"], segment["dead"]) == (1, SEGMENT, 16, 5)
    assert segment["size"] == (data / "journal" / SEGMENT).stat().st_size
    assert segment["used"] == frames(data)[-1].end
    assert segment["frames"] == len(frames(data))
    assert [(queue["vhost"], queue["name"], queue["messages"]) for queue in told["queues"]] == [
        ("/", "other", 1),
        ("/", "tasks", 16),
    ]
    text = said(capsys, "inspect", data)[1]
    assert [line.split()[0] for line in text.splitlines()[-2:]] == ["file", SEGMENT]


def test_inspect_shows_the_frames_and_records_of_a_segment(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, told = facts(capsys, "inspect", data, "--segment", "1")
    shown = told["frames"]
    assert [each["sequence"] for each in shown] == [each.sequence for each in frames(data)]
    first = shown[0]["records"][0]
    assert (first["kind"], first["lsns"], first["body_size"]) == ("RUN", [1, 1], 6)
    assert (first["exchange"], first["routing_key"], first["queues"]) == ("", "tasks", ["tasks in /"])
    kinds = {record["kind"] for each in shown for record in each["records"]}
    assert kinds == {"RUN", "SETTLED", "CLEAN"}
    text = said(capsys, "inspect", data, "--segment", "1")[1]
    assert "RUN 21, bodies of 8 octets" in text
    assert "for other in /, tasks in /" in text or "for tasks in /, other in /" in text
    assert "MARK, 0 octets" in text
    assert main(["journal", "inspect", str(data), "--segment", "9"]) == 2
    assert capsys.readouterr().err == f"amq: {data}/journal has no segment 9\n"


def test_inspect_shows_one_message(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, told = facts(capsys, "inspect", data, "--message", "21")
    assert (told["exchange"], told["routing_key"], told["body_size"]) == ("amq.direct", "both", 8)
    properties = told["properties"]
    assert (properties["delivery_mode"], properties["message_id"], properties["headers"]) == (2, "m", {"a": 1})
    assert {row["queue"]: row["settled"] for row in told["queues"]} == {"tasks in /": False, "other in /": False}
    _, told = facts(capsys, "inspect", data, "--message", "2")
    assert told["queues"] == [{"queue": "tasks in /", "settled": True}]
    assert "routing_key both" in said(capsys, "inspect", data, "--message", "21")[1]
    assert main(["journal", "inspect", str(data), "--message", "22"]) == 2
    assert capsys.readouterr().err == f"amq: {data}/journal has no message 22\n"


# -- salvage --


def test_an_intact_journal_is_left_alone(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = state(data)
    status, text = said(capsys, "salvage", data, "--yes")
    assert (status, text) == (0, f"{data}/journal: nothing is damaged, nothing was changed\n")
    assert state(data) == before


def test_a_broker_refuses_a_damaged_journal_in_one_line_that_leads_to_its_salvage(data: Path, tmp_path: Path) -> None:
    found = frames(data)[6]
    flip(data, found.start + 20)
    broker = BrokerProcess(tmp_path, data=data)
    with pytest.raises(BrokerFailed, match="status 2"):
        broker.start()
    (line,) = [line for line in broker.output().splitlines() if line.startswith("amq: ")]
    assert line.startswith(f"amq: {data}/journal/{SEGMENT}: offset {found.start}: a frame that was safe cannot be read")
    assert "frame 7; lost: message 7; " in line
    assert "around it: tasks in /" in line
    assert line.endswith(f"see: amq journal verify {data}")
    assert amq("verify", data).returncode == 1
    told = amq("salvage", data)
    assert told.returncode == 1
    assert "Nothing was changed. With --yes," in told.stdout
    assert "lost: message 7\n" in told.stdout
    done = amq("salvage", data, "--yes")
    assert (done.returncode, done.stderr) == (0, "")
    (damaged,) = data.glob("journal.damaged-*")
    assert done.stdout.endswith(f"{data}/journal: salvaged; the damaged journal is {damaged}\n")
    assert amq("verify", data).returncode == 0
    assert drained(tmp_path, data) == {**ALL, "tasks": [body for body in ALL["tasks"] if body != "body 7"]}
    assert amq("verify", data).returncode == 0


def test_the_damaged_journal_is_kept_as_it_was(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flip(data, frames(data)[6].start + 20)
    octets = (data / "journal" / SEGMENT).read_bytes()
    _, told = facts(capsys, "salvage", data, "--yes")
    assert (Path(told["damaged"]) / SEGMENT).read_bytes() == octets
    assert told["salvaged"]
    salvaged = data / "journal"
    assert salvaged.stat().st_mode & 0o777 == 0o700
    assert (salvaged / SEGMENT).stat().st_mode & 0o777 == 0o600
    assert not DataFolder.look(data).salvaged.exists()


def test_what_loses_nothing_needs_no_yes(data: Path, tmp_path: Path) -> None:
    flip(data, 20)
    ended = amq("salvage", data)
    assert ended.returncode == 0
    assert "  nothing is lost\n" in ended.stdout
    assert drained(tmp_path, data) == ALL


def test_lost_acknowledgements_bring_messages_again(data: Path, tmp_path: Path) -> None:
    octets = (data / "journal" / SEGMENT).read_bytes()
    with_settled = [each for each in frames(data) if record.SETTLED in [kind for _, kind in records(octets, each)]]
    assert with_settled
    for found in with_settled:
        flip(data, found.records_at + 12)
    assert amq("salvage", data, "--yes").returncode == 0
    assert drained(tmp_path, data) == {**ALL, "tasks": [*[f"body {number}" for number in range(1, 6)], *ALL["tasks"]]}


def test_a_journal_of_several_lives_with_a_lost_segment_goes_on_without_it(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        broker = BrokerProcess(tmp_path, data=data)
        broker.start()
        fill(broker)
        broker.kill()
    names = sorted(path.name for path in (data / "journal").glob("*.seg"))
    assert names == [SEGMENT, "0000000002.seg", "0000000003.seg"]
    (data / "journal" / names[1]).unlink()
    ended = amq("verify", data)
    assert ended.returncode == 1
    assert f"{data}/journal/{names[1]}: offset 0: the segment is missing" in ended.stdout
    left = {queue["name"]: queue["messages"] for queue in facts(capsys, "verify", data)[1]["queues"]}
    # That of the first and that of the last life; if the second one ended soon after its last batch, that is there too.
    assert left["other"] in (2, 3)
    assert amq("salvage", data, "--yes").returncode == 0
    found = drained(tmp_path, data)
    assert {name: len(bodies) for name, bodies in found.items()} == left
    assert found["tasks"][-16:] == ALL["tasks"]


@pytest.mark.parametrize("step", range(5))
def test_an_interrupted_salvage_can_be_run_again(
    step: int, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flip(data, frames(data)[6].start + 20)
    calls = 0

    class Killed(BaseException):
        """As if the process had ended here."""

    def sync_folder(path: Path) -> None:
        nonlocal calls
        if calls == step:
            raise Killed
        calls += 1
        real(path)

    real = salvaging.sync_folder
    with monkeypatch.context() as patch:
        patch.setattr(salvaging, "sync_folder", sync_folder)
        if step < 4:
            with pytest.raises(Killed):
                main(["journal", "salvage", str(data), "--yes"])
        else:
            assert main(["journal", "salvage", str(data), "--yes"]) == 0
    if not (data / "journal").exists():
        with pytest.raises(StartError, match="salvage was interrupted; run amq journal salvage"):
            DataFolder.open(data)
        assert amq("verify", data).returncode == 2
    assert amq("salvage", data, "--yes").returncode == 0
    assert amq("verify", data).returncode == 0
    assert len(list(data.glob("journal.damaged-*"))) == 1
    assert drained(tmp_path, data) == {**ALL, "tasks": [body for body in ALL["tasks"] if body != "body 7"]}


def test_a_salvage_for_which_there_is_no_room_changes_nothing(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    flip(data, frames(data)[6].start + 20)
    before = state(data / "journal")

    def full(path: Path, pieces: list[bytes]) -> None:
        path.write_bytes(pieces[0])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(salvaging, "_write_file", full)
    assert main(["journal", "salvage", str(data), "--yes"]) == 2
    assert os.strerror(errno.ENOSPC) in capsys.readouterr().err
    assert state(data / "journal") == before
    assert {path.name for path in data.iterdir()} == {"LOCK", "store.json", "definitions.db", "journal", "paging"}


def test_the_lock_is_free_when_the_command_has_ended(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "verify", data)[0] == 0
    lock = os.open(data / "LOCK", os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(lock)


def test_a_command_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["journal"])
    assert ended.value.code == 2
