"""The `amq` command: reads its arguments, and turns what cannot be done into one line and an exit status."""

import argparse
import sys
from collections.abc import Sequence
from typing import Final, NoReturn

from amq.cli import journal, serve
from amq.cli.version import version

# Interrupted before there was anything to shut down in good order (128 + SIGINT).
INTERRUPTED: Final = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status; without a command it serves.

    Raises SystemExit(2) for arguments that make no sense, after one line on stderr.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or (given[0].startswith("-") and given[0] not in {"-h", "--help", "--version"}):
        given.insert(0, "serve")
    options = _parser().parse_args(given)
    try:
        status: int = options.command(options)
    except KeyboardInterrupt:
        return INTERRUPTED
    return status


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line; argparse would print the usage before it."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="amq", description="An AMQP 0-9-1 message broker.")
    parser.add_argument("--version", action="version", version=f"amq {version()}")
    commands = parser.add_subparsers(title="commands", required=True)
    serve.add_to(commands)
    journal.add_to(commands)
    return parser
