"""The `amq` command: reads its arguments, and turns what cannot be done into one line and an exit status."""

import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Final

import click

from amq.cli import exits
from amq.cli.exits import CommandError
from amq.cli.show.text import harmless
from amq.cli.tree import ROOT
from amq.server.nursery import start_anew

# Programs that `amq` behaves as when it is called by their names, through a symbolic link.
LIKE: Final = {"rabbitmqctl", "rabbitmq-diagnostics", "rabbitmq-plugins"}
# Commands whose usage errors have status 2; those that came later follow sysexits.h.
OLD: Final = {"amq", "amq serve", "amq journal"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status; without a command it serves.

    Raises SystemExit for arguments that make no sense, after one line on stderr.
    """
    _write_anything()
    given = _given() if arguments is None else list(arguments)
    if not given or (given[0].startswith("-") and given[0] not in {"-h", "--help", "--version"}):
        given.insert(0, "serve")
    if arguments is None and given[0] == "serve":
        start_anew()
    try:
        status = ROOT.main(given, prog_name="amq", standalone_mode=False)
        sys.stdout.flush()
    except click.UsageError as error:
        raise SystemExit(_refuse_usage(error, _path(given))) from None
    except CommandError as error:
        if error.status == exits.BROKEN_PIPE:
            _drop_output()
            return error.status
        return _refuse(str(error), error.status)
    except click.ClickException as error:
        return _refuse(error.format_message(), exits.DATA)
    except (KeyboardInterrupt, click.Abort):
        return exits.INTERRUPTED
    except BrokenPipeError:
        _drop_output()
        return exits.BROKEN_PIPE
    return status if isinstance(status, int) else exits.OK


def _write_anything() -> None:
    """A terminal or file that has no code for a letter gets an escape for it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _given() -> list[str]:
    called = Path(sys.argv[0]).name
    return [called, *sys.argv[1:]] if called in LIKE else sys.argv[1:]


def _path(given: Sequence[str]) -> str:
    """The command that these arguments name."""
    command: click.Command | None = ROOT
    names = ["amq"]
    for word in given:
        command = command.get_command(_context(), word) if isinstance(command, click.Group) else None
        if command is None:
            break
        names.append(word)
    return " ".join(names)


def _refuse_usage(error: click.UsageError, called: str) -> int:
    # click does not say where an option lacks its value.
    path = called if error.ctx is None else error.ctx.command_path
    if isinstance(error, click.MissingParameter) and error.param is not None:
        problem = f"the following arguments are required: {error.param.make_metavar(error.ctx or _context())}"
    else:
        problem = error.format_message().rstrip(".")
        problem = problem[:1].lower() + problem[1:]
    print(f"{path}: {harmless(' '.join(problem.split()))} (see {path} --help)", file=sys.stderr)
    return exits.MISTAKE if " ".join(path.split()[:2]) in OLD else exits.USAGE


def _context() -> click.Context:
    return click.Context(ROOT)


def _refuse(problem: str, status: int) -> int:
    print(f"amq: {harmless(problem)}", file=sys.stderr)
    return status


def _drop_output() -> None:
    """Nobody reads stdout any more: what is left in its buffer must not fail again when Python ends."""
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123 - a device, no path of ours
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
