"""Figures as RabbitMQ's HTTP API shows them: totals, rates, and samples where a window was asked for.

    "publish": 1210, "publish_details": {"rate": 24.2}
    "publish_details": {"rate": 24.2, "samples": [{"sample": 1210, "timestamp": 1700000005000}, ...], "avg_rate": 19.8,
                        "avg": 700.5}

Totals of queues, channels and exchanges are those of this moment; totals of vhosts and of everything, and all rates,
are those of the sampler's last round.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

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
# A group is shown as soon as one of its counts is not 0.
_GROUPS: Final[Mapping[type, tuple[tuple[str, ...], ...]]] = {
    Queue: (("publish",), CONSUMING),
    Channel: (PUBLISHING, CONSUMING),
    Vhost: (PUBLISHING, CONSUMING),
    Exchange: (("publish_in",), ("publish_out",)),
}
_COLUMNS: Final[Mapping[type, Columns]] = {
    Queue: columns.QUEUE,
    Channel: columns.CHANNEL,
    Exchange: columns.EXCHANGE,
    Connection: columns.CONNECTION,
    Churn: columns.CHURN,
    Sampler: columns.NODE,
}
LENGTHS: Final = ("messages", "messages_ready", "messages_unacknowledged")
OCTETS: Final = ("recv_oct", "send_oct")


def message_stats(sampler: Sampler, of: Of = None, ranges: Ranges = NO_RANGES) -> dict[str, Any]:
    """`message_stats` of a queue, an exchange, a channel, a vhost, or of everything (None); {} where nothing happened.

    RabbitMQ leaves an empty `message_stats` out of a queue, an exchange and a channel.
    """
    entities = _entities(sampler, of)
    kind = next((kind for kind in _GROUPS if entities and isinstance(entities[0], kind)), Vhost)
    row = _row(sampler, entities)
    shown: dict[str, Any] = {}
    for group in _GROUPS[kind]:
        counts = {name: columns.value(_columns(entities).series[name], row) for name in group}
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
    return _details(sampler, entities, (name,), window)[name]


def _entities(sampler: Sampler, of: Of) -> Sequence[Entity]:
    if of is None:
        return (sampler.broker,)
    return of if isinstance(of, Sequence) else (of,)


def _columns(entities: Sequence[Entity]) -> Columns:
    """What is counted of objects of one kind; no objects at all are vhosts."""
    entity = entities[0] if entities else None
    for kind, columns_of_kind in _COLUMNS.items():
        if isinstance(entity, kind):
            return columns_of_kind
    return columns.VHOST


def _row(sampler: Sampler, entities: Sequence[Entity]) -> Row:
    """The counts of objects of one kind together, now or in the last round."""
    return _sum([_row_of(sampler, entity) for entity in entities], _columns(entities))


def _row_of(sampler: Sampler, entity: Entity) -> Row:
    if isinstance(entity, Queue):
        return columns.queue_row(entity)
    if isinstance(entity, Channel):
        return columns.channel_row(entity)
    if isinstance(entity, Exchange):
        return columns.exchange_row(entity)
    if isinstance(entity, Connection):
        return columns.connection_row(entity)
    if isinstance(entity, Churn):
        return columns.churn_row(entity)
    history = sampler.histories.get(entity)
    return _columns((entity,)).zeros if history is None else history.last


def _sum(rows: Sequence[Row], kind: Columns) -> Row:
    return rows[0] if len(rows) == 1 else tuple(map(sum, zip(kind.zeros, *rows, strict=True)))


def _figures(
    sampler: Sampler, entities: Sequence[Entity], names: tuple[str, ...], window: Range | None
) -> dict[str, Any]:
    series = _columns(entities).series
    row = _row(sampler, entities)
    return _with_details(sampler, entities, {name: columns.value(series[name], row) for name in names}, window)


def _with_details(
    sampler: Sampler, entities: Sequence[Entity], counts: Mapping[str, int], window: Range | None
) -> dict[str, Any]:
    details = _details(sampler, entities, tuple(counts), window)
    shown: dict[str, Any] = {}
    for name, count in counts.items():
        shown[name] = count
        shown[f"{name}_details"] = details[name]
    return shown


def _details(
    sampler: Sampler, entities: Sequence[Entity], names: tuple[str, ...], window: Range | None
) -> dict[str, dict[str, Any]]:
    kind = _columns(entities)
    known = [history for entity in entities if (history := sampler.histories.get(entity)) is not None]
    wanted = {name: kind.series[name] for name in names} if entities else {}
    rates = {name: sum([_rate(sampler, history, wanted[name]) for history in known]) for name in names}
    if window is None:
        return {name: {"rate": float(rate)} for name, rate in rates.items()}
    moments = window.moments(sampler.began)
    tables = [history.at(moments) for history in known]
    rows = [_sum([table[place] for table in tables], kind) for place in range(len(moments))]
    span = (moments[0] - moments[-1]) / 1000
    details = {}
    for name in names:
        samples = [columns.value(kind.series[name], row) for row in rows] if known else [0] * len(moments)
        pairs = zip(samples, moments, strict=True)
        details[name] = {
            "rate": float(rates[name]),
            "samples": [{"sample": sample, "timestamp": moment} for sample, moment in pairs],
            "avg_rate": (samples[0] - samples[-1]) / span if span else 0.0,
            "avg": sum(samples) / len(samples),
        }
    return details


def _rate(sampler: Sampler, history: History, series: Series) -> float:
    """What a count grew by, per second, in the last round."""
    moved = sampler.moved(history)
    if not moved:
        return 0.0
    return (columns.value(series, history.last) - columns.value(series, history.before)) * 1000 / moved


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
