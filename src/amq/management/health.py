"""Whether the node is well, for probes: 200 {"status": "ok"}, or 503 {"status": "failed", "reason": ...}."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import trio

from amq.connection.channel import Channel
from amq.connection.connection import Connection
from amq.connection.entities import declare_queue
from amq.management import expiry
from amq.management.answers import Answer, ok
from amq.management.call import Call
from amq.management.endpoint import MANAGEMENT, Endpoint, Schema
from amq.management.errors import BadRequest, NotAuthorised, NotFound
from amq.management.messages import channel_of, take
from amq.management.properties_json import content_header
from amq.wire import spec
from amq.wire.methods import encode as encode_method

OK: Final = {"status": "ok"}
STATUS: Final[Schema] = {
    "type": "object",
    "properties": {"status": {"enum": ["ok", "failed"]}, "reason": {"type": "string"}},
    "required": ["status"],
}
DAYS: Final = {"days": 1, "weeks": 7, "months": 30, "years": 365}
ALIVENESS: Final = b"aliveness-test"
# Other names for protocols, by what listeners are said to speak.
ALIASES: Final = {
    "amqp": r"amqp(091|0[._-]9[._-]1|10|1[._-]0)",
    "amqp/ssl": r"amqps",
    "mqtt": r"mqtt(3[._]?1([._]?1)?)",
    "mqtt/ssl": r"mqtt(s|\+tls|\+ssl)",
    "stomp": r"stomp1[._]?[012]",
    "stomp/ssl": r"stomp(s|\+tls|\+ssl)",
    "http": r"http1(\.1)?|http_api|management(_ui)?|ui",
    "clustering": r"cli|distribution",
    "http/web-mqtt": r"web[_-]?mqtt",
    "https/web-mqtt": r"web-?mqtt[/+](tls|ssl)",
    "http/web-stomp": r"web[_-]?stomp",
    "https/web-stomp": r"web-?stomp[/+](tls|ssl)",
}


def failed(reason: str, **more: Any) -> Answer:
    """503."""
    return Answer(503, {"status": "failed", "reason": reason, **more})


# -- what is scarce --


async def alarms(call: Call) -> Answer:
    """No alarm anywhere in the cluster, which is this node."""
    return _alarms(call, "There are alarms in effect in the cluster")


async def local_alarms(call: Call) -> Answer:
    """No alarm on this node."""
    return _alarms(call, "There are alarms in effect on the node")


def _alarms(call: Call, reason: str) -> Answer:
    raised = sorted(call.node.broker.alarms)
    if not raised:
        return ok(OK)
    return failed(reason, alarms=[{"node": call.node.name, "resource": resource} for resource in raised])


async def node_health(call: Call) -> Answer:
    """What RabbitMQ asked of a node before it had checks for one thing each."""
    if call.path.get("node", call.node.name) != call.node.name:
        raise NotFound()
    raised = sorted(call.node.broker.alarms)
    return failed(f"resource alarm(s) in effect:[{','.join(raised)}]") if raised else ok(OK)


# -- certificates --


async def certificate_expiration(call: Call) -> Answer:
    """No certificate of a TLS listener ends within that time."""
    within, unit = call.path["within"], call.path["unit"].lower()
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", within, re.ASCII):
        raise BadRequest("Invalid expiration value.")
    if unit not in DAYS:
        raise BadRequest("Time unit not recognised. Supported units: days, weeks, months, years.")
    found = await trio.to_thread.run_sync(_expiring, call, _in_days(int(within) * DAYS[unit]))
    return failed("Certificates expiring", expired=found) if found else ok(OK)


def _in_days(days: int) -> datetime:
    """So many days from now, as far as the calendar goes."""
    try:
        return datetime.now(UTC) + timedelta(days)
    except OverflowError:
        return (datetime.max if days > 0 else datetime.min).replace(tzinfo=UTC)


def _expiring(call: Call, until: datetime) -> list[dict[str, Any]]:
    settings = call.node.broker.settings
    certificates = {
        "amqp/ssl": settings.tls,
        "https": settings.management_tls,
        "https/prometheus": settings.prometheus_tls,
    }
    found = []
    for listener in call.node.listeners():
        tls = certificates.get(listener.protocol)
        if tls is None:
            continue
        own, authorities = _ending(tls.certfile, until), _ending(tls.cacertfile, until)
        if own or authorities:
            found.append(
                {
                    "node": call.node.name,
                    "protocol": listener.protocol,
                    "interface": listener.ip or "::",
                    "port": listener.port,
                    "certfile": tls.certfile or "",
                    "cacertfile": tls.cacertfile or "",
                    "certfile_expires_on": own,
                    "cacertfile_expires_on": authorities,
                }
            )
    return found


def _ending(path: str | None, until: datetime) -> list[str]:
    """The ends of a file's certificates that come before `until`; what cannot be read is told instead."""
    if path is None:
        return []
    try:
        ends = expiry.expiries(path)
    except (OSError, ValueError) as error:
        return [str(error)]
    return [f"{end:%Y-%m-%d} {end.hour}:{end:%M:%S}" for end in ends if end < until]


