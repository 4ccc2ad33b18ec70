"""Figures as RabbitMQ's HTTP API shows them: totals, rates, and samples where a window was asked for.

    "publish": 1210, "publish_details": {"rate": 24.2}
    "publish_details": {"rate": 24.2, "samples": [{"sample": 1210, "timestamp": 1700000005000}, ...], "avg_rate": 19.8,
                        "avg": 700.5}

Totals of queues, channels and exchanges are those of this moment; totals of vhosts and of everything, and all rates,
are those of the sampler's last round.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import attrs

from amq.broker import Broker
from amq.connection.channel import Channel
from amq.connection.connection import Connection
from amq.exchanges.base import Exchange
from amq.metrics import columns
from amq.metrics.columns import Columns, Series
from amq.metrics.history import History, Row
from amq.metrics.ranges import NO_RANGES, Range, Ranges, ranges_of
from amq.metrics.sampler import Sampler
from amq.queues.base import Queue
from amq.tally import Churn
from amq.vhost.vhost import Vhost

__all__ = [
    "NO_RANGES",
    "Entity",
    "Of",
    "Ranges",
    "churn_rates",
    "disk",
    "message_stats",
    "node_stats",
    "nothing",
    "octets",
    "queue_totals",
    "ranges_of",
    "rate_details",
]

Entity = Queue | Channel | Exchange | Connection | Vhost | Broker | Churn | Sampler
# What figures are of: one object, several vhosts together, or everything.
Of = Entity | Sequence[Vhost] | None

PUBLISHING: Final = ("publish", "confirm", "return_unroutable", "drop_unroutable")
CONSUMING: Final = (
    "get",
    "get_no_ack",
    "deliver",
    "deliver_no_ack",
    "redeliver",
    "ack",
    "deliver_get",
    "get_empty",
)


@attrs.frozen
class Kind:
    """What there is of one kind of object: its columns, how they are read now (None: only what a round has found is
    known), and the groups of `message_stats`, of which each is shown as soon as one of its counts is not 0.
    """

    columns: Columns
    read: Callable[[Any], Row] | None = None
    groups: tuple[tuple[str, ...], ...] = ()


_VHOST: Final = Kind(columns.VHOST, None, (PUBLISHING, CONSUMING))
_KINDS: Final[Mapping[type, Kind]] = {
    Queue: Kind(columns.QUEUE, columns.queue_row, (("publish",), CONSUMING)),
    Channel: Kind(columns.CHANNEL, columns.channel_row, (PUBLISHING, CONSUMING)),
    Exchange: Kind(columns.EXCHANGE, columns.exchange_row, (("publish_in",), ("publish_out",))),
    Connection: Kind(columns.CONNECTION, columns.connection_row),
    Churn: Kind(columns.CHURN, columns.churn_row),
    Sampler: Kind(columns.NODE),
}
# The same for their subclasses, as they turn up.
_SEEN: Final[dict[type, Kind]] = {}
LENGTHS: Final = ("messages", "messages_ready", "messages_unacknowledged")
OCTETS: Final = ("recv_oct", "send_oct")


def message_stats(sampler: Sampler, of: Of = None, ranges: Ranges = NO_RANGES) -> dict[str, Any]:
    """`message_stats` of a queue, an exchange, a channel, a vhost, or of everything (None); {} where nothing happened.

    RabbitMQ leaves an empty `message_stats` out of a queue, an exchange and a channel.
    """
    entities = _entities(sampler, of)
    kind = _kind(entities)
    row = _row(sampler, entities, kind)
    series = kind.columns.series
    shown: dict[str, Any] = {}
    for group in kind.groups:
        counts = {name: columns.value(series[name], row) for name in group}
        if any(counts.values()):
            shown |= _with_details(sampler, entities, counts, ranges.msg_rates)
    return shown


def queue_totals(sampler: Sampler, of: Of = None, ranges: Ranges = NO_RANGES) -> dict[str, Any]:
    """`messages`, `messages_ready` and `messages_unacknowledged` with details: of a queue, of all queues of a vhost, or
    of all queues.
    """
    return _figures(sampler, _entities(sampler, of), LENGTHS, ranges.lengths)


def octets(sampler: Sampler, of: Connection | Vhost, ranges: Ranges = NO_RANGES) -> dict[str, Any]:
    """`recv_oct` and `send_oct` with details, of a connection or of all connections to a vhost, ever."""
    return _figures(sampler, (of,), OCTETS, ranges.data_rates)


def churn_rates(sampler: Sampler, ranges: Ranges = NO_RANGES) -> dict[str, Any]:
    """How many connections, channels and queues came and went, with details."""
    return _figures(sampler, (sampler.broker.churn,), columns.CHURN.names, ranges.msg_rates)


def node_stats(sampler: Sampler, ranges: Ranges = NO_RANGES) -> dict[str, Any]:
    """The figures of the process that change, with details: NODE of `amq.metrics.columns`."""
    shown = _figures(sampler, (sampler,), columns.NODE.names, ranges.node_stats)
    return {name: _in_ms(name, figure) for name, figure in shown.items()}


def nothing(name: str, sampler: Sampler, window: Range | None = None) -> dict[str, Any]:
    """The same for a figure of RabbitMQ's that is always 0 here."""
    return _with_details(sampler, (), {name: 0}, window)


