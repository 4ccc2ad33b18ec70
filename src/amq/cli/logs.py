"""`amq logs`: the last lines of the broker's log, and those that come."""

import json
import time
from typing import Any, Final

import click

from amq.cli.ask.command import Session, asking
from amq.cli.show.text import harmless

LEVELS: Final = ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency")


@asking(None, "logs", "show the last lines of the log, and follow it")
@click.option("-n", "--lines", metavar="N", type=click.IntRange(0), default=50, help="how many of the last ones (50)")
@click.option("-F", "--follow", is_flag=True, help="go on with those that come, until it is interrupted")
@click.option("-l", "--level", type=click.Choice(LEVELS), default="debug", help="only lines of this importance or more")
@click.option(
    "-f",
    "--format",
    "shape",
    type=click.Choice(["text", "json"]),
    default="text",
    help="text, or json with a line for each",
)
def command(session: Session, lines: int, follow: bool, level: str, shape: str) -> None:
    """The last ones, then what comes behind them."""
    found = session.broker.get("amq/logs", level=level)
    for line in found[len(found) - min(lines, len(found)) :]:
        _show(line, shape)
    if not follow:
        return
    after = max([line["number"] for line in found], default=0)
    with session.broker.stream("amq/logs", level=level, follow="true", after=after) as events:
        for event in events:
            _show(event.data, shape)


def _show(line: dict[str, Any], shape: str) -> None:
    if shape == "json":
        print(json.dumps(line), flush=True)
        return
    moment = line["time"]
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment))
    text = "\n".join([harmless(part) for part in line["text"].splitlines()])
    print(f"{stamp}.{int(moment % 1 * 1000):03d} [{line['level']}] {text}", flush=True)
