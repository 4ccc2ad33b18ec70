"""`amq --version` tells which amq this is."""

import subprocess
import sys
from importlib import metadata

from amq.cli.version import version


def test_the_version_is_that_of_what_is_installed() -> None:
    assert version() == metadata.version("amq")


def test_the_command_tells_it() -> None:
    shown = subprocess.run([sys.executable, "-m", "amq", "--version"], capture_output=True, text=True, check=True)
    assert shown.stdout == f"amq {version()}\n"
