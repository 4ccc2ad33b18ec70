"""A broker as a process that is started, killed and started again on the same folder, and what it takes meanwhile.

Linux only: memory is what /proc says, its peak between two looks as well; octets written are the disk's own count.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

RABBITMQ: Final = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
# Figures and the HTTP API are served as usual, on ports that the system chooses.
WITH_WEB: Final = {"AMQ_MANAGEMENT__TCP__PORT": "0", "AMQ_PROMETHEUS__TCP__PORT": "0"}
PATIENCE: Final = 900.0  # seconds for a start
GRACE: Final = 60.0  # seconds for a stop
SECTOR: Final = 512
LOOK: Final = 0.005  # seconds between two looks at the port
CLEAR_PEAK: Final = "5"  # see clear_refs in proc(5)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def wait_for(port: int, seconds: float) -> None:
    """Until somebody listens on a port."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    sys.exit(f"nothing listens on 127.0.0.1:{port} after {seconds:.0f} s")


def rabbitmq_environment(folder: Path, port: int) -> dict[str, str]:
    """What makes Debian's RabbitMQ live in a folder and listen on a port of 127.0.0.1."""
    (folder / "plugins").write_text("[].")
    return dict(
        os.environ,
        HOME=str(folder),
        RABBITMQ_NODENAME=f"compare{port}@localhost",
        RABBITMQ_NODE_IP_ADDRESS="127.0.0.1",
        RABBITMQ_NODE_PORT=str(port),
        RABBITMQ_DIST_PORT=str(free_port()),
        RABBITMQ_MNESIA_BASE=str(folder / "db"),
        RABBITMQ_LOG_BASE=str(folder / "log"),
        RABBITMQ_ENABLED_PLUGINS_FILE=str(folder / "plugins"),
        RABBITMQ_PID_FILE=str(folder / "pid"),
    )


class Broker:
    """A command that listens on `port` of 127.0.0.1; what it says goes to `log`."""

    def __init__(self, command: list[str], environment: dict[str, str], port: int, log: Path) -> None:
        self.command = command
        self.environment = environment
        self.port = port
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> float:
        """Spawn it; returns the seconds until it accepted a connection."""
        began = time.perf_counter()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        while time.perf_counter() - began < PATIENCE and self.process.poll() is None:
            if self._listens():
                return time.perf_counter() - began
            time.sleep(LOOK)
        self.kill()
        sys.exit(f"{self.command[0]} does not listen on port {self.port}: see its log\n{self.log.read_text()[-2000:]}")

    def kill(self) -> None:
        """kill -9; nothing when it does not run."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """A stop in good order; nothing when it does not run."""
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        if self.process is None:
            return
        if self.process.poll() is None:
            os.killpg(self.process.pid, number)
        self.process.wait(GRACE)
        self.process = None
        # What was started may have started others: RabbitMQ's script the Erlang machine.
        end = time.monotonic() + GRACE
        while self._listens() and time.monotonic() < end:
            time.sleep(LOOK)

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    # -- what it takes, and says --

    def resident(self) -> int:
        """Octets in main memory now."""
        return self._memory("VmRSS")

    def peak(self) -> int:
        """The most octets in main memory since the start or since `forget_peak`."""
        return self._memory("VmHWM")

    def forget_peak(self) -> None:
        """Let `peak` begin anew."""
        (self._proc() / "clear_refs").write_text(CLEAR_PEAK)

    def _memory(self, name: str) -> int:
        return self._number("status", name) * 1024

    def _number(self, file: str, name: str) -> int:
        found = re.search(rf"^{name}:\s*(\d+)", (self._proc() / file).read_text(), re.MULTILINE)
        return int(found[1]) if found else 0

    def _proc(self) -> Path:
        assert self.process is not None, "it does not run"
        return Path("/proc") / str(self.process.pid)

    def said(self, pattern: str) -> re.Match[str] | None:
        """Where the last match of a pattern stands in what it said."""
        found = list(re.finditer(pattern, self.log.read_text()))
        return found[-1] if found else None


def amq(folder: Path) -> Broker:
    """An amq that keeps its data in `folder`/data."""
    port = free_port()
    serve = [sys.executable, "-m", "amq", "serve", "--data", str(folder / "data"), "--listen", f"127.0.0.1:{port}"]
    return Broker(serve, {**os.environ, **WITH_WEB}, port, folder / "log")


def rabbitmq(folder: Path) -> Broker | None:
    """Debian's RabbitMQ in `folder`; None where it is not installed."""
    if not RABBITMQ.exists():
        return None
    port = free_port()
    return Broker([str(RABBITMQ)], rabbitmq_environment(folder, port), port, folder / "output")


def disk_written(folder: Path) -> int:
    """Octets that everybody has written to the disk of a folder; 0 where the system does not tell.

    What /proc/PID/io says would be one process's, but write_bytes counts a page or more for each octet that is written
    anew, and wchar what goes to sockets.
    """
    device = folder.stat().st_dev
    try:
        statistics = Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}/stat").read_text()
    except OSError:
        return 0
    return int(statistics.split()[6]) * SECTOR


def taken(folder: Path) -> int:
    """Octets that the files in a folder take on its disk; files may come and go meanwhile."""
    octets = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                octets += (Path(place) / name).stat().st_blocks * SECTOR
            except FileNotFoundError:
                continue
    return octets
