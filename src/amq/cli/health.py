"""`amq health`: the health checks, all or one."""

from typing import Final

import click

from amq.cli import exits
from amq.cli.ask.broker import Refused, path
from amq.cli.ask.command import Session, asking

CHECKS: Final = (
    "alarms",
    "local-alarms",
    "virtual-hosts",
    "certificate-expiration",
    "is-in-service",
    "ready-to-serve-clients",
)
EXTRA: Final[dict[str, tuple[str, ...]]] = {"certificate-expiration": ("1", "months")}


@asking(
    None,
    "health",
    "run the health checks",
    table=True,
    more="All of them, or those that are named; more can be named with their arguments, such as port-listener/5672 or "
    "protocol-listener/amqp. Status 0 if all is well, 69 if a check fails.",
)
@click.argument(
    "checks",
    nargs=-1,
    metavar="[CHECK]...",
    shell_complete=lambda _ctx, _parameter, start: [name for name in CHECKS if name.startswith(start)],
)
def command(session: Session, checks: tuple[str, ...]) -> int:
    """Ask each."""
    rows = []
    for check in checks or CHECKS:
        name, *arguments = check.split("/")
        try:
            session.broker.get(path("health", "checks", name, *(arguments or EXTRA.get(name, ()))))
        except Refused as refused:
            if refused.code == 404 and not checks:
                # An older broker does not have this one.
                continue
            if refused.code != 503:
                raise
            told = str(refused).removeprefix("the broker failed (503): ")
            rows.append({"check": check, "status": "failed", "reason": told})
        else:
            rows.append({"check": check, "status": "ok", "reason": ""})
    failed = any(row["status"] == "failed" for row in rows)
    if not session.out.quiet or failed:
        session.out.rows(rows, ("check", "status", "reason"))
    return exits.UNAVAILABLE if failed else exits.OK
