"""The options of `amq perf`, named as PerfTest names them, and the load that they ask for."""

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

import attrs
import click

from amq.cli import exits, given
from amq.cli.exits import CommandError
from amq.management.entities_json import arguments_in
from amq.management.errors import BadRequest
from amq.management.properties_json import FIELDS, NUMBERS, content_header
from amq.perf.load import EXIT_WHEN, FRAME_MAX, Load, Phase, address

FLAGS: Final = ("persistent", "mandatory")
MOST_QUEUES: Final = 1_000_000
# What stands for the number in a pattern of names: %d or, with leading zeros, %03d.
NUMBERED: Final = re.compile(r"%(0\d)?d")

Decorated = Callable[..., Any]


def _option(*names: str, **settings: Any) -> Callable[[Decorated], Decorated]:
    return click.option(*names, **settings)


def _number(*names: str, help: str, **settings: Any) -> Callable[[Decorated], Decorated]:
    return click.option(*names, type=int, metavar="N", help=help, **settings)


def _real(*names: str, help: str, metavar: str = "S", **settings: Any) -> Callable[[Decorated], Decorated]:
    return click.option(*names, type=float, metavar=metavar, help=help, **settings)


def _all(*options: Callable[[Decorated], Decorated]) -> Callable[[Decorated], Decorated]:
    def decorate(function: Decorated) -> Decorated:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


