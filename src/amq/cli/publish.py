"""`amq publish`: messages from the command line, a file or stdin."""

import base64
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click

from amq.cli import exits, given
from amq.cli.amqp import Client, address, short
from amq.cli.ask.broker import path
from amq.cli.ask.command import Session, asking
from amq.cli.exits import CommandError
from amq.cli.show.progress import progress
from amq.management.errors import BadRequest
from amq.management.properties_json import content_header

PROPERTIES: Final = (
    "content_type",
    "content_encoding",
    "correlation_id",
    "reply_to",
    "expiration",
    "message_id",
    "type",
    "user_id",
    "app_id",
)
NUMBERS: Final = ("priority", "timestamp")
NO_ROUTE: Final = "no queue takes it"


def _bodies(body: str | None, file: str | None, lines: bool) -> list[bytes] | Iterator[bytes]:
    """What is to be published, in order."""
    if body is not None and (file is not None or lines):
        raise CommandError(exits.USAGE, "BODY: not allowed with --file or --lines")
    if body is not None and body != "-":
        return [body.encode("utf-8", "surrogateescape")]
    if lines:
        return _lines(file)
    return [given.content(file or "-")]


def _lines(file: str | None) -> Iterator[bytes]:
    if file is None or file == "-":
        yield from (line.rstrip(b"\r\n") for line in sys.stdin.buffer)
        return
    try:
        with Path(file).open("rb") as source:
            yield from (line.rstrip(b"\r\n") for line in source)
    except OSError as error:
        raise CommandError(exits.DATA, f"{file}: {error.strerror or error}") from None


def _properties(options: dict[str, Any]) -> dict[str, Any]:
    found = {name: options[name] for name in (*PROPERTIES, *NUMBERS) if options[name] is not None}
    for name, value in given.table(options["properties"], "--property").items():
        if name not in {*PROPERTIES, *NUMBERS, "delivery_mode"}:
            raise CommandError(exits.USAGE, f"--property {name}: there are {', '.join((*PROPERTIES, *NUMBERS))}")
        found[name] = value if name in {*NUMBERS, "delivery_mode"} else str(value)
    found.setdefault("delivery_mode", 2 if options["persistent"] else 1)
    headers = given.table(options["headers"], "--header")
    return {**found, "headers": headers} if headers else found


class _Pace:
    """Holds publishing back to a number of messages per second; none for None."""

    def __init__(self, rate: float | None) -> None:
        self._rate = rate
        self._began = time.monotonic()

    def wait(self, count: int) -> None:
        """Until so many may have been published."""
        if self._rate is not None:
            time.sleep(max(0.0, self._began + count / self._rate - time.monotonic()))


