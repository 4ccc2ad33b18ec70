"""A broker's disk that fails, hangs or is slow when it is told to; see failing_disk/sitecustomize.py."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

MODULES: Final = Path(__file__).parent / "failing_disk"


class Disk:
    """What the broker's disk is to do, by way of the file `control`."""

    def __init__(self, control: Path) -> None:
        self.control = control

    def environment(self) -> dict[str, str]:
        """What a process needs to have this disk."""
        path = os.pathsep.join([str(MODULES), *filter(None, [os.environ.get("PYTHONPATH")])])
        return {"PYTHONPATH": path, "AMQ_FAULT_DISK": str(self.control)}

    def order(self, what: str) -> None:
        """Have it do that from now on."""
        written = self.control.with_suffix(".new")
        written.write_text(what)
        written.rename(self.control)

    def recover(self) -> None:
        """Let it work again."""
        self.control.unlink()

    def failures(self) -> list[str]:
        """The failures so far."""
        done = Path(f"{self.control}.done")
        return done.read_text().split("\n")[:-1] if done.exists() else []
