"""`amq close`: connections of clients."""

import click

from amq.cli import exits
from amq.cli.ask.broker import path
from amq.cli.ask.command import Session, asking
from amq.cli.ask.completing import complete_connections, complete_users
from amq.cli.exits import CommandError


@click.group("close", help="Close connections of clients.")
def command() -> None:
    """What is to be closed says the next argument."""


@asking(
    command,
    "connection",
    "close a connection, or all of a user, of a vhost or of the broker",
    vhost=True,
    more="NAME is that of amq list connections, 'HOST:PORT -> HOST:PORT'.",
)
@click.argument("name", required=False, shell_complete=complete_connections)
@click.option("--user", metavar="USER", shell_complete=complete_users, help="all of this user; with -p, in that vhost")
@click.option("--all", "every", is_flag=True, help="all there are; with -p, in that vhost")
@click.option("-r", "--reason", metavar="TEXT", default="Closed via amq close", help="what the clients are told")
def connection(session: Session, name: str | None, user: str | None, every: bool, reason: str) -> None:
    """Close what was meant, and say how many there were."""
    if (name is not None) + (user is not None) + every != 1:
        raise CommandError(exits.USAGE, "one of NAME, --user and --all is needed")
    if name is not None:
        session.broker.delete(path("connections", name), reason=reason)
        session.out.say(f"connection '{name}' closed")
        return
    rows = session.broker.get("connections" if session.vhost is None else path("vhosts", session.vhost, "connections"))
    names = [row["name"] for row in rows if user is None or row.get("user") == user]
    for each in names:
        session.broker.delete(path("connections", each), reason=reason)
    session.out.say(f"{len(names)} connection{'' if len(names) == 1 else 's'} closed")