# -- listeners --


async def port_listener(call: Call) -> Answer:
    """Something listens on that port."""
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", call.path["port"], re.ASCII):
        raise BadRequest("Invalid port")
    port = int(call.path["port"])
    ports = [listener.port for listener in call.node.listeners()]
    if port in ports:
        return ok({**OK, "port": port})
    return failed("No active listener", missing=port, ports=ports)


async def protocol_listener(call: Call) -> Answer:
    """Something listens that speaks the protocol, or each of several that are separated by commas (RabbitMQ 4)."""
    wanted = [_protocol(name) for name in call.path["protocol"].split(",")]
    protocols = list(dict.fromkeys(listener.protocol for listener in call.node.listeners()))
    missing = [name for name in wanted if name not in protocols]
    several = len(wanted) > 1
    if missing:
        return failed("No active listener", missing=missing if several else missing[0], protocols=protocols)
    return ok({**OK, "protocols": protocols} if several else {**OK, "protocol": wanted[0]})


def _protocol(name: str) -> str:
    """The protocol that a name stands for."""
    name = name.lower()
    return next((protocol for protocol, others in ALIASES.items() if re.fullmatch(others, name)), name)


# -- readiness --


async def well(_call: Call) -> Answer:
    """What cannot fail here: there is one node, its store is open before it listens, and vhosts do not go down."""
    return ok(OK)


async def single_node(_call: Call) -> Answer:
    """Whether a cluster could lose this node: there is no other that would be without it."""
    return ok({**OK, "reason": "single node cluster"})


async def with_data(call: Call) -> Answer:
    """The store of definitions has something in it."""
    if call.node.broker.vhosts:
        return ok(OK)
    return failed("Metadata store has not yet been initialized: it reports to have no virtual hosts")


async def below_connection_limit(call: Call) -> Answer:
    """Another client could still connect."""
    full, _ = _full(call)
    return failed("node connection limit is reached") if full else ok(OK)


async def ready_to_serve(call: Call) -> Answer:
    """AMQP clients can come in."""
    if not _serving(call):
        return failed("the rabbit node is not currently available to serve")
    if not any(listener.protocol in ("amqp", "amqp/ssl") for listener in call.node.listeners()):
        return failed("no active listeners for AMQP/AMQPS")
    full, connections = _full(call)
    return failed("node connection limit is reached", connections=connections) if full else ok(OK)


async def in_service(call: Call) -> Answer:
    """The node is neither starting nor stopping."""
    return ok(OK) if _serving(call) else failed("this rabbit node is not currently available to serve")


def _serving(call: Call) -> bool:
    return call.node.broker.accepting_logins and not call.node.stopping.is_set()


def _full(call: Call) -> tuple[bool, int]:
    connections = sum(isinstance(client, Connection) for client in call.node.broker.clients)
    limit = call.node.broker.settings.limits.connections
    return limit is not None and connections >= limit, connections


# -- a message there and back --


