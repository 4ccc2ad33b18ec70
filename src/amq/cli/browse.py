"""`amq browse`: the messages that wait in a queue, without taking or touching them."""

from collections.abc import Callable, Iterator
from typing import Any, Final

import click

from amq.cli.ask.broker import path
from amq.cli.ask.command import Function, Session, asking
from amq.cli.ask.completing import complete_queues
from amq.cli.show.messages import FORMAT, show_message

# Messages of one request.
PAGE: Final = 200


def selection(function: Function) -> Function:
    """The options that say which messages are meant."""
    function = click.option("-m", "--message-id", metavar="ID", help="only messages with this property")(function)
    return click.option(
        "-s",
        "--selector",
        metavar="SELECTOR",
        help="only messages that it takes, such as \"routing_key LIKE 'order.%' AND headers.n > 5\"",
    )(function)


def chosen(selector: str | None, message_id: str | None) -> dict[str, Any]:
    """The same as the API takes it."""
    given = {"selector": selector, "message_id": message_id}
    return {name: value for name, value in given.items() if value is not None}


def pages(ask: Callable[[int], dict[str, Any]], start: int = -1) -> Iterator[dict[str, Any]]:
    """Answers one after the other: each says behind which position the next one goes on."""
    position: int | None = start
    while position is not None:
        answer = ask(position)
        yield answer
        position = answer["next"]


@asking(
    None,
    "browse",
    "look at the messages that wait in a queue, without taking them",
    vhost=True,
    more="They stay as they are: not redelivered, in their order, free for consumers.",
)
@click.argument("queue", shell_complete=complete_queues)
@selection
@click.option("-n", "--count", metavar="N", type=click.IntRange(1), default=50, help="how many at most (50)")
@click.option("--from", "start", metavar="POSITION", type=int, default=-1, help="only behind this position")
@click.option(
    "--truncate",
    metavar="N",
    type=click.IntRange(0),
    default=10_000,
    help="at most so many octets of each body (10000)",
)
@FORMAT
def command(
    session: Session,
    queue: str,
    selector: str | None,
    message_id: str | None,
    count: int,
    start: int,
    truncate: int,
    shape: str,
) -> None:
    """List them page by page, until there are enough."""
    where = path("amq", "queues", session.in_vhost, queue, "messages")
    left = count

    def ask(position: int) -> dict[str, Any]:
        query = {**chosen(selector, message_id), "from": position, "limit": min(left, PAGE), "truncate": truncate}
        found: dict[str, Any] = session.broker.get(where, **query)
        return found

    for answer in pages(ask, start):
        for message in answer["messages"]:
            show_message(message, shape)
            left -= 1
        if left <= 0:
            return
    if left == count and shape == "text":
        session.out.say(f"no such message waits in queue '{queue}' in vhost '{session.in_vhost}'")
