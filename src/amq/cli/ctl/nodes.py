"""rabbitmqctl: the node itself; what it is, how it does, its log, its end."""

import os
import signal
import time
from pathlib import Path
from typing import Any, Final

from amq.cli import exits
from amq.cli.ask.broker import Broker, Refused, path
from amq.cli.ctl import acting, listings, rules, users, vhosts
from amq.cli.ctl.results import Facts, Result, VerbError, heading, show
from amq.cli.ctl.terms import erlang
from amq.cli.ctl.users import BOTH
from amq.cli.ctl.verb import PLUGINS, Call, Verb, here
from amq.cli.exits import CommandError

UNITS: Final = {"bytes": 1, "kb": 1_000, "mb": 1_000_000, "gb": 1_000_000_000}
PURPOSES: Final = {
    "amqp": "AMQP 0-9-1 and AMQP 1.0",
    "amqp/ssl": "AMQP 0-9-1 and AMQP 1.0 over TLS",
    "http": "HTTP API",
    "https": "HTTP API over TLS (HTTPS)",
    "http/prometheus": "Prometheus exporter API over HTTP",
    "https/prometheus": "Prometheus exporter API over TLS (HTTPS)",
    "clustering": "inter-node and CLI tool communication",
}
NONE: Final = "(none)"
POLL: Final = 0.05  # s, between looks at a process that ends


def of_node(call: Call) -> dict[str, Any]:
    """What the broker says of its node."""
    found: dict[str, Any] = call.broker.get(path("nodes", call.node))
    return found


def listeners(call: Call) -> list[dict[str, Any]]:
    """Where it listens, as RabbitMQ's tools show it."""
    return [
        {
            "interface": f"[{each['ip_address']}]" if ":" in each["ip_address"] else each["ip_address"],
            "node": each.get("node", call.node),
            "port": each["port"],
            "protocol": each["protocol"],
            "purpose": PURPOSES.get(each["protocol"], each["protocol"]),
        }
        for each in call.overview["listeners"]
    ]


def listener_line(each: dict[str, Any]) -> str:
    """One listener."""
    where = f"Interface: {each['interface']}, port: {each['port']}"
    return f"{where}, protocol: {each['protocol']}, purpose: {each['purpose']}"


def alarms(node: dict[str, Any]) -> list[str]:
    """What is short on that node."""
    found = []
    if node.get("mem_alarm"):
        found.append("memory")
    if node.get("disk_free_alarm"):
        found.append("disk")
    return found


def alarm_lines(node: dict[str, Any]) -> list[str]:
    """The same in words."""
    words = {"memory": "Memory alarm", "disk": "Free disk space alarm"}
    return [f"{words[each]} on node {node['name']}" for each in alarms(node)]


def in_unit(octets: float, unit: str) -> str:
    """Octets in a unit, as RabbitMQ's tools round them."""
    return f"{octets} bytes" if unit == "bytes" else f"{round(octets / UNITS[unit], 4)} {unit}"


def memory(call: Call) -> dict[str, int]:
    """Octets by what they are used for, the most first."""
    found = call.broker.get(path("nodes", call.node, "memory")).get("memory")
    if not isinstance(found, dict):
        return {}
    parts = {name: octets for name, octets in found.items() if isinstance(octets, int)}
    return dict(sorted(parts.items(), key=lambda part: -part[1]))


def unit_of(call: Call) -> str:
    """The unit that was asked for. Raises VerbError for none."""
    unit = str(call.options.get("unit", "gb")).lower()
    if unit not in UNITS:
        raise VerbError(exits.USAGE, f"unit '{unit}' is not supported. Please use one of: bytes, mb, gb")
    return unit


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


def ping(call: Call) -> Result:
    """Whether it answers."""
    seconds = call.options.get("timeout", 60.0)
    call.say(
        f"Will ping {call.node}. This only checks if the OS process is running and registered with epmd. "
        f"Timeout: {int(seconds * 1000)} ms."
    )
    return "Ping succeeded"


def await_startup(call: Call) -> Result:
    """Wait until it answers; rabbitmqctl gives up after 5 minutes."""
    deadline = time.monotonic() + float(call.options.get("timeout", 300.0))
    while True:
        try:
            call.broker.get("overview")
        except CommandError as error:
            if error.status != exits.UNAVAILABLE or time.monotonic() > deadline:
                raise
            time.sleep(POLL)
        else:
            return None


def await_online_nodes(call: Call) -> Result:
    """One is all there will be."""
    (count,) = call.arguments
    if not count.isdigit() or int(count) < 1:
        raise VerbError(exits.USAGE, "target node count must be greater than 0")
    seconds = int(call.options.get("timeout", 300))
    call.say(f"Will wait for at least {count} nodes to join the cluster of {call.node}. Timeout: {seconds} seconds.")
    if int(count) > 1:
        raise VerbError(exits.UNAVAILABLE, f"node {call.node} is the only one, and will stay so")
    return None


def set_cluster_name(call: Call) -> Result:
    """A name for people."""
    (name,) = call.arguments
    call.say(f"Setting cluster name to {name} ...")
    call.broker.put("cluster-name", {"name": name})
    return None