@asking(
    None,
    "publish",
    "publish messages",
    vhost=True,
    more="To EXCHANGE with ROUTING_KEY; '' is the default exchange, where the routing key is the name of a queue. BODY "
    "is the body, - or nothing reads it from stdin. One that no queue takes is an error (status 65), unless "
    "--allow-unroutable says otherwise. With --amqp it goes over AMQP, with confirms, which is many times "
    "faster for many messages; else over the HTTP API, and needs no password on the broker's machine.",
)
@click.argument("exchange")
@click.argument("routing_key", metavar="ROUTING_KEY")
@click.argument("body", required=False)
@click.option("-F", "--file", metavar="FILE", help="the body is what is in this file")
@click.option("--lines", is_flag=True, help="each line of the file or of stdin is a message")
@click.option(
    "-H", "--header", "headers", metavar="NAME=VALUE", multiple=True, help="a header; the value is JSON or else a text"
)
@click.option(
    "-P", "--property", "properties", metavar="NAME=VALUE", multiple=True, help="a property, as the options below"
)
@click.option("--content-type", metavar="TYPE", help="such as application/json")
@click.option("--content-encoding", metavar="NAME", help="such as gzip")
@click.option("--correlation-id", metavar="ID", help="for who waits for an answer")
@click.option("--reply-to", metavar="QUEUE", help="where an answer goes")
@click.option("--expiration", metavar="MS", help="how long it may wait")
@click.option("--message-id", metavar="ID", help="its own name")
@click.option("--type", metavar="TEXT", help="the name of its kind")
@click.option("--user-id", metavar="USER", help="must be the user who publishes")
@click.option("--app-id", metavar="TEXT", help="who sends it")
@click.option("--priority", metavar="N", type=int, help="0 to 255")
@click.option("--timestamp", metavar="S", type=int, help="seconds since 1970")
@click.option(
    "--persistent/--transient", default=True, help="whether it survives a restart, in a durable queue (it does)"
)
@click.option("--repeat", metavar="N", type=click.IntRange(1), default=1, help="publish everything so many times (1)")
@click.option(
    "--rate", metavar="N", type=click.FloatRange(0, min_open=True), help="at most so many messages per second"
)
@click.option("--allow-unroutable", is_flag=True, help="messages that no queue takes are no error")
@click.option(
    "--amqp",
    metavar="URL",
    envvar="AMQ_AMQP_URL",
    help="over AMQP: amqp://USER:PASSWORD@HOST:5672/VHOST, or auto ($AMQ_AMQP_URL)",
)
def command(
    session: Session,
    exchange: str,
    routing_key: str,
    body: str | None,
    file: str | None,
    lines: bool,
    repeat: int,
    rate: float | None,
    allow_unroutable: bool,
    amqp: str | None,
    **options: Any,
) -> None:
    """Publish, and say how many were routed."""
    bodies = _bodies(body, file, lines)
    if repeat > 1:
        bodies = list(bodies)
    total = len(bodies) * repeat if isinstance(bodies, list) else None
    everything = (each for _ in range(repeat) for each in bodies)
    publish = _over_http if amqp is None else _over_amqp
    properties = _properties(options)
    with progress("publishing", total if total != 1 else None, quiet=session.out.quiet or total == 1) as advance:
        count, unroutable = publish(session, exchange, routing_key, properties, everything, _Pace(rate), advance, amqp)
    routed = count - unroutable
    session.out.say(f"{routed} message{'' if routed == 1 else 's'} published")
    if unroutable and not allow_unroutable:
        where = f"exchange '{exchange}' with routing key '{routing_key}' in vhost '{session.in_vhost}'"
        raise CommandError(exits.DATA, f"{where}: {NO_ROUTE}, {unroutable} of {count} dropped")


def _over_http(
    session: Session,
    exchange: str,
    routing_key: str,
    properties: dict[str, Any],
    bodies: Iterator[bytes],
    pace: _Pace,
    advance: Any,
    _amqp: str | None,
) -> tuple[int, int]:
    where = path("exchanges", session.in_vhost, exchange or "amq.default", "publish")
    count = unroutable = 0
    for body in bodies:
        pace.wait(count)
        payload = base64.b64encode(body).decode()
        answer = session.broker.post(
            where,
            {
                "properties": properties,
                "routing_key": routing_key,
                "payload": payload,
                "payload_encoding": "base64",
            },
        )
        count += 1
        unroutable += not answer["routed"]
        advance(count)
    return count, unroutable


def _over_amqp(
    session: Session,
    exchange: str,
    routing_key: str,
    properties: dict[str, Any],
    bodies: Iterator[bytes],
    pace: _Pace,
    advance: Any,
    amqp: str | None,
) -> tuple[int, int]:
    where = address(session.broker, None if amqp == "auto" else amqp, session.vhost)
    key, name = short(routing_key, "the routing key"), short(exchange, "the exchange's name")
    count = 0
    with Client(where, session.broker.seconds) as client:
        client.confirm()
        for body in bodies:
            pace.wait(count)
            try:
                header = content_header(properties, len(body))
            except BadRequest as error:
                raise CommandError(exits.DATA, str(error.reason)) from None
            client.publish(name, key, header, body)
            count += 1
            advance(client.confirmed)
        client.await_confirms()
        client.finish()
        return count, len(client.returned)
