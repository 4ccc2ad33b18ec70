"""`amq replay-dlq`: dead letters go back to where they came from; what would happen is shown first."""

import sys
from typing import Any

import click

from amq.cli import exits
from amq.cli.ask.command import Session, asking
from amq.cli.ask.completing import complete_queues
from amq.cli.browse import chosen, selection
from amq.cli.transfer import show_report, transfer


@asking(
    None,
    "replay-dlq",
    "send dead-lettered messages back to where they came from",
    vhost=True,
    more="First it tells what would become of them; then it asks on a terminal, and does it elsewhere with --yes only. "
    "What cannot go back stays, and the reason is told (status 65).",
)
@click.argument("queue", shell_complete=complete_queues)
@click.option(
    "--to",
    type=click.Choice(["queue", "exchange"]),
    default="queue",
    help="queue: straight to the one that they died in (the default); exchange: to the one that they were published to",
)
@click.option(
    "--death",
    type=click.Choice(["last", "first"]),
    default="last",
    help="which death is undone, of those that died several times (last)",
)
@click.option(
    "--history", type=click.Choice(["keep", "strip"]), default="keep", help="strip: without their x-death headers"
)
@selection
@click.option("-n", "--count", metavar="N", type=click.IntRange(1), help="how many at most")
@click.option("-y", "--yes", is_flag=True, help="do it without asking")
@click.option("--dry-run", is_flag=True, help="only tell what would become of them")
@click.option("-f", "--format", "shape", type=click.Choice(["text", "json"]), default="text", help="text or json")
def command(
    session: Session,
    queue: str,
    selector: str | None,
    message_id: str | None,
    count: int | None,
    yes: bool,
    dry_run: bool,
    shape: str,
    **ways: Any,
) -> int:
    """Show, ask, do."""
    request = {**ways, **chosen(selector, message_id)}
    if dry_run or not yes:
        report = transfer(session, queue, "replay", request, count, dry_run=True)
        show_report(session, report, shape)
        if dry_run or not report.moved:
            return exits.DATA if report.problems else exits.OK
        if not sys.stdin.isatty():
            session.out.say("Nothing was changed. With --yes it is done.")
            return exits.OK
        click.confirm("Send them back?", abort=True, err=True)
    report = transfer(session, queue, "replay", request, count, dry_run=False)
    show_report(session, report, shape)
    return exits.DATA if report.problems else exits.OK
