"""Arguments that hold more than a word: JSON, NAME=VALUE, bodies, passwords."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from amq.cli import exits
from amq.cli.exits import CommandError


def table(pairs: Sequence[str], option: str) -> dict[str, Any]:
    """NAME=VALUE pairs. A value that is JSON counts as such (10, true, "10", [1]), any other is a text."""
    found = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise CommandError(exits.USAGE, f"{option} {pair}: NAME=VALUE is needed")
        try:
            found[name] = json.loads(text)
        except ValueError:
            found[name] = text
    return found


def json_value(text: str, name: str) -> Any:
    """Any JSON."""
    try:
        return json.loads(text)
    except ValueError as error:
        raise CommandError(exits.DATA, f"{name} is no JSON: {error}") from None


def json_object(text: str, name: str) -> dict[str, Any]:
    """A JSON object."""
    found = json_value(text, name)
    if not isinstance(found, dict):
        raise CommandError(exits.DATA, f'{name} must be a JSON object, such as {{"max-length": 10}}')
    return found


def content(name: str) -> bytes:
    """The octets of a file, or of stdin for `-`."""
    try:
        return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise CommandError(exits.DATA, f"{name}: {error.strerror or error}") from None


def password() -> str:
    """A password: asked for twice on a terminal, else the first line of stdin."""
    if sys.stdin.isatty():
        asked: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        return asked
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise CommandError(exits.DATA, "no password was given, neither as an argument nor on stdin")
    return line
