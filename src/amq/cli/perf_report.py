"""`amq perf-report`: results of `amq perf`, beside each other in one report."""

import json
import sys
from pathlib import Path

import click

from amq.cli import exits
from amq.cli.exits import CommandError
from amq.perf.page import page
from amq.perf.result import Result, ResultError

STDOUT = "-"
MOST = 32  # results that can still be told apart in a plot


@click.command(
    "perf-report",
    short_help="make one HTML report of results of amq perf",
    help="Make one HTML report of the JSON files that `amq perf --json` has written: several runs stand beside "
    "each other in its tables and plots, and rates are compared with those of the first.",
)
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--html", "html_file", metavar="FILE", default=STDOUT, help="where the report goes (-, stdout)")
def command(files: tuple[str, ...], html_file: str) -> int:
    """Write it; returns the exit status."""
    if len(files) > MOST:
        raise CommandError(exits.USAGE, f"{len(files)} files: at most {MOST} results fit into a report")
    report = page([_result(file) for file in files])
    if html_file == STDOUT:
        sys.stdout.write(report)
        return exits.OK
    try:
        Path(html_file).write_text(report, encoding="utf-8")
    except OSError as error:
        raise CommandError(exits.CANNOT_WRITE, f"{html_file}: {error.strerror or error}") from None
    return exits.OK


def _result(file: str) -> Result:
    """The result in a file, which is one that can be shown."""
    try:
        result = Result.from_document(json.loads(Path(file).read_bytes()))
    except OSError as error:
        raise CommandError(exits.DATA, f"{file}: {error.strerror or error}") from None
    except (ResultError, ValueError, RecursionError) as error:
        raise CommandError(exits.DATA, f"{file}: {error}") from None
    try:
        page([result])
    except (ArithmeticError, AttributeError, TypeError, ValueError) as error:
        raise CommandError(exits.DATA, f"{file}: no result of amq perf: {error}") from None
    return result
