#!/usr/bin/env python3
"""What amq moves on PyPy: Debian trixie's pypy3 in a folder of its own, entered with chroot, and this checkout in it.

    sudo python benchmarks/pypy.py [--folder DIR] [--rounds N] [--seconds S] [--warm S] [--only NAME,...] [--mirror URL]

Needs root, debootstrap, cc, and a Python with pip (the one that runs this). The folder is made if it is not there yet
(debootstrap, 250 MB), wheels are downloaded outside of it, for PyPy, and installed inside with --no-index; a folder
that was made is kept, so that the next run takes no time for it. Nothing is mounted: the broker lives in the folder,
listens on a free port of 127.0.0.1 and is stopped at the end.

PyPy compiles what runs often, so each scenario runs for --warm seconds before it is measured, on the same broker. A row
is the median of --rounds runs of about --seconds: messages per second through amq; the figure of LavinMQ 2.1 (no fsync
on confirm) on one 2-core machine, not this one, as far as there is one; the ratio; end-to-end p50 and p99 in ms;
processors busy in the broker and in the load tool. `transient` has no window: the tool sends as fast as it can, and its
p99 is the time that messages stand in the buffers of sockets. The rows `steady` send 100,000 messages per second: their
p99 shows pauses.
"""

import argparse
import os
import re
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from configparser import ConfigParser
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

from amqpload import load_tool
from broker_process import WITH_WEB, free_port, wait_for
from compare import SCENARIOS

ROOT: Final = Path(__file__).resolve().parent.parent
FOLDER: Final = Path("/var/tmp/amq-pypy")
MIRROR: Final = "http://deb.debian.org/debian"
TICKS: Final = os.sysconf("SC_CLK_TCK")
# Delivered per second by LavinMQ 2.1.
LAVINMQ: Final = {
    "transient": 640_000,
    "transient-1k": 293_000,
    "confirm": 344_000,
    "ack-each": 279_000,
    "durable": 545_000,
    "durable-1k": 231_000,
    "fanout-5": 586_000,
}
STEADY: Final = ["-r", "100000", "-c", "5000", "-f", "5000", "-a", "50"]
ARGUMENTS: Final = {
    **{name: arguments for name, (arguments, _) in SCENARIOS.items()},
    "steady": STEADY,
    "steady-durable": ["-d", *STEADY],
}
FIGURES: Final = re.compile(r"e2e us p50 (\d+) p99 (\d+).*secs ([\d.]+) total \d+/\d+/(\d+)")
# Messages of the first run of a scenario, before it is known how fast it goes.
FIRST: Final = 2000
PATIENCE: Final = 60  # seconds
COLUMNS: Final = ("amq/s", "LavinMQ", "ratio", "p50 ms", "p99 ms", "broker", "tool")


class Run(NamedTuple):
    """Delivered per second, end-to-end latency in ms, processors busy in the broker and in the load tool."""

    rate: float
    p50: float
    p99: float
    broker: float
    tool: float


def make_folder(folder: Path, mirror: str) -> None:
    """A Debian with PyPy, unless it is there already."""
    if (folder / "usr/bin/pypy3").exists():
        return
    if shutil.which("debootstrap") is None:
        sys.exit("no debootstrap here: apt-get install debootstrap")
    subprocess.run(["debootstrap", "--variant=minbase", "--include=pypy3", "trixie", str(folder), mirror], check=True)


def requirements() -> list[str]:
    """What amq needs, without argon2-cffi: that asks for cffi, which PyPy has built in without pip's knowing."""
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg")
    lines = setup["options"]["install_requires"] + setup["options.extras_require"]["management"]
    return [line for line in lines.splitlines() if line and not line.startswith("argon2")]


def install(folder: Path) -> None:
    """Wheels from outside, unpacked by the PyPy inside; and the source of this checkout."""
    wheels = folder / "wheels"
    if not (folder / "site").exists():
        target = ["--implementation", "pp", "--python-version", "3.11", "--only-binary", ":all:"]
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(wheels)]
        subprocess.run([*pip, *target, "pip", *requirements()], check=True)
        installer = next(wheels.glob("pip-*.whl")).name
        # All of them by name: pip outside has seen to it that they fit together.
        packages = [f"/wheels/{wheel.name}" for wheel in wheels.glob("*.whl") if wheel.name != installer]
        offline = ["--no-index", "--no-deps", "--quiet", "--root-user-action=ignore", "--target", "/site"]
        inside = ["chroot", str(folder), "pypy3", f"/wheels/{installer}/pip", "install", *offline, *packages]
        subprocess.run(inside, check=True)
    shutil.rmtree(folder / "amq", ignore_errors=True)
    shutil.copytree(ROOT / "src", folder / "amq", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))


