"""What not every machine, and not every Python, has: tests that need it are skipped without it."""

from pathlib import Path
from typing import Any

import pytest

needs_proc = pytest.mark.skipif(not Path("/proc/self").exists(), reason="the kernel's files are not mounted on /proc")


def memory_tracer() -> Any:
    """The module tracemalloc; skips the test that asks where there is none."""
    return pytest.importorskip("tracemalloc", reason="PyPy cannot trace its memory")
