"""A broker in a process of its own: started, waited for, stopped, restarted on the same port.

Knows the command line of `amq serve` and how to see that a TCP port answers. It does not speak AMQP: what a client
observes is the matter of the tests.
"""

from __future__ import annotations

import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

LOOPBACK: Final = "127.0.0.1"
# Under the range that the kernel takes client ports from: a client that keeps reconnecting to a port where nobody
# listens may otherwise be given that very port as its own, and then it is connected to itself.
PORTS: Final = range(20_000, 32_000)
START_SECONDS: Final = 30.0
STOP_SECONDS: Final = 10.0
POLL_SECONDS: Final = 0.01
# Most tests speak AMQP alone.
WITHOUT_WEB: Final = {"AMQ_MANAGEMENT__ENABLED": "false", "AMQ_PROMETHEUS__ENABLED": "false"}
WITH_WEB: Final = {"AMQ_MANAGEMENT__TCP__PORT": "0", "AMQ_PROMETHEUS__TCP__PORT": "0"}
# How much of its end is shown of what a broker wrote.
OUTPUT_TAIL: Final = 4000


class BrokerFailed(Exception):
    """The broker ended, or did not answer or end in time; the text carries what it wrote."""


def free_port() -> int:
    """A TCP port on loopback that nobody listened on just now."""
    for _ in range(200):
        port = random.choice(PORTS)
        with socket.socket() as probe:
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return port
    raise OSError(f"no free port in {PORTS}")


def wait_for_port(host: str, port: int, seconds: float) -> bool:
    """Whether the port accepted a connection within so many seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with socket.create_connection((host, port), timeout=1.0):
                return True
        except OSError:
            time.sleep(POLL_SECONDS)
    return False


class BrokerProcess:
    """`python -m amq serve` on a loopback port. What it writes goes to `log`, which survives restarts.

    `folder` is the process's working directory and holds the log; `options` are further arguments of `amq serve`.
    `data` is the data folder; without one nothing is kept. With `management` the HTTP API and the figures for
    Prometheus are served, on ports that the system chooses (`http_port`, `figures_port`). `environment` is added to
    the process's.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        options: tuple[str, ...] = (),
        data: Path | None = None,
        management: bool = False,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.host = LOOPBACK
        self.port = free_port() if port is None else port
        self.folder = folder
        self.log = folder / f"broker-{self.port}.log"
        self._options = ("--in-memory" if data is None else f"--data={data}", *options)
        self._environment = {**(WITH_WEB if management else WITHOUT_WEB), **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None
        # How much earlier lives have written.
        self._written = 0

    @property
    def http_port(self) -> int:
        """Where the HTTP API is served, in the latest life."""
        return self._announced("api")

    @property
    def figures_port(self) -> int:
        """Where the figures for Prometheus are served, in the latest life."""
        return self._announced("metrics")

    @property
    def url(self) -> str:
        """The AMQP URL of vhost `/` for guest."""
        return f"amqp://guest:guest@{self.host}:{self.port}/%2F"

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process id; BrokerFailed when the broker is not started."""
        return self._started().pid

    def output(self) -> str:
        """Everything the broker wrote to stdout and stderr so far, over all its lives."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def start(self) -> None:
        """Start and wait until the port accepts; BrokerFailed if it ends or stays silent for 30 s."""
        command = [sys.executable, "-m", "amq", "serve", "--listen", f"{self.host}:{self.port}", *self._options]
        self._written = len(self.output())
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self.folder,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **self._environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + START_SECONDS
        while not wait_for_port(self.host, self.port, 0.1):
            status = self._process.poll()
            if status is not None:
                raise BrokerFailed(f"the broker ended with status {status} at its start:\n{self.output()}")
            if time.monotonic() > deadline:
                self.kill()
                raise BrokerFailed(f"the broker did not listen on {self.port} in {START_SECONDS} s:\n{self.output()}")

    def terminate(self) -> None:
        """SIGTERM: the broker begins to say goodbye to its clients. `wait` sees it end."""
        self._started().send_signal(signal.SIGTERM)

    def wait(self) -> int:
        """Wait for the end; returns the exit status. BrokerFailed if that takes over 10 s (the broker is killed)."""
        try:
            status = self._started().wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise BrokerFailed(f"the broker did not end in {STOP_SECONDS} s:\n{self.output()}") from None
        self._process = None
        return status

    def stop(self) -> int:
        """SIGTERM and wait. A client that is not reading meanwhile makes the broker use up its grace period."""
        self.terminate()
        return self.wait()

    def kill(self) -> None:
        """SIGKILL: the sockets close without a word, as in a power cut. Nothing happens when it is not running."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart(self) -> None:
        """Stop and start again on the same port."""
        self.stop()
        self.start()

    def _announced(self, what: str) -> int:
        """The port of an address that the banner names. The banner is printed when AMQP clients can connect."""
        deadline = time.monotonic() + START_SECONDS
        while not (
            found := re.findall(rf"^  {what} +https?://[^/]*:(\d+)", self.output()[self._written :], re.MULTILINE)
        ):
            if time.monotonic() > deadline or not self.running:
                raise BrokerFailed(f"the broker names no {what}:\n{self.output()}")
            time.sleep(POLL_SECONDS)
        return int(found[-1])

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise BrokerFailed("the broker is not started")
        return self._process


@contextmanager
def running_broker(folder: Path, data: Path | None = None, management: bool = False) -> Iterator[BrokerProcess]:
    """A broker process for the block, which nothing that happens there may make complain of itself."""
    broker = BrokerProcess(folder, data=data, management=management)
    broker.start()
    try:
        yield broker
        status = broker.stop()
    finally:
        broker.kill()
    assert status == 0, f"status {status} after SIGTERM:\n{broker.output()[-OUTPUT_TAIL:]}"
    assert "Traceback" not in broker.output(), broker.output()[-OUTPUT_TAIL:]
