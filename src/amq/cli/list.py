"""`amq list`: what there is, a row for each."""

from collections.abc import Iterator
from typing import Any, Final

import click

from amq.cli.ask.broker import path
from amq.cli.ask.command import Session, asking
from amq.cli.show.output import Row, value
from amq.cli.show.resources import RESOURCES, Resource

LIMIT_COLUMNS: Final = ("of", "name", "limit", "value")


@click.group("list", help="List what there is.")
def command() -> None:
    """What is to be listed says the next argument."""


def _list(session: Session, resource: Resource) -> None:
    where = resource.where
    if resource.in_vhosts and session.vhost is not None:
        where = path(resource.where, session.vhost)
    rows: list[Row] = session.broker.get(where)
    if session.vhost is not None and not resource.in_vhosts:
        rows = [row for row in rows if row.get("vhost") == session.vhost]
    session.out.rows(rows, resource.columns)


def _enter(resource: Resource) -> None:
    """Make the command of a resource."""
    of_vhosts = resource.in_vhosts or "vhost" in resource.columns

    def function(session: Session) -> None:
        _list(session, resource)

    asking(
        command,
        resource.name,
        f"list {resource.name.replace('-', ' ')}",
        vhost=of_vhosts,
        table=True,
        more=f"Columns unless others are named: {', '.join(resource.columns)}."
        + (" Of every vhost, unless one is named." if of_vhosts else ""),
    )(function)


for _resource in RESOURCES:
    _enter(_resource)


@asking(
    command,
    "limits",
    "list the limits of vhosts and users",
    vhost=True,
    table=True,
    more=f"Columns unless others are named: {', '.join(LIMIT_COLUMNS)}.",
)
def limits(session: Session) -> None:
    """Both kinds in one table; with a vhost, only those of it."""
    rows = list(_limits("vhost", session.broker.get("vhost-limits")))
    if session.vhost is None:
        rows += _limits("user", session.broker.get("user-limits"))
    else:
        rows = [row for row in rows if row["name"] == session.vhost]
    session.out.rows(rows, LIMIT_COLUMNS)


def _limits(kind: str, found: list[dict[str, Any]]) -> Iterator[Row]:
    for each in found:
        for limit, number in (value(each, "value") or {}).items():
            yield {"of": kind, "name": each[kind], "limit": limit, "value": number}
