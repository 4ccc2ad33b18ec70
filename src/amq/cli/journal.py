"""`amq journal`: looks into the journal of a broker that does not run, and makes a damaged one usable again."""

import argparse
import json
import sys
from collections.abc import Callable
from shlex import quote
from typing import Any, Final

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

Action = Callable[[DataFolder, argparse.Namespace], int]


def add_to(commands: "argparse._SubParsersAction[Any]") -> None:
    """Enter the command into the parser of `amq`."""
    parser = commands.add_parser(
        "journal",
        help="check, show or repair the journal of a broker that does not run",
        description="Check, show or repair the journal of a broker that does not run.",
    )
    actions = parser.add_subparsers(title="commands", required=True)
    _add(
        actions,
        "verify",
        verify,
        "read all of it and say what is damaged and what is lost; changes nothing",
        "Exit status: 0 all is well, 1 damaged, 2 it cannot be read.",
    )
    shown = _add(actions, "inspect", inspect, "show what is in it; changes nothing", "")
    only = shown.add_mutually_exclusive_group()
    only.add_argument("--segment", metavar="N", type=int, help="the frames and records of that segment")
    only.add_argument("--message", metavar="LSN", type=int, help="the message of that number")
    salvaged = _add(
        actions,
        "salvage",
        salvage,
        "replace a damaged journal by what can be read of it; the damaged one is kept",
        "Exit status: 0 the journal is usable, 1 something would be lost and --yes is missing, 2 it cannot be done.",
    )
    salvaged.add_argument("--yes", action="store_true", help="do it although something is lost")


def _add(
    actions: "argparse._SubParsersAction[Any]", name: str, action: Action, purpose: str, status: str
) -> argparse.ArgumentParser:
    sentence = f"{purpose[0].upper()}{purpose[1:]}. {status}"
    parser: argparse.ArgumentParser = actions.add_parser(name, help=purpose, description=sentence)
    parser.add_argument("folder", metavar="DIR", help="the data folder of the broker (amq serve --data)")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.set_defaults(command=run, action=action)
    return parser


def run(options: argparse.Namespace) -> int:
    """Do it and return the exit status."""
    try:
        with DataFolder.look(options.folder) as folder:
            status: int = options.action(folder, options)
            return status
    except StartError as error:
        return _refuse(str(error))
    except OSError as error:
        return _refuse(f"{error.filename or options.folder}: {error.strerror or error}")


def _refuse(problem: str) -> int:
    print(f"amq: {problem}", file=sys.stderr)
    return UNREADABLE


# -- verify --


def verify(folder: DataFolder, options: argparse.Namespace) -> int:
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


def inspect(folder: DataFolder, options: argparse.Namespace) -> int:
    """Show what is in it."""
    _refuse_interrupted(folder)
    names = QueueNames.read(folder.definitions)
    if options.segment is not None:
        return _inspect_segment(folder, options, names)
    if options.message is not None:
        return _inspect_message(folder, options, names)
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


def _inspect_segment(folder: DataFolder, options: argparse.Namespace, names: QueueNames) -> int:
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


def _inspect_message(folder: DataFolder, options: argparse.Namespace, names: QueueNames) -> int:
    survey = take_survey(folder.journal)
    holder = survey.census.holder(options.message)
    if holder is None:
        raise StartError(f"{folder.journal} has no message {options.message}")
    facts = _message(folder, options.message, survey.parts[holder].name, survey, names)
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


def salvage(folder: DataFolder, options: argparse.Namespace) -> int:
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


def _done(folder: DataFolder, options: argparse.Namespace, news: str, damaged: str | None, facts: Facts) -> int:
    if options.json:
        text.print_json({"journal": str(folder.journal), "salvaged": damaged is not None, "damaged": damaged, **facts})
    else:
        print(f"{folder.journal}: {news}")
    return FINE
