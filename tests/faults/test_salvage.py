"""Space comes back although some messages stay: what is alive in old segments is copied out of the way, under kills."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.checker import check
from tests.faults.commanded_disk import Disk
from tests.faults.history import History
from tests.faults.quiet import client, declare, drained, eventually, fill, restarted
from tests.faults.run import Trouble, endure
from tests.faults.small_disk import NoMount, small_disk
from tests.faults.target import Target, amq, started
from tests.faults.workload import pinned

# In MiB: on such a disk 16 MiB of garbage are too much.
SIZE = 128
FAULTS = 4
BODY = 20_000
CONFIGURATION = "journal.segment_bytes = 1MiB\nbody_memory_limit = 1MB\ndisk_free_limit.absolute = 1MB\n"


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path / "disk")


@pytest.fixture
def target(tmp_path: Path, disk: Disk) -> Iterator[Target]:
    """A broker with small segments on a small disk."""
    config = tmp_path / "rabbitmq.conf"
    config.write_text(CONFIGURATION)
    with ExitStack() as stack:
        try:
            stack.enter_context(small_disk(tmp_path / "data", SIZE))
        except NoMount as reason:
            pytest.skip(str(reason))
        target = amq(tmp_path, "--config", str(config), environment=disk.environment())
        yield stack.enter_context(started(target))
    assert "Traceback" not in target.output(), target.output()[-4000:]
    assert "[critical]" not in target.output(), target.output()[-4000:]


def test_a_few_messages_that_stay_do_not_keep_the_others_on_disk(target: Target) -> None:
    history = History()
    load = pinned(target.address, history, "1")
    load.declare()
    trouble = Trouble(target, history, "1")
    endure(load, trouble, FAULTS)
    # The first messages that stay stood in the first segment.
    assert not (target.folder / "data" / "journal" / "0000000001.seg").exists()
    trouble.restart()
    load.drain()
    target.stop()
    verdict = check(history)
    assert verdict.good, verdict


def test_messages_can_be_read_while_they_are_copied(target: Target, disk: Disk) -> None:
    history = History()
    with client(target, history) as session:
        for queue in ("kept", "flow"):
            declare(session, queue, ordered=True)
        fill(session, "kept", 100, size=BODY)
        fill(session, "flow", 1500, size=BODY)
        restarted(target, history, session, kill=False)
    with client(target, history, "flow") as flow, client(target, history, "kept") as kept:
        flow.consume("flow", 0)
        eventually(lambda: len(flow.listen(0.1) and flow.outstanding) == 1500, "not all of it comes")
        disk.order("slow 0.3")
        # Now all but the first segment is garbage.
        flow.settle(list(flow.outstanding.values())[-1], multiple=True)
        kept.consume("kept", 1)
        for _ in range(100):
            (delivery,) = kept.listen(10)
            kept.settle(delivery)
            time.sleep(0.02)
        disk.recover()
    drained(target, history, "kept", "flow")
    verdict = check(history)
    assert verdict.good, verdict
