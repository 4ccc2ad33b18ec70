"""rabbitmq-diagnostics: health checks, listeners, memory, certificates, the log."""

import socket
import ssl
import time
from contextlib import closing
from typing import Any, Final

from amq.cli import exits
from amq.cli.ask.broker import Refused, path
from amq.cli.ctl.nodes import alarm_lines, alarms, in_unit, listener_line, listeners, memory, of_node, unit_of
from amq.cli.ctl.results import Facts, Result, VerbError
from amq.cli.ctl.verb import DIAGNOSTICS, BadArguments, Call, Verb
from amq.cli.exits import CommandError

CONNECT_SECONDS: Final = 5.0
ANYWHERE: Final = {"::": "::1", "0.0.0.0": "127.0.0.1"}
TLS: Final = {"amqp/ssl", "https", "https/prometheus"}


def check_running(call: Call) -> Result:
    """Who answers runs."""
    call.say(f"Checking if RabbitMQ is running on node {call.node} ...")
    return f"RabbitMQ on node {call.node} is fully booted and running"


def is_running(call: Call) -> Result:
    """Who answers runs."""
    call.say(f"Asking node {call.node} for its status ...")
    text = f"RabbitMQ on node {call.node} is fully booted and running"
    return Facts({"message": text, "result": True}, text)


def is_booting(call: Call) -> Result:
    """Who answers does not boot any more."""
    call.say(f"Asking node {call.node} for its boot status ...")
    text = (
        f"RabbitMQ on node {call.node} is fully booted (check with is_running), stopped or has not started booting yet"
    )
    return Facts({"message": text, "result": False}, text)


def _check_alarms(call: Call, none: str) -> Result:
    node = of_node(call)
    found = alarms(node)
    if found:
        text = f"Node {call.node} reported {'local ' if 'local' in none else ''}alarms:\n\n"
        facts = {"result": "error", "node": call.node, "alarms": found}
        raise VerbError(exits.UNAVAILABLE, text + "\n".join(alarm_lines(node)), facts=facts)
    return f"Node {call.node} reported no {none}"


def check_local_alarms(call: Call) -> Result:
    """Memory and disk."""
    call.say(f"Asking node {call.node} to report any local resource alarms ...")
    return _check_alarms(call, "local alarms")


def check_alarms(call: Call) -> Result:
    """Memory and disk."""
    call.say(f"Asking node {call.node} to report any local resource alarms ...")
    return _check_alarms(call, "alarms, local or clusterwide")


def list_alarms(call: Call) -> Result:
    """What is short."""
    call.say(f"Asking node {call.node} to report any known resource alarms ...")
    node = of_node(call)
    text = "\n".join(alarm_lines(node)) or f"Node {call.node} reported no alarms, local or clusterwide"
    return Facts({"alarms": alarms(node), "node": call.node, "result": "ok"}, text)


def check_virtual_hosts(call: Call) -> Result:
    """All of them run while the broker does; the broker's own check is asked."""
    call.say(f"Checking if all vhosts are running on node {call.node} ...")
    _ask(call, "health", "checks", "virtual-hosts")
    return f"Node {call.node} reported all vhosts as running"


