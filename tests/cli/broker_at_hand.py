"""A broker with its HTTP API for the tests of the commands that ask one, and those commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from amq.cli.main import main
from tests.harness.process import BrokerProcess

SECONDS = 30


@dataclass
class Said:
    """How a command ended."""

    status: int
    out: str
    err: str

    def json(self) -> Any:
        """What it wrote, as JSON."""
        return json.loads(self.out)

    def lines(self) -> list[str]:
        """What it wrote."""
        return self.out.splitlines()


class Amq:
    """The command, in this process or in one of its own; it asks the broker over the socket of its data folder."""

    def __init__(self, broker: BrokerProcess, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.broker = broker
        self.folder = folder
        self._capsys = capsys

    @property
    def url(self) -> str:
        """Where the HTTP API is."""
        return f"http://guest:guest@127.0.0.1:{self.broker.http_port}"

    def __call__(self, *arguments: str) -> Said:
        """Run it here."""
        self._capsys.readouterr()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AMQ_DATA", str(self.folder))
            try:
                status = main(arguments)
            except SystemExit as ended:
                status = int(ended.code or 0)
        captured = self._capsys.readouterr()
        return Said(status, captured.out, captured.err)

    def done(self, *arguments: str) -> Said:
        """Run it here; it must succeed."""
        said = self(*arguments)
        assert said.status == 0, said.err
        return said

    def refused(self, status: int, *arguments: str) -> str:
        """Run it here; it must end with this status and one line on stderr, which is returned."""
        said = self(*arguments)
        assert said.status == status, (said.out, said.err)
        (line,) = said.err.splitlines()
        return line

    @property
    def environment(self) -> dict[str, str]:
        """For processes."""
        return {**os.environ, "AMQ_DATA": str(self.folder), "PYTHONUNBUFFERED": "1"}

    def process(self, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Run it in a process of its own."""
        command = [sys.executable, "-m", "amq", *arguments]
        return subprocess.run(command, env=self.environment, input=stdin, capture_output=True, timeout=SECONDS)
