"""`amq route`: where a message would go, and why."""

import click

from amq.cli import given
from amq.cli.ask.broker import path
from amq.cli.ask.command import Session, asking
from amq.cli.ask.completing import complete_exchanges
from amq.cli.show.output import print_json
from amq.cli.show.text import harmless


@asking(
    None,
    "route",
    "tell where a message would go and why, and publish nothing",
    vhost=True,
    table=True,
    more="Each row is a binding on its way, with the reason why it takes the message.",
)
@click.argument("exchange", shell_complete=complete_exchanges)
@click.argument("routing_key", metavar="ROUTING_KEY", default="")
@click.option(
    "-H", "--header", "headers", metavar="NAME=VALUE", multiple=True, help="a header; the value is JSON or else a text"
)
def command(session: Session, exchange: str, routing_key: str, headers: tuple[str, ...]) -> None:
    """Show the way."""
    where = path("amq", "exchanges", session.in_vhost, exchange or "amq.default", "route")
    body = {"routing_key": routing_key, "headers": given.table(headers, "--header")}
    found = session.broker.post(where, body)
    if session.out.shape == "json" and session.out.columns is None:
        print_json(found)
        return
    session.out.rows(found["hops"], ("source", "destination_type", "destination", "kind", "reason"))
    if session.out.shape != "table":
        return
    queues = ", ".join([f"'{name}'" for name in found["queues"]])
    session.out.say(f"it would go to {queues}" if queues else "no queue would take it")
    for note in found["notes"]:
        print(harmless(str(note)))