BROKER: Final = _all(
    _option(
        "-H",
        "--uri",
        "--uris",
        "uris",
        metavar="URI",
        multiple=True,
        envvar="AMQ_AMQP_URL",
        help="amqp://USER:PASSWORD@HOST:PORT/VHOST or amqps://...; connections take turns with several, which are "
        "separated by commas or given one by one (amqp://localhost, $AMQ_AMQP_URL). PerfTest's -h is --uri here",
    ),
    _option("--cacert", metavar="FILE", help="amqps: authorities that may vouch for the broker's certificate"),
    _option("--cert", metavar="FILE", help="amqps: a certificate to show to the broker"),
    _option("--key", metavar="FILE", help="amqps: the key of that certificate"),
    _option("--insecure", is_flag=True, help="amqps: do not check the broker's certificate, as PerfTest does not"),
    _number("-b", "--heartbeat", default=60, help="seconds between heartbeats, 0 for none (60)"),
    _number(
        "-M", "--framemax", "--frame-max", "frame_max", default=FRAME_MAX, help="octets of a frame at most (131072)"
    ),
)
SHAPE: Final = _all(
    _number("-x", "--producers", default=1, help="connections that publish (1)"),
    _number("-y", "--consumers", default=1, help="connections that consume (1)"),
    _number(
        "-X", "--producer-channel-count", "producer_channels", default=1, help="channels of each that publishes (1)"
    ),
    _number(
        "-Y", "--consumer-channel-count", "consumer_channels", default=1, help="channels of each that consumes (1)"
    ),
    _option(
        "-u",
        "--queue",
        "queues",
        metavar="NAME",
        multiple=True,
        help="the queue; producers and consumers take turns with several. Without one each consumer has a queue of its "
        "own, and gets a copy of each message",
    ),
    _option(
        "--queue-pattern",
        metavar="PATTERN",
        help="many queues: perf-%d, or perf-%03d, with the numbers from --queue-pattern-from to --queue-pattern-to",
    ),
    _number("--queue-pattern-from", default=1, help="the first number (1)"),
    _number("--queue-pattern-to", help="the last number"),
    _option("-e", "--exchange", metavar="NAME", default="direct", help="the exchange, '' for the default one (direct)"),
    _option("-t", "--type", "exchange_type", metavar="TYPE", default="direct", help="the exchange's type (direct)"),
    _option("-k", "--routing-key", metavar="KEY", help="publish and bind with this key (the queue's name)"),
    _option("-K", "--random-routing-key", is_flag=True, help="publish each message with another key"),
    _option(
        "-p",
        "--predeclared",
        is_flag=True,
        help="exchange and queues are there: declare and bind nothing. PerfTest declares what is missing",
    ),
    _option("--durable/--transient", default=None, help="whether queues are durable (if messages are persistent)"),
    _option(
        "--auto-delete/--no-auto-delete",
        default=None,
        help="whether queues go with their last consumer (they do)",
    ),
    _option("-E", "--exclusive", is_flag=True, help="each consumer's own queue is exclusive"),
    _option("--quorum-queue", is_flag=True, help="durable quorum queues, that stay"),
    _option("--stream-queue", is_flag=True, help="durable streams, that stay; consumers need --qos"),
    _option(
        "--queue-args",
        metavar="NAME=VALUE",
        multiple=True,
        help="arguments of queues, separated by commas or one by one",
    ),
    _option(
        "--consumer-args", metavar="NAME=VALUE", multiple=True, help="arguments of consumers, such as x-priority=10"
    ),
)
PUBLISHING: Final = _all(
    _number("-s", "--size", default=0, help="octets of a body; 12 at least, for its number and stamp (12)"),
    _option(
        "--variable-size",
        "--vs",
        "sizes",
        metavar="SIZE:S",
        multiple=True,
        help="this size for so many seconds, then the next, and from the first again: 1000:30,10000:20",
    ),
    _real("-r", "--rate", metavar="N", help="publish at most so many per second and channel"),
    _option(
        "--variable-rate",
        "--vr",
        "rates",
        metavar="N:S",
        multiple=True,
        help="this rate for so many seconds, then the next, and from the first again: 200:60,0:10",
    ),
    _option(
        "--latency-from-schedule",
        is_flag=True,
        help="measure latencies from when a message was due by its rate, however late it could be sent",
    ),
    _real("-P", "--publishing-interval", help="publish one message in so many seconds, on each channel"),
    _number("-c", "--confirm", default=0, help="publisher confirms, and at most so many messages unconfirmed"),
    _real("--confirm-timeout", default=30.0, help="fail when no confirmation comes for so long (30)"),
    _number(
        "-m", "--ptxsize", "--producer-tx-size", "producer_tx", default=0, help="publish in transactions of so many"
    ),
    _option(
        "-f", "--flag", "flags", type=click.Choice(FLAGS), multiple=True, help="persistent or mandatory; both can be"
    ),
    _option(
        "--message-properties",
        metavar="NAME=VALUE",
        multiple=True,
        help="properties of messages, separated by commas or one by one; a name that is none is a header: priority=5",
    ),
    _option("-T", "--body-content-type", metavar="TYPE", help="the property content_type"),
    _number(
        "-C",
        "--pmessages",
        "producer_messages",
        default=0,
        help="publish so many on each channel; then wait until they have arrived, and end",
    ),
    _real("--producer-random-start-delay", default=0.0, help="producers start at random within so many seconds"),
)
CONSUMING: Final = _all(
    _real("-R", "--consumer-rate", metavar="N", help="consume at most so many per second and channel"),
    _number("-L", "--consumer-latency", "consumer_latency_us", default=0, help="work on each message for so many µs"),
    _option(
        "--variable-latency",
        "--vl",
        "consumer_latencies_us",
        metavar="US:S",
        multiple=True,
        help="this latency for so many seconds, then the next, and from the first again",
    ),
    _option("-a", "--autoack", "auto_ack", is_flag=True, help="no acknowledgements"),
    _number("-A", "--multi-ack-every", default=1, help="acknowledge so many messages with one frame (1)"),
    _number("-q", "--qos", "prefetch", default=0, help="unacknowledged messages of a consumer at most (no limit)"),
    _number("-Q", "--global-qos", "global_prefetch", default=0, help="unacknowledged messages of a channel at most"),
    _option("--nack", is_flag=True, help="basic.nack and not basic.ack"),
    _option("--requeue/--no-requeue", default=True, help="where --nack sends them: back (so it does), or away"),
    _number(
        "-n",
        "--ctxsize",
        "--consumer-tx-size",
        "consumer_tx",
        default=0,
        help="commit after so many acknowledgements; what comes meanwhile is taken before the commit is answered",
    ),
    _number("-D", "--cmessages", "consumer_messages", default=0, help="consume so many on each channel, then end"),
    _option("-S", "--slow-start", is_flag=True, help="consumers start one second after another"),
)
RUN: Final = _all(
    _real("-z", "--time", "seconds", help="end after so many seconds (at Ctrl-C)"),
    _option(
        "--exit-when",
        type=click.Choice(EXIT_WHEN[1:]),
        help="end when queues are empty and nothing comes, or idle: when nothing came for a second after something had",
    ),
    _real("-i", "--interval", default=1.0, help="seconds between two lines (1)"),
    _option("-d", "--id", metavar="TEXT", default="test", help="what this run is called (test)"),
    _option(
        "--json", "json_file", metavar="FILE", help="write all figures here, - is stdout; see docs/how-to/load-test.md"
    ),
    _option("--html", "html_file", metavar="FILE", help="write a page with plots here"),
    _option("--plain", is_flag=True, help="lines on a terminal, too, and no live view"),
    _option("--quiet", is_flag=True, help="say nothing but the summary"),
)


