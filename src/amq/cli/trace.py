"""`amq trace`: what happens to messages, while it happens."""

import json
from typing import Any

import click

from amq.cli.ask.broker import path
from amq.cli.ask.command import Session, asking
from amq.cli.ask.completing import complete_exchanges, complete_queues
from amq.cli.browse import chosen
from amq.cli.show.text import cell, harmless


@asking(
    None,
    "trace",
    "follow messages live: published, delivered, dead-lettered",
    vhost=True,
    more="Until it is interrupted, or as many events as --count says. Nothing waits for it: what comes too fast is "
    "left out, and how much that was is told.",
)
@click.argument("message_id", required=False, metavar="[MESSAGE_ID]")
@click.option(
    "-k", "--routing-key", metavar="PATTERN", help="only messages with this routing key; * is a word, # any number"
)
@click.option(
    "--queue", metavar="QUEUE", shell_complete=complete_queues, help="only what goes into this queue, or leaves it"
)
@click.option(
    "--exchange", metavar="EXCHANGE", shell_complete=complete_exchanges, help="only what was published to this exchange"
)
@click.option("-s", "--selector", metavar="SELECTOR", help="only messages that it takes")
@click.option("-n", "--count", metavar="N", type=click.IntRange(1), help="end after so many events")
@click.option(
    "--truncate", metavar="N", type=click.IntRange(0), default=1_000, help="at most so many octets of each body (1000)"
)
@click.option(
    "-f",
    "--format",
    "shape",
    type=click.Choice(["text", "json"]),
    default="text",
    help="text, or json with a line for each",
)
def command(
    session: Session,
    message_id: str | None,
    selector: str | None,
    count: int | None,
    shape: str,
    **filters: Any,
) -> None:
    """Write events as they come."""
    query = {name: value for name, value in filters.items() if value is not None}
    seen = 0
    with session.broker.stream(
        path("amq", "trace", session.in_vhost), **query, **chosen(selector, message_id)
    ) as events:
        for event in events:
            if event.name == "following" and shape == "text":
                session.out.say(f"following vhost '{session.in_vhost}'; Ctrl-C ends it")
                continue
            if event.name == "following" or not isinstance(event.data, dict):
                continue
            print(json.dumps(event.data) if shape == "json" else _line(event.data), flush=True)
            seen += event.name != "dropped"
            if seen == count:
                return


def _line(event: dict[str, Any]) -> str:
    if event["event"] == "dropped":
        return f"... {event['events']} events were too many and are left out"
    parts = [
        f"{event['time']} {event['event']}",
        f"exchange '{event['exchange']}'",
        f"key '{event['routing_key']}'",
    ]
    queues = ", ".join([f"'{name}'" for name in event["queues"]])
    parts.append(f"queues {queues}" if queues else "no queue")
    if event.get("reason"):
        parts.append(f"reason {event['reason']}")
    properties = event["properties"] or {}
    if "message_id" in properties:
        parts.append(f"message_id '{properties['message_id']}'")
    if event.get("user"):
        parts.append(f"by {event['user']} at {event.get('connection') or 'the broker'}")
    parts.append(f"{event['payload_bytes']} octets")
    return harmless(" | ".join([cell(part) for part in parts]))
