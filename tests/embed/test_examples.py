"""The documented examples pass as they stand, with a plain pytest and its default configuration."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples" / "embedding"
FILES = sorted(path.name for path in EXAMPLES.glob("test_*.py"))


def test_every_client_has_its_example() -> None:
    assert FILES == ["test_with_aio_pika.py", "test_with_celery.py", "test_with_pika.py"]


@pytest.mark.parametrize("name", FILES)
def test_the_example_passes(name: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", name],
        cwd=EXAMPLES,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert re.search(r"=+ \d+ passed in ", ended.stdout), ended.stdout
