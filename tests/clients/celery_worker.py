"""A Celery worker in a process of its own."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.harness.process import POLL_SECONDS

ROOT = Path(__file__).parents[2]
START_SECONDS = 60.0
STOP_SECONDS = 20.0


@contextmanager
def celery_worker(folder: Path, broker_url: str, backend: str, prefix: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start a worker and wait until it consumes. SIGTERM at the end, SIGKILL if that does not help."""
    log = folder / "worker.log"
    command = [sys.executable, "-m", "tests.clients.celery_app", broker_url, backend, prefix]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        wait_until_ready(process, log)
        yield process
        process.send_signal(signal.SIGTERM)
        process.wait(STOP_SECONDS)
    finally:
        process.kill()
        process.wait()


def wait_until_ready(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while b" ready." not in log.read_bytes():
        if process.poll() is not None:
            raise RuntimeError(f"the worker ended with status {process.returncode}:\n{log.read_text()}")
        if time.monotonic() > deadline:
            raise RuntimeError(f"the worker was not ready in {START_SECONDS} s:\n{log.read_text()}")
        time.sleep(POLL_SECONDS)
