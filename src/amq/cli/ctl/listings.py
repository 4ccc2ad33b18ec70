"""rabbitmqctl: lists of queues, exchanges, bindings, connections, channels, consumers; columns as in the real one."""

from collections.abc import Callable
from typing import Any, Final

from amq.cli.ctl.results import Result, Rows
from amq.cli.ctl.terms import Arguments, Atom, Version, pid
from amq.cli.ctl.users import BOTH
from amq.cli.ctl.verb import BadArguments, Call, Verb
from amq.cli.ctl.vhosts import columns

Record = dict[str, Any]
Column = Callable[[Record, str], Any]


def _field(name: str, default: Any = None) -> Column:
    return lambda row, _node: row.get(name, default)


def _fields(text: str, default: Any = None) -> dict[str, Column]:
    return {name: _field(name, default) for name in text.split()}


def _none(_row: Record, _node: str) -> None:
    return None


def _table(name: str) -> Column:
    return lambda row, _node: Arguments(row.get(name) or {})


def _atom(name: str) -> Column:
    return lambda row, _node: Atom(row.get(name) or "")


def queue_pid(row: Record, node: str) -> Atom:
    """The process of a queue."""
    return pid(node, f"queue {row['vhost']} {row['name']}")


def connection_pid(name: str, node: str) -> Atom:
    """The process of a connection."""
    return pid(node, f"connection {name}")


def channel_pid(name: str, node: str) -> Atom:
    """The process of a channel."""
    return pid(node, f"channel {name}")


def _inner(row: Record, outer: str, name: str) -> Any:
    found = row.get(outer)
    return found.get(name) if isinstance(found, dict) else None


def _owner(row: Record, node: str) -> Atom | None:
    name = _inner(row, "owner_pid_details", "name")
    return connection_pid(name, node) if name else None


QUEUES: Final[dict[str, Column]] = {
    **_fields("name durable auto_delete exclusive exclusive_consumer_tag policy consumers"),
    **_fields("messages messages_ready messages_unacknowledged messages_ram messages_ready_ram", 0),
    **_fields("messages_unacknowledged_ram messages_persistent message_bytes message_bytes_ready", 0),
    **_fields("message_bytes_unacknowledged message_bytes_ram message_bytes_persistent", 0),
    **_fields("disk_reads disk_writes", 0),
    **_fields("memory head_message_timestamp consumer_utilisation consumer_capacity"),
    "arguments": _table("arguments"),
    "pid": queue_pid,
    "owner_pid": _owner,
    "exclusive_consumer_pid": _none,
    "state": _atom("state"),
    "type": _atom("type"),
    # Classic queues of one node have none of these.
    **dict.fromkeys(("leader", "members", "online", "slave_pids", "synchronised_slave_pids", "mirror_pids"), _none),
}
EXCHANGES: Final[dict[str, Column]] = {
    **_fields("name durable auto_delete internal policy"),
    "type": _atom("type"),
    "arguments": _table("arguments"),
}
BINDINGS: Final[dict[str, Column]] = {
    "source_name": _field("source"),
    "source_kind": lambda _row, _node: Atom("exchange"),
    "destination_name": _field("destination"),
    "destination_kind": _atom("destination_type"),
    "routing_key": _field("routing_key"),
    "arguments": _table("arguments"),
}
CONNECTIONS: Final[dict[str, Column]] = {
    "pid": lambda row, node: connection_pid(row["name"], node),
    **_fields("name port peer_port host peer_host ssl ssl_protocol ssl_key_exchange ssl_cipher ssl_hash"),
    **_fields("peer_cert_subject peer_cert_issuer peer_cert_validity"),
    "state": _atom("state"),
    **_fields("channels auth_mechanism user vhost timeout frame_max channel_max recv_oct recv_cnt send_oct send_cnt"),
    **_fields("send_pend connected_at"),
    "protocol": lambda row, _node: _protocol(str(row.get("protocol"))),
    "client_properties": _table("client_properties"),
}
CHANNELS: Final[dict[str, Column]] = {
    "pid": lambda row, node: channel_pid(row["name"], node),
    "connection": lambda row, node: connection_pid(str(_inner(row, "connection_details", "name")), node),
    **_fields("name number user vhost transactional confirm"),
    **_fields("consumer_count messages_unacknowledged messages_uncommitted acks_uncommitted", 0),
    **_fields("messages_unconfirmed prefetch_count global_prefetch_count", 0),
}
CONSUMERS: Final[dict[str, Column]] = {
    "queue_name": lambda row, _node: _inner(row, "queue", "name"),
    "channel_pid": lambda row, node: channel_pid(str(_inner(row, "channel_details", "name")), node),
    **_fields("consumer_tag ack_required prefetch_count active"),
    "activity_status": _atom("activity_status"),
    "arguments": _table("arguments"),
}


