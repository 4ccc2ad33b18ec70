"""`amq top`: rates, totals and the most of something, live."""

import sys
import time
from importlib import import_module
from typing import Any, Final

import click

from amq.cli.ask.broker import path
from amq.cli.ask.command import Session, asking
from amq.cli.show.output import print_json
from amq.cli.show.sizes import octets

KINDS: Final = {
    "queues-by-messages": ("vhost", "name", "messages", "messages_ready", "messages_unacknowledged", "consumers"),
    "queues-by-memory": ("vhost", "name", "memory", "message_bytes", "messages", "consumers"),
    "queues-by-bytes": ("vhost", "name", "message_bytes", "memory", "messages", "consumers"),
    "slow-consumers": ("vhost", "queue", "consumer_tag", "channel", "oldest_delivery_age", "messages_unacknowledged"),
    "unroutable": ("vhost", "name", "type", "unroutable", "publish_in"),
}
RATES: Final = {"publish": "published", "deliver_get": "delivered", "ack": "acknowledged", "redeliver": "redelivered"}


@asking(
    None,
    "top",
    "show rates, totals and the largest queues live",
    table=True,
    more="KIND is what the list is of. On a terminal it goes on until it is interrupted, else it is shown once.",
)
@click.argument("kind", type=click.Choice(list(KINDS)), default="queues-by-messages")
@click.option("-n", "--limit", metavar="N", type=click.IntRange(1, 500), default=20, help="how many rows (20)")
@click.option(
    "-i", "--interval", metavar="S", type=click.FloatRange(0.1), default=2.0, help="how often it is drawn (2)"
)
@click.option("--times", metavar="N", type=click.IntRange(1), help="end after so many times")
def command(session: Session, kind: str, limit: int, interval: float, times: int | None) -> None:
    """Draw it once, or over and over."""
    if session.out.shape != "table" or not sys.stdout.isatty():
        _once(session, kind, limit)
        return
    console = import_module("rich.console").Console(highlight=False)
    with import_module("rich.live").Live(console=console, auto_refresh=False, screen=times is None) as live:
        drawn = 0
        while True:
            live.update(_view(session, kind, limit), refresh=True)
            drawn += 1
            if drawn == times:
                return
            time.sleep(interval)


def _rows(session: Session, kind: str, limit: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = session.broker.get(path("amq", "top", kind), limit=limit)
    return rows


def _once(session: Session, kind: str, limit: int) -> None:
    rows = _rows(session, kind, limit)
    if session.out.shape == "json":
        print_json({"totals": _totals(session), kind: rows})
        return
    session.out.rows(rows, KINDS[kind])


def _totals(session: Session) -> dict[str, Any]:
    """Rates per second and counts of now."""
    about = session.broker.get("overview")
    node = session.broker.get(path("nodes", about["node"]))
    stats, queued, objects = (
        about.get("message_stats", {}),
        about.get("queue_totals", {}),
        about.get("object_totals", {}),
    )
    rates = {shown: (stats.get(f"{name}_details") or {}).get("rate", 0.0) for name, shown in RATES.items()}
    return {
        **{f"{name}/s": round(rate, 1) for name, rate in rates.items()},
        "messages": queued.get("messages", 0),
        "unacknowledged": queued.get("messages_unacknowledged", 0),
        "connections": objects.get("connections", 0),
        "channels": objects.get("channels", 0),
        "queues": objects.get("queues", 0),
        "consumers": objects.get("consumers", 0),
        "memory": octets(node.get("mem_used", 0)),
        "disk free": octets(node.get("disk_free", 0)),
    }


def _view(session: Session, kind: str, limit: int) -> Any:
    terminal = import_module("amq.cli.show.terminal")
    totals = _totals(session)
    rows = _rows(session, kind, limit)
    names = session.out.names(KINDS[kind])
    heading = import_module("rich.text").Text(f"{session.broker.target.shown}   {kind}   {time.strftime('%H:%M:%S')}")
    return import_module("rich.console").Group(
        heading, terminal.table([totals], list(totals)), terminal.table(rows, names)
    )