@contextmanager
def serving(folder: Path) -> Iterator[tuple[int, int]]:
    """An amq in the folder; its process and its port."""
    port = free_port()
    data = folder / f"data{port}"
    environment = {"PATH": os.environ["PATH"], "HOME": "/root", "PYTHONPATH": "/site:/amq", **WITH_WEB}
    # What an operator tells PyPy itself.
    environment |= {name: value for name, value in os.environ.items() if name.startswith(("PYPY", "AMQ_"))}
    serve = ["serve", "--data", f"/{data.name}", "--listen", f"127.0.0.1:{port}", "--log-level", "warning"]
    with (folder / "amq.log").open("wb") as log:
        process = subprocess.Popen(
            ["chroot", str(folder), "pypy3", "-m", "amq", *serve], env=environment, stdout=log, stderr=log
        )
    try:
        wait_for(port, PATIENCE)
        yield process.pid, port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)
        shutil.rmtree(data, ignore_errors=True)


def cpu_seconds(pid: int) -> float:
    """Processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def tool_seconds() -> float:
    """Processor time of the load tools that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def measure(tool: str, pid: int, port: int, arguments: list[str], count: int) -> Run:
    """One run of so many messages."""
    broker, load = cpu_seconds(pid), tool_seconds()
    command = [tool, "-P", str(port), "-z", str(PATIENCE), "-C", str(count), *arguments]
    run = subprocess.run(command, capture_output=True, text=True, timeout=2 * PATIENCE, check=False)
    found = FIGURES.search(run.stdout)
    if run.returncode or not found or float(found[3]) > PATIENCE - 1:
        sys.exit(f"a run did not finish: {' '.join(command)}\n{run.stdout}{run.stderr}")
    seconds = float(found[3]) or 0.01
    return Run(
        int(found[4]) / seconds,
        int(found[1]) / 1000,
        int(found[2]) / 1000,
        (cpu_seconds(pid) - broker) / seconds,
        (tool_seconds() - load) / seconds,
    )


def published(arguments: list[str], run: Run, seconds: float) -> int:
    """How many messages each producer publishes in so many seconds at that rate."""
    options = dict(pairwise(arguments))
    copies = int(options.get("-q", "1")) if "fanout" in arguments else int(options.get("-x", "1"))
    return max(FIRST, int(run.rate / copies * seconds))


def row(tool: str, pid: int, port: int, name: str, options: argparse.Namespace) -> None:
    """Warm one scenario up, measure it, print its row."""
    arguments = ARGUMENTS[name]
    warm_until = time.monotonic() + options.warm
    run = measure(tool, pid, port, arguments, FIRST)
    while time.monotonic() < warm_until:
        run = measure(tool, pid, port, arguments, published(arguments, run, 1.0))
    runs = [
        measure(tool, pid, port, arguments, published(arguments, run, options.seconds)) for _ in range(options.rounds)
    ]
    mid = Run(*(statistics.median(column) for column in zip(*runs, strict=True)))
    theirs = LAVINMQ.get(name)
    beside = f"{theirs:>10}{mid.rate / theirs:>10.2f}" if theirs else f"{'-':>10}{'-':>10}"
    spent = "".join([f"{figure:>10.2f}" for figure in mid[1:]])
    print(f"{name:<16}{mid.rate:>10.0f}{beside}{spent}", flush=True)


def main() -> None:
    """Everything, or what --only names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--mirror", default=MIRROR)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--warm", type=float, default=8.0)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    names = [name for name in options.only.split(",") if name] or list(ARGUMENTS)
    if os.geteuid():
        sys.exit("chroot is for root alone: sudo python benchmarks/pypy.py")
    tool = load_tool()
    make_folder(options.folder, options.mirror)
    install(options.folder)
    with serving(options.folder) as (pid, port):
        print("scenario".ljust(16) + "".join([column.rjust(10) for column in COLUMNS]), flush=True)
        for name in names:
            row(tool, pid, port, name, options)


if __name__ == "__main__":
    main()
