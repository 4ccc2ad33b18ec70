"""`amq --version` tells which amq this is."""

import subprocess
import sys
from importlib import metadata

from amq import message
from amq.cli.version import compiled, full_version, version


def test_the_version_is_that_of_what_is_installed() -> None:
    assert version() == metadata.version("amq")


def test_it_is_known_whether_the_hot_core_is_compiled() -> None:
    assert compiled() == (type(message.Message.routing_key).__name__ != "function")


def test_the_command_tells_both() -> None:
    shown = subprocess.run([sys.executable, "-m", "amq", "--version"], capture_output=True, text=True, check=True)
    assert shown.stdout == f"amq {full_version()}\n"
    assert shown.stdout.endswith(", compiled\n") == compiled()
