"""rabbitmqctl: the node itself; what it is, how it does, its log, its end."""

import os
import signal
import time
from pathlib import Path
from typing import Any, Final

from amq.cli import exits
from amq.cli.ask.broker import Broker, Refused, path
from amq.cli.ctl.results import Facts, Result, VerbError
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
    Verb("environment", "", "shows the configuration in force", environment, tools=BOTH),
    Verb("ping", TIMEOUT, "checks that the broker answers", ping, tools=BOTH),
    Verb("rotate_logs", "", "begins new log files", rotate_logs),
    Verb("set_cluster_name", "<name>", "gives the cluster a name", set_cluster_name, 1, 1),
    Verb("set_log_level", "<log_level>", "sets the level of the log", set_log_level, 1, 1),
    Verb("shutdown", "[--wait] [--timeout <timeout>]", "stops the broker", stop, switches={"wait": bool}),
    Verb("stop", "[--idempotent] [<pidfile>]", "stops the broker", stop, 0, 1, {"idempotent": bool}),
)
