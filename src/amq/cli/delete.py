"""`amq delete`: what is there, and shall not be."""

from typing import Any

import click

from amq.cli import exits, given
from amq.cli.add import ARGUMENT
from amq.cli.ask.broker import path
from amq.cli.ask.command import Session, asking
from amq.cli.ask.completing import (
    complete_exchanges,
    complete_operator_policies,
    complete_policies,
    complete_queues,
    complete_users,
    complete_vhosts,
)
from amq.cli.browse import chosen, pages, selection
from amq.cli.exits import CommandError


@click.group("delete", help="Delete something.")
def command() -> None:
    """What is to be deleted says the next argument."""


def _deleted(session: Session, what: str, where: str, **query: str) -> None:
    session.broker.delete(where, query)
    session.out.say(f"{what} deleted")


@asking(command, "queue", "delete a queue, with its messages", vhost=True)
@click.argument("name", shell_complete=complete_queues)
@click.option("--if-empty", is_flag=True, help="only when no message is in it")
@click.option("--if-unused", is_flag=True, help="only when it has no consumer")
def queue(session: Session, name: str, if_empty: bool, if_unused: bool) -> None:
    """Delete it."""
    query = {"if-empty": "true"} if if_empty else {}
    if if_unused:
        query["if-unused"] = "true"
    where = path("queues", session.in_vhost, name)
    _deleted(session, f"queue '{name}' in vhost '{session.in_vhost}'", where, **query)


@asking(
    command,
    "messages",
    "delete messages that wait in a queue, chosen by a selector",
    vhost=True,
    more="amq purge drops all of them.",
)
@click.argument("queue", shell_complete=complete_queues)
@selection
@click.option("--dry-run", is_flag=True, help="only tell how many there are")
def messages(session: Session, queue: str, selector: str | None, message_id: str | None, dry_run: bool) -> None:
    """Delete them part by part."""
    query = chosen(selector, message_id)
    if not query:
        raise CommandError(exits.USAGE, "one of --selector and --message-id is needed; amq purge drops all messages")
    if dry_run:
        query["dry_run"] = "true"
    where = path("amq", "queues", session.in_vhost, queue, "messages")
    answers = pages(
        lambda position: dict(session.broker.send("DELETE", where, query={**query, "from": position}).json())
    )
    count = sum(answer["deleted"] for answer in answers)
    would = "would be " if dry_run else ""
    session.out.say(f"{count} message{'' if count == 1 else 's'} {would}deleted")


@asking(command, "exchange", "delete an exchange", vhost=True)
@click.argument("name", shell_complete=complete_exchanges)
@click.option("--if-unused", is_flag=True, help="only when nothing is bound to it")
def exchange(session: Session, name: str, if_unused: bool) -> None:
    """Delete it."""
    query = {"if-unused": "true"} if if_unused else {}
    where = path("exchanges", session.in_vhost, name)
    _deleted(session, f"exchange '{name}' in vhost '{session.in_vhost}'", where, **query)


@asking(command, "binding", "unbind a queue or an exchange from an exchange", vhost=True)
@click.argument("source", shell_complete=complete_exchanges)
@click.argument("destination", shell_complete=complete_queues)
@click.option("-k", "--routing-key", metavar="KEY", default="", help="that of the binding (empty)")
@click.option(
    "-t", "--to", "kind", type=click.Choice(["queue", "exchange"]), default="queue", help="what DESTINATION is (queue)"
)
@ARGUMENT
def binding(
    session: Session, source: str, destination: str, routing_key: str, kind: str, arguments: tuple[str, ...]
) -> None:
    """Delete the binding with this routing key; its arguments are needed where several have the same."""
    where = path("bindings", session.in_vhost, "e", source, kind[0], destination)
    found: list[dict[str, Any]] = [row for row in session.broker.get(where) if row["routing_key"] == routing_key]
    table = given.table(arguments, "--argument")
    if table or len(found) > 1:
        found = [row for row in found if row["arguments"] == table]
    if not found:
        raise CommandError(
            exits.DATA,
            f"{kind} '{destination}' is not bound to '{source}' in vhost '{session.in_vhost}' "
            f"with the routing key '{routing_key}'" + (" and these arguments" if table else ""),
        )
    _deleted(
        session,
        f"binding of {kind} '{destination}' to exchange '{source}' in vhost '{session.in_vhost}'",
        f"{where}/{path(found[0]['properties_key'])}",
    )


