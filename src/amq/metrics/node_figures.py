"""What Prometheus is told of the node as a whole, as metrics of prometheus_client."""

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from hashlib import blake2b
from importlib import metadata
from itertools import accumulate
from platform import python_version
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.utils import floatToGoString

from amq.metrics.columns import VHOST, value
from amq.metrics.journal import LATENCIES
from amq.metrics.memory import breakdown
from amq.metrics.objects import Source
from amq.tally import OCTETS, SIZES

ALARMS: Final = {
    "file_descriptor_limit": "is 1 if file descriptor limit alarm is in effect",
    "free_disk_space_watermark": "is 1 if free disk space watermark alarm is in effect",
    "memory_used_watermark": "is 1 if VM memory watermark alarm is in effect",
}
# Counted by protocol: what of VHOST they are, and what they say of themselves.
BY_PROTOCOL: Final = {
    "received": ("publish", "Total number of messages received from publishers"),
    "confirmed": ("confirm", "Total number of messages confirmed to publishers"),
    "routed": ("routed", "Total number of messages routed to queues or streams"),
    "unroutable_dropped": (
        "drop_unroutable",
        "Total number of messages published as non-mandatory into an exchange and dropped as unroutable",
    ),
    "unroutable_returned": (
        "return_unroutable",
        "Total number of messages published as mandatory into an exchange and returned to the publisher as unroutable",
    ),
}
# Counted by type of queue, too.
BY_QUEUE_TYPE: Final = {
    "acknowledged": ("ack", "Total number of messages acknowledged by consumers"),
    "delivered": ("deliver_get", "Total number of messages delivered to consumers"),
    "delivered_consume_auto_ack": (
        "deliver_no_ack",
        "Total number of messages delivered to consumers using basic.consume with automatic acknowledgment",
    ),
    "delivered_consume_manual_ack": (
        "deliver",
        "Total number of messages delivered to consumers using basic.consume with manual acknowledgment",
    ),
    "delivered_get_auto_ack": (
        "get_no_ack",
        "Total number of messages delivered to consumers using basic.get with automatic acknowledgment",
    ),
    "delivered_get_manual_ack": (
        "get",
        "Total number of messages delivered to consumers using basic.get with manual acknowledgment",
    ),
    "get_empty": ("get_empty", "Total number of times basic.get operations fetched no message"),
    "redelivered": ("redeliver", "Total number of messages redelivered to consumers"),
}
# Why messages leave a queue, and what is said of those that are counted so.
DEATHS: Final = {
    "delivery_limit": "Total number of messages dead-lettered due to delivery-limit exceeded",
    "expired": "Total number of messages dead-lettered due to message TTL exceeded",
    "maxlen": "Total number of messages dead-lettered due to overflow drop-head or reject-publish-dlx",
    "rejected": "Total number of messages dead-lettered due to basic.reject or basic.nack",
}
CLASSIC: Final = "rabbit_classic_queue"
# The other types of queues, of which there are none.
OTHERS: Final = ("rabbit_quorum_queue", "rabbit_stream_queue")
MEMORY: Final = {
    "code": ("code_module", "Code module memory footprint"),
    "connection_readers": ("client_connection_reader", "Client connection reader processes footprint in bytes"),
    "connection_writers": ("client_connection_writer", "Client connection writer processes footprint in bytes"),
    "connection_channels": ("client_connection_channel", "Client connection channel processes footprint in bytes"),
    "connection_other": ("client_connection_other", "Client connection other processes footprint in bytes"),
    "queue_procs": ("classic_queue_erlang_process", "Classic queue processes footprint in bytes"),
    "quorum_queue_procs": ("quorum_queue_erlang_process", "Quorum queue processes footprint in bytes"),
    "quorum_queue_dlx_procs": (
        "quorum_queue_dlx_erlang_process",
        "Quorum queue DLX worker processes footprint in bytes",
    ),
    "stream_queue_procs": ("stream_erlang_process", "Stream processes footprint in bytes"),
    "stream_queue_replica_reader_procs": (
        "stream_replica_reader_erlang_process",
        "Stream replica reader processes footprint in bytes",
    ),
    "stream_queue_coordinator_procs": (
        "stream_coordinator_erlang_process",
        "Stream coordinator processes footprint in bytes",
    ),
    "plugins": ("plugin", "Total plugin footprint in bytes"),
    "other_proc": ("other_erlang_process", "Other processes footprint in bytes"),
    "metrics": ("metrics", "Metric table footprint in bytes"),
    "mgmt_db": ("management_stats_db", "Management stats database footprint in bytes"),
    "mnesia": ("classic_metadata_store", "Classic metadata store footprint in bytes"),
    "quorum_ets": ("quorum_queue_ets_table", "Quorum queue ETS tables footprint in bytes"),
    "other_ets": ("other_ets_table", "Other ETS tables footprint in bytes"),
    "binary": ("binary_heap", "Binary heap size in bytes"),
    "msg_index": ("message_index", "Message index footprint in bytes"),
    "atom": ("atom_table", "Atom table size in bytes"),
    "other_system": ("other_system", "Other runtime footprint in bytes"),
    "allocated_unused": ("runtime_allocated_unused", "Runtime allocated but unused blocks size in bytes"),
    "reserved_unallocated": ("runtime_reserved_unallocated", "Runtime reserved but unallocated blocks size in bytes"),
}


