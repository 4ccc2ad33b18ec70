"""P9: damage of what was safe is refused with its file and place, told exactly by `amq journal`, and can be salvaged;
what a crash leaves half written at the end is no damage.

    AMQ_FAULT_FLIPS=200 pytest -m campaign tests/faults/test_bit_flips.py
"""

import json
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import attrs
import pytest

from amq.journal.frame import SEGMENT_HEADER
from tests.faults.history import History
from tests.faults.message import Name
from tests.faults.quiet import client, declare, taken
from tests.faults.session import Session
from tests.faults.target import Target, amq, started

FLIPS = int(os.environ.get("AMQ_FAULT_FLIPS", "100"))
QUEUES = ("a", "b")
MESSAGES = 500
SIZES = (100, 1_000, 20_000, 50_000)
REFUSED = 2
FINE, DAMAGED = 0, 1


@attrs.frozen
class Kept:
    """A folder that a broker has left. Messages are named by their counters, which are their numbers in the journal.

    `waiting` are those that nobody has taken, `consumed` the others.
    """

    data: Path
    waiting: frozenset[int]
    consumed: frozenset[int]


def filled(folder: Path, *, kill: bool, left_over: int = 0) -> Kept:
    """Several segments of messages, some of them consumed; `left_over` are published without waiting for confirms."""
    history = History()
    consumed = []
    with started(broker(folder)) as target, client(target, history) as session:
        for queue in QUEUES:
            declare(session, queue)
        rng = random.Random(1)
        session.confirm()
        for number in range(MESSAGES):
            publish(session, rng, number)
            session.wait_for_confirms(9)
        session.wait_for_confirms()
        for _ in range(40):
            delivery = session.get(rng.choice(QUEUES))
            if delivery:
                session.settle(delivery)
                consumed.append(Name.parse(delivery.message).counter)
        # What was taken is on disk when something later is.
        publish(session, rng, MESSAGES)
        session.wait_for_confirms()
        before = used(folder / "data" / "journal")
        for number in range(left_over):
            publish(session, rng, number)
        for _ in range(500 if left_over else 0):
            # Something must stand behind what was confirmed, or the end of the log is that.
            if used(folder / "data" / "journal") != before:
                break
            time.sleep(0.01)
        if kill:
            history.fault("kill")
            target.kill()
        else:
            session.close()
            assert target.stop() == 0
    waiting = frozenset(range(1, MESSAGES + 2)) - frozenset(consumed)
    return Kept(folder / "data", waiting, frozenset(consumed))


def publish(session: Session, rng: random.Random, number: int) -> None:
    """One message, to one queue or the other."""
    session.publish([QUEUES[number % 2]], size=rng.choice(SIZES))


def broker(folder: Path) -> Target:
    """A broker with small segments."""
    config = folder / "rabbitmq.conf"
    config.write_text("journal.segment_bytes = 1MiB\n")
    return amq(folder, "--config", str(config))


def copy_of(kept: Kept, folder: Path) -> Path:
    """A copy of the data to be damaged; returns its journal."""
    shutil.copytree(kept.data, folder / "data")
    return folder / "data" / "journal"


def contents(folder: Path) -> set[int]:
    """Start a broker there and take everything; the counters of what there was, each of which must be intact."""
    history = History()
    with started(broker(folder)) as target:
        with client(target, history) as session:
            found = [counter for queue in QUEUES for counter, _ in taken(session, queue)]
        assert target.stop() == 0
    assert len(found) == len(set(found))
    assert all(event.intact for event in history.events if hasattr(event, "intact"))
    return set(found)


