"""What Prometheus is told, by RabbitMQ's names: the groups that can be asked for one by one, and what is in each.

A figure is a counter if its name ends in `_total`, and a gauge otherwise.
"""

from collections.abc import Mapping
from typing import Final

import attrs

COUNTER: Final = "counter"
GAUGE: Final = "gauge"


@attrs.frozen
class Figure:
    """One figure. `name` is without the prefix, `help` what it says of itself."""

    name: str
    help: str

    @property
    def kind(self) -> str:
        """Counter or gauge."""
        return COUNTER if self.name.endswith("_total") else GAUGE


# Of the node, and of each object on it.
GROUPS: Final[Mapping[str, tuple[Figure, ...]]] = {
    "connection_churn_metrics": (
        Figure("connections_opened_total", "Total number of connections opened"),
        Figure("connections_closed_total", "Total number of connections closed or terminated"),
        Figure("channels_opened_total", "Total number of channels opened"),
        Figure("channels_closed_total", "Total number of channels closed"),
        Figure("queues_declared_total", "Total number of queues declared"),
        Figure("queues_created_total", "Total number of queues created"),
        Figure("queues_deleted_total", "Total number of queues deleted"),
    ),
    "node_coarse_metrics": (
        Figure("process_open_fds", "Open file descriptors"),
        Figure("process_open_tcp_sockets", "Open TCP sockets"),
        Figure("process_resident_memory_bytes", "Memory used in bytes"),
        Figure("disk_space_available_bytes", "Disk space available in bytes"),
        Figure("erlang_processes_used", "Erlang processes used"),
        Figure("erlang_gc_runs_total", "Total number of Erlang garbage collector runs"),
        Figure(
            "erlang_gc_reclaimed_bytes_total",
            "Total number of bytes of memory reclaimed by Erlang garbage collector",
        ),
        Figure("erlang_scheduler_context_switches_total", "Total number of Erlang scheduler context switches"),
    ),
    "node_metrics": (
        Figure("process_max_fds", "Open file descriptors limit"),
        Figure("process_max_tcp_sockets", "Open TCP sockets limit"),
        Figure("resident_memory_limit_bytes", "Memory high watermark in bytes"),
        Figure("disk_space_available_limit_bytes", "Free disk space low watermark in bytes"),
        Figure("erlang_processes_limit", "Erlang processes limit"),
        Figure("erlang_scheduler_run_queue", "Erlang scheduler run queue"),
        Figure("erlang_net_ticktime_seconds", "Inter-node heartbeat interval"),
        Figure("erlang_uptime_seconds", "Node uptime"),
    ),
    "node_persister_metrics": (
        Figure("io_read_ops_total", "Total number of I/O read operations"),
        Figure("io_read_bytes_total", "Total number of I/O bytes read"),
        Figure("io_write_ops_total", "Total number of I/O write operations"),
        Figure("io_write_bytes_total", "Total number of I/O bytes written"),
        Figure("io_sync_ops_total", "Total number of I/O sync operations"),
        Figure("io_seek_ops_total", "Total number of I/O seek operations"),
        Figure("io_reopen_ops_total", "Total number of times files have been reopened"),
        Figure("schema_db_ram_tx_total", "Total number of Schema DB memory transactions"),
        Figure("schema_db_disk_tx_total", "Total number of Schema DB disk transactions"),
        Figure("msg_store_read_total", "Total number of Message Store read operations"),
        Figure("msg_store_write_total", "Total number of Message Store write operations"),
        Figure("queue_index_read_ops_total", "Total number of Queue Index read operations"),
        Figure("queue_index_write_ops_total", "Total number of Queue Index write operations"),
        Figure("io_read_time_seconds_total", "Total I/O read time"),
        Figure("io_write_time_seconds_total", "Total I/O write time"),
        Figure("io_sync_time_seconds_total", "Total I/O sync time"),
        Figure("io_seek_time_seconds_total", "Total I/O seek time"),
    ),
    "ra_metrics": (
        Figure("raft_term_total", "Current Raft term number"),
        Figure("raft_log_snapshot_index", "Raft log snapshot index"),
        Figure("raft_log_last_applied_index", "Raft log last applied index"),
        Figure("raft_log_commit_index", "Raft log commit index"),
        Figure("raft_log_last_written_index", "Raft log last written index"),
        Figure("raft_entry_commit_latency_seconds", "Time taken for a log entry to be committed"),
    ),
    "auth_attempt_metrics": (
        Figure("auth_attempts_total", "Total number of authentication attempts"),
        Figure("auth_attempts_succeeded_total", "Total number of successful authentication attempts"),
        Figure("auth_attempts_failed_total", "Total number of failed authentication attempts"),
    ),
    "auth_attempt_detailed_metrics": (
        Figure("auth_attempts_detailed_total", "Total number of authentication attempts with source info"),
        Figure(
            "auth_attempts_detailed_succeeded_total",
            "Total number of successful authentication attempts with source info",
        ),
        Figure(
            "auth_attempts_detailed_failed_total",
            "Total number of failed authentication attempts with source info",
        ),
    ),
    "queue_coarse_metrics": (
        Figure("queue_messages_ready", "Messages ready to be delivered to consumers"),
        Figure("queue_messages_unacked", "Messages delivered to consumers but not yet acknowledged"),
        Figure("queue_messages", "Sum of ready and unacknowledged messages - total queue depth"),
        Figure("queue_process_reductions_total", "Total number of queue process reductions"),
    ),
    "queue_consumer_count": (Figure("queue_consumers", "Consumers on a queue"),),
    "queue_metrics": (
        Figure("queue_consumers", "Consumers on a queue"),
        Figure("queue_consumer_capacity", "Consumer capacity"),
        Figure("queue_consumer_utilisation", "Same as consumer capacity"),
        Figure("queue_process_memory_bytes", "Memory in bytes used by the Erlang queue process"),
        Figure("queue_messages_ram", "Ready and unacknowledged messages stored in memory"),
        Figure("queue_messages_ram_bytes", "Size of ready and unacknowledged messages stored in memory"),
        Figure("queue_messages_ready_ram", "Ready messages stored in memory"),
        Figure("queue_messages_unacked_ram", "Unacknowledged messages stored in memory"),
        Figure("queue_messages_persistent", "Persistent messages"),
        Figure("queue_messages_persistent_bytes", "Size in bytes of persistent messages"),
        Figure("queue_messages_bytes", "Size in bytes of ready and unacknowledged messages"),
        Figure("queue_messages_ready_bytes", "Size in bytes of ready messages"),
        Figure("queue_messages_unacked_bytes", "Size in bytes of all unacknowledged messages"),
        Figure("queue_messages_paged_out", "Messages paged out to disk"),
        Figure("queue_messages_paged_out_bytes", "Size in bytes of messages paged out to disk"),
        Figure("queue_head_message_timestamp", "Timestamp of the first message in the queue, if any"),
        Figure("queue_disk_reads_total", "Total number of times queue read messages from disk"),
        Figure("queue_disk_writes_total", "Total number of times queue wrote messages to disk"),
        Figure("stream_segments", "Total number of stream segment files"),
    ),
    "channel_metrics": (
        Figure("channel_consumers", "Consumers on a channel"),
        Figure("channel_messages_unacked", "Delivered but not yet acknowledged messages"),
        Figure("channel_messages_unconfirmed", "Published but not yet confirmed messages"),
        Figure("channel_messages_uncommitted", "Messages received in a transaction but not yet committed"),
        Figure("channel_acks_uncommitted", "Message acknowledgements in a transaction not yet committed"),
        Figure("consumer_prefetch", "Limit of unacknowledged messages for each consumer"),
        Figure("channel_prefetch", "Total limit of unacknowledged messages for all consumers on a channel"),
    ),
    "channel_exchange_metrics": (
        Figure("channel_messages_published_total", "Total number of messages published into an exchange on a channel"),
        Figure(
            "channel_messages_confirmed_total",
            "Total number of messages published into an exchange and confirmed on the channel",
        ),
        Figure(
            "channel_messages_unroutable_returned_total",
            "Total number of messages published as mandatory into an exchange and returned to the publisher "
            "as unroutable",
        ),
        Figure(
            "channel_messages_unroutable_dropped_total",
            "Total number of messages published as non-mandatory into an exchange and dropped as unroutable",
        ),
    ),
    "channel_process_metrics": (
        Figure("channel_process_reductions_total", "Total number of channel process reductions"),
    ),
    "channel_queue_metrics": (
        Figure(
            "channel_get_ack_total",
            "Total number of messages fetched with basic.get in manual acknowledgement mode",
        ),
        Figure(
            "channel_get_total",
            "Total number of messages fetched with basic.get in automatic acknowledgement mode",
        ),
        Figure(
            "channel_messages_delivered_ack_total",
            "Total number of messages delivered to consumers in manual acknowledgement mode",
        ),
        Figure(
            "channel_messages_delivered_total",
            "Total number of messages delivered to consumers in automatic acknowledgement mode",
        ),
        Figure("channel_messages_redelivered_total", "Total number of messages redelivered to consumers"),
        Figure("channel_messages_acked_total", "Total number of messages acknowledged by consumers"),
        Figure("channel_get_empty_total", "Total number of times basic.get operations fetched no message"),
    ),
    "connection_coarse_metrics": (
        Figure("connection_incoming_bytes_total", "Total number of bytes received on a connection"),
        Figure("connection_outgoing_bytes_total", "Total number of bytes sent on a connection"),
        Figure("connection_process_reductions_total", "Total number of connection process reductions"),
    ),
    "connection_metrics": (
        Figure("connection_incoming_packets_total", "Total number of packets received on a connection"),
        Figure("connection_outgoing_packets_total", "Total number of packets sent on a connection"),
        Figure("connection_pending_packets", "Number of packets waiting to be sent on a connection"),
        Figure("connection_channels", "Channels on a connection"),
    ),
    "channel_queue_exchange_metrics": (
        Figure("queue_messages_published_total", "Total number of messages published to queues"),
    ),
    "exchange_metrics": (
        Figure("exchange_messages_published_total", "Total number of messages published into an exchange"),
        Figure(
            "exchange_messages_unroutable_returned_total",
            "Total number of messages published as mandatory into an exchange and returned to the publisher "
            "as unroutable",
        ),
        Figure(
            "exchange_messages_unroutable_dropped_total",
            "Total number of messages published as non-mandatory into an exchange and dropped as unroutable",
        ),
    ),
    "queue_delivery_metrics": (
        Figure(
            "queue_get_ack_total",
            "Total number of messages fetched from a queue with basic.get in manual acknowledgement mode",
        ),
        Figure(
            "queue_get_total",
            "Total number of messages fetched from a queue with basic.get in automatic acknowledgement mode",
        ),
        Figure(
            "queue_messages_delivered_ack_total",
            "Total number of messages delivered from a queue to consumers in manual acknowledgement mode",
        ),
        Figure(
            "queue_messages_delivered_total",
            "Total number of messages delivered from a queue to consumers in automatic acknowledgement mode",
        ),
        Figure("queue_messages_redelivered_total", "Total number of messages redelivered from a queue to consumers"),
        Figure("queue_messages_acked_total", "Total number of messages acknowledged by consumers on a queue"),
        Figure("queue_get_empty_total", "Total number of times basic.get operations fetched no message on a queue"),
    ),
    "queue_exchange_metrics": (
        Figure(
            "queue_exchange_messages_published_total",
            "Total number of messages published into a queue through an exchange",
        ),
    ),
    "stream_consumer_metrics": (Figure("stream_consumer_max_offset_lag", "Highest consumer offset lag"),),
}
# The same everywhere in a cluster; only told when asked for.
CLUSTER: Final[Mapping[str, tuple[Figure, ...]]] = {
    "vhost_status": (Figure("vhost_status", "Whether a given vhost is running"),),
    "exchange_bindings": (
        Figure("exchange_bindings", "Number of bindings for an exchange. This value is cluster-wide."),
    ),
    "exchange_names": (
        Figure(
            "exchange_name",
            "Enumerates exchanges without any additional info. This value is cluster-wide. A cheaper "
            "alternative to `exchange_bindings`",
        ),
    ),
}
