"""Breaks the journal on purpose, one way at a time, and shows which test notices: `make mutants`.

Each mutation replaces exact text in a copy of the sources; text that is not there any more is an error, not a pass.
Exit status: 0 when a test fails for every mutant, 1 when one survives, 2 when something else is wrong.

    .venv/bin/python -m tests.faults.mutants            all of them
    .venv/bin/python -m tests.faults.mutants fsync      those with the word in their name
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import attrs

from tests.faults.mutants_list import IMAGES, TESTS, TEXTS

ROOT = Path(__file__).resolve().parents[2]
# Of one mutant, in seconds.
LIMIT = 300


class MutationError(Exception):
    """A mutation that says nothing: its text is not in the sources, or the tests fail without it."""


@attrs.frozen
class Edit:
    """`old` stands once in the file (relative to src/amq) and becomes `new`."""

    file: str
    old: str
    new: str

    def apply(self, package: Path) -> None:
        """Change the file in a copy of the package. Raises MutationError."""
        path = package / self.file
        text = path.read_text()
        if text.count(self.old) != 1:
            raise MutationError(f"{self.file}: found {text.count(self.old)} times: {self.old!r}")
        path.write_text(text.replace(self.old, self.new))


@attrs.frozen
class Mutant:
    """One way to break the journal, and the tests that are asked whether they notice."""

    name: str
    edits: tuple[Edit, ...]
    tests: tuple[str, ...]


def parsed(text: str) -> tuple[Edit, ...]:
    """The edits that a difference consists of."""
    edits = []
    for part in text.split("@ ")[1:]:
        file, *lines = part.rstrip("\n").split("\n")
        old = [line[1:] + "\n" for line in lines if line[:1] != "+"]
        new = [line[1:] + "\n" for line in lines if line[:1] != "-"]
        edits.append(Edit(file, "".join(old), "".join(new)))
    return tuple(edits)


MUTANTS = tuple(Mutant(name, parsed(text), TESTS.get(name, (IMAGES,))) for name, text in TEXTS.items())


def copied(folder: Path) -> Path:
    """A copy of the package; returns where."""
    package = folder / "src" / "amq"
    shutil.copytree(ROOT / "src" / "amq", package, ignore=shutil.ignore_patterns("__pycache__"))
    return package


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python with the copy in front of everything else."""
    environment = os.environ | {
        "PYTHONPATH": str(folder / "src"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HYPOTHESIS_STORAGE_DIRECTORY": str(folder / "hypothesis"),
    }
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LIMIT
    )


def failed_test(folder: Path, tests: tuple[str, ...]) -> str:
    """The name of the first test that fails with the copy, "" when none does. Raises MutationError."""
    try:
        done = run(folder, "-m", "pytest", "-x", "-q", "--tb=no", "-rfE", "-p", "no:cacheprovider", *tests)
    except subprocess.TimeoutExpired:
        raise MutationError(f"no end within {LIMIT} s") from None
    found = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
    if done.returncode == 0:
        return ""
    if done.returncode != 1 or found is None:
        raise MutationError(f"pytest ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return found[1]


def judge(mutant: Mutant) -> str:
    """The test that catches the mutant, "" when it survives. Raises MutationError."""
    with tempfile.TemporaryDirectory(prefix="amq-mutant-") as name:
        folder = Path(name)
        package = copied(folder)
        for edit in mutant.edits:
            edit.apply(package)
        return failed_test(folder, mutant.tests)


def check_unmutated(tests: tuple[str, ...]) -> None:
    """Raise MutationError unless the copy is what gets tested, and passes as long as nothing is broken."""
    with tempfile.TemporaryDirectory(prefix="amq-mutant-") as name:
        folder = Path(name)
        package = copied(folder)
        used = run(folder, "-c", "import amq; print(amq.__file__)").stdout.strip()
        if Path(used).parent != package:
            raise MutationError(f"the tests would use {used}")
        failed = failed_test(folder, tests)
        if failed:
            raise MutationError(f"{failed} fails without any mutation")


def main(words: list[str]) -> int:
    """Judge the mutants whose names contain one of the words, or all; returns the exit status."""
    chosen = [mutant for mutant in MUTANTS if not words or any(word in mutant.name for word in words)]
    survivors = 0
    try:
        check_unmutated(tuple(dict.fromkeys(test for mutant in chosen for test in mutant.tests)))
        for mutant in chosen:
            began = time.monotonic()
            test = judge(mutant)
            survivors += not test
            verdict = f"caught by {test}" if test else "SURVIVES"
            sys.stdout.write(f"{mutant.name}: {verdict} ({time.monotonic() - began:.1f} s)\n")
            sys.stdout.flush()
    except MutationError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{len(chosen)} mutants, {survivors} survive\n")
    return 1 if survivors or not chosen else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
