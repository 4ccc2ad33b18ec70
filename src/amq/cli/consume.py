"""`amq consume`: a real consumer, over AMQP."""

from typing import Final

import click

from amq.cli import exits, given
from amq.cli.amqp import Client, Delivered, address, short
from amq.cli.ask.command import Session, asking
from amq.cli.ask.completing import complete_queues
from amq.cli.exits import CommandError
from amq.cli.show.messages import FORMAT, described, show_message
from amq.management.entities_json import arguments_in
from amq.management.errors import BadRequest

ACK: Final = "ack"
NO_ACK: Final = "no-ack"
REQUEUE: Final = "requeue"
REJECT: Final = "reject"


@asking(
    None,
    "consume",
    "consume messages of a queue as they come",
    vhost=True,
    more="Until it is interrupted, or as many as --count says. Each message is acknowledged when it has been written; "
    "--ack says otherwise. It logs in with the name and password of --url, or of --amqp; over the socket of "
    "the data folder as guest.",
)
@click.argument("queue", shell_complete=complete_queues)
@click.option("-n", "--count", metavar="N", type=click.IntRange(1), help="end after so many messages")
@click.option(
    "--idle", metavar="S", type=click.FloatRange(0, min_open=True), help="end when none has come for so many seconds"
)
@click.option(
    "--ack",
    type=click.Choice([ACK, NO_ACK, REQUEUE, REJECT]),
    default=ACK,
    help="ack: when written; no-ack: the broker does not wait for that; requeue: they go back at the end; "
    "reject: each goes to the dead letters",
)
@click.option(
    "--prefetch",
    metavar="N",
    type=click.IntRange(0, 65535),
    help="how many may be on the way, 0 for any number (100; with --count as many)",
)
@click.option(
    "-a", "--argument", "arguments", metavar="NAME=VALUE", multiple=True, help="an argument, such as x-priority=5"
)
@FORMAT
@click.option(
    "--amqp", metavar="URL", envvar="AMQ_AMQP_URL", help="where, amqp://USER:PASSWORD@HOST:5672/VHOST ($AMQ_AMQP_URL)"
)
def command(
    session: Session,
    queue: str,
    count: int | None,
    idle: float | None,
    ack: str,
    prefetch: int | None,
    arguments: tuple[str, ...],
    shape: str,
    amqp: str | None,
) -> None:
    """Write what comes."""
    if ack == REQUEUE and count is None and idle is None:
        raise CommandError(exits.USAGE, "--ack requeue: they would be held forever; --count or --idle is needed")
    if ack == NO_ACK and count is not None:
        raise CommandError(exits.USAGE, "--ack no-ack: not with --count: what came behind those would be lost")
    try:
        table = arguments_in({"arguments": given.table(arguments, "--argument")})
    except BadRequest as error:
        raise CommandError(exits.USAGE, f"--argument: {error.reason}") from None
    name = short(queue, "the queue's name")
    where = address(session.broker, None if amqp == "auto" else amqp, session.vhost)
    with Client(where, session.broker.seconds) as client:
        if prefetch is None:
            prefetch = 0 if ack == REQUEUE else min(count or 100, 100)
        messages = client.consume(name, prefetch, ack == NO_ACK, table, idle)
        for taken, delivered in enumerate(messages, 1):
            show_message(described(delivered), shape)
            _settle(client, delivered, ack)
            if taken == count:
                break
        client.finish()


def _settle(client: Client, delivered: Delivered, ack: str) -> None:
    if ack == ACK:
        client.acknowledge(delivered.tag)
    elif ack == REJECT:
        client.reject(delivered.tag, requeue=False)
