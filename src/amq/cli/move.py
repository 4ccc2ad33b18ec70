"""`amq move`: messages from a queue to another one, or to an exchange."""

from typing import Any

import click

from amq.cli import exits
from amq.cli.ask.command import Session, asking
from amq.cli.ask.completing import complete_exchanges, complete_queues
from amq.cli.browse import chosen, selection
from amq.cli.exits import CommandError
from amq.cli.transfer import show_report, transfer


@asking(
    None,
    "move",
    "move messages that wait in a queue to another queue or to an exchange",
    vhost=True,
    more="What cannot go stays where it is, and the reason is told (status 65).",
)
@click.argument("queue", shell_complete=complete_queues)
@click.option("--to-queue", metavar="QUEUE", shell_complete=complete_queues, help="straight into this queue")
@click.option("--to-exchange", metavar="EXCHANGE", shell_complete=complete_exchanges, help="published to this exchange")
@click.option("-k", "--routing-key", metavar="KEY", help="with this routing key and not their own")
@selection
@click.option("-n", "--count", metavar="N", type=click.IntRange(1), help="how many at most")
@click.option("--dry-run", is_flag=True, help="only tell what would become of them")
@click.option("-f", "--format", "shape", type=click.Choice(["text", "json"]), default="text", help="text or json")
def command(
    session: Session,
    queue: str,
    to_queue: str | None,
    to_exchange: str | None,
    routing_key: str | None,
    selector: str | None,
    message_id: str | None,
    count: int | None,
    dry_run: bool,
    shape: str,
) -> int:
    """Move them, and tell."""
    if (to_queue is None) == (to_exchange is None):
        raise CommandError(exits.USAGE, "one of --to-queue and --to-exchange is needed")
    to: dict[str, Any] = {"queue": to_queue} if to_exchange is None else {"exchange": to_exchange}
    if routing_key is not None:
        if to_exchange is None:
            raise CommandError(exits.USAGE, "--routing-key: with --to-exchange only")
        to["routing_key"] = routing_key
    request = {"to": to, **chosen(selector, message_id)}
    report = transfer(session, queue, "move", request, count, dry_run)
    show_report(session, report, shape)
    return exits.DATA if report.problems else exits.OK
