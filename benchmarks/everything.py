#!/usr/bin/env python3
"""Every measurement of the project, one after the other: what each said goes into a folder, as text and as JSON.

    python benchmarks/everything.py [--full] [--only NAME,...] [--folder DIR] [--list]

Short forms, unless `--full` is given, which takes hours. In DIR (build/bench) NAME.txt is what a measurement printed,
NAME.json its figures where it writes some, and everything.json says for each of them the command, how long it took in
s, its exit status (not 0: it did not finish, or missed a target that it looks at) and what it printed. Nothing here is
measured anew: each command also runs by itself, and README.md beside this file says which figure comes from which.
"""

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from chosen import chosen

ROOT: Final = Path(__file__).resolve().parent.parent
MICRO: Final = "-m pytest benchmarks/micro --assert=plain -p no:xdist -q --benchmark-quiet --benchmark-disable-gc"
# In this order: name, arguments of Python in short, and in full. {json} and {folder}: where figures go.
COMMANDS: Final = {
    "compare": ("benchmarks/compare.py --rounds 1 --json {json}", "benchmarks/compare.py --rounds 5 --json {json}"),
    "latency": (
        "benchmarks/latency.py --rounds 1 --seconds 3 --json {json}",
        "benchmarks/latency.py --curve --seconds 10 --json {json}",
    ),
    "durability": ("benchmarks/durability.py --scale 0.01 --rabbitmq-count 0", "benchmarks/durability.py"),
    "scale": ("benchmarks/scale.py --tenth", "benchmarks/scale.py"),
    "stalls": ("benchmarks/stalls.py --long 200000 --wave 100000", "benchmarks/stalls.py"),
    "curves": ("benchmarks/curves.py --quick --folder {folder}", "benchmarks/curves.py --folder {folder}"),
    "startup": ("benchmarks/startup.py 5", "benchmarks/startup.py 20"),
    "management-stall": ("benchmarks/management_stall.py 2000 5", "benchmarks/management_stall.py"),
    "metrics-cost": (
        "-m benchmarks.metrics_cost --queues 2000 --connections 2000",
        "-m benchmarks.metrics_cost",
    ),
    "object-memory": ("-m benchmarks.metrics_cost --memory", "-m benchmarks.metrics_cost --memory"),
    "topic-routing": ("benchmarks/topic_routing.py --rounds 2", "benchmarks/topic_routing.py"),
    "profile": ("benchmarks/profile_stages.py --count 300000", "benchmarks/profile_stages.py"),
    "micro": (f"{MICRO} --benchmark-json={{json}}", f"{MICRO} --benchmark-json={{json}}"),
    "budget": ("-m tests.guard.budget --json", "-m tests.guard.budget --json"),
}


@dataclass(frozen=True)
class Outcome:
    """One measurement: its command, s, exit status, and what it printed."""

    command: str
    seconds: float
    status: int
    printed: str


def run(name: str, command: str, folder: Path) -> Outcome:
    """Run one and show what it says while it says it."""
    there = folder / name
    if "{folder}" in command:
        there.mkdir(exist_ok=True)
    words = [part.format(json=folder / f"{name}.json", folder=there) for part in command.split()]
    print(f"== {name}: python {' '.join(words)}", flush=True)
    began = time.monotonic()
    lines = []
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [sys.executable, *words],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                print(line, end="", flush=True)
                lines.append(line)
        except BaseException:
            process.terminate()
            raise
    printed = "".join(lines)
    (folder / f"{name}.txt").write_text(printed)
    return Outcome("python " + " ".join(words), round(time.monotonic() - began, 1), process.returncode, printed)


def main() -> None:
    """Run what the command line names. Exit status 1: one of them ended with another status than 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "bench")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    # What is being measured ends, too, when this is told to end.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    names = chosen(parser, options.only, COMMANDS)
    if options.list:
        print("\n".join(f"{name:<18}{COMMANDS[name][options.full]}" for name in names))
        return
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    found = {}
    for name in names:
        found[name] = run(name, COMMANDS[name][options.full], folder)
        machine = {"python": platform.python_version(), "system": platform.platform(), "processors": os.cpu_count()}
        outcomes = {done: asdict(outcome) for done, outcome in found.items()}
        (folder / "everything.json").write_text(json.dumps({"machine": machine, "measured": outcomes}, indent=1))
    print(f"\n{'measurement':<18}{'s':>8}  exit status")
    for name, outcome in found.items():
        print(f"{name:<18}{outcome.seconds:>8.1f}  {outcome.status}")
    print(f"all of it is in {folder}")
    sys.exit(1 if any(outcome.status for outcome in found.values()) else 0)


if __name__ == "__main__":
    main()
