"""Space comes back although some messages stay: what is alive in old segments is copied out of the way, under kills."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.checker import check
from tests.faults.history import History
from tests.faults.run import Trouble, endure
from tests.faults.small_disk import NoMount, small_disk
from tests.faults.target import amq, started
from tests.faults.workload import pinned

# In MiB: on such a disk 16 MiB of garbage are too much.
SIZE = 128
FAULTS = 4
CONFIGURATION = "journal.segment_bytes = 1MiB\ndisk_free_limit.absolute = 1MB\n"


def test_a_few_messages_that_stay_do_not_keep_the_others_on_disk(tmp_path: Path) -> None:
    config = tmp_path / "rabbitmq.conf"
    config.write_text(CONFIGURATION)
    with ExitStack() as stack:
        try:
            data = stack.enter_context(small_disk(tmp_path / "data", SIZE))
        except NoMount as reason:
            pytest.skip(str(reason))
        target = stack.enter_context(started(amq(tmp_path, "--config", str(config))))
        history = History()
        load = pinned(target.address, history, "1")
        load.declare()
        trouble = Trouble(target, history, "1")
        endure(load, trouble, FAULTS)
        # The first messages that stay stood in the first segment.
        assert not (data / "journal" / "0000000001.seg").exists()
        trouble.restart()
        load.drain()
        target.stop()
    verdict = check(history)
    assert verdict.good, verdict
    assert "Traceback" not in target.output(), target.output()[-4000:]
