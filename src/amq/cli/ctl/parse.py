"""The command line of RabbitMQ's tools: options may stand anywhere, before and after the command and its arguments.

--name VALUE, --name=VALUE, -n VALUE    options with a value
--name, --no-name, -n                   switches
--                                      what follows are arguments
"""

from collections.abc import Mapping
from typing import Any, Final

import attrs

# By name: what kind of value an option has; bool for a switch.
Switches = Mapping[str, type]

EVERYWHERE: Final[Switches] = {
    "node": str,
    "timeout": float,
    "quiet": bool,
    "silent": bool,
    "longnames": bool,
    "formatter": str,
    "table-headers": bool,
    "vhost": str,
    "help": bool,
    "version": bool,
    # Ours: which broker is meant.
    "url": str,
    "data": str,
    "cacert": str,
    "cert": str,
    "key": str,
    "insecure": bool,
}
SHORT: Final = {
    "n": "node",
    "t": "timeout",
    "q": "quiet",
    "s": "silent",
    "l": "longnames",
    "p": "vhost",
    "?": "help",
    "h": "help",
}


@attrs.frozen
class Parsed:
    """`wrong` are options that there are not, or with a value that they cannot have: name and value."""

    arguments: tuple[str, ...]
    options: Mapping[str, Any]
    wrong: tuple[tuple[str, str], ...]


def parse(given: list[str], switches: Switches, short: Mapping[str, str]) -> Parsed:
    """Take the options out of a command line."""
    arguments: list[str] = []
    options: dict[str, Any] = {}
    wrong: list[tuple[str, str]] = []
    rest = list(given)
    while rest:
        word = rest.pop(0)
        if word == "--":
            arguments += rest
            break
        if not word.startswith("-") or word == "-":
            arguments.append(word)
            continue
        spelled, equals, value = word.partition("=")
        name = spelled[2:] if spelled.startswith("--") else short.get(spelled[1:], "")
        on = not (name.startswith("no-") and switches.get(name[3:]) is bool)
        name = name if on else name[3:]
        kind = switches.get(name)
        if kind is None:
            wrong.append((spelled, value))
        elif kind is bool:
            options[name] = on
        else:
            if not equals and not rest:
                wrong.append((spelled, ""))
                continue
            text = value if equals else rest.pop(0)
            try:
                options[name] = kind(text)
            except ValueError:
                wrong.append((spelled, text))
    return Parsed(tuple(arguments), options, tuple(wrong))