async def aliveness(call: Call) -> Answer:
    """Declares a queue, publishes to it and gets the message back. The queue stays for the next time."""
    if not call.may_enter(call.vhost):
        raise NotAuthorised()
    with channel_of(call, call.vhost) as channel:
        queue = call.node.work(lambda: declare_queue(channel, ALIVENESS, False, False, False, {}))
        channel.session.access.write("exchange", b"")
        channel.session.access.read("queue", ALIVENESS)
        call.node.work(lambda: _publish(channel, b"test_message"))
        if await take(call, channel, queue, True) is None:
            return failed("aliveness-test queue is empty")
    return ok(OK)


def _publish(channel: Channel, body: bytes) -> None:
    method = encode_method(0, spec.BASIC_PUBLISH, [0, b"", ALIVENESS, False, False])
    channel.publisher.on_method(method[7:-1])
    channel.publisher.on_header(content_header({}, len(body)))
    channel.publisher.on_body(body)


def _check(path: str, handle: Any, summary: str, more: Mapping[int, Schema | str] | None = None) -> Endpoint:
    answers = {200: STATUS, 503: {**STATUS, "description": "it is not so; `reason` says why"}, **(more or {})}
    return Endpoint("GET", path, MANAGEMENT, handle, summary, answers)


CHECKS: Final = "/health/checks"
STORE: Final = f"{CHECKS}/metadata-store/initialized"
LEADERS: Final = f"{CHECKS}/quorum-queues-without-elected-leaders"
NO_NODE: Final[Mapping[int, Schema | str]] = {404: "no node of that name"}
TABLE: Final = (
    _check("/aliveness-test/{vhost}", aliveness, "Whether a message comes back from a queue of that vhost"),
    _check("/healthchecks/node", node_health, "Whether the node is well (deprecated by RabbitMQ)"),
    _check("/healthchecks/node/{node}", node_health, "Whether a node is well (deprecated by RabbitMQ)", NO_NODE),
    _check(f"{CHECKS}/alarms", alarms, "Whether nothing is scarce in the cluster"),
    _check(f"{CHECKS}/local-alarms", local_alarms, "Whether nothing is scarce on the node"),
    _check(
        f"{CHECKS}/certificate-expiration/{{within}}/{{unit}}",
        certificate_expiration,
        "Whether the certificates of all listeners are good for that time; unit: days, weeks, months, years",
        {400: "no whole number, or another unit"},
    ),
    _check(f"{CHECKS}/port-listener/{{port}}", port_listener, "Whether it listens there", {400: "no whole number"}),
    _check(f"{CHECKS}/protocol-listener/{{protocol}}", protocol_listener, "Whether it listens for that protocol"),
    _check(f"{CHECKS}/virtual-hosts", well, "Whether all vhosts are up"),
    _check(f"{CHECKS}/node-is-mirror-sync-critical", single_node, "Whether mirrors would be lost with the node"),
    _check(f"{CHECKS}/node-is-quorum-critical", single_node, "Whether a quorum would be lost with the node"),
    _check(f"{CHECKS}/below-node-connection-limit", below_connection_limit, "Whether one more client may come"),
    _check(f"{CHECKS}/is-in-service", in_service, "Whether the node serves"),
    _check(f"{CHECKS}/ready-to-serve-clients", ready_to_serve, "Whether AMQP clients can come in"),
    _check(f"{CHECKS}/reached-target-cluster-size", well, "Whether all nodes of the cluster are there"),
    _check(STORE, well, "Whether definitions can be read and changed"),
    _check(f"{STORE}/with-data", with_data, "Whether there are definitions"),
    _check(f"{LEADERS}/all-vhosts", well, "Whether every quorum queue has a leader"),
    _check(f"{LEADERS}/all-vhosts/pattern/{{pattern}}", well, "Whether the quorum queues of those names have leaders"),
    _check(f"{LEADERS}/vhost/{{vhost}}", well, "Whether every quorum queue of that vhost has a leader"),
    _check(
        f"{LEADERS}/vhost/{{vhost}}/pattern/{{pattern}}",
        well,
        "Whether the quorum queues of that vhost and of those names have leaders",
    ),
)
