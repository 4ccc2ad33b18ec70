"""`amq journal`: looks into the journal of a broker that does not run, and makes a damaged one usable again."""

import json
import sys
from collections.abc import Callable
from shlex import quote
from typing import Final

import attrs
import click

from amq.cli import journal_facts as facts_of
from amq.cli import journal_text as text
from amq.cli.journal_facts import Facts
from amq.journal.salvageable import Part
from amq.journal.survey import Scan, Survey
from amq.server import salvaging
from amq.server.errors import StartError
from amq.server.folder import DataFolder
from amq.server.offline import QueueNames, take_survey

FINE: Final = 0
DAMAGED: Final = 1
UNREADABLE: Final = 2


@attrs.frozen
class Options:
    """What was asked for."""

    folder: str
    json: bool
    segment: int | None = None
    message: int | None = None
    yes: bool = False


Action = Callable[[DataFolder, Options], int]

_FOLDER: Final = click.argument("folder", metavar="DIR")
_JSON: Final = click.option("--json", "as_json", is_flag=True, help="for programs")
_STATUS: Final = "DIR is the data folder of the broker (amq serve --data)."


@click.group(
    "journal",
    no_args_is_help=False,
    help="Check, show or repair the journal of a broker that does not run.",
)
def command() -> None:
    """Which of its commands is meant says the next argument."""


@command.command(
    "verify",
    short_help="read all of it and say what is damaged and what is lost; changes nothing",
    help="Read all of it and say what is damaged and what is lost; changes nothing. "
    f"Exit status: 0 all is well, 1 damaged, 2 it cannot be read. {_STATUS}",
)
@_FOLDER
@_JSON
def _verify(folder: str, as_json: bool) -> int:
    return run(verify, Options(folder, as_json))


@command.command(
    "inspect",
    short_help="show what is in it; changes nothing",
    help=f"Show what is in it; changes nothing. {_STATUS}",
)
@_FOLDER
@_JSON
@click.option("--segment", metavar="N", type=int, help="the frames and records of that segment")
@click.option("--message", metavar="LSN", type=int, help="the message of that number")
def _inspect(folder: str, as_json: bool, segment: int | None, message: int | None) -> int:
    if segment is not None and message is not None:
        raise click.UsageError("argument --message: not allowed with argument --segment")
    return run(inspect, Options(folder, as_json, segment, message))


@command.command(
    "salvage",
    short_help="replace a damaged journal by what can be read of it; the damaged one is kept",
    help="Replace a damaged journal by what can be read of it; the damaged one is kept. "
    "Exit status: 0 the journal is usable, 1 something would be lost and --yes is missing, 2 it cannot be done. "
    f"{_STATUS}",
)
@_FOLDER
@_JSON
@click.option("--yes", is_flag=True, help="do it although something is lost")
def _salvage(folder: str, as_json: bool, yes: bool) -> int:
    return run(salvage, Options(folder, as_json, yes=yes))


def run(action: Action, options: Options) -> int:
    """Do it and return the exit status."""
    try:
        with DataFolder.look(options.folder) as folder:
            return action(folder, options)
    except StartError as error:
        return _refuse(str(error))
    except OSError as error:
        return _refuse(f"{error.filename or options.folder}: {error.strerror or error}")


def _refuse(problem: str) -> int:
    print(f"amq: {problem}", file=sys.stderr)
    return UNREADABLE


# -- verify --


def verify(folder: DataFolder, options: Options) -> int:
    """Say what is damaged."""
    _refuse_interrupted(folder)
    survey = take_survey(folder.journal)
    facts = facts_of.of_survey(survey, QueueNames.read(folder.definitions))
    if options.json:
        text.print_json({"journal": str(folder.journal), **facts})
    else:
        text.print_survey(folder.journal, facts)
        if survey.damages:
            print(f"\nWhat to do: amq journal salvage {quote(str(folder.path))}")
    return DAMAGED if survey.damages else FINE


def _refuse_interrupted(folder: DataFolder) -> None:
    if folder.salvaged.exists() and not folder.journal.exists():
        raise StartError(
            f"data folder {folder.path}: salvage was interrupted; run amq journal salvage {quote(str(folder.path))}"
        )


# -- inspect --


