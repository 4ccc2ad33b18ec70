"""`amq add`: make something that is not there yet."""

from typing import Any

import click

from amq.cli import exits, given
from amq.cli import set as setting
from amq.cli.ask.broker import Refused, path
from amq.cli.ask.command import Session, asking
from amq.cli.ask.completing import complete_exchanges, complete_queues
from amq.cli.exits import CommandError

ARGUMENT = click.option(
    "-a",
    "--argument",
    "arguments",
    metavar="NAME=VALUE",
    multiple=True,
    help="an argument, such as x-max-length=10; the value is JSON or else a text; may be given several times",
)


@click.group("add", help="Add a queue, an exchange, a binding, a user, a vhost; or set what `amq set` sets.")
def command() -> None:
    """What is to be added says the next argument."""


@asking(
    command,
    "queue",
    "declare a queue",
    vhost=True,
    more="A queue that is there already and is the same is left as it is; another one of that name is an error.",
)
@click.argument("name")
@click.option("--durable/--transient", default=True, help="whether it survives a restart of the broker (it does)")
@click.option("--auto-delete", is_flag=True, help="deleted when its last consumer goes")
@click.option("--type", "kind", metavar="TYPE", help="its x-queue-type")
@ARGUMENT
def queue(
    session: Session, name: str, durable: bool, auto_delete: bool, kind: str | None, arguments: tuple[str, ...]
) -> None:
    """Declare it."""
    table = given.table(arguments, "--argument")
    if kind is not None:
        table["x-queue-type"] = kind
    body = {"durable": durable, "auto_delete": auto_delete, "arguments": table}
    new = session.broker.put(path("queues", session.in_vhost, name), body)
    _say(session, f"queue '{name}' in vhost '{session.in_vhost}'", new)


@asking(
    command,
    "exchange",
    "declare an exchange",
    vhost=True,
    more="An exchange that is there already and is the same is left as it is; another one of that name is an error.",
)
@click.argument("name")
@click.option(
    "--type", "kind", metavar="TYPE", default="direct", help="direct (the default), fanout, topic, headers..."
)
@click.option("--durable/--transient", default=True, help="whether it survives a restart of the broker (it does)")
@click.option("--auto-delete", is_flag=True, help="deleted when its last binding goes")
@click.option("--internal", is_flag=True, help="gets messages from other exchanges only")
@ARGUMENT
def exchange(
    session: Session,
    name: str,
    kind: str,
    durable: bool,
    auto_delete: bool,
    internal: bool,
    arguments: tuple[str, ...],
) -> None:
    """Declare it."""
    body = {
        "type": kind,
        "durable": durable,
        "auto_delete": auto_delete,
        "internal": internal,
        "arguments": given.table(arguments, "--argument"),
    }
    new = session.broker.put(path("exchanges", session.in_vhost, name), body)
    _say(session, f"exchange '{name}' in vhost '{session.in_vhost}'", new)


@asking(command, "binding", "bind a queue or an exchange to an exchange", vhost=True)
@click.argument("source", shell_complete=complete_exchanges)
@click.argument("destination", shell_complete=complete_queues)
@click.option("-k", "--routing-key", metavar="KEY", default="", help="the routing key or pattern (empty)")
@click.option(
    "-t", "--to", "kind", type=click.Choice(["queue", "exchange"]), default="queue", help="what DESTINATION is (queue)"
)
@ARGUMENT
def binding(
    session: Session, source: str, destination: str, routing_key: str, kind: str, arguments: tuple[str, ...]
) -> None:
    """Bind it."""
    where = path("bindings", session.in_vhost, "e", source, kind[0], destination)
    session.broker.post(where, {"routing_key": routing_key, "arguments": given.table(arguments, "--argument")})
    session.out.say(f"{kind} '{destination}' is bound to exchange '{source}' in vhost '{session.in_vhost}'")


@asking(
    command,
    "user",
    "add a user",
    more="Without a password, on the command line or otherwise, it is asked for, or read from the first line of stdin. "
    "The user has no permissions yet: amq set permissions.",
)
@click.argument("name")
@click.argument("password", required=False)
@setting.USER_OPTIONS
def user(session: Session, name: str, password: str | None, **options: Any) -> None:
    """Add it; one that is there is left alone."""
    refuse_existing(session, "user", path("users", name), name)
    body = setting.secret(password, options) or {"password": given.password()}
    session.broker.put(path("users", name), {**body, "tags": ",".join(options["tags"])})
    session.out.say(f"user '{name}' added")


@asking(command, "vhost", "add a vhost")
@click.argument("name")
@setting.VHOST_OPTIONS
def vhost(session: Session, name: str, **options: Any) -> None:
    """Add it; one that is there is left alone."""
    refuse_existing(session, "vhost", path("vhosts", name), name)
    session.broker.put(path("vhosts", name), setting.vhost_body({}, options))
    session.out.say(f"vhost '{name}' added")


def refuse_existing(session: Session, kind: str, where: str, name: str) -> None:
    """Raise CommandError when it is there."""
    try:
        session.broker.get(where)
    except Refused as refused:
        if refused.code != 404:
            raise
        return
    raise CommandError(exits.DATA, f"{kind} '{name}' is there already; amq set {kind} changes it")


def _say(session: Session, what: str, code: int) -> None:
    session.out.say(f"{what} {'added' if code == 201 else 'was there already'}")


for _name in ("permissions", "topic-permissions", "policy", "operator-policy", "parameter", "global-parameter"):
    command.add_command(setting.command.commands[_name])
