"""The Makefile with interpreters that only say who they are: which environment it keeps, which it makes again."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECONDS = 20

OF_MAKE = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES", "PYTHON", "ARGS", "PYTEST_ARGS"}
# Makes an environment as venv does, as far as the Makefile looks at it.
INTERPRETER = """\
#!/bin/sh
case "$*" in
  --version) echo "Python 3.11.0" ;;
  "-m venv .venv")
    mkdir -p .venv/bin
    echo "VIRTUAL_ENV=\\"$PWD/.venv\\"" > .venv/bin/activate
    cp "$0" .venv/bin/python
    printf '#!/bin/sh\\necho "$PWD serves"\\n' > .venv/bin/amq
    chmod +x .venv/bin/amq ;;
esac
"""
TOO_OLD = """\
#!/bin/sh
[ "$*" = --version ] && echo "Python 3.10.2"
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "check out"
    folder.mkdir()
    for name in ("Makefile", "setup.cfg", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    return folder


@pytest.fixture
def interpreter(tmp_path: Path) -> Path:
    return program(tmp_path / "python3.11", INTERPRETER)


def program(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


def make(checkout: Path, python: Path) -> subprocess.CompletedProcess[str]:
    # The suite itself may run under a make, which speaks to those under it through the environment.
    environment = {name: value for name, value in os.environ.items() if name not in OF_MAKE}
    return subprocess.run(
        ["make", "run", f"PYTHON={python}"],
        cwd=checkout,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def test_an_environment_is_made_once(checkout: Path, interpreter: Path) -> None:
    made = make(checkout, interpreter)
    assert made.stdout.splitlines() == [
        "creating .venv with Python 3.11.0",
        "installing amq into .venv",
        f"{checkout} serves",
    ]
    assert make(checkout, interpreter).stdout == f"{checkout} serves\n"


def test_an_environment_is_made_again_where_a_checkout_was_moved_to(checkout: Path, interpreter: Path) -> None:
    make(checkout, interpreter)
    moved = checkout.rename(checkout.with_name("moved"))
    assert make(moved, interpreter).stdout.splitlines() == [
        "creating .venv with Python 3.11.0",
        "installing amq into .venv",
        f"{moved} serves",
    ]
    assert make(moved, interpreter).stdout == f"{moved} serves\n"


def test_an_environment_whose_interpreter_is_gone_is_made_again(checkout: Path, interpreter: Path) -> None:
    make(checkout, interpreter)
    (checkout / ".venv/bin/python").unlink()
    assert "creating .venv with Python 3.11.0" in make(checkout, interpreter).stdout


def test_the_interpreter_that_is_named_is_the_one_that_is_too_old(checkout: Path, tmp_path: Path) -> None:
    old = program(tmp_path / "python3.10", TOO_OLD)
    refused = make(checkout, old)
    assert refused.returncode == 2
    assert refused.stderr.splitlines()[0] == f"amq needs Python 3.11 or newer; {old} is Python 3.10.2."


def test_an_interpreter_that_is_named_and_is_none_is_reported(checkout: Path, tmp_path: Path) -> None:
    refused = make(checkout, tmp_path / "nowhere")
    assert refused.returncode == 2
    assert refused.stderr.splitlines()[0] == (
        f"amq needs Python 3.11 or newer; {tmp_path / 'nowhere'} is no Python that runs."
    )
