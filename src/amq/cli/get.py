"""`amq get`: a few messages, taken or put back."""

from typing import Final

import click

from amq.cli.ask.broker import path
from amq.cli.ask.command import Session, asking
from amq.cli.ask.completing import complete_queues
from amq.cli.show.messages import FORMAT, show_message

MODES: Final = {
    "requeue": "ack_requeue_true",
    "ack": "ack_requeue_false",
    "reject": "reject_requeue_false",
    "reject-requeue": "reject_requeue_true",
}


@asking(
    None,
    "get",
    "get messages from the head of a queue",
    vhost=True,
    more="They go back to the queue as redelivered ones, unless --ack says otherwise; amq browse does not touch them.",
)
@click.argument("queue", shell_complete=complete_queues)
@click.option("-n", "--count", metavar="N", type=click.IntRange(1), default=1, help="how many at most (1)")
@click.option(
    "--ack",
    type=click.Choice(list(MODES)),
    default="requeue",
    help="requeue: they go back (the default); ack: they are taken; reject: they go to the dead letters",
)
@click.option("--truncate", metavar="N", type=click.IntRange(0), help="at most so many octets of each body")
@FORMAT
def command(session: Session, queue: str, count: int, ack: str, truncate: int | None, shape: str) -> None:
    """Get and write them."""
    body = {"count": count, "ackmode": MODES[ack], "encoding": "auto"}
    if truncate is not None:
        body["truncate"] = truncate
    found = session.broker.post(path("queues", session.in_vhost, queue, "get"), body)
    for message in found:
        show_message(message, shape)
    if not found and shape == "text":
        session.out.say(f"queue '{queue}' in vhost '{session.in_vhost}' is empty")
