"""The tree of commands: which there are, and where they live. A command is imported when it is asked for, not before.

`amq serve` must start fast, and help and completion must not load a broker or an HTTP client.
"""

from importlib import import_module
from typing import Any, Final, cast

import attrs
import click

from amq.cli import exits
from amq.cli.exits import CommandError

# What comes with the extra `cli`.
EXTRA: Final = {"httpx", "rich"}


@attrs.frozen
class Place:
    """Where a command lives: `module` has it as `command`. `purpose` is its line in the help of `amq`."""

    section: str
    name: str
    module: str
    purpose: str


BROKER: Final = "The broker itself"
LOOK: Final = "Look"
CHANGE: Final = "Change"
MESSAGES: Final = "Messages"
OTHERS: Final = "In the spelling of RabbitMQ's tools"

PLACES: Final = (
    Place(BROKER, "serve", "amq.cli.serve", "run the broker in the foreground"),
    Place(
        BROKER,
        "journal",
        "amq.cli.journal",
        "check, show or repair the journal of a broker that does not run",
    ),
    Place(BROKER, "reload", "amq.cli.reload", "let the broker read its configuration again"),
    Place(BROKER, "logs", "amq.cli.logs", "show the last lines of the log, and follow it"),
    Place(BROKER, "hash-password", "amq.cli.hash_password", "hash a password, without asking a broker"),
    Place(BROKER, "completion", "amq.cli.completion", "write the script by which a shell completes `amq`"),
    Place(LOOK, "status", "amq.cli.status", "show the broker at a glance"),
    Place(LOOK, "ping", "amq.cli.ping", "check that the broker answers"),
    Place(LOOK, "health", "amq.cli.health", "run the health checks"),
    Place(LOOK, "list", "amq.cli.list", "list queues, exchanges, bindings, connections, users, policies..."),
    Place(LOOK, "top", "amq.cli.top", "show rates, totals and the largest queues live"),
    Place(CHANGE, "add", "amq.cli.add", "add a queue, an exchange, a binding, a user, a vhost..."),
    Place(CHANGE, "set", "amq.cli.set", "set permissions, policies, parameters, limits; change users and vhosts"),
    Place(CHANGE, "delete", "amq.cli.delete", "delete a queue, an exchange, a binding, a user, a vhost..."),
    Place(CHANGE, "close", "amq.cli.close", "close connections of clients"),
    Place(CHANGE, "definitions", "amq.cli.definitions", "export and import everything that exists"),
    Place(MESSAGES, "publish", "amq.cli.publish", "publish messages"),
    Place(MESSAGES, "consume", "amq.cli.consume", "consume messages of a queue as they come"),
    Place(MESSAGES, "get", "amq.cli.get", "get messages from the head of a queue"),
    Place(MESSAGES, "browse", "amq.cli.browse", "look at the messages that wait in a queue, without taking them"),
    Place(MESSAGES, "route", "amq.cli.route", "tell where a message would go and why, and publish nothing"),
    Place(MESSAGES, "purge", "amq.cli.purge", "drop the messages that wait in a queue"),
    Place(MESSAGES, "move", "amq.cli.move", "move messages to another queue or to an exchange"),
    Place(MESSAGES, "replay-dlq", "amq.cli.replay", "send dead-lettered messages back to where they came from"),
    Place(MESSAGES, "trace", "amq.cli.trace", "follow messages live: published, delivered, dead-lettered"),
    Place(MESSAGES, "perf", "amq.cli.perf", "put a load on any AMQP 0-9-1 broker and measure it"),
    Place(MESSAGES, "perf-report", "amq.cli.perf_report", "make one HTML report of results of amq perf"),
    Place(OTHERS, "rabbitmqctl", "amq.cli.ctl.rabbitmqctl", "commands of rabbitmqctl"),
    Place(OTHERS, "rabbitmq-diagnostics", "amq.cli.ctl.rabbitmq_diagnostics", "commands of rabbitmq-diagnostics"),
    Place(OTHERS, "rabbitmq-plugins", "amq.cli.ctl.rabbitmq_plugins", "commands of rabbitmq-plugins"),
)


class Tree(click.Group):
    """A group whose commands are imported when they are asked for."""

    places: dict[str, Place]

    def __init__(self, *arguments: Any, places: tuple[Place, ...], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.places = {place.name: place for place in places}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every name, in the order of the table."""
        return list(self.places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name, imported now; None when there is none."""
        place = self.places.get(cmd_name)
        return None if place is None else _load(place)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; one whose output nobody reads any more just ends."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # click would end the process with status 1.
            raise CommandError(exits.BROKEN_PIPE, "") from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands in their sections; nothing is imported for it."""
        for section in dict.fromkeys(place.section for place in self.places.values()):
            rows = [(place.name, place.purpose) for place in self.places.values() if place.section == section]
            with formatter.section(section):
                formatter.write_dl(rows)


def _load(place: Place) -> click.Command:
    try:
        return cast("click.Command", import_module(place.module).command)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] not in EXTRA:
            raise
        problem = f"amq {place.name} needs {error.name}, which is not installed: pip install 'amq[cli]'"
        raise CommandError(exits.MISSING_EXTRA, problem) from None


def _show_version(ctx: click.Context, _option: click.Parameter, asked: bool) -> None:
    if asked:
        # What knows the version is slow to load, and no other command needs it so early.
        click.echo(f"amq {import_module('amq.cli.version').version()}")
        ctx.exit(exits.OK)


ROOT: Final = Tree(
    "amq",
    places=PLACES,
    help="An AMQP 0-9-1 message broker. Without a command it serves.",
    context_settings={"help_option_names": ["-h", "--help"]},
    params=[
        click.Option(
            ["--version"],
            is_flag=True,
            expose_value=False,
            is_eager=True,
            callback=_show_version,
            help="show program's version number and exit",
        )
    ],
)
