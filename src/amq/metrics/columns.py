"""What is counted of each kind of object, by RabbitMQ's names, and how a row of counts is read from the object."""

from typing import Final

from amq.connection.channel import Channel
from amq.connection.connection import Connection
from amq.exchanges.base import Exchange
from amq.metrics.history import Row
from amq.queues.base import Queue
from amq.tally import Churn, Tally

# A series is a sum of columns: where each stands in the row, and whether it is added or taken away.
Series = tuple[tuple[int, int], ...]


class Columns:
    """The columns of one kind of object, and the series that can be asked for by name."""

    __slots__ = ("names", "zeros", "series")

    def __init__(self, names: str, **sums: str) -> None:
        self.names: tuple[str, ...] = tuple(names.split())
        self.zeros: Row = (0,) * len(self.names)
        self.series: dict[str, Series] = {name: ((place, 1),) for place, name in enumerate(self.names)}
        for name, parts in sums.items():
            self.series[name] = tuple(self._part(part) for part in parts.split())

    def _part(self, part: str) -> tuple[int, int]:
        return self.names.index(part.lstrip("-")), -1 if part.startswith("-") else 1


def value(series: Series, row: Row) -> int:
    """What a series comes to in a row."""
    total = 0
    for place, sign in series:
        total += sign * row[place]
    return total


DELIVER_GET: Final = "deliver deliver_no_ack get get_no_ack"
# What was acknowledged is what was handed out and neither came back nor is outstanding.
ACKED: Final = "deliver get -given_back -messages_unacknowledged"

QUEUE: Final = Columns(
    "messages_ready messages_unacknowledged publish "
    "deliver deliver_no_ack get get_no_ack get_empty redeliver given_back",
    messages="messages_ready messages_unacknowledged",
    deliver_get=DELIVER_GET,
    ack=ACKED,
)
CHANNEL: Final = Columns(
    "messages_unacknowledged publish confirm return_unroutable drop_unroutable "
    "deliver deliver_no_ack get get_no_ack get_empty redeliver given_back",
    deliver_get=DELIVER_GET,
    ack=ACKED,
)
EXCHANGE: Final = Columns("publish_in publish_out unroutable")
CONNECTION: Final = Columns("recv_oct send_oct recv_cnt send_cnt")
VHOST: Final = Columns(
    "messages_ready messages_unacknowledged recv_oct send_oct recv_cnt send_cnt routed "
    "publish confirm return_unroutable drop_unroutable "
    "deliver deliver_no_ack get get_no_ack get_empty redeliver ack",
    messages="messages_ready messages_unacknowledged",
    deliver_get=DELIVER_GET,
)
# Times in µs.
NODE: Final = Columns(
    "mem_used fd_used sockets_used proc_used disk_free gc_num context_switches io_read_bytes "
    "io_write_count io_write_bytes io_write_avg_time io_sync_count io_sync_avg_time msg_store_write_count"
)
# Columns of VHOST: how many are lengths, and how many more come before those that `gone_row` has.
LENGTHS: Final = 2
MOVED: Final = 5
CHURN: Final = Columns(
    "connection_created connection_closed channel_created channel_closed queue_declared queue_created queue_deleted"
)


def queue_row(queue: Queue) -> Row:
    """Of QUEUE."""
    tally = queue.tally
    return (
        queue.ready_count(),
        queue.unacked,
        tally.published,
        tally.delivered,
        tally.delivered_no_ack,
        tally.got,
        tally.got_no_ack,
        tally.got_empty,
        tally.redelivered,
        tally.given_back,
    )


def channel_row(channel: Channel) -> Row:
    """Of CHANNEL."""
    tally = channel.tally
    return (
        len(channel.ledger.unacked),
        tally.published,
        tally.confirmed,
        tally.returned,
        tally.dropped,
        tally.delivered,
        tally.delivered_no_ack,
        tally.got,
        tally.got_no_ack,
        tally.got_empty,
        tally.redelivered,
        tally.given_back,
    )


def exchange_row(exchange: Exchange) -> Row:
    """Of EXCHANGE."""
    return (exchange.published_in, exchange.published_out, exchange.unroutable)


def connection_row(connection: Connection) -> Row:
    """Of CONNECTION."""
    return (connection.received, connection.outbox.total, connection.received_count, connection.sent_count)


def churn_row(churn: Churn) -> Row:
    """Of CHURN."""
    return (
        churn.connections_created,
        churn.connections_closed,
        churn.channels_created,
        churn.channels_closed,
        churn.queues_declared,
        churn.queues_created,
        churn.queues_deleted,
    )


def gone_row(tally: Tally) -> Row:
    """What channels and queues had counted that are gone: the last columns of VHOST."""
    return (
        tally.published,
        tally.confirmed,
        tally.returned,
        tally.dropped,
        tally.delivered,
        tally.delivered_no_ack,
        tally.got,
        tally.got_no_ack,
        tally.got_empty,
        tally.redelivered,
        tally.acked,
    )