@asking(command, "user", "delete a user")
@click.argument("name", shell_complete=complete_users)
def user(session: Session, name: str) -> None:
    """Delete it."""
    _deleted(session, f"user '{name}'", path("users", name))


@asking(command, "vhost", "delete a vhost, with all that is in it")
@click.argument("name", shell_complete=complete_vhosts)
def vhost(session: Session, name: str) -> None:
    """Delete it."""
    _deleted(session, f"vhost '{name}'", path("vhosts", name))


@asking(command, "permissions", "take a user's permissions in a vhost away", vhost=True)
@click.argument("user", shell_complete=complete_users)
def permissions(session: Session, user: str) -> None:
    """Delete all three."""
    where = path("permissions", session.in_vhost, user)
    _deleted(session, f"permissions of user '{user}' in vhost '{session.in_vhost}'", where)


@asking(command, "topic-permissions", "take a user's topic permissions in a vhost away", vhost=True)
@click.argument("user", shell_complete=complete_users)
@click.argument("exchange", required=False, shell_complete=complete_exchanges)
def topic_permissions(session: Session, user: str, exchange: str | None) -> None:
    """Delete those of an exchange, or of all."""
    where = path("topic-permissions", session.in_vhost, user, *([] if exchange is None else [exchange]))
    _deleted(session, f"topic permissions of user '{user}' in vhost '{session.in_vhost}'", where)


@asking(command, "policy", "delete a policy", vhost=True)
@click.argument("name", shell_complete=complete_policies)
def policy(session: Session, name: str) -> None:
    """Delete it."""
    where = path("policies", session.in_vhost, name)
    _deleted(session, f"policy '{name}' in vhost '{session.in_vhost}'", where)


@asking(command, "operator-policy", "delete an operator policy", vhost=True)
@click.argument("name", shell_complete=complete_operator_policies)
def operator_policy(session: Session, name: str) -> None:
    """Delete it."""
    where = path("operator-policies", session.in_vhost, name)
    _deleted(session, f"operator policy '{name}' in vhost '{session.in_vhost}'", where)


@asking(command, "parameter", "delete a parameter of a component", vhost=True)
@click.argument("component")
@click.argument("name")
def parameter(session: Session, component: str, name: str) -> None:
    """Delete it."""
    where = path("parameters", component, session.in_vhost, name)
    _deleted(session, f"parameter '{name}' of {component} in vhost '{session.in_vhost}'", where)


@asking(command, "global-parameter", "delete a global parameter")
@click.argument("name")
def global_parameter(session: Session, name: str) -> None:
    """Delete it."""
    _deleted(session, f"global parameter '{name}'", path("global-parameters", name))


@asking(command, "vhost-limit", "take a limit of a vhost away", vhost=True)
@click.argument("limit", type=click.Choice(["max-connections", "max-queues"]))
def vhost_limit(session: Session, limit: str) -> None:
    """Delete it."""
    where = path("vhost-limits", session.in_vhost, limit)
    _deleted(session, f"{limit} of vhost '{session.in_vhost}'", where)


@asking(command, "user-limit", "take a limit of a user away")
@click.argument("user", shell_complete=complete_users)
@click.argument("limit", type=click.Choice(["max-connections", "max-channels"]))
def user_limit(session: Session, user: str, limit: str) -> None:
    """Delete it."""
    _deleted(session, f"{limit} of user '{user}'", path("user-limits", user, limit))
