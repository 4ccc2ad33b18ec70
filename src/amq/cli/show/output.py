"""What a command says: rows as a table, JSON or CSV, and sentences. A terminal gets colours, a pipe plain lines."""

import csv
import json
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Any, Final

import attrs

from amq.cli import exits
from amq.cli.exits import CommandError
from amq.cli.show.text import cell, harmless

FORMATS: Final = ("table", "json", "csv")
Row = dict[str, Any]
# In the place of a value that a row does not have.
ABSENT: Final = None


@attrs.frozen
class Output:
    """How the operator wants it."""

    shape: str = "table"
    columns: str | None = None
    sort: str | None = None
    header: bool = True
    quiet: bool = False

    def say(self, sentence: str) -> None:
        """One line about what was done; nothing when it is to be quiet."""
        if not self.quiet:
            print(harmless(sentence))

    def rows(self, rows: Iterable[Row], default: Sequence[str]) -> None:
        """Rows with the default columns or those asked for; JSON has all of a row unless columns were named."""
        found = list(rows)
        names = self.names(default)
        if self.sort is not None:
            found = ordered(found, self.sort)
        if self.shape == "json":
            print_json(found if self.columns is None else [{name: value(row, name) for name in names} for row in found])
        elif self.shape == "csv":
            self._csv(found, names)
        elif sys.stdout.isatty():
            import_module("amq.cli.show.terminal").print_table(found, names, self.header)
        else:
            self._plain(found, names)

    def names(self, default: Sequence[str]) -> list[str]:
        """The columns."""
        if self.columns is None:
            return list(default)
        names = [name.strip() for name in self.columns.split(",") if name.strip()]
        if not names:
            raise CommandError(exits.USAGE, "--columns: no name of a column in it")
        return names

    def record(self, record: Row) -> None:
        """One thing with many facts: a line for each, or JSON, or CSV."""
        if self.shape == "json":
            print_json(record)
            return
        attrs.evolve(self, sort=None, columns=None, header=self.header and self.shape == "csv").rows(
            [{"name": name, "value": fact} for name, fact in record.items()], ("name", "value")
        )

    def _plain(self, rows: list[Row], names: list[str]) -> None:
        lines = [[cell(value(row, name)) for name in names] for row in rows]
        if self.header:
            lines.insert(0, names)
        for line in lines:
            print("\t".join([harmless(each) for each in line]))

    def _csv(self, rows: list[Row], names: list[str]) -> None:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        # A file gets what there is; a terminal must not.
        shown = harmless if sys.stdout.isatty() else str
        if self.header:
            writer.writerow(names)
        writer.writerows([[shown(cell(value(row, name))) for name in names] for row in rows])


def value(row: Row, name: str) -> Any:
    """The value of a column: a key of the row, or `a.b` for b in a."""
    if name in row:
        return row[name]
    found: Any = row
    for part in name.split("."):
        found = found.get(part, ABSENT) if isinstance(found, dict) else ABSENT
    return found


def ordered(rows: list[Row], column: str) -> list[Row]:
    """Rows by a column, from its end with a `-` before it; numbers as numbers, and what is absent comes first."""
    name = column.removeprefix("-")
    return sorted(rows, key=lambda row: _rank(value(row, name)), reverse=column.startswith("-"))


def _rank(found: Any) -> tuple[int, float, str]:
    if found is None or found == "":
        return (0, 0, "")
    if isinstance(found, int | float):
        return (1, found, "")
    return (2, 0, cell(found))


def print_json(found: Any) -> None:
    """JSON, which escapes by itself what a terminal would obey."""
    json.dump(found, sys.stdout, indent=2)
    print()
