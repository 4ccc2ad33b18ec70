"""Brokers that a test may start, kill and start again, on the same port and folder: amq, and RabbitMQ as an anchor.

`AMQ_FAULT_TARGET=rabbitmq` plays the same load to Debian's RabbitMQ: what fails there too, the tests ask too much.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from tests.faults.client import Address
from tests.harness.process import LOOPBACK, WITHOUT_WEB, free_port

START_SECONDS: Final = 90.0
STOP_SECONDS: Final = 30.0
POLL_SECONDS: Final = 0.02
RABBITMQ: Final = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
NAMED: Final = os.environ.get("AMQ_FAULT_TARGET", "amq")


class TargetFailed(Exception):
    """The broker did not start, or not end, in time; the text carries what it wrote."""


class Target:
    """A broker's command with its port and its folder. What it writes goes to `log`, over all its lives."""

    def __init__(self, command: list[str], folder: Path, port: int, environment: Mapping[str, str]) -> None:
        self.address: Final[Address] = (LOOPBACK, port)
        self.folder: Final = folder
        self.log: Final = folder / "broker.log"
        self.environment = dict(environment)
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None

    def output(self) -> str:
        """Everything the broker wrote so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def launch(self) -> None:
        """Start the process and return at once."""
        # What configures a broker, or these tests, is not for this one.
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AMQ_")}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self.folder,
                env={**inherited, "PYTHONUNBUFFERED": "1", **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait_until_it_speaks(self) -> None:
        """Return when it greets clients; TargetFailed when it ends or stays silent."""
        deadline = time.monotonic() + START_SECONDS
        while not self._speaks():
            status = self._running().poll()
            if status is not None:
                raise TargetFailed(f"ended with status {status} at its start:\n{self.output()[-4000:]}")
            if time.monotonic() > deadline:
                self.kill()
                raise TargetFailed(f"did not listen in {START_SECONDS} s:\n{self.output()[-4000:]}")
            time.sleep(POLL_SECONDS)

    def start(self) -> None:
        """Start and wait until clients can come."""
        self.launch()
        self.wait_until_it_speaks()

    def kill(self) -> None:
        """SIGKILL to all of its processes. Nothing happens when it is not running."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(STOP_SECONDS)
        self._process = None

    def terminate(self) -> None:
        """SIGTERM: it begins to say goodbye to its clients."""
        self._running().send_signal(signal.SIGTERM)

    def stop(self) -> int:
        """SIGTERM and wait for the end; returns the exit status."""
        self.terminate()
        return self.wait()

    def wait(self, seconds: float = STOP_SECONDS) -> int:
        """Wait until it ends by itself; returns the exit status. TargetFailed when that takes too long."""
        try:
            status = self._running().wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise TargetFailed(f"did not end in {seconds} s:\n{self.output()[-4000:]}") from None
        self._process = None
        return status

    def ended(self) -> bool:
        """Whether the process is over."""
        return self._process is None or self._process.poll() is not None

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise TargetFailed("not started")
        return self._process

    def _speaks(self) -> bool:
        """Whether somebody answers the protocol header; RabbitMQ accepts a while before it does."""
        try:
            with socket.create_connection(self.address, timeout=2.0) as probe:
                probe.sendall(b"AMQP\x00\x00\x09\x01")
                return bool(probe.recv(1))
        except OSError:
            return False


def amq(folder: Path, *options: str, environment: Mapping[str, str] | None = None) -> Target:
    """`amq serve` that keeps its data in `folder/data`; not started."""
    port = free_port()
    command = [sys.executable, "-m", "amq", "serve", "--listen", f"{LOOPBACK}:{port}"]
    return Target(
        [*command, "--data", str(folder / "data"), *options], folder, port, {**WITHOUT_WEB, **(environment or {})}
    )


def rabbitmq(folder: Path) -> Target:
    """Debian's RabbitMQ with its data in the folder; not started."""
    port = free_port()
    (folder / "plugins").write_text("[].")
    environment = {
        "HOME": str(folder),
        "RABBITMQ_NODENAME": f"faults{port}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": LOOPBACK,
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_MNESIA_BASE": str(folder / "db"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
    }
    return Target([str(RABBITMQ)], folder, port, environment)


@contextmanager
def started(target: Target) -> Iterator[Target]:
    """The target, running; killed at the end of the block if it still runs."""
    try:
        target.start()
        yield target
    finally:
        target.kill()
