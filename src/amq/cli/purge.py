"""`amq purge`: everything that waits in a queue is dropped."""

import click

from amq.cli.ask.broker import path
from amq.cli.ask.command import Session, asking
from amq.cli.ask.completing import complete_queues


@asking(None, "purge", "drop the messages that wait in a queue", vhost=True)
@click.argument("queue", shell_complete=complete_queues)
def command(session: Session, queue: str) -> None:
    """Purge it."""
    session.broker.delete(path("queues", session.in_vhost, queue, "contents"))
    session.out.say(f"queue '{queue}' in vhost '{session.in_vhost}' purged")
