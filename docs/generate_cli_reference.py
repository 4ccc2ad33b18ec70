"""Writes the reference page of the command line from the commands in the code.

    python docs/generate_cli_reference.py

Run it after a change of a command; a test compares the page with the commands.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from amq.cli.ask.command import AskingCommand, options
from amq.cli.ctl.tool import SECTIONS
from amq.cli.ctl.verb import CTL, DIAGNOSTICS, PLUGINS
from amq.cli.tree import OTHERS, ROOT, Tree

PAGE: Final = Path(__file__).parent / "reference" / "cli.md"

HEAD: Final = """\
# Command line

<!-- Written by docs/generate_cli_reference.py. Do not edit: change src/amq/cli/ and run it again. -->

Every command of `amq`. [How to use it](../how-to/command-line.md) comes first; `amq COMMAND --help` shows the same as
this page. `serve`, `journal`, `hash-password` and `completion` work without a broker. Every other command asks one, and
takes these options besides those that stand with it:
"""
LISTS: Final = """\

Commands that are marked *table* show a table, and take:
"""
STATUSES: Final = """\

## Exit statuses

| status | |
|---|---|
| 0 | done |
| 64 | the arguments make no sense (2 for `serve`, `journal` and what is no command) |
| 65 | what was given or asked for is not there or not right; of several messages, some could not go |
| 67 | there is no such user |
| 69 | no broker answers, or it refused; a health check found something |
| 70 | the broker failed over it |
| 73 | a file or the output cannot be written |
| 77 | who asked may not |
| 78 | the installation lacks what the command needs: `pip install 'amq[cli]'` |
| 130, 141 | interrupted by Ctrl-C; nobody reads the output any more |
"""
TOOLS: Final = """\

## {section}

`amq rabbitmqctl`, `amq rabbitmq-diagnostics` and `amq rabbitmq-plugins` understand the commands, options and formatters
of RabbitMQ's tools, and print what these print. A symbolic link to `amq` with one of these names behaves as that tool.
`amq rabbitmqctl help COMMAND` shows the arguments of a command.
"""


def page() -> str:
    """The whole page."""
    assert isinstance(ROOT, Tree)
    shared = [*options(vhost=False, table=False)]
    of_tables = [each for each in options(vhost=False, table=True) if each.name not in {one.name for one in shared}]
    parts = [HEAD, "\n", *rows(shared), LISTS, "\n", *rows(of_tables), STATUSES]
    for section in dict.fromkeys(place.section for place in ROOT.places.values()):
        if section == OTHERS:
            parts += [TOOLS.format(section=section), *tools()]
            continue
        parts.append(f"\n## {section}\n")
        for name, command in commands():
            if ROOT.places[name.split()[1]].section == section:
                parts += entry(name, command)
    return "".join(parts)


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, with its whole name."""
    context = click.Context(ROOT, info_name="amq")
    for name, place in ROOT.places.items():
        if place.section != OTHERS:
            command = ROOT.get_command(context, name)
            assert command is not None
            yield from within(f"amq {name}", command)


def within(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    """A command, or those of a group."""
    if not isinstance(command, click.Group):
        yield name, command
        return
    context = click.Context(command, info_name=name)
    for each in command.list_commands(context):
        found = command.get_command(context, each)
        assert found is not None
        yield from within(f"{name} {each}", found)


def entry(name: str, command: click.Command) -> Iterator[str]:
    """One command."""
    context = click.Context(command, info_name=name)
    arguments = [piece for piece in command.collect_usage_pieces(context) if piece != "[OPTIONS]"]
    yield f"\n### {name}\n\n`{' '.join([name, *arguments])}`"
    yield f" (*table*)\n\n{text(command)}\n" if is_table(command) else f"\n\n{text(command)}\n"
    shared = {one.name for one in options(vhost=False, table=is_table(command))} if asks(command) else set()
    own = [each for each in command.params if each.name not in shared]
    found = list(rows(own))
    if found:
        yield "\n"
        yield from found


def asks(command: click.Command) -> bool:
    """Whether it asks a broker."""
    return isinstance(command, AskingCommand)


def is_table(command: click.Command) -> bool:
    """Whether it shows a table."""
    return any(param.name == "no_header" for param in command.params)


def text(command: click.Command) -> str:
    """What it does."""
    return " ".join((command.help or "").split())


def rows(params: list[click.Parameter]) -> Iterator[str]:
    """A table of options; nothing when there are none."""
    shown = [each for each in params if isinstance(each, click.Option) and not each.hidden]
    if not shown:
        return
    yield "| option | |\n|---|---|\n"
    for option in shown:
        context = click.Context(click.Command("amq"))
        names, meaning = option.get_help_record(context) or ("", "")
        cells = [f"`{names}`", meaning.replace("  ", " ")]
        yield "| " + " | ".join(" ".join(cell.split()).replace("|", r"\|") for cell in cells) + " |\n"


def tools() -> Iterator[str]:
    """The commands of RabbitMQ's tools."""
    for tool in (CTL, DIAGNOSTICS, PLUGINS):
        yield f"\n### amq {tool}\n\n| command | |\n|---|---|\n"
        for verb in sorted((verb for verbs in SECTIONS.values() for verb in verbs), key=lambda verb: verb.name):
            if tool in verb.tools:
                yield f"| `{verb.name}` | {verb.purpose} |\n"


if __name__ == "__main__":
    PAGE.write_text(page())
