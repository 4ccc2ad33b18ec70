"""What --only means: some of the measurements that there are, by their names."""

import argparse
import re
from collections.abc import Iterable


def chosen(parser: argparse.ArgumentParser, only: str, known: Iterable[str]) -> list[str]:
    """The names in `only`, all for none; a name that there is not ends the program with a sentence."""
    there = list(known)
    names = [name for name in re.split(r"[, ]+", only) if name]
    if unknown := [name for name in names if name not in there]:
        parser.error(f"--only {unknown[0]}: there are {', '.join(there)}")
    return names or there
