"""What is told of one object: the values of a group of figures, in the order in which `families` lists them.

None is a figure that the object does not have. What RabbitMQ counts by channel and exchange, or by channel and queue,
is counted here by the channel and by the queue: one more count per pair and message would cost what statistics may not.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from amq.auth.attempts import Tally as Logins
from amq.connection.channel import Channel
from amq.connection.connection import Connection
from amq.exchanges.base import Exchange
from amq.metrics import columns
from amq.metrics.columns import CHANNEL, QUEUE, VHOST, value
from amq.metrics.objects import (
    Labels,
    Source,
    channels,
    channels_in_vhosts,
    connections,
    exchanges,
    protocols,
    published_queues,
    queues,
    remotes,
    running_vhosts,
    the_node,
    typed_exchanges,
)
from amq.metrics.sizes import sizes_of
from amq.metrics.sums import unconfirmed
from amq.queues.base import Queue
from amq.queues.stored import StoredQueue

Values = tuple[float | None, ...]

NET_TICKTIME: Final = 60
ACK: Final = {True: QUEUE.series["ack"], False: CHANNEL.series["ack"]}


# -- the node --


def churn(source: Source, _of: object) -> Values:
    """connection_churn_metrics."""
    return columns.churn_row(source.broker.churn)


def node_coarse(source: Source, _of: object) -> Values:
    """node_coarse_metrics."""
    facts = source.facts()
    return (
        facts.fd_used,
        facts.sockets_used,
        facts.mem_used,
        facts.disk_free,
        facts.proc_used,
        facts.gc_num,
        0,
        facts.context_switches,
    )


def node(source: Source, _of: object) -> Values:
    """node_metrics."""
    facts = source.facts()
    return (
        facts.fd_total,
        facts.sockets_total,
        facts.mem_limit,
        facts.disk_free_limit,
        facts.proc_total,
        facts.run_queue,
        NET_TICKTIME,
        facts.uptime / 1000,
    )


def persister(source: Source, _of: object) -> Values:
    """node_persister_metrics."""
    facts = source.facts()
    seconds = source.journal.seconds if source.journal is not None else 0.0
    reads = (0, facts.io_read_bytes)
    writes = (facts.io_write_count, facts.io_write_bytes, facts.io_sync_count, 0, 0)
    tables = (0, 0, 0, facts.messages_written, 0, 0)
    # The journal measures a write together with its sync.
    return (*reads, *writes, *tables, 0.0, seconds, seconds, 0.0)


def nothing(_source: Source, _of: object) -> Values:
    """For what there is none of: consensus between nodes."""
    return (0, 0, 0, 0, 0, 0)


def logins(_source: Source, tally: Logins) -> Values:
    """auth_attempt_metrics, and the same by who tried."""
    return (tally.attempts, tally.succeeded, tally.failed)


# -- queues --


def queue_coarse(_source: Source, queue: Queue) -> Values:
    """queue_coarse_metrics."""
    ready = queue.ready_count()
    return (ready, queue.unacked, ready + queue.unacked, 0)


def queue_consumers(_source: Source, queue: Queue) -> Values:
    """queue_consumer_count."""
    return (queue.consumer_count(),)


def queue(source: Source, queue: Queue) -> Values:
    """queue_metrics."""
    sizes = sizes_of(source.sampler, queue)
    capacity = source.sampler.capacity(queue)
    return (
        queue.consumer_count(),
        capacity,
        capacity,
        sizes.memory,
        sizes.at_hand + sizes.unacked,
        sizes.at_hand_octets + sizes.unacked_octets,
        sizes.at_hand,
        sizes.unacked,
        sizes.persistent,
        sizes.persistent_octets,
        sizes.octets,
        sizes.ready_octets,
        sizes.unacked_octets,
        sizes.ready - sizes.at_hand,
        sizes.ready_octets - sizes.at_hand_octets,
        head_timestamp(queue),
        0,
        0,
        None,
    )


def head_timestamp(queue: Queue) -> float | None:
    """The `timestamp` property of the next message, if it is in memory and has one."""
    if not isinstance(queue, StoredQueue):
        return None
    for _, fifo in queue.backlog.levels_in_order():
        if fifo.returned:
            return fifo.returned[0][1].properties.timestamp
        if fifo.ready:
            return fifo.ready[0].properties.timestamp
        if fifo.size():
            break
    return None


def queue_deliveries(_source: Source, queue: Queue) -> Values:
    """queue_delivery_metrics."""
    tally = queue.tally
    return (
        tally.got,
        tally.got_no_ack,
        tally.delivered,
        tally.delivered_no_ack,
        tally.redelivered,
        queue.acked(),
        tally.got_empty,
    )


def queue_published(_source: Source, queue: Queue) -> Values:
    """queue_exchange_metrics and channel_queue_exchange_metrics."""
    return (queue.tally.published,)


# -- exchanges and vhosts --


def exchange(_source: Source, exchange: Exchange) -> Values:
    """exchange_metrics."""
    return (exchange.published_in, exchange.returned, exchange.unroutable - exchange.returned)


def exchange_bindings(_source: Source, exchange: Exchange) -> Values:
    """exchange_bindings."""
    return (len(exchange.bindings),)


def present(_source: Source, _of: object) -> Values:
    """For what is told by being there."""
    return (1,)


# -- channels and connections --


def channel(_source: Source, channel: Channel) -> Values:
    """channel_metrics."""
    transaction = channel.publisher.transaction
    return (
        len(channel.ledger.subscribers),
        len(channel.ledger.unacked),
        unconfirmed(channel),
        0 if transaction is None else len(transaction.publications),
        0 if transaction is None else len(transaction.deliveries()),
        channel.prefetch,
        channel.ledger.limit,
    )


def channel_published(_source: Source, channel: Channel) -> Values:
    """channel_exchange_metrics."""
    tally = channel.tally
    return (tally.published, tally.confirmed, tally.returned, tally.dropped)


def channel_delivered(_source: Source, channel: Channel) -> Values:
    """channel_queue_metrics."""
    tally = channel.tally
    return (
        tally.got,
        tally.got_no_ack,
        tally.delivered,
        tally.delivered_no_ack,
        tally.redelivered,
        channel.acked(),
        tally.got_empty,
    )


def zero(_source: Source, _of: object) -> Values:
    """For what is not counted here: reductions of processes."""
    return (0,)


def connection_octets(_source: Source, connection: Connection) -> Values:
    """connection_coarse_metrics."""
    return (connection.received, connection.outbox.total, 0)


def connection(_source: Source, connection: Connection) -> Values:
    """connection_metrics."""
    pending = len(connection.outbox.pieces)
    return (connection.received_count, connection.sent_count, pending, len(connection.channels))


Objects = Callable[[Source, frozenset[str] | None], Iterator[tuple[Labels, object]]]
Read = Callable[[Source, Any], Values]
# Of each group, the objects that have it, and how it is read from one of them.
READERS: Final[Mapping[str, tuple[Objects, Read]]] = {
    "connection_churn_metrics": (the_node, churn),
    "node_coarse_metrics": (the_node, node_coarse),
    "node_metrics": (the_node, node),
    "node_persister_metrics": (the_node, persister),
    "ra_metrics": (the_node, nothing),
    "auth_attempt_metrics": (protocols, logins),
    "auth_attempt_detailed_metrics": (remotes, logins),
    "queue_coarse_metrics": (queues, queue_coarse),
    "queue_consumer_count": (queues, queue_consumers),
    "queue_metrics": (queues, queue),
    "queue_delivery_metrics": (queues, queue_deliveries),
    "queue_exchange_metrics": (queues, queue_published),
    "channel_queue_exchange_metrics": (published_queues, queue_published),
    "exchange_metrics": (exchanges, exchange),
    "exchange_bindings": (typed_exchanges, exchange_bindings),
    "exchange_names": (typed_exchanges, present),
    "vhost_status": (running_vhosts, present),
    "channel_metrics": (channels, channel),
    "channel_process_metrics": (channels, zero),
    "channel_exchange_metrics": (channels_in_vhosts, channel_published),
    "channel_queue_metrics": (channels_in_vhosts, channel_delivered),
    "connection_coarse_metrics": (connections, connection_octets),
    "connection_metrics": (connections, connection),
}
# Figures whose sums over all objects must not go back when one of them goes, and the series of VHOST that they are.
LASTING: Final[Mapping[str, str]] = {
    "channel_messages_published_total": "publish",
    "channel_messages_confirmed_total": "confirm",
    "channel_messages_unroutable_returned_total": "return_unroutable",
    "channel_messages_unroutable_dropped_total": "drop_unroutable",
    "channel_get_ack_total": "get",
    "channel_get_total": "get_no_ack",
    "channel_messages_delivered_ack_total": "deliver",
    "channel_messages_delivered_total": "deliver_no_ack",
    "channel_messages_redelivered_total": "redeliver",
    "channel_messages_acked_total": "ack",
    "channel_get_empty_total": "get_empty",
    "exchange_messages_published_total": "publish",
    "exchange_messages_unroutable_returned_total": "return_unroutable",
    "exchange_messages_unroutable_dropped_total": "drop_unroutable",
    "queue_get_ack_total": "get",
    "queue_get_total": "get_no_ack",
    "queue_messages_delivered_ack_total": "deliver",
    "queue_messages_delivered_total": "deliver_no_ack",
    "queue_messages_redelivered_total": "redeliver",
    "queue_messages_acked_total": "ack",
    "queue_get_empty_total": "get_empty",
    "queue_messages_published_total": "routed",
    "queue_exchange_messages_published_total": "routed",
    "connection_incoming_bytes_total": "recv_oct",
    "connection_outgoing_bytes_total": "send_oct",
    "connection_incoming_packets_total": "recv_cnt",
    "connection_outgoing_packets_total": "send_cnt",
}


def lasting(source: Source, figure: str) -> int | None:
    """The sum of a figure in LASTING over what is there and what was; None for any other."""
    series = LASTING.get(figure)
    return None if series is None else value(VHOST.series[series], source.sampler.overview_row())
