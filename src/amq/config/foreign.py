"""Keys of `rabbitmq.conf` that mean something to RabbitMQ and nothing here, and why."""

from typing import Final

_ERLANG: Final = "it is about Erlang's runtime"
_CLUSTER: Final = "this node stands alone"
_QUORUM: Final = "there are no quorum queues and streams"
_PROTOCOL: Final = "AMQP 0-9-1 alone is spoken"
_BACKEND: Final = "users are the broker's own"
_STORE: Final = "messages are kept in another way"

# By the beginning of the key, of which the longest counts.
REASONS: Final = {
    "auth_cache": _BACKEND,
    "auth_http": _BACKEND,
    "auth_ldap": _BACKEND,
    "auth_oauth2": _BACKEND,
    "background_gc_enabled": _ERLANG,
    "background_gc_target_interval": _ERLANG,
    "classic_queue.default_version": _STORE,
    "cluster_formation": _CLUSTER,
    "cluster_keepalive_interval": _CLUSTER,
    "cluster_partition_handling": _CLUSTER,
    "collect_statistics": "figures are always counted",
    "default_worker_pool_size": _ERLANG,
    "delegate_count": _ERLANG,
    "deprecated_features.permit": "nothing is deprecated",
    "distribution": _ERLANG,
    "erlang": _ERLANG,
    "event_exchange": "there is no event exchange",
    "feature_flags": "there are no feature flags to turn off",
    "hipe_compile": _ERLANG,
    "initial_frame_max": "frames before tune-ok are bounded as they are in RabbitMQ by default",
    "log.exchange": "the log goes to standard error and to a file",
    "log.journald": "the log goes to standard error, which journald reads",
    "log.syslog": "the log goes to standard error and to a file",
    "management.rates_mode": "rates are always kept for every object, and never in detail",
    "management_agent": "figures are collected in the broker itself",
    "memory_monitor_interval": "memory is measured the more often the less of it is left",
    "message_interceptors": "there are no interceptors",
    "message_store_shutdown_timeout": _STORE,
    "metadata_store": _STORE,
    "mirroring_sync_batch_size": _CLUSTER,
    "mirroring_sync_max_throughput": _CLUSTER,
    "mnesia_table_loading_retry_limit": _ERLANG,
    "mnesia_table_loading_retry_timeout": _ERLANG,
    "motd_file": "there is no banner to fill",
    "mqtt": _PROTOCOL,
    "net_ticktime": _ERLANG,
    "num_acceptors": "one task accepts all clients",
    "proxy_protocol": "clients are known by the addresses of their sockets",
    "queue_index_embed_msgs_below": _STORE,
    "queue_leader_locator": _CLUSTER,
    "queue_master_locator": _CLUSTER,
    "quorum_queue": _QUORUM,
    "raft": _QUORUM,
    "ranch_connection_max": "connection_max is the limit",
    "reverse_dns_lookups": "clients are known by their addresses",
    "runtime_parameters": "only runtime_parameters.limits is known",
    "socket_writer": _ERLANG,
    "ssl_allow_poodle_attack": "SSL 3 is not spoken",
    "stomp": _PROTOCOL,
    "stream": _QUORUM,
    "sysmon_handler": _ERLANG,
    "tcp_listen_options.linger": "sockets end as the system has it",
    "tracing": "the firehose has no plug-in that writes files",
    "trust_store": _BACKEND,
    "vhost_restart_strategy": "virtual hosts are no processes that could fail by themselves",
    "vm_memory_calculation_strategy": "the process's resident memory counts",
    "web_mqtt": _PROTOCOL,
    "web_stomp": _PROTOCOL,
}


def reason(words: tuple[str, ...]) -> str | None:
    """Why a key of RabbitMQ's has no meaning here, or None for a key that is none of those."""
    for count in range(len(words), 0, -1):
        found = REASONS.get(".".join(words[:count]))
        if found is not None:
            return found
    return None
