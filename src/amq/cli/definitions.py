"""`amq definitions`: everything that exists, as a document of RabbitMQ's format."""

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from amq.cli import exits, given
from amq.cli.ask.broker import path
from amq.cli.ask.command import Session, asking
from amq.cli.exits import CommandError
from amq.cli.show.progress import progress
from amq.cli.show.text import harmless_lines


@click.group("definitions", help="Export and import vhosts, users, exchanges, queues, bindings, policies.")
def command() -> None:
    """Which way says the next argument."""


def _where(session: Session) -> str:
    return "definitions" if session.vhost is None else path("definitions", session.vhost)


@asking(
    command,
    "export",
    "write the definitions into a file, or to stdout",
    vhost=True,
    more="Of the whole broker, with its users and the hashes of their passwords; or of one vhost.",
)
@click.argument("file", default="-")
def export(session: Session, file: str) -> None:
    """Write them; a file appears as a whole or not at all, and only its owner may read it."""
    document = json.dumps(session.broker.get(_where(session)), indent=2) + "\n"
    if file == "-":
        sys.stdout.write(document)
        return
    target = Path(file)
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        with os.fdopen(handle, "w") as written:
            written.write(document)
        Path(name).replace(target)
    except OSError as error:
        raise CommandError(exits.CANNOT_WRITE, f"{file}: {error.strerror or error}") from None
    session.out.say(f"definitions are in {file}")


@asking(
    command,
    "import",
    "import definitions from a file, or from stdin",
    vhost=True,
    more="What is there already stays, or becomes as the document says. --check only tells whether it can be imported.",
)
@click.argument("file", default="-")
@click.option("--check", is_flag=True, help="change nothing")
def import_(session: Session, file: str, check: bool) -> None:
    """Import them; when this ends, they are on disk."""
    octets = given.content(file)
    try:
        document: Any = json.loads(octets)
    except ValueError as error:
        raise CommandError(exits.DATA, f"{file}: no JSON: {error}") from None
    if not isinstance(document, dict):
        raise CommandError(exits.DATA, f"{file}: the definitions must be a JSON object")
    parts = {name: len(part) for name, part in document.items() if isinstance(part, list) and part}
    count = ", ".join([f"{number} {name.replace('_', ' ')}" for name, number in parts.items()]) or "nothing"
    if check:
        warnings = _warnings(session, document)
        session.out.say(f"{file} can be imported: {count}")
        _warn(warnings)
        return
    with progress("importing", None, quiet=session.out.quiet):
        answer = session.broker.send("POST", _where(session), document)
    session.out.say(f"imported: {count}")
    # The answer says how many there are.
    if answer.headers.get("amq-warnings"):
        _warn(_warnings(session, document))


def _warnings(session: Session, document: Any) -> list[str]:
    """What of a document is passed over, and why; raises CommandError for one that cannot be imported."""
    query = {} if session.vhost is None else {"vhost": session.vhost}
    found: list[str] = session.broker.post("amq/definitions/check", document, **query)["warnings"]
    return found


def _warn(warnings: list[str]) -> None:
    for warning in warnings:
        print(harmless_lines(f"warning: {warning}"), file=sys.stderr)