def _ask(call: Call, *where: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = call.broker.get(path(*where))
    except Refused as refused:
        raise VerbError(exits.UNAVAILABLE, str(refused)) from None
    return found


# -- listeners --


def list_listeners(call: Call) -> Result:
    """Where it listens."""
    call.say(f"Asking node {call.node} to report its protocol listeners ...")
    found = listeners(call)
    return Facts(
        {"listeners": found, "node": call.node, "result": "ok"}, "\n".join([listener_line(each) for each in found])
    )


def _host(call: Call, interface: str) -> str:
    """The address to try a listener at: its own, or for one on every interface that of the broker."""
    address = interface.strip("[]")
    if address in ANYWHERE:
        return ANYWHERE[address] if call.broker.target.socket is not None else call.broker.target.host
    return address


def check_port_connectivity(call: Call) -> Result:
    """Open a TCP connection to each port."""
    call.say(f"Testing TCP connections to all active listeners on node {call.node} ...")
    ports, failed = [], []
    for each in listeners(call):
        try:
            socket.create_connection((_host(call, each["interface"]), each["port"]), CONNECT_SECONDS).close()
            ports.append(each["port"])
        except OSError as error:
            failed.append(f"{listener_line(each)}: {error.strerror or error}")
    if failed:
        listed = "\n".join(failed)
        raise VerbError(
            exits.UNAVAILABLE, f"Connection to ports of the following listeners on node {call.node} failed:\n{listed}"
        )
    return f"Successfully connected to ports {', '.join(map(str, sorted(set(ports))))} on node {call.node}."


def check_port_listener(call: Call) -> Result:
    """Whether a port is listened on."""
    (text,) = call.arguments
    if not text.isdigit() or int(text) == 0:
        raise BadArguments("Bad argument: Argument must be a positive integer", exits.DATA)
    call.say(f"Asking node {call.node} if there's an active listener on port {text} ...")
    found = listeners(call)
    ports = sorted({each["port"] for each in found})
    if int(text) in ports:
        return f"A listener for port {text} is running on node {call.node}."
    raise VerbError(
        exits.UNAVAILABLE,
        f"No listener for port {text} is active on node {call.node}. "
        f"Found listeners that use the following ports: {', '.join(map(str, ports))}",
        bare=True,
        facts={"listeners": found, "missing": text, "ports": ports, "result": "error"},
    )


def check_protocol_listener(call: Call) -> Result:
    """Whether a protocol is spoken."""
    (wanted,) = call.arguments
    call.say(f"Asking node {call.node} if there's an active listener for protocol {wanted} ...")
    found = listeners(call)
    protocols = sorted({each["protocol"] for each in found})
    spelled = {"amqp0-9-1": "amqp", "amqps": "amqp/ssl", "amqp/tls": "amqp/ssl", "management": "http"}
    if spelled.get(wanted.lower(), wanted.lower()) in protocols:
        return f"A listener for protocol {wanted} is running on node {call.node}."
    raise VerbError(
        exits.UNAVAILABLE,
        f"No listener for protocol {wanted} is active on node {call.node}. "
        f"Found listeners for the following protocols: {', '.join(protocols)}",
        facts={"listeners": found, "missing": wanted, "protocols": protocols, "result": "error"},
    )


# -- memory, certificates, the log --


def memory_breakdown(call: Call) -> Result:
    """What the memory is used for."""
    unit = unit_of(call)
    call.say(f"Reporting memory breakdown on node {call.node}...")
    parts = memory(call)
    whole = sum(parts.values()) or 1
    shares = {name: round(octets * 100 / whole, 2) for name, octets in parts.items()}
    facts = {name: {"bytes": octets, "percentage": shares[name]} for name, octets in parts.items()}
    lines = [f"{name}: {in_unit(octets, unit)} ({shares[name]}%)\n" for name, octets in parts.items()]
    return Facts(facts, "".join(lines))


def certificates(call: Call) -> Result:
    """What each listener with TLS shows to clients, looked at as a client."""
    call.say(f"Certificates of node {call.node} ...")
    found = [
        {**each, **_certificate(_host(call, each["interface"]), each["port"])}
        for each in listeners(call)
        if each["protocol"] in TLS
    ]
    lines = []
    for each in found:
        lines += [listener_line(each), *[f"  {name}: {each[name]}" for name in CERTIFICATE if name in each], ""]
    return Facts(found, "\n".join(lines).rstrip("\n") or "No listener uses TLS")


CERTIFICATE: Final = ("subject", "issuer", "serial_number", "not_before", "not_after", "subject_alt_names", "problem")


def _certificate(host: str, port: int) -> dict[str, str]:
    """The facts of the certificate there. Python tells them of one that it trusts, so it is trusted first."""
    try:
        pem = ssl.get_server_certificate((host, port), timeout=CONNECT_SECONDS)
        context = ssl.create_default_context(cadata=pem)
        context.check_hostname = False
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        with (
            closing(socket.create_connection((host, port), CONNECT_SECONDS)) as plain,
            context.wrap_socket(plain) as wrapped,
        ):
            told: Any = wrapped.getpeercert() or {}
    except (OSError, ssl.SSLError) as error:
        return {"problem": str(error)}
    return {
        "subject": _name(told.get("subject", ())),
        "issuer": _name(told.get("issuer", ())),
        "serial_number": told.get("serialNumber", ""),
        "not_before": told.get("notBefore", ""),
        "not_after": told.get("notAfter", ""),
        "subject_alt_names": ", ".join([f"{kind}:{value}" for kind, value in told.get("subjectAltName", ())]),
    }


def _name(parts: Any) -> str:
    return ", ".join([f"{key}={value}" for part in parts for key, value in part])


def check_certificate_expiration(call: Call) -> Result:
    """Whether a certificate runs out soon."""
    within, unit = call.options.get("within", 4), str(call.options.get("unit", "weeks"))
    if unit not in {"days", "weeks", "months", "years"}:
        raise BadArguments(f"unit '{unit}' is not supported. Please use one of: days, weeks, months, years", exits.DATA)
    call.say(f"Checking certificate expiration on node {call.node} ...")
    _ask(call, "health", "checks", "certificate-expiration", str(within), unit)
    return f"No certificates are expiring within {within} {unit}."


def log_location(call: Call) -> Result:
    """Where the log goes."""
    call.say(f"Log file location(s) on node {call.node} ...")
    return "\n".join(of_node(call).get("log_files", [])) or "<stderr>"


def log_line(line: dict[str, Any]) -> str:
    """A line of the log, as the log itself has it."""
    moment = line["time"]
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment))
    return f"{stamp}.{int(moment % 1 * 1_000_000):06d} [{line['level']}] {line['text']}"


def log_tail(call: Call) -> Result:
    """The last lines."""
    number = call.options.get("number", 50)
    call.say(f"Last {number} log lines on node {call.node} ...")
    lines = call.broker.get("amq/logs")[-number:] if number > 0 else []
    return "\n".join([log_line(line) for line in lines])


