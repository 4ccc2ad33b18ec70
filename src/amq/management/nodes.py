"""The node: /nodes, what it uses its memory for, and the tables that there are none of."""

import os
import re
from typing import Any, Final

from amq.management import node_json
from amq.management.answers import Answer, ok
from amq.management.call import Call
from amq.management.endpoint import MONITORING, Endpoint, Parameter, Schema
from amq.management.errors import NotFound
from amq.management.listing import listing
from amq.management.windows import stats_disabled, windows
from amq.metrics import memory, stats
from amq.metrics.facts import Facts
from amq.metrics.ranges import Ranges

# Figures of RabbitMQ's that there is nothing of here: files are written to their ends and neither sought nor opened
# again, there are no tables of Mnesia and no index beside the messages.
NOTHING: Final = (
    "gc_bytes_reclaimed",
    "io_read_count",
    "io_read_avg_time",
    "io_seek_count",
    "io_seek_avg_time",
    "io_reopen_count",
    "mnesia_ram_tx_count",
    "mnesia_disk_tx_count",
    "msg_store_read_count",
    "queue_index_write_count",
    "queue_index_read_count",
)
COLLECTED: Final = ("connection", "channel", "consumer", "exchange", "queue", "vhost", "node_node", "channel_consumer")
# The heartbeat between the nodes of a cluster, which RabbitMQ shows for a single one too, in s.
NET_TICKTIME: Final = 60
NODE: Final[Schema] = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "running": {"type": "boolean"}, "type": {"type": "string"}},
    "required": ["name", "running", "type"],
}
MEMORY: Final[Schema] = {"type": "object", "properties": {"memory": {"type": "object"}}, "required": ["memory"]}
ETS: Final[Schema] = {"type": "object", "properties": {"ets_tables_memory": {"enum": ["no_tables"]}}}


async def nodes(call: Call) -> Answer:
    """The one node."""
    ranges = None if stats_disabled(call) else windows(call)
    return await listing(call, [call.node.name], lambda _: describe(call, ranges), sorts=("name",))


async def node(call: Call) -> Answer:
    """The node, with its memory if that is asked for."""
    check(call)
    described = describe(call, None if stats_disabled(call) else windows(call))
    if call.query.get("memory") == "true":
        described["memory"] = await memory_of(call)
    if call.query.get("binary") == "true":
        described["binary"] = binary(await memory_of(call))
    return ok(described)


async def node_memory(call: Call) -> Answer:
    """What the memory is used for, in octets."""
    check(call)
    return ok({"memory": await memory_of(call)})


async def relative_memory(call: Call) -> Answer:
    """What the memory is used for, in percent."""
    check(call)
    used = await memory_of(call)
    total = used.pop("total")["rss"]
    return ok({"memory": {"total": 100, **{name: percent(used[name], total) for name in used if name != "strategy"}}})


async def tables(call: Call) -> Answer:
    """The tables in memory that Erlang would have."""
    check(call)
    return ok({"ets_tables_memory": "no_tables"})


def check(call: Call) -> None:
    """Raise NotFound unless the path names this node."""
    if call.path["node"] != call.node.name:
        raise NotFound()


def percent(part: int, total: int) -> int:
    """A share in whole percent; 1 for anything that is not nothing."""
    share = round(100 * part / total) if total else 0
    return share or (1 if part else 0)


async def memory_of(call: Call) -> dict[str, Any]:
    """The parts in octets, and what they come to."""
    facts: Facts = call.node.facts()
    parts = await memory.breakdown(call.node.sampler, facts)
    total = {"erlang": facts.mem_used - facts.mem_unused, "rss": facts.mem_used, "allocated": facts.mem_used}
    return {**parts, "strategy": "rss", "total": total}


def binary(used: dict[str, Any]) -> dict[str, int]:
    """Whose the bodies of messages are: the queues'."""
    shown = {name: 0 for name in used if re.match("connection_|.*_procs$|plugins|mgmt_db|msg_index", name)}
    return {**shown, "queue_procs": used["binary"], "other": 0}


def describe(call: Call, ranges: Ranges | None) -> dict[str, Any]:
    """The node as it is listed; without `ranges`, no more than its name and how it does."""
    name = {"name": call.node.name, "type": "disc", "running": True, "being_drained": False}
    if ranges is None:
        return name
    return {**about(call), **name, **figures(call, ranges)}


