"""rabbitmqctl status and cluster_status: everything about the node, in sections."""

import os
from typing import Any, Final

from amq.cli.ctl.nodes import alarm_lines, alarms, in_unit, listener_line, listeners, memory, of_node, unit_of
from amq.cli.ctl.results import Facts, Result, heading
from amq.cli.ctl.users import BOTH
from amq.cli.ctl.verb import Call, Verb

NONE: Final = "(none)"


def _section(name: str, lines: list[str]) -> str:
    return heading(name) + "\n" + "\n".join(lines or [NONE]) + "\n"


def status(call: Call) -> Result:
    """Everything about the node, in sections."""
    unit = unit_of(call)
    call.say(f"Status of node {call.node} ...")
    node, about = of_node(call), call.overview
    parts = memory(call)
    totals = about.get("object_totals", {})
    hosts = len(call.rows("vhosts"))
    found = listeners(call)
    sum_of = sum(parts.values()) or 1
    sections = [
        _section("Runtime", _runtime(node, about)),
        _section("Plugins", ["Enabled plugins:", "", *[f" * {name}" for name in node.get("enabled_plugins", [])]]),
        _section("Data directory", [f"Node data directory: {node.get('db_dir') or NONE}"]),
        _section("Config files", [f" * {name}" for name in node.get("config_files", [])]),
        _section("Log file(s)", [f" * {name}" for name in node.get("log_files", [])]),
        _section("Alarms", alarm_lines(node)),
        _section(
            "Memory",
            [
                f"Total memory used: {in_unit(node['mem_used'], unit)}",
                f"Calculation strategy: {node.get('mem_calculation_strategy', 'rss')}",
                f"Memory high watermark setting: computed to: {in_unit(node['mem_limit'], unit)}",
                "",
                *[
                    f"{name}: {in_unit(octets, unit)} ({round(octets * 100 / sum_of, 2)} %)"
                    for name, octets in parts.items()
                ],
            ],
        ),
        _section(
            "File Descriptors",
            [
                f"Total: {node['fd_used']}, limit: {node['fd_total']}",
                f"Sockets: {node.get('sockets_used', 0)}, limit: {node.get('sockets_total', 0)}",
            ],
        ),
        _section(
            "Free Disk Space",
            [
                f"Low free disk space watermark: {in_unit(node['disk_free_limit'], unit)}",
                f"Free disk space: {in_unit(node['disk_free'], unit)}",
            ],
        ),
        _section(
            "Totals",
            [
                f"Connection count: {totals.get('connections', 0)}",
                f"Queue count: {totals.get('queues', 0)}",
                f"Virtual host count: {hosts}",
            ],
        ),
        _section("Listeners", [listener_line(each) for each in found]).rstrip("\n"),
    ]
    return Facts(_facts(node, about, found, parts, hosts), "\n".join(sections))


def _runtime(node: dict[str, Any], about: dict[str, Any]) -> list[str]:
    product = about.get("product_name", "RabbitMQ")
    return [
        f"OS PID: {node['os_pid']}",
        f"OS: {os.uname().sysname}",
        f"Uptime (seconds): {node['uptime'] // 1000}",
        "Is under maintenance?: false",
        f"RabbitMQ version: {about['rabbitmq_version']}",
        *([] if product == "RabbitMQ" else [f"{product} version: {about.get('product_version', '')}"]),
        f"Node name: {node['name']}",
        f"Erlang configuration: {about.get('erlang_full_version', about.get('erlang_version', ''))}",
    ]


def _facts(
    node: dict[str, Any], about: dict[str, Any], found: list[dict[str, Any]], parts: dict[str, int], hosts: int
) -> dict[str, Any]:
    totals = about.get("object_totals", {})
    return {
        "active_plugins": node.get("enabled_plugins", []),
        "alarms": alarms(node),
        "config_files": node.get("config_files", []),
        "data_directory": node.get("db_dir", ""),
        "disk_free": node["disk_free"],
        "disk_free_limit": node["disk_free_limit"],
        "erlang_version": about.get("erlang_full_version", ""),
        "file_descriptors": {
            "sockets_limit": node.get("sockets_total", 0),
            "sockets_used": node.get("sockets_used", 0),
            "total_limit": node["fd_total"],
            "total_used": node["fd_used"],
        },
        "is_under_maintenance": False,
        "listeners": found,
        "log_files": node.get("log_files", []),
        "memory": parts,
        "os": os.uname().sysname,
        "pid": int(node["os_pid"]),
        "processes": {"limit": node.get("proc_total", 0), "used": node.get("proc_used", 0)},
        "product_name": about.get("product_name", ""),
        "product_version": about.get("product_version", ""),
        "rabbitmq_version": about["rabbitmq_version"],
        "run_queue": node.get("run_queue", 0),
        "totals": {
            "connection_count": totals.get("connections", 0),
            "queue_count": totals.get("queues", 0),
            "virtual_host_count": hosts,
        },
        "uptime": node["uptime"] // 1000,
        "vm_memory_high_watermark_limit": node["mem_limit"],
    }


def cluster_status(call: Call) -> Result:
    """A cluster of one."""
    call.say(f"Cluster status of node {call.node} ...")
    node, about, found = of_node(call), call.overview, listeners(call)
    name = call.broker.get("cluster-name")["name"]
    flags = call.rows("feature-flags")
    version = f"RabbitMQ {about['rabbitmq_version']} on Erlang {about.get('erlang_version', '')}".rstrip()
    sections = [
        _section("Basics", [f"Cluster name: {name}"]),
        _section("Disk Nodes", [call.node]),
        _section("Running Nodes", [call.node]),
        _section("Versions", [f"{call.node}: {version}"]),
        _section("Maintenance status", [f"Node: {call.node}, status: not under maintenance"]),
        _section("Alarms", alarm_lines(node)),
        _section("Network Partitions", []),
        _section("Listeners", [f"Node: {call.node}, i{listener_line(each)[1:]}" for each in found]),
        _section("Feature flags", [f"Flag: {flag['name']}, state: {flag['state']}" for flag in flags]).rstrip("\n"),
    ]
    facts = {
        "alarms": alarms(node),
        "cluster_name": name,
        "disk_nodes": [call.node],
        "feature_flags": flags,
        "listeners": {call.node: found},
        "maintenance_status": {call.node: "not under maintenance"},
        "partitions": {},
        "ram_nodes": [],
        "running_nodes": [call.node],
        "versions": {
            call.node: {
                "rabbitmq_name": "RabbitMQ",
                "rabbitmq_version": about["rabbitmq_version"],
                "erlang_version": about.get("erlang_version", ""),
            }
        },
    }
    return Facts(facts, "\n".join(sections))


TIMEOUT: Final = "[--timeout <timeout>]"
VERBS: Final = (
    Verb("cluster_status", TIMEOUT, "shows the cluster, which is this node", cluster_status, tools=BOTH),
    Verb(
        "status",
        "[--unit <unit>] [--timeout <timeout>]",
        "shows the status of the broker",
        status,
        switches={"unit": str},
        tools=BOTH,
    ),
)