def log_tail_stream(call: Call) -> Result:
    """Lines as they come, for some time or until it is interrupted."""
    seconds = call.options.get("duration")
    until = f"for {seconds} seconds" if seconds is not None else "until it is interrupted"
    call.say(f"Streaming logs from node {call.node} {until} ...")
    seen = max([line["number"] for line in call.broker.get("amq/logs")], default=0)
    end = None if seconds is None else time.monotonic() + seconds
    while end is None or time.monotonic() < end:
        for line in call.broker.get("amq/logs", after=seen):
            seen = line["number"]
            print(log_line(line), flush=True)
        time.sleep(FOLLOW_SECONDS)
    return None


FOLLOW_SECONDS: Final = 0.2


def server_version(call: Call) -> Result:
    """The version of RabbitMQ that it behaves as."""
    call.say(f"Asking node {call.node} for its RabbitMQ version...")
    return str(call.overview["rabbitmq_version"])


def check_critical(call: Call) -> Result:
    """No queue has replicas on one node."""
    call.say(f"Checking if node {call.node} is critical for data safety of any classic mirrored queues ...")
    return f"Node {call.node} seems to be the only one in a single node cluster, the check does not apply"


def node_health_check(call: Call) -> Result:
    """Alarms, and whether all vhosts run."""
    call.say(f"Checking health of node {call.node} ...")
    try:
        _check_alarms(call, "alarms")
        _ask(call, "health", "checks", "virtual-hosts")
    except CommandError as error:
        raise VerbError(exits.SOFTWARE, str(error)) from None
    return "Health check passed"


ONLY: Final = (DIAGNOSTICS,)
TIMEOUT: Final = "[--timeout <timeout>]"
VERBS: Final = (
    Verb("alarms", TIMEOUT, "lists what is short", list_alarms, tools=ONLY),
    Verb("certificates", "", "shows the certificates of listeners", certificates, tools=ONLY),
    Verb("check_alarms", TIMEOUT, "fails when something is short", check_alarms, tools=ONLY),
    Verb(
        "check_certificate_expiration",
        "[--within <period>] [--unit <unit>]",
        "fails when a certificate runs out soon",
        check_certificate_expiration,
        switches={"within": int, "unit": str},
        tools=ONLY,
    ),
    Verb("check_if_node_is_mirror_sync_critical", TIMEOUT, "never fails on a single node", check_critical, tools=ONLY),
    Verb("check_if_node_is_quorum_critical", TIMEOUT, "never fails on a single node", check_critical, tools=ONLY),
    Verb("check_local_alarms", TIMEOUT, "fails when something is short on the node", check_local_alarms, tools=ONLY),
    Verb("check_port_connectivity", TIMEOUT, "connects to each port", check_port_connectivity, tools=ONLY),
    Verb(
        "check_port_listener",
        "<port> [--timeout <timeout>]",
        "fails when nothing listens on a port",
        check_port_listener,
        1,
        1,
        tools=ONLY,
    ),
    Verb(
        "check_protocol_listener",
        "<protocol> [--timeout <timeout>]",
        "fails when a protocol is not spoken",
        check_protocol_listener,
        1,
        1,
        tools=ONLY,
    ),
    Verb("check_running", TIMEOUT, "fails when the broker does not run", check_running, tools=ONLY),
    Verb("check_virtual_hosts", TIMEOUT, "fails when a vhost does not run", check_virtual_hosts, tools=ONLY),
    Verb("is_booting", TIMEOUT, "whether the broker still boots", is_booting, tools=ONLY),
    Verb("is_running", TIMEOUT, "whether the broker runs", is_running, tools=ONLY),
    Verb("listeners", TIMEOUT, "lists where the broker listens", list_listeners, tools=ONLY),
    Verb(
        "log_location",
        "[--all|-a] [--timeout <timeout>]",
        "shows where the log goes",
        log_location,
        switches={"all": bool},
        short={"a": "all"},
        tools=ONLY,
    ),
    Verb(
        "log_tail",
        "[--number|-N <number>] [--timeout <timeout>]",
        "shows the last lines of the log",
        log_tail,
        switches={"number": int},
        short={"N": "number"},
        tools=ONLY,
    ),
    Verb(
        "log_tail_stream",
        "[--duration|-d <seconds>] [--timeout <timeout>]",
        "shows the log as it is written",
        log_tail_stream,
        switches={"duration": int},
        short={"d": "duration"},
        tools=ONLY,
    ),
    Verb(
        "memory_breakdown",
        "[--unit <unit>] [--timeout <timeout>]",
        "shows what the memory is used for",
        memory_breakdown,
        switches={"unit": str},
        tools=ONLY,
    ),
    Verb("node_health_check", TIMEOUT, "several checks in one", node_health_check, tools=("rabbitmqctl", DIAGNOSTICS)),
    Verb("server_version", TIMEOUT, "shows the version that the broker behaves as", server_version, tools=ONLY),
)