def set_log_level(call: Call) -> Result:
    """From which level on the broker logs."""
    (level,) = call.arguments
    try:
        call.broker.put("amq/logs/level", {"level": level})
    except Refused:
        names = "debug, info, warning, error, critical, none"
        raise VerbError(exits.UNAVAILABLE, f"level {level} is not supported. Try one of {names}") from None
    call.say(f'Setting log level to "{level}" ...')
    return None


def rotate_logs(call: Call) -> Result:
    """Begin new log files."""
    call.say(f"Rotating logs for node {call.node} ...")
    call.broker.post("amq/logs/rotate")
    return None


def environment(call: Call) -> Result:
    """The configuration in force."""
    call.say(f"Application environment of node {call.node} ...")
    found = call.broker.get("config/effective")
    keys = ",\n      ".join([f"{{{name},{erlang(value)}}}" for name, value in found.items()])
    return Facts(found, f"[{{amq,\n     [{keys}]}}]")


def report(call: Call) -> Result:
    """Everything that helps to find a fault, one after the other."""
    call.say(f"Reporting server status of node {call.node} ...")
    for function in (status, cluster_status, environment, listings.list_connections, listings.list_channels):
        _part(call, function)
    for vhost in [row["name"] for row in call.rows("vhosts")]:
        inside = Call(call.broker, (), {**call.options, "vhost": vhost}, call.formatter)
        for function in (
            listings.list_queues,
            listings.list_exchanges,
            listings.list_bindings,
            listings.list_consumers,
            users.list_permissions,
            rules.list_policies,
            rules.list_parameters,
            rules.list_vhost_limits,
        ):
            _part(inside, function)
    for function in (rules.list_global_parameters, acting.list_feature_flags, users.list_users, vhosts.list_vhosts):
        _part(call, function)
    return None


def _part(call: Call, function: Any) -> None:
    try:
        show(function(call), call.formatter, header=True)
    except (Refused, VerbError) as error:
        print(f"({error})")
    print()


def version(call: Call) -> Result:
    """The version that scripts compare: that of the RabbitMQ that the broker behaves as."""
    return str(call.overview["rabbitmq_version"])


# -- its end --


def stop(call: Call) -> Result:
    """SIGTERM to a broker on this machine, and wait for its end."""
    call.say(f"Stopping and halting node {call.node} ...")
    if call.broker.target.socket is None and call.broker.target.host not in {"localhost", "127.0.0.1", "::1"}:
        raise VerbError(exits.UNAVAILABLE, f"{call.node} runs on another machine; it can be stopped there only")
    process = int(of_node(call)["os_pid"])
    try:
        os.kill(process, signal.SIGTERM)
        _await_end(process, float(call.options.get("timeout", 60.0)))
    except PermissionError:
        problem = f"process {process} belongs to another user: stop it as that user, or as root"
        raise VerbError(exits.NOT_ALLOWED, problem) from None
    return None


def _await_end(process: int, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while _runs(process):
        if time.monotonic() > deadline:
            raise VerbError(exits.UNAVAILABLE, f"process {process} has not ended in {seconds:g} s")
        time.sleep(POLL)


def _runs(process: int) -> bool:
    """Whether it is there, and no zombie that nobody has waited for yet."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2][:1] != "Z"
    except FileNotFoundError:
        pass
    if Path("/proc/self").exists():
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def unreachable(broker: Broker, node: str | None, problem: str) -> str:
    """What is said when no broker answers."""
    name = node or here()
    return (
        f"Error: unable to perform an operation on node '{name}'. "
        "Please see diagnostics information and suggestions below.\n"
        "\nMost common reasons for this are:\n\n"
        " * The broker is not running, or runs without its HTTP API\n"
        " * It runs on another data folder, port or machine than this command looks at: --data, --url\n"
        " * A firewall is between this command and the broker\n"
        f"\nDIAGNOSTICS\n===========\n\nattempted to contact: [{name}] at {broker.target.shown}\n\n * {problem}\n"
    )


TIMEOUT: Final = "[--timeout <timeout>]"
HELP: Final = (Verb("version", "", "shows the version that the broker behaves as", version, tools=(*BOTH, PLUGINS)),)
VERBS: Final = (
    Verb("await_online_nodes", "<count> [--timeout <timeout>]", "waits for so many nodes", await_online_nodes, 1, 1),
    Verb("await_startup", "", "waits until the broker answers", await_startup),
    Verb("cluster_status", TIMEOUT, "shows the cluster, which is this node", cluster_status, tools=BOTH),
    Verb("environment", "", "shows the configuration in force", environment, tools=BOTH),
    Verb("ping", TIMEOUT, "checks that the broker answers", ping, tools=BOTH),
    Verb("report", "", "shows everything that helps to find a fault", report, tools=BOTH),
    Verb("rotate_logs", "", "begins new log files", rotate_logs),
    Verb("set_cluster_name", "<name>", "gives the cluster a name", set_cluster_name, 1, 1),
    Verb("set_log_level", "<log_level>", "sets the level of the log", set_log_level, 1, 1),
    Verb("shutdown", "[--wait] [--timeout <timeout>]", "stops the broker", stop, switches={"wait": bool}),
    Verb(
        "status",
        "[--unit <unit>] [--timeout <timeout>]",
        "shows the status of the broker",
        status,
        switches={"unit": str},
        tools=BOTH,
    ),
    Verb("stop", "[--idempotent] [<pidfile>]", "stops the broker", stop, 0, 1, {"idempotent": bool}),
)
