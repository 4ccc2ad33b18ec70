"""Figures as RabbitMQ's HTTP API shows them: totals, rates, and samples where a window was asked for.

    "publish": 1210, "publish_details": {"rate": 24.2}
    "publish_details": {"rate": 24.2, "samples": [{"sample": 1210, "timestamp": 1700000005000}, ...], "avg_rate": 19.8,
                        "avg": 700.5}

Totals of queues, channels and exchanges are those of this moment; totals of vhosts and of everything, and all rates,
are those of the sampler's last round.
"""

from collections.abc import Mapping
from typing import Any, Final

from amq.broker import Broker
from amq.connection.channel import Channel
from amq.connection.connection import Connection
from amq.exchanges.base import Exchange
from amq.metrics import columns
from amq.metrics.columns import Columns
from amq.metrics.history import History, Row
from amq.metrics.ranges import NO_RANGES, Range, Ranges, ranges_of
from amq.metrics.sampler import Sampler
from amq.queues.base import Queue
from amq.tally import Churn
from amq.vhost.vhost import Vhost

__all__ = [
    "NO_RANGES",
    "Entity",
    "Ranges",
    "churn_rates",
    "message_stats",
    "node_stats",
    "octets",
    "queue_totals",
    "ranges_of",
    "rate_details",
]

Entity = Queue | Channel | Exchange | Connection | Vhost | Broker | Churn | Sampler

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
LENGTHS: Final = ("messages", "messages_ready", "messages_unacknowledged")
OCTETS: Final = ("recv_oct", "send_oct")


def message_stats(sampler: Sampler, entity: Entity | None, ranges: Ranges = NO_RANGES) -> dict[str, Any]:
    """`message_stats` of a queue, an exchange, a channel, a vhost, or of everything (None); {} where nothing happened.

    RabbitMQ leaves an empty `message_stats` out of a queue, an exchange and a channel.
    """
    entity = sampler.broker if entity is None else entity
    kind = next((kind for kind in _GROUPS if isinstance(entity, kind)), Vhost)
    row = row_of(sampler, entity)
    shown: dict[str, Any] = {}
    for group in _GROUPS[kind]:
        counts = {name: columns.value(columns_of(entity).series[name], row) for name in group}
        if any(counts.values()):
            shown |= with_details(sampler, entity, counts, ranges.msg_rates)
    return shown


def queue_totals(sampler: Sampler, entity: Queue | Vhost | None = None, ranges: Ranges = NO_RANGES) -> dict[str, Any]:
    """`messages`, `messages_ready` and `messages_unacknowledged` with details: of a queue, of all queues of a vhost, or
    of all queues.
    """
    return _figures(sampler, entity, LENGTHS, ranges.lengths)


def octets(sampler: Sampler, entity: Connection | Vhost, ranges: Ranges = NO_RANGES) -> dict[str, Any]:
    """`recv_oct` and `send_oct` with details, of a connection or of all connections to a vhost, ever."""
    return _figures(sampler, entity, OCTETS, ranges.data_rates)


def churn_rates(sampler: Sampler, ranges: Ranges = NO_RANGES) -> dict[str, Any]:
    """How many connections, channels and queues came and went, with details."""
    return _figures(sampler, sampler.broker.churn, columns.CHURN.names, ranges.msg_rates)


def node_stats(sampler: Sampler, ranges: Ranges = NO_RANGES) -> dict[str, Any]:
    """The figures of the process that change, with details; {} before the first round."""
    if sampler.facts is None:
        return {}
    shown = _figures(sampler, sampler, columns.NODE.names, ranges.node_stats)
    return {name: _in_ms(name, figure) for name, figure in shown.items()}


def rate_details(sampler: Sampler, entity: Entity | None, name: str, ranges: Ranges = NO_RANGES) -> dict[str, Any]:
    """`{"rate": x}`, per second, of one count: what belongs under `name`_details. Raises KeyError for no such count."""
    entity = sampler.broker if entity is None else entity
    if name in LENGTHS:
        window = ranges.lengths
    elif name in OCTETS:
        window = ranges.data_rates
    elif isinstance(entity, Sampler):
        window = ranges.node_stats
    else:
        window = ranges.msg_rates
    return _details(sampler, entity, (name,), window)[name]


def columns_of(entity: Entity) -> Columns:
    """What is counted of an object."""
    if isinstance(entity, Queue):
        return columns.QUEUE
    if isinstance(entity, Channel):
        return columns.CHANNEL
    if isinstance(entity, Exchange):
        return columns.EXCHANGE
    if isinstance(entity, Connection):
        return columns.CONNECTION
    if isinstance(entity, Churn):
        return columns.CHURN
    return columns.NODE if isinstance(entity, Sampler) else columns.VHOST


def row_of(sampler: Sampler, entity: Entity) -> Row:
    """An object's counts, now or in the last round."""
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
    return columns_of(entity).zeros if history is None else history.last


def with_details(sampler: Sampler, entity: Entity, counts: Mapping[str, int], window: Range | None) -> dict[str, Any]:
    """Counts by name, each with its details."""
    details = _details(sampler, entity, tuple(counts), window)
    shown: dict[str, Any] = {}
    for name, count in counts.items():
        shown[name] = count
        shown[f"{name}_details"] = details[name]
    return shown


def _figures(sampler: Sampler, entity: Entity | None, names: tuple[str, ...], window: Range | None) -> dict[str, Any]:
    entity = sampler.broker if entity is None else entity
    series = columns_of(entity).series
    row = row_of(sampler, entity)
    return with_details(sampler, entity, {name: columns.value(series[name], row) for name in names}, window)


def _details(
    sampler: Sampler, entity: Entity, names: tuple[str, ...], window: Range | None
) -> dict[str, dict[str, Any]]:
    kind = columns_of(entity)
    history = sampler.histories.get(entity)
    if window is None:
        return {name: {"rate": _rate(sampler, history, kind, name)} for name in names}
    moments = window.moments(sampler.began)
    rows = [kind.zeros] * len(moments) if history is None else history.at(moments)
    details = {}
    for name in names:
        samples = [columns.value(kind.series[name], row) for row in rows]
        span = (moments[0] - moments[-1]) / 1000
        details[name] = {
            "rate": _rate(sampler, history, kind, name),
            "samples": [
                {"sample": sample, "timestamp": moment} for sample, moment in zip(samples, moments, strict=True)
            ],
            "avg_rate": (samples[0] - samples[-1]) / span if span else 0.0,
            "avg": sum(samples) / len(samples),
        }
    return details


def _rate(sampler: Sampler, history: History | None, kind: Columns, name: str) -> float:
    """What a count grew by, per second, in the last round."""
    if history is None:
        return 0.0
    moved = sampler.moved(history)
    if not moved:
        return 0.0
    series = kind.series[name]
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
