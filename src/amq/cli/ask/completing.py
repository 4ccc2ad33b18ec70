"""Names from the broker for the shell's completion: only where one request is enough, and never an error."""

from collections.abc import Callable
from typing import Any, Final

import click

from amq.cli.ask.broker import Broker, path
from amq.cli.ask.target import Tls, find
from amq.cli.exits import CommandError

# A shell that waits is worse than no names.
SECONDS: Final = 1.0
SHOWN: Final = 200

Complete = Callable[[click.Context, click.Parameter, str], list[str]]


def _broker(ctx: click.Context) -> Broker:
    given = ctx.params
    tls = Tls(given.get("cacert"), given.get("cert"), given.get("key"), bool(given.get("insecure")))
    return Broker(find(given.get("url"), given.get("data")), tls, SECONDS)


def names(resource: str, *, in_vhost: bool = False, field: str = "name") -> Complete:
    """Completion by the names of a resource, of the vhost that is named if it is one of those that live in vhosts."""

    def complete(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
        try:
            broker = _broker(ctx)
            where = path(resource, ctx.params.get("vhost") or "/") if in_vhost else resource
            rows: list[dict[str, Any]] = broker.get(where, columns=field)
            broker.close()
        except (CommandError, OSError):
            return []
        found = [str(row.get(field, "")) for row in rows]
        return [name for name in found if name and name.isprintable() and name.startswith(incomplete)][:SHOWN]

    return complete


complete_vhosts: Final = names("vhosts")
complete_queues: Final = names("queues", in_vhost=True)
complete_exchanges: Final = names("exchanges", in_vhost=True)
complete_users: Final = names("users")
complete_policies: Final = names("policies", in_vhost=True)
complete_operator_policies: Final = names("operator-policies", in_vhost=True)
complete_connections: Final = names("connections")