def alarms(source: Source) -> list[Metric]:
    """Which alarms are raised. There is none for file descriptors: the last ones are held back instead."""
    raised = source.broker.alarms
    state = {"free_disk_space_watermark": "disk" in raised, "memory_used_watermark": "memory" in raised}
    return [untyped(f"rabbitmq_alarms_{name}", text, {}, int(state.get(name, False))) for name, text in ALARMS.items()]


def totals(source: Source) -> list[Metric]:
    """How many there are of each kind."""
    counted = source.sampler.totals
    vhosts = source.broker.vhosts.values()
    return [
        GaugeMetricFamily("rabbitmq_connections", "Connections currently open", counted.connections),
        GaugeMetricFamily("rabbitmq_channels", "Channels currently open", counted.channels),
        GaugeMetricFamily("rabbitmq_consumers", "Consumers currently connected", counted.consumers),
        GaugeMetricFamily("rabbitmq_queues", "Queues available", sum(len(vhost.queues) for vhost in vhosts)),
        GaugeMetricFamily("rabbitmq_exchanges", "Exchanges available", sum(len(vhost.exchanges) for vhost in vhosts)),
        GaugeMetricFamily(
            "rabbitmq_unreachable_cluster_peers_count",
            "Number of peers in the cluster the current node cannot reach.",
            0,
        ),
    ]


def global_counters(source: Source) -> list[Metric]:
    """What all publishers and consumers, and queues of each type, come to since the start."""
    row = source.sampler.overview_row()
    found: list[Metric] = []
    for name, (series, text) in BY_PROTOCOL.items():
        found.append(by_protocol(name, text, value(VHOST.series[series], row)))
    unconfirmed = source.sampler.totals.unconfirmed
    expecting = source.sampler.never_back("received_confirm", value(VHOST.series["confirm"], row) + unconfirmed)
    text = "Total number of messages received from publishers expecting confirmations"
    found.append(by_protocol("received_confirm", text, expecting))
    for name, (series, text) in BY_QUEUE_TYPE.items():
        family = CounterMetricFamily(f"rabbitmq_global_messages_{name}", text, labels=("protocol", "queue_type"))
        family.add_metric(("amqp091", CLASSIC), value(VHOST.series[series], row))
        for other in OTHERS:
            family.add_metric(("amqp091", other), 0)
        found.append(family)
    found += deaths(source)
    found.append(message_sizes(source))
    for name, text, count in (
        ("publishers", "Current number of publishers", source.sampler.totals.publishers),
        ("consumers", "Current number of consumers", source.sampler.totals.consumers),
    ):
        gauge = GaugeMetricFamily(f"rabbitmq_global_{name}", text, labels=("protocol",))
        gauge.add_metric(("amqp091",), count)
        found.append(gauge)
    return found


def by_protocol(name: str, text: str, count: float) -> Metric:
    """A counter of messages by protocol, of which there is one."""
    family = CounterMetricFamily(f"rabbitmq_global_messages_{name}", text, labels=("protocol",))
    family.add_metric(("amqp091",), count)
    return family


