#!/usr/bin/env python3
"""Where a message's microseconds go: the broker's CPU time per message, by stage, in some scenarios of compare.py.

    python benchmarks/profile_stages.py [--count N] [--only NAME,...]

amq is started with this Python on a free port of 127.0.0.1 and looks at itself: every few milliseconds of CPU time a
signal (SIGPROF) notes which function is at work, and how much CPU time of the main thread has gone by since the last
time. What a function asks of the kernel or of C counts as its own time. The load comes from amqpload.c.
A table in Markdown: microseconds per delivered message. The threads that write and sync the journal run beside the
others. Only CPU time is in it, no waiting.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from types import FrameType
from typing import Final

from amqpload import load
from broker_process import WITH_WEB, free_port, wait_for
from compare import SCENARIOS

NAMES: Final = ("transient", "confirm", "work-queue", "ack-each", "durable")
TICK: Final = 0.001  # seconds of CPU time; kernels round it up to their own tick
# The first that fits the innermost function that one of them fits: end of the file's path, function (empty: all of
# them), stage.
STAGES: Final = (
    ("server/plain.py", "_receive", "kernel: read"),
    ("server/", "write_some", "kernel: write"),
    ("connection/outbox.py", "", "join what is to be sent"),
    ("wire/tail.py", "", "scan frames"),
    ("connection/framing.py", "", "scan frames"),
    ("connection/connection.py", "", "scan frames"),
    ("journal/", "", "journal: records"),
    ("server/journal", "", "journal: records"),
    ("server/disk", "", "journal: records"),
    ("connection/publisher.py", "", "publish: compare, cached route, message"),
    ("connection/assembly.py", "", "publish: compare, cached route, message"),
    ("connection/lead.py", "", "publish: compare, cached route, message"),
    ("amq/message.py", "", "publish: compare, cached route, message"),
    ("amq/exchanges/", "", "publish: compare, cached route, message"),
    ("vhost/placing.py", "", "enqueue"),
    ("queues/classic.py", "enqueue", "enqueue"),
    ("queues/classic.py", "took", "enqueue"),
    ("connection/consumer.py", "", "deliver: frames, ledger"),
    ("connection/confirms.py", "", "confirm"),
    ("connection/consuming.py", "", "acknowledge: ledger, settle"),
    ("connection/ledger.py", "", "acknowledge: ledger, settle"),
    ("queues/classic.py", "settle", "acknowledge: ledger, settle"),
    ("queues/stored.py", "", "acknowledge: ledger, settle"),
    ("queues/", "", "dispatch"),
    ("vhost/settling.py", "", "dispatch"),
    ("server/", "", "loop: epoll, trio, bookkeeping of sockets"),
    ("trio/", "", "loop: epoll, trio, bookkeeping of sockets"),
    ("amq/", "", "everything else"),
)
OTHER: Final = "everything else"
DISK: Final = "other threads: the journal's write and fdatasync"
ORDER: Final = [*dict.fromkeys(stage for _, _, stage in STAGES if stage != OTHER), OTHER, DISK]


def stage_of(path: str, function: str) -> str:
    """The stage that a function belongs to; empty when it is nobody's."""
    for where, name, stage in STAGES:
        if where in path and name in ("", function):
            return stage
    return ""


class Sampler:
    """Notes where the main thread is; the broker runs in it. `totals` has seconds of CPU time by stage."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.totals: defaultdict[str, float] = defaultdict(float)
        self.known: dict[object, str] = {}
        self.last = time.thread_time()
        self.others = time.process_time() - self.last
        signal.signal(signal.SIGPROF, self.tick)
        signal.signal(signal.SIGUSR1, self.tell)
        signal.setitimer(signal.ITIMER_PROF, TICK, TICK)

    def tick(self, _number: int, frame: FrameType | None) -> None:
        """Count the time since the last tick for what is at work."""
        now = time.thread_time()
        self.totals[self.stage(frame)] += now - self.last
        self.last = now

    def stage(self, frame: FrameType | None) -> str:
        """The stage of the innermost function that belongs to one."""
        while frame is not None:
            code = frame.f_code
            stage = self.known.get(code)
            if stage is None:
                stage = self.known[code] = stage_of(code.co_filename, code.co_name)
            if stage:
                return stage
            frame = frame.f_back
        return OTHER

    def tell(self, _number: int, _frame: FrameType | None) -> None:
        """Write down what was noted since the last time, and begin anew."""
        others = time.process_time() - time.thread_time()
        self.totals[DISK] += others - self.others
        self.others = others
        whole = self.target.with_suffix(".new")
        whole.write_text(json.dumps(self.totals))
        whole.rename(self.target)
        self.totals.clear()


def serve(target: str, arguments: list[str]) -> None:
    """Be the broker that is looked at."""
    from amq.cli import main

    Sampler(Path(target))
    main.main(["serve", *arguments])


def noted(process: int, target: Path) -> dict[str, float]:
    """What the broker noted since the last time."""
    target.unlink(missing_ok=True)
    os.kill(process, signal.SIGUSR1)
    for _ in range(500):
        time.sleep(0.02)
        if target.exists():
            return dict(json.loads(target.read_text()))
    sys.exit("the broker does not answer")


def profile(port: int, process: int, target: Path, name: str, count: int) -> dict[str, float]:
    """Microseconds per delivered message, by stage, in one scenario."""
    arguments, share = SCENARIOS[name]
    address = f"127.0.0.1:{port}"
    # Once beforehand: connections, routes, the interpreter's own caches.
    load(address, "-z", 60, *arguments, "-C", 20_000)
    noted(process, target)
    run = load(address, "-z", 60, *arguments, "-C", int(count * share))
    return {stage: seconds / run.received * 1e6 for stage, seconds in noted(process, target).items()}


def main() -> None:
    """Profile what --only names, or the usual five, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1_500_000)
    parser.add_argument("--only", default=",".join(NAMES))
    options = parser.parse_args()
    names = [name for name in options.only.split(",") if name]
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="amq-profile-") as folder:
        target = Path(folder, "stages.json")
        broker = [sys.executable, __file__, "--serve", str(target), "--data", folder + "/data"]
        broker += ["--listen", f"127.0.0.1:{port}", "--log-level", "error"]
        process = subprocess.Popen(broker, env={**os.environ, **WITH_WEB}, stdout=subprocess.DEVNULL)
        try:
            wait_for(port, 30)
            # What starts with the broker is over then.
            time.sleep(2)
            columns = [profile(port, process.pid, target, name, options.count) for name in names]
        finally:
            process.terminate()
            process.wait(30)
    print(f"| us of CPU per message | {' | '.join(names)} |")
    print("|---|" + "---|" * len(names))
    for stage in ORDER:
        print(f"| {stage} | {' | '.join(f'{column.get(stage, 0.0):.2f}' for column in columns)} |")
    print(f"| all | {' | '.join(f'{sum(column.values()):.2f}' for column in columns)} |")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(sys.argv[2], sys.argv[3:])
    else:
        main()
