"""A terminal for a command: what it draws, and keys for it."""

from __future__ import annotations

import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from fcntl import ioctl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.broker_at_hand import Amq

SECONDS = 20
LINES, COLUMNS = 40, 160


class Terminal:
    """A command on a pseudo-terminal of 160 columns."""

    def __init__(self, amq: Amq, *arguments: str) -> None:
        self._end, theirs = pty.openpty()
        ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        environment = {**amq.environment, "TERM": "xterm-256color", "NO_COLOR": ""}
        # What they say would count more than the terminal's own size.
        for name in ("COLUMNS", "LINES"):
            environment.pop(name, None)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "amq", *arguments],
            env=environment,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self.shown = ""

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        os.close(self._end)

    def _take(self, seconds: float) -> bool:
        if not select.select([self._end], [], [], seconds)[0]:
            return True
        try:
            octets = os.read(self._end, 65536)
        except OSError:
            # The other end is closed.
            return False
        self.shown += octets.decode("utf-8", "replace")
        return bool(octets)

    def await_text(self, text: str) -> None:
        """Until that has been shown."""
        deadline = time.monotonic() + SECONDS
        while text not in self.shown:
            assert time.monotonic() < deadline, self.shown
            assert self._take(0.2) or text in self.shown, self.shown

    def type(self, keys: str) -> None:
        """Keys of somebody."""
        os.write(self._end, keys.encode())

    def interrupt(self) -> None:
        """Ctrl-C."""
        self._process.send_signal(2)

    def end(self) -> int:
        """Wait for the end; the exit status."""
        deadline = time.monotonic() + SECONDS
        while self._take(0.2):
            assert time.monotonic() < deadline, self.shown
            if self._process.poll() is not None and not select.select([self._end], [], [], 0)[0]:
                break
        return self._process.wait(SECONDS)