def deaths(source: Source) -> list[Metric]:
    """Messages that left their queue other than by an acknowledgement."""
    churn = source.broker.churn
    labels = ("queue_type", "dead_letter_strategy")
    found: list[Metric] = []
    for reason, text in DEATHS.items():
        family = CounterMetricFamily(f"rabbitmq_global_messages_dead_lettered_{reason}", text, labels=labels)
        family.add_metric((CLASSIC, "at_most_once"), churn.dead_lettered.get(reason, 0))
        family.add_metric((CLASSIC, "disabled"), churn.dropped.get(reason, 0))
        found.append(family)
    family = CounterMetricFamily(
        "rabbitmq_global_messages_dead_lettered_confirmed",
        "Total number of messages dead-lettered and confirmed by target queues",
        labels=labels,
    )
    family.add_metric((OTHERS[0], "at_least_once"), 0)
    return [*found, family]


def message_sizes(source: Source) -> Metric:
    """How large the bodies of published messages were."""
    counts = source.broker.churn.sizes
    buckets = list(zip((*map(floatToGoString, map(float, SIZES)), "+Inf"), accumulate(counts[:OCTETS]), strict=True))
    family = HistogramMetricFamily(
        "rabbitmq_message_size_bytes", "Size of messages received from publishers", labels=("protocol",)
    )
    family.add_metric(("amqp091",), buckets, counts[OCTETS])
    return family


def journal(source: Source) -> list[Metric]:
    """What the journal has done."""
    figures = source.journal
    if figures is None:
        return []
    buckets = list(zip((*map(str, LATENCIES), "+Inf"), accumulate(figures.latencies), strict=True))
    per_sync = figures.messages / figures.syncs if figures.syncs else 0
    return [
        CounterMetricFamily("amq_journal_fsyncs", "Times that the journal was made safe on disk", figures.syncs),
        CounterMetricFamily("amq_journal_messages", "Messages that the journal has made safe", figures.messages),
        CounterMetricFamily("amq_journal_bytes", "Bytes that the journal has written", figures.octets),
        GaugeMetricFamily("amq_journal_messages_per_fsync", "Messages made safe at once, since the start", per_sync),
        GaugeMetricFamily("amq_journal_slowest_fsync_seconds", "The longest that one took", figures.slowest),
        HistogramMetricFamily(
            "amq_journal_fsync_seconds", "How long the journal takes to be safe on disk", buckets, figures.seconds
        ),
    ]


def process(source: Source) -> list[Metric]:
    """What exporters tell of a process."""
    return [
        GaugeMetricFamily(
            "process_start_time_seconds", "Start time of the process since unix epoch in seconds.", source.started
        ),
        CounterMetricFamily(
            "process_cpu_seconds", "Total user and system CPU time spent in seconds.", source.facts().cpu_seconds
        ),
    ]


async def memory_figures(source: Source) -> list[Metric]:
    """What the memory is used for."""
    parts = await breakdown(source.sampler, source.facts())
    return [
        GaugeMetricFamily(f"rabbitmq_memory_{name}_bytes", text, parts[part]) for part, (name, text) in MEMORY.items()
    ]


def identity(source: Source, endpoint: str) -> list[Metric]:
    """Which node this is and what it is made of."""
    settings = source.broker.settings
    cluster = settings.cluster_name
    build = {
        "rabbitmq_version": settings.product_version,
        "prometheus_plugin_version": settings.product_version,
        "prometheus_client_version": metadata.version("prometheus-client"),
        "erlang_version": python_version(),
        "product_version": settings.product_version,
        "product_name": settings.product_name,
    }
    about = {
        "rabbitmq_node": source.node_name,
        "rabbitmq_cluster": cluster,
        "rabbitmq_cluster_permanent_id": permanent_id(source.node_name, cluster),
        "rabbitmq_endpoint": endpoint,
    }
    return [
        untyped("rabbitmq_build_info", "RabbitMQ & Erlang/OTP version info", build, 1),
        untyped("rabbitmq_identity_info", "RabbitMQ node & cluster identity info", about, 1),
    ]


def permanent_id(node_name: str, cluster: str) -> str:
    """The same for as long as node and cluster have their names."""
    digest = blake2b(f"{node_name}\n{cluster}".encode(), digest_size=16).digest()
    return "rabbitmq-cluster-id-" + urlsafe_b64encode(digest).decode().rstrip("=")


def untyped(name: str, text: str, labels: Mapping[str, str], number: float) -> Metric:
    """A metric of no type with one sample."""
    found = Metric(name, text, "untyped")
    found.add_sample(name, dict(labels), number)
    return found