def inspect(folder: DataFolder, options: Options) -> int:
    """Show what is in it."""
    _refuse_interrupted(folder)
    names = QueueNames.read(folder.definitions)
    if options.segment is not None:
        return _inspect_segment(folder, options, names)
    if options.message is not None:
        return _inspect_message(folder, options, options.message, names)
    rows: list[Facts] = []

    def visit(part: Part, scan: Scan | None, _octets: bytes) -> None:
        rows.append(facts_of.of_segment(part, scan))

    survey = take_survey(folder.journal, visit)
    facts = facts_of.of_survey(survey, names)
    for row, runs in zip(rows, survey.census.segments, strict=True):
        row.update(alive=runs.alive, dead=runs.messages - runs.alive, octets=runs.octets)
    if options.json:
        text.print_json({"journal": str(folder.journal), **facts, "segments": rows})
    else:
        text.print_survey(folder.journal, facts)
        print()
        columns = ("file", "size", "used", "frames", "alive", "dead", "octets")
        text.print_table(columns, [tuple(row[column] for column in columns) for row in rows])
    return FINE


def _inspect_segment(folder: DataFolder, options: Options, names: QueueNames) -> int:
    found: list[Facts] = []

    def visit(part: Part, scan: Scan | None, octets: bytes) -> None:
        if part.number == options.segment and scan is not None:
            for each, good in scan.frames:
                facts = facts_of.of_frame(octets, each, good, names)
                if options.json:
                    found.append(facts)
                else:
                    text.print_frame(facts)

    survey = take_survey(folder.journal, visit)
    if options.segment not in [part.number for part in survey.parts]:
        raise StartError(f"{folder.journal} has no segment {options.segment}")
    if options.json:
        text.print_json({"journal": str(folder.journal), "segment": options.segment, "frames": found})
    return FINE


def _inspect_message(folder: DataFolder, options: Options, lsn: int, names: QueueNames) -> int:
    survey = take_survey(folder.journal)
    holder = survey.census.holder(lsn)
    if holder is None:
        raise StartError(f"{folder.journal} has no message {lsn}")
    facts = _message(folder, lsn, survey.parts[holder].name, survey, names)
    if options.json:
        text.print_json({"journal": str(folder.journal), **facts})
    else:
        for name, value in facts.items():
            print(f"  {name:12}{value if isinstance(value, str | int) else json.dumps(value)}")
    return FINE


def _message(folder: DataFolder, lsn: int, name: str, survey: Survey, names: QueueNames) -> Facts:
    facts: Facts = {"file": name}

    def describe(part: Part, scan: Scan | None, octets: bytes) -> None:
        if part.name == name and scan is not None:
            found = facts_of.find_run(octets, scan, lsn)
            assert found is not None, "it was found before"
            facts.update(facts_of.of_message(octets, *found, lsn, survey, names))

    take_survey(folder.journal, describe)
    return facts


# -- salvage --


def salvage(folder: DataFolder, options: Options) -> int:
    """Make a damaged journal usable again."""
    if salvaging.finish_interrupted(folder):
        return _done(folder, options, "the new journal of an interrupted salvage is in its place now", None, {})
    survey = take_survey(folder.journal)
    facts = facts_of.of_survey(survey, QueueNames.read(folder.definitions))
    if not survey.damages:
        return _done(folder, options, "nothing is damaged, nothing was changed", None, facts)
    loses = any(damage.loses() for damage in survey.damages)
    if loses and not options.yes:
        if options.json:
            text.print_json({"journal": str(folder.journal), "salvaged": False, **facts})
        else:
            text.print_survey(folder.journal, facts)
            print("\nNothing was changed. With --yes, what can be read becomes the journal, and the rest is lost.")
        return DAMAGED
    damaged = salvaging.replace(folder, survey)
    if not options.json:
        text.print_survey(folder.journal, facts)
        print()
    return _done(folder, options, f"salvaged; the damaged journal is {damaged}", str(damaged), facts)


def _done(folder: DataFolder, options: Options, news: str, damaged: str | None, facts: Facts) -> int:
    if options.json:
        text.print_json({"journal": str(folder.journal), "salvaged": damaged is not None, "damaged": damaged, **facts})
    else:
        print(f"{folder.journal}: {news}")
    return FINE