def _protocol(name: str) -> Atom:
    """`AMQP 0-9-1` is {0,9,1} here."""
    version = name.partition(" ")[2]
    return Version(f"{{{version.replace('-', ',')}}}") if version.replace("-", "").isdigit() else Atom(name)


def _list(call: Call, known: dict[str, Column], wanted: tuple[str, ...], rows: list[Record]) -> Rows:
    node = call.node
    return Rows(wanted, [[known[name](row, node) for name in wanted] for row in rows])


def list_queues(call: Call) -> Result:
    """Of a vhost."""
    wanted = columns(call, QUEUES, ("name", "messages"))
    if call.options.get("offline") and call.options.get("online"):
        raise BadArguments("Can't use --offline together with --online")
    call.say(f"Timeout: {call.options.get('timeout', 60.0)} seconds ...")
    call.say(f"Listing queues for vhost {call.vhost} ...")
    # All queues of the one node are where it is.
    rows = [] if call.options.get("offline") else call.rows("queues", call.vhost)
    return _list(call, QUEUES, wanted, rows)


def list_exchanges(call: Call) -> Result:
    """Of a vhost."""
    wanted = columns(call, EXCHANGES, ("name", "type"))
    call.say(f"Listing exchanges for vhost {call.vhost} ...")
    return _list(call, EXCHANGES, wanted, call.rows("exchanges", call.vhost))


def list_bindings(call: Call) -> Result:
    """Of a vhost."""
    wanted = columns(call, BINDINGS, tuple(BINDINGS))
    call.say(f"Listing bindings for vhost {call.vhost}...")
    return _list(call, BINDINGS, wanted, call.rows("bindings", call.vhost))


def list_connections(call: Call) -> Result:
    """All."""
    wanted = columns(call, CONNECTIONS, ("user", "peer_host", "peer_port", "state"))
    call.say("Listing connections ...")
    return _list(call, CONNECTIONS, wanted, call.rows("connections"))


def list_channels(call: Call) -> Result:
    """All."""
    wanted = columns(call, CHANNELS, ("pid", "user", "consumer_count", "messages_unacknowledged"))
    call.say("Listing channels ...")
    return _list(call, CHANNELS, wanted, call.rows("channels"))


def list_consumers(call: Call) -> Result:
    """Of a vhost; the columns stand in their own order, whatever the order is in which they were named."""
    default = tuple(name for name in CONSUMERS if name != "activity_status")
    named = columns(call, CONSUMERS, default)
    call.say(f"Listing consumers in vhost {call.vhost} ...")
    wanted = tuple(name for name in CONSUMERS if name in named)
    return _list(call, CONSUMERS, wanted, call.rows("consumers", call.vhost))


def list_unresponsive_queues(call: Call) -> Result:
    """None: queues have no processes of their own that could hang."""
    columns(call, QUEUES, ("name",))
    call.say(f"Listing unresponsive queues for vhost {call.vhost} ...")
    return Rows(("name",), ())


SOME: Final = "[--vhost <vhost>] [--no-table-headers] [<column> ...] [--timeout <timeout>]"
VERBS: Final = (
    Verb("list_bindings", SOME, "lists the bindings of a vhost", list_bindings, 0, None, tools=BOTH),
    Verb("list_channels", "[--no-table-headers] [<column> ...]", "lists channels", list_channels, 0, None, tools=BOTH),
    Verb(
        "list_connections",
        "[--no-table-headers] [<column> ...] [--timeout <timeout>]",
        "lists connections",
        list_connections,
        0,
        None,
        tools=BOTH,
    ),
    Verb("list_consumers", SOME, "lists the consumers of a vhost", list_consumers, 0, None, tools=BOTH),
    Verb("list_exchanges", SOME, "lists the exchanges of a vhost", list_exchanges, 0, None, tools=BOTH),
    Verb(
        "list_queues",
        "[--vhost <vhost>] [--online] [--offline] [--local] [--no-table-headers] [<column>, ...] [--timeout <timeout>]",
        "lists the queues of a vhost",
        list_queues,
        0,
        None,
        {"online": bool, "offline": bool, "local": bool},
        tools=BOTH,
    ),
    Verb(
        "list_unresponsive_queues",
        "[--local] [--queue-timeout <queue-timeout>] [<column> ...] [--timeout <timeout>]",
        "lists queues that do not answer",
        list_unresponsive_queues,
        0,
        None,
        {"local": bool, "queue-timeout": float},
        tools=BOTH,
    ),
)
