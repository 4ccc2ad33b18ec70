"""Main memory of a broker and of what it started, as /proc says."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from broker_process import CLEAR_PEAK, Broker

SESSION: Final = 3  # of what stands behind the name in /proc/PID/stat
LOOK: Final = 0.2  # seconds
LOOKS: Final = 10
STEADY: Final = 0.01


def resident(broker: Broker) -> int:
    """Octets in main memory now."""
    return _sum(broker, "VmRSS")


def settled(broker: Broker) -> int:
    """The same when it does not change any more, or after 2 seconds."""
    before = resident(broker)
    for _ in range(LOOKS):
        time.sleep(LOOK)
        now = resident(broker)
        if abs(now - before) < STEADY * before:
            return now
        before = now
    return before


def peak(broker: Broker) -> int:
    """The most octets in main memory since `forget_peak`."""
    return _sum(broker, "VmHWM")


def forget_peak(broker: Broker) -> None:
    """Let `peak` begin anew."""
    for process in _processes(broker):
        (process / "clear_refs").write_text(CLEAR_PEAK)


def _sum(broker: Broker, name: str) -> int:
    octets = 0
    for process in _processes(broker):
        try:
            found = re.search(rf"^{name}:\s*(\d+)", (process / "status").read_text(), re.MULTILINE)
        except FileNotFoundError:
            continue
        octets += int(found[1]) * 1024 if found else 0
    return octets


def _processes(broker: Broker) -> Iterator[Path]:
    """RabbitMQ's script starts the Erlang machine: all that is in the session of what was started."""
    assert broker.process is not None, "it does not run"
    for process in Path("/proc").glob("[0-9]*"):
        try:
            facts = (process / "stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(facts[SESSION]) == broker.process.pid:
            yield process