def about(call: Call) -> dict[str, Any]:
    """What the node is and what its limits are."""
    broker = call.node.broker
    settings = broker.settings
    facts: Facts = call.node.facts()
    protocols = [fact.protocol for fact in call.node.listeners()]
    return {
        "partitions": [],
        "os_pid": str(os.getpid()),
        "fd_total": facts.fd_total,
        "sockets_total": facts.sockets_total,
        "mem_limit": facts.mem_limit,
        "mem_alarm": "memory" in broker.alarms,
        "disk_free_limit": facts.disk_free_limit,
        "disk_free_alarm": "disk" in broker.alarms,
        "proc_total": facts.proc_total,
        "rates_mode": "basic",
        "uptime": facts.uptime,
        "run_queue": facts.run_queue,
        "processors": facts.processors,
        "exchange_types": node_json.exchange_types(),
        "auth_mechanisms": node_json.auth_mechanisms(settings),
        "applications": node_json.applications(settings),
        "contexts": node_json.contexts(call.node, settings.management.path_prefix),
        "log_files": node_json.log_files(settings),
        "db_dir": settings.data or "",
        "config_files": [],
        "net_ticktime": NET_TICKTIME,
        "enabled_plugins": node_json.enabled_plugins(protocols),
        "mem_calculation_strategy": "rss",
        "ra_open_file_metrics": {"ra_log_wal": 0, "ra_log_segment_writer": 0},
    }


def figures(call: Call, ranges: Ranges) -> dict[str, Any]:
    """What changes all the time."""
    sampler = call.node.sampler
    return {
        **stats.node_stats(sampler, ranges),
        **{name: figure for nothing in NOTHING for name, figure in nothing_of(nothing, call, ranges).items()},
        **stats.churn_rates(sampler, ranges),
        "cluster_links": [],
        "metrics_gc_queue_length": {f"{kind}_{_end(kind)}": 0 for kind in COLLECTED},
    }


def nothing_of(name: str, call: Call, ranges: Ranges) -> dict[str, Any]:
    """A figure that is always 0, with its details."""
    found = stats.nothing(name, call.node.sampler, ranges.node_stats)
    # Times are decimal fractions, nothing or not.
    return {**found, name: 0.0} if name.endswith("_avg_time") else found


def _end(kind: str) -> str:
    return "closed" if kind in ("connection", "channel") else "deleted"


QUERY: Final = (
    Parameter("node_stats_age", "samples of the node's figures: how far back, in s", {"type": "integer", "minimum": 1}),
    Parameter("node_stats_incr", "samples of them: how far apart, in s", {"type": "integer", "minimum": 1}),
    Parameter("disable_stats", "`true`: without figures"),
)
UNKNOWN: Final = "no node of that name"
PATH: Final = "/nodes/{node}"
TABLE: Final = (
    Endpoint(
        "GET",
        "/nodes",
        MONITORING,
        nodes,
        "The nodes of the cluster, of which there is one",
        {200: {"type": "array", "items": NODE}, 400: "a sample window that makes no sense"},
        query=QUERY,
    ),
    Endpoint(
        "GET",
        PATH,
        MONITORING,
        node,
        "A node: limits, figures, what it is made of",
        {200: NODE, 400: "a sample window that makes no sense", 404: UNKNOWN},
        query=(
            *QUERY,
            Parameter("memory", "`true`: with what its memory is used for"),
            Parameter("binary", "`true`: with whose the bodies of messages are"),
        ),
    ),
    Endpoint(
        "GET",
        f"{PATH}/memory",
        MONITORING,
        node_memory,
        "What a node's memory is used for, in octets",
        {200: MEMORY, 404: UNKNOWN},
    ),
    Endpoint(
        "GET",
        f"{PATH}/memory/relative",
        MONITORING,
        relative_memory,
        "What a node's memory is used for, in percent",
        {200: MEMORY, 404: UNKNOWN},
    ),
    *(
        Endpoint(
            "GET",
            f"{PATH}/memory/ets{end}",
            MONITORING,
            tables,
            "Erlang's tables in memory, of which there are none",
            {200: ETS, 404: UNKNOWN},
        )
        for end in ("", "/relative", "/{filter}", "/{filter}/relative")
    ),
)