def journal(action: str, folder: Path, *options: str) -> tuple[int, dict[str, Any]]:
    """`amq journal` with its status and what it printed."""
    command = [sys.executable, "-m", "amq", "journal", action, "--json", *options, str(folder / "data")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert not done.stderr, done.stderr
    return done.returncode, json.loads(done.stdout)


def refusal(folder: Path) -> str:
    """What a broker says that does not start there."""
    target = broker(folder)
    target.launch()
    try:
        assert target.wait() == REFUSED, target.output()
    finally:
        target.kill()
    return target.output()


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    return filled(tmp_path_factory.mktemp("stopped"), kill=False)


def used(journal: Path) -> int:
    """The same for all segments together."""
    return sum(used_part(segment) for segment in journal.glob("*.seg"))


def used_part(segment: Path) -> int:
    """Octets of a segment up to the last that is not zero."""
    return len(segment.read_bytes().rstrip(b"\0"))


def flip(journal: Path, rng: random.Random) -> tuple[Path, int]:
    """Flip a random bit of a random segment; returns the file and the offset."""
    segments = sorted(journal.glob("*.seg"))
    segment = segments[-1] if rng.random() < 0.3 else rng.choice(segments)
    offset = rng.randrange(used_part(segment))
    octets = bytearray(segment.read_bytes())
    octets[offset] ^= 1 << rng.randrange(8)
    segment.write_bytes(octets)
    return segment, offset


def numbers_lost(damage: dict[str, Any], kept: Kept) -> set[int]:
    """The messages that are said to be lost: where nobody knows how far that goes, to the end of what there was."""
    most = max(kept.waiting | kept.consumed)
    return {
        number
        for first, last in damage["lost_messages"]
        for number in range(0 if first is None else first, (most if last is None else last) + 1)
    }


def check_flip(kept: Kept, folder: Path, seed: int) -> None:
    """A flipped bit is refused and told exactly, or does no harm at all; what salvage keeps is what was said."""
    segment, offset = flip(copy_of(kept, folder), random.Random(seed))
    where = f"seed {seed}: {segment.name}, offset {offset}"
    status, told = journal("verify", folder)
    if status == FINE:
        assert contents(folder) == kept.waiting, where
        return
    assert status == DAMAGED, f"{where}: {told}"
    (damage,) = told["damages"]
    assert damage["file"] == segment.name, where
    assert damage["offset"] <= offset < damage["end"], f"{where}: {damage}"
    text = refusal(folder)
    assert f"{segment.name}: offset {damage['offset']}" in text, f"{where}: {text}"
    lost = numbers_lost(damage, kept)
    assert journal("salvage", folder, "--yes")[0] == 0, where
    found = contents(folder)
    assert kept.waiting - lost <= found, f"{where}: more is lost than {lost}: {kept.waiting - lost - found}"
    assert found <= kept.waiting | kept.consumed, where
    assert not found & lost, where


@pytest.mark.parametrize("seed", range(4))
def test_a_flipped_bit_is_refused_and_told(stopped: Kept, tmp_path: Path, seed: int) -> None:
    check_flip(stopped, tmp_path, seed)


@pytest.mark.campaign
@pytest.mark.parametrize("seed", range(1000, 1000 + FLIPS))
def test_a_campaign_of_flipped_bits(stopped: Kept, tmp_path: Path, seed: int) -> None:
    check_flip(stopped, tmp_path, seed)


def test_a_missing_segment_is_refused_and_told(stopped: Kept, tmp_path: Path) -> None:
    segments = sorted(copy_of(stopped, tmp_path).glob("*.seg"))
    assert len(segments) > 3
    segments[1].unlink()
    assert journal("verify", tmp_path)[0] == DAMAGED
    assert segments[1].name in refusal(tmp_path)


@pytest.mark.parametrize("seed", range(2))
def test_garbage_behind_the_end_is_no_damage(stopped: Kept, tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    last = sorted(copy_of(stopped, tmp_path).glob("*.seg"))[-1]
    with last.open("r+b") as file:
        # Frames begin at multiples of 8.
        file.seek(used_part(last) + 7 & ~7)
        file.write(rng.randbytes(rng.randint(1, 5000)))
    assert journal("verify", tmp_path)[0] == FINE
    assert contents(tmp_path) == stopped.waiting


def test_a_torn_last_write_takes_only_what_came_last(tmp_path: Path) -> None:
    killed = filled(tmp_path, kill=True, left_over=100)
    last = sorted((killed.data / "journal").glob("*.seg"))[-1]
    with last.open("r+b") as file:
        # The header of a segment that was just begun is safe, and no part of the torn end.
        file.truncate(max(used_part(last) - 10, SEGMENT_HEADER))
    assert journal("verify", tmp_path)[0] == FINE
    found = contents(tmp_path)
    assert found >= killed.waiting
    # Of the rest there is a first part, without a hole.
    rest = found - killed.waiting
    assert rest == set(range(MESSAGES + 2, MESSAGES + 2 + len(rest)))


def test_what_is_lost_without_a_known_end_is_lost_to_the_end(tmp_path: Path) -> None:
    kept = Kept(tmp_path, frozenset({1, 2, 9}), frozenset({4}))
    assert numbers_lost({"lost_messages": [[1, 2], [8, None]]}, kept) == {1, 2, 8, 9}
    assert numbers_lost({"lost_messages": [[None, 2]]}, kept) == {0, 1, 2}


def test_a_salvage_that_is_killed_can_be_done_again(stopped: Kept, tmp_path: Path) -> None:
    flipped = copy_of(stopped, tmp_path)
    segment = sorted(flipped.glob("*.seg"))[1]
    octets = bytearray(segment.read_bytes())
    octets[1000] ^= 1
    segment.write_bytes(octets)
    (damage,) = journal("verify", tmp_path)[1]["damages"]
    lost = numbers_lost(damage, stopped)
    command = [sys.executable, "-m", "amq", "journal", "salvage", "--yes", str(tmp_path / "data")]
    rng = random.Random(1)
    for _ in range(8):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            # From before it begins to where it is done.
            process.wait(rng.uniform(0.1, 0.6))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    assert subprocess.run(command, stdout=subprocess.DEVNULL, timeout=60, check=False).returncode == 0
    found = contents(tmp_path)
    assert stopped.waiting - lost <= found <= stopped.waiting | stopped.consumed
