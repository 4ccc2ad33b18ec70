"""P1, P16-P20: a broker that is killed at random moments under a mixed load, and stopped in good order in between.

AMQ_FAULT_KILLS=200 pytest -m campaign tests/faults/test_kill.py
AMQ_FAULT_SEED=17 AMQ_FAULT_KILLS=10 pytest -m campaign tests/faults/test_kill.py    # one that failed
"""

import os
import random
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.commanded_disk import Disk
from tests.faults.run import RABBITMQ_RULES, Kind, play
from tests.faults.small_disk import NoMount, small_disk
from tests.faults.target import NAMED, Target, amq, rabbitmq
from tests.faults.verdict import Verdict
from tests.faults.workload import mixed, pinned

FAULTS = 6
KILLS = int(os.environ.get("AMQ_FAULT_KILLS", "200"))
FIRST_SEED = int(os.environ.get("AMQ_FAULT_SEED", "1000"))
# Faults of one run. Each begins with an empty folder.
ROUND = 10
# Segments are begun and dropped all the time, and hardly a message stays in memory.
NARROW = "journal.segment_bytes = 1MiB\nbody_memory_limit = 1MB\n"
# On a small disk, of so many MiB, garbage is cleared away early, which copies what is alive among it.
SMALL = 512
SMALLER = 128


# Name, load, configuration, MiB of the disk (0: that of all files) and by how many seconds a write is slowed down.
WAYS: tuple[tuple[str, Kind, str, int, float], ...] = (
    ("as usual", mixed, "", 0, 0.0),
    ("narrow", mixed, NARROW, 0, 0.0),
    ("narrow, small disk", mixed, NARROW, SMALL, 0.0),
    ("narrow, slow disk", mixed, NARROW, 0, 0.03),
    ("much garbage", pinned, f"{NARROW}disk_free_limit.absolute = 1MB\n", SMALLER, 0.0),
    ("much garbage, slow disk", pinned, f"{NARROW}disk_free_limit.absolute = 1MB\n", SMALLER, 0.01),
)


def target_in(folder: Path, configuration: str = "", environment: dict[str, str] | None = None) -> Target:
    """The broker under test, with its data in that folder."""
    if NAMED == "rabbitmq":
        return rabbitmq(folder)
    file = folder / "rabbitmq.conf"
    file.write_text(configuration)
    return amq(folder, "--config", str(file), environment=environment)


def played(target: Target, seed: str, faults: int, kind: Kind = mixed) -> Verdict:
    """A run; nothing that happened in it may have surprised the broker."""
    rules = RABBITMQ_RULES if NAMED == "rabbitmq" else None
    verdict = play(target, seed, faults, target.folder / "history.jsonl", rules, kind)
    assert verdict.good, f"seed {seed}, {faults} faults, history and log in {target.folder}\n{verdict}"
    assert "Traceback" not in target.output(), target.output()[-4000:]
    return verdict


def test_what_was_promised_survives_kills_at_random_moments(tmp_path: Path) -> None:
    counts = played(target_in(tmp_path, NARROW), "1", FAULTS).counts
    # The load was worth the name.
    for what in ("confirmed", "tx committed", "purge", "delete", "redelivered", "entities seen", "unknown"):
        assert counts[what] > 0, f"{what}: {counts}"
    assert counts["confirmed"] > 300
    assert counts["kill"] >= FAULTS // 2


@pytest.mark.campaign
@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + -(-KILLS // ROUND)))
def test_a_campaign_of_kills(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    name, kind, configuration, size, slow = rng.choice(WAYS)
    disk = Disk(tmp_path / "disk")
    if slow:
        disk.order(f"slow {slow}")
    with ExitStack() as stack:
        if size:
            try:
                stack.enter_context(small_disk(tmp_path / "data", size))
            except NoMount:
                name += ", on the usual disk"
        target = target_in(tmp_path, configuration, disk.environment())
        verdict = played(target, str(seed), min(ROUND, KILLS), kind)
    sys.stdout.write(f"seed {seed} ({name}): {verdict}\n")
