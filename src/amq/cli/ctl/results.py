"""What a command of RabbitMQ's tools ends with, and how it is printed in each of their formats."""

import csv
import json
import sys
from collections.abc import Sequence
from typing import Any, Final, TextIO

import attrs

from amq.cli.ctl.terms import erlang, plain, text
from amq.cli.show.text import harmless, harmless_lines

FORMATTERS: Final = ("table", "json", "csv", "pretty_table", "erlang")
# Those that are for programs: nothing else may stand on stdout.
FOR_PROGRAMS: Final = {"json", "csv"}


class VerbError(Exception):
    """A command that failed: an exit status, and what stands on stderr.

    `bare` is without the line `Error:` before it; `facts` are what JSON says instead.
    """

    def __init__(self, status: int, problem: str, *, bare: bool = False, facts: Any = None) -> None:
        super().__init__(problem)
        self.status = status
        self.bare = bare
        self.facts = facts


@attrs.frozen
class Rows:
    """Rows, each with a value per column. Some commands `stream` them: then nothing stands for no rows."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    stream: bool = True
    header: bool = True


@attrs.frozen
class Facts:
    """One value, and the text that people get instead of it."""

    value: Any
    text: str


Result = Rows | Facts | str | None


def show(result: Result, formatter: str, *, header: bool) -> None:
    """Print it on stdout. `header`: with the names of the columns, in a table."""
    if result is None:
        return
    if isinstance(result, Rows):
        _show_rows(result, formatter, header)
    elif formatter == "json":
        print(_json({"message": result} if isinstance(result, str) else result.value))
    elif formatter == "erlang" and isinstance(result, Facts):
        print(erlang(result.value))
    else:
        print(_shown_lines(result if isinstance(result, str) else result.text))


def _show_rows(result: Rows, formatter: str, header: bool) -> None:
    if formatter == "json":
        _show_json(result)
    elif formatter == "csv":
        _show_csv(result)
    elif formatter == "erlang":
        terms = [erlang(dict(zip(result.columns, row, strict=True))) for row in result.rows]
        print(f"[{(',' + chr(10) + ' ').join(terms)}]")
    elif formatter == "pretty_table":
        _show_boxes(result)
    else:
        _show_table(result, header)


def _show_table(result: Rows, header: bool) -> None:
    if not result.rows:
        if not result.stream:
            print()
        return
    if header and result.header:
        print("\t".join(result.columns))
    for row in result.rows:
        print("\t".join([_shown(text(value)) for value in row]))


def _show_json(result: Rows) -> None:
    if not result.rows and not result.stream:
        print("[]")
        return
    print("[")
    for number, row in enumerate(result.rows):
        record = {name: plain(value) for name, value in zip(result.columns, row, strict=True)}
        print(("," if number else "") + _json(record))
    print("]")


def _show_csv(result: Rows) -> None:
    if not result.rows:
        return
    writer = csv.writer(sys.stdout, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(result.columns)
    writer.writerows([[_shown(text(value)) for value in row] for row in result.rows])


def _show_boxes(result: Rows) -> None:
    lines = [list(result.columns), *[[harmless(text(value)) for value in row] for row in result.rows]]
    widths = [max([len(line[index]) for line in lines]) for index in range(len(result.columns))]

    def rule(left: str, middle: str, right: str) -> str:
        return left + middle.join(["─" * (width + 2) for width in widths]) + right

    print(rule("┌", "┬", "┐"))
    for number, line in enumerate(lines):
        if number:
            print(rule("├", "┼", "┤"))
        cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=True)]
        print(f"│ {' │ '.join(cells)} │")
    print(rule("└", "┴", "┘"))


def show_error(error: VerbError, formatter: str, where: TextIO) -> None:
    """What failed, on stderr."""
    if formatter == "json" and error.facts is not None:
        print(_json(error.facts), file=where)
    else:
        print(harmless_lines(str(error) if error.bare else f"Error:\n{error}"), file=where)


def _shown(cell: str) -> str:
    """A terminal would obey what is in a name; a pipe gets it as it is, as RabbitMQ's tools give it."""
    return harmless(cell) if sys.stdout.isatty() else cell


def _shown_lines(lines: str) -> str:
    if not sys.stdout.isatty():
        return lines
    # Headings of ours are bold.
    return harmless_lines(lines).replace(r"\x1b[1m", BOLD).replace(r"\x1b[0m", NORMAL)


BOLD: Final = "\x1b[1m"
NORMAL: Final = "\x1b[0m"


def heading(name: str) -> str:
    """A heading, as RabbitMQ's tools have it."""
    return f"{BOLD}{name}{NORMAL}\n"


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