def disk(sampler: Sampler, ranges: Ranges = NO_RANGES) -> dict[str, Any]:
    """`disk_reads` and `disk_writes`: messages that were read from the disk, which are not counted, and written."""
    written = _figures(sampler, (sampler,), ("msg_store_write_count",), ranges.msg_rates)
    return {
        **nothing("disk_reads", sampler, ranges.msg_rates),
        "disk_writes": written["msg_store_write_count"],
        "disk_writes_details": written["msg_store_write_count_details"],
    }


def rate_details(sampler: Sampler, of: Of, name: str, ranges: Ranges = NO_RANGES) -> dict[str, Any]:
    """`{"rate": x}`, per second, of one count: what belongs under `name`_details. Raises KeyError for no such count."""
    entities = _entities(sampler, of)
    if name in LENGTHS:
        window = ranges.lengths
    elif name in OCTETS:
        window = ranges.data_rates
    elif of is sampler:
        window = ranges.node_stats
    else:
        window = ranges.msg_rates
    if name not in _kind(entities).columns.series:
        raise KeyError(name)
    return _details(sampler, entities, (name,), window)[name]


def _entities(sampler: Sampler, of: Of) -> Sequence[Entity]:
    if of is None:
        return (sampler.broker,)
    return of if isinstance(of, (list, tuple)) else (of,)


def _kind(entities: Sequence[Entity]) -> Kind:
    """What these objects are; no objects at all are vhosts."""
    if not entities:
        return _VHOST
    cls = type(entities[0])
    kind = _SEEN.get(cls)
    if kind is None:
        kind = _SEEN[cls] = next((kind for base, kind in _KINDS.items() if issubclass(cls, base)), _VHOST)
    return kind


def _row(sampler: Sampler, entities: Sequence[Entity], kind: Kind) -> Row:
    """The counts of objects of one kind together, now or in the last round."""
    if kind.read is not None:
        return _sum([kind.read(entity) for entity in entities], kind)
    known = [sampler.histories.get(entity) for entity in entities]
    return _sum([kind.columns.zeros if history is None else history.last for history in known], kind)


def _sum(rows: Sequence[Row], kind: Kind) -> Row:
    return rows[0] if len(rows) == 1 else tuple(map(sum, zip(kind.columns.zeros, *rows, strict=True)))


def _figures(
    sampler: Sampler, entities: Sequence[Entity], names: tuple[str, ...], window: Range | None
) -> dict[str, Any]:
    kind = _kind(entities)
    series = kind.columns.series
    row = _row(sampler, entities, kind)
    return _with_details(sampler, entities, {name: columns.value(series[name], row) for name in names}, window)


def _with_details(
    sampler: Sampler, entities: Sequence[Entity], counts: Mapping[str, int], window: Range | None
) -> dict[str, Any]:
    details = _details(sampler, entities, counts, window)
    shown: dict[str, Any] = {}
    for name, count in counts.items():
        shown[name] = count
        shown[name + "_details"] = details[name]
    return shown


def _details(
    sampler: Sampler, entities: Sequence[Entity], names: Iterable[str], window: Range | None
) -> dict[str, dict[str, Any]]:
    kind = _kind(entities)
    known = [history for entity in entities if (history := sampler.histories.get(entity)) is not None]
    moved = [(history, passed) for history in known if (passed := sampler.moved(history))]
    if window is None and not moved:
        return {name: {"rate": 0.0} for name in names}
    series = kind.columns.series
    rates = {name: sum([_rate(history, passed, series[name]) for history, passed in moved]) for name in names}
    if window is None:
        return {name: {"rate": float(rate)} for name, rate in rates.items()}
    moments = window.moments(sampler.began)
    tables = [history.at(moments) for history in known]
    rows = [_sum([table[place] for table in tables], kind) for place in range(len(moments))]
    span = (moments[0] - moments[-1]) / 1000
    details = {}
    for name, rate in rates.items():
        samples = [columns.value(series[name], row) for row in rows] if known else [0] * len(moments)
        pairs = zip(samples, moments, strict=True)
        details[name] = {
            "rate": float(rate),
            "samples": [{"sample": sample, "timestamp": moment} for sample, moment in pairs],
            "avg_rate": (samples[0] - samples[-1]) / span if span else 0.0,
            "avg": sum(samples) / len(samples),
        }
    return details


def _rate(history: History, passed: int, series: Series) -> float:
    """What a count grew by, per second, in the last round, which was `passed` ms after the one before."""
    return (columns.value(series, history.last) - columns.value(series, history.before)) * 1000 / passed


def _in_ms(name: str, figure: Any) -> Any:
    """Times are kept in whole microseconds and shown in ms."""
    if name.endswith("_avg_time"):
        return figure / 1000
    if name.endswith("_avg_time_details"):
        shown = {key: figure[key] / 1000 for key in figure if key != "samples"}
        if "samples" in figure:
            shown["samples"] = [{**each, "sample": each["sample"] / 1000} for each in figure["samples"]]
        return shown
    return figure
