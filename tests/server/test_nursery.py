"""The settings of PyPy's garbage collector: the process starts anew with them, once, and leaves an operator's alone."""

import json
import os
import subprocess
import sys

from amq.server import nursery

# Both times it runs, it is a PyPy.
PROGRAM = """
import json, os
from amq.server import nursery
nursery.PYPY = {pypy}
before = os.environ.pop("BEFORE", None) or os.environ.setdefault("BEFORE", str(os.getpid()))
nursery.start_anew()
print(json.dumps({{**os.environ, "pids": [before, str(os.getpid())]}}))
"""


def settings_of(pypy: bool, **said: str) -> tuple[dict[str, str], list[str]]:
    """Settings in the environment of a process that has started anew if it should, and its ids before and after."""
    clean = {name: value for name, value in os.environ.items() if name not in nursery.SETTINGS}
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(pypy=pypy)],
        env={**clean, **said},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    found = json.loads(run.stdout)
    return {name: found[name] for name in nursery.SETTINGS if name in found}, found["pids"]


def test_pypy_starts_anew_with_its_settings_in_the_same_process() -> None:
    settings, (before, after) = settings_of(pypy=True)
    assert settings == nursery.SETTINGS
    assert before == after


def test_what_an_operator_has_set_stays_as_it_is() -> None:
    settings, _ = settings_of(pypy=True, PYPY_GC_NURSERY="4M")
    assert settings == {"PYPY_GC_NURSERY": "4M"}


def test_cpython_just_goes_on() -> None:
    settings, _ = settings_of(pypy=False)
    assert settings == {}