def load_of(asked: dict[str, Any]) -> Load:
    """The load that these options mean. Raises CommandError, LoadError."""
    fields = {name: value for name, value in asked.items() if name in _FIELDS and value is not None}
    for name, option in (("sizes", "--variable-size"), ("rates", "--variable-rate")):
        fields[name] = _phases(asked[name], option)
    fields["consumer_latencies_us"] = _phases(asked["consumer_latencies_us"], "--variable-latency")
    uris = [uri for text in asked["uris"] for uri in text.split(",")] or ["amqp://localhost"]
    fields["addresses"] = tuple(address(uri) for uri in uris)
    fields["queues"] = _queues(asked)
    fields["persistent"], fields["mandatory"] = (flag in asked["flags"] for flag in FLAGS)
    fields["queue_arguments"] = _arguments(asked["queue_args"], "--queue-args")
    fields["consumer_arguments"] = _arguments(asked["consumer_args"], "--consumer-args")
    fields["message_properties"] = _properties(asked)
    fields["exit_when"] = asked["exit_when"] or ""
    fields["rate"] = _rate(asked)
    fields.setdefault("durable", fields["persistent"])
    _of_type(asked, fields)
    return Load(**fields)


_FIELDS: Final = {field.name for field in attrs.fields(Load)}
_KINDS: Final = {"quorum_queue": "quorum", "stream_queue": "stream"}


def _of_type(asked: dict[str, Any], fields: dict[str, Any]) -> None:
    """A quorum queue or a stream is durable and stays."""
    for name, kind in _KINDS.items():
        if asked[name]:
            fields["queue_arguments"] = {**fields["queue_arguments"], "x-queue-type": kind}
            fields.update(durable=True, auto_delete=False)
    if asked["stream_queue"] and not asked["prefetch"] and asked["consumers"]:
        raise CommandError(exits.USAGE, "--stream-queue: consumers of a stream need --qos")


def _rate(asked: dict[str, Any]) -> float | None:
    rate: float | None = asked["rate"]
    interval = asked["publishing_interval"]
    if interval is None:
        return rate
    if rate is not None or asked["rates"]:
        raise CommandError(exits.USAGE, "--publishing-interval: not allowed with --rate or --variable-rate")
    if interval <= 0:
        raise CommandError(exits.USAGE, f"--publishing-interval {interval:g}: more than 0 is allowed")
    return float(1 / interval)


def _phases(texts: Sequence[str], option: str) -> tuple[Phase, ...]:
    return tuple(_phase(text, option) for joined in texts for text in joined.split(","))


def _phase(text: str, option: str) -> Phase:
    value, _, seconds = text.partition(":")
    try:
        return Phase(float(value), float(seconds))
    except ValueError:
        raise CommandError(exits.USAGE, f"{option} {text}: VALUE:SECONDS is needed, such as 200:60") from None


def _queues(asked: dict[str, Any]) -> tuple[str, ...]:
    names: tuple[str, ...] = tuple(asked["queues"])
    pattern, last = asked["queue_pattern"], asked["queue_pattern_to"]
    if pattern is None:
        return names
    numbered = NUMBERED.search(pattern)
    if numbered is None or last is None:
        raise CommandError(exits.USAGE, "--queue-pattern: needs a %d in it, and --queue-pattern-to")
    numbers = range(asked["queue_pattern_from"], last + 1)
    if not 0 < len(numbers) <= MOST_QUEUES:
        raise CommandError(exits.USAGE, f"--queue-pattern: {len(numbers)} queues, 1 to {MOST_QUEUES} are allowed")
    start, stop = numbered.span()
    return names + tuple(f"{pattern[:start]}{numbered[0] % number}{pattern[stop:]}" for number in numbers)


def _table(texts: Sequence[str], option: str) -> dict[str, Any]:
    # A comma is in a value, too, unless another NAME= follows it.
    return given.table([pair for text in texts for pair in re.split(r",(?=[^,=]+=)", text)], option)


def _arguments(texts: Sequence[str], option: str) -> dict[str, Any]:
    """Arguments that can be sent."""
    found = _table(texts, option)
    try:
        arguments_in({"arguments": found})
    except BadRequest as error:
        raise CommandError(exits.USAGE, f"{option}: {error.reason}") from None
    return found


def _properties(asked: dict[str, Any]) -> dict[str, Any]:
    """Properties that can be sent."""
    found = _described(asked)
    try:
        content_header(found, 0)
    except BadRequest as error:
        # RabbitMQ's own words are a list: what is wrong, and with which one.
        reason = error.reason if isinstance(error.reason, str) else ": ".join(error.reason)
        raise CommandError(exits.USAGE, f"--message-properties: {reason}") from None
    return found


def _described(asked: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    headers: dict[str, Any] = {}
    for name, value in _table(asked["message_properties"], "--message-properties").items():
        if name == "headers" or name not in FIELDS:
            headers[name] = value
        else:
            found[name] = value if name in NUMBERS else str(value)
    if asked["body_content_type"] is not None:
        found["content_type"] = asked["body_content_type"]
    return {**found, "headers": headers} if headers else found
