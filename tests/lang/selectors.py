"""Messages for selectors to look at."""

from __future__ import annotations

from amq.lang.selector_grammar import parse
from amq.message import Message, address
from amq.wire import properties as props
from amq.wire import tables
from amq.wire.tables import Field, Table

SHORTSTR = {
    "content_type": props.CONTENT_TYPE,
    "content_encoding": props.CONTENT_ENCODING,
    "correlation_id": props.CORRELATION_ID,
    "reply_to": props.REPLY_TO,
    "expiration": props.EXPIRATION,
    "message_id": props.MESSAGE_ID,
    "type": props.TYPE,
    "user_id": props.USER_ID,
    "app_id": props.APP_ID,
    "cluster_id": props.CLUSTER_ID,
}
INTEGERS = {
    "delivery_mode": (props.DELIVERY_MODE, 1),
    "priority": (props.PRIORITY, 1),
    "timestamp": (props.TIMESTAMP, 8),
}


def message(
    body: bytes = b"",
    exchange: bytes = b"",
    routing_key: bytes = b"q",
    headers: Table | None = None,
    **properties: object,
) -> Message:
    """A message as it comes from the wire."""
    changes: dict[int, bytes | None] = {}
    for name, value in properties.items():
        if name in SHORTSTR:
            octets = value if isinstance(value, bytes) else str(value).encode()
            changes[SHORTSTR[name]] = props.shortstr(octets)
        else:
            flag, size = INTEGERS[name]
            assert isinstance(value, int)
            changes[flag] = value.to_bytes(size, "big")
    if headers is not None:
        changes[props.HEADERS] = tables.encode(headers)
    header = props.rewrite(b"\0\x3c\0\0" + len(body).to_bytes(8, "big") + b"\0\0", changes)
    return Message(address(exchange, routing_key), header, body, props.read(header))


def death(queue: str, reason: str = "rejected", count: int = 1, exchange: str = "", *keys: str) -> Field:
    """An entry of x-death."""
    return (
        "F",
        {
            "count": ("l", count),
            "reason": ("S", reason.encode()),
            "queue": ("S", queue.encode()),
            "time": ("T", 1_700_000_000),
            "exchange": ("S", exchange.encode()),
            "routing-keys": ("A", [("S", key.encode()) for key in keys]),
        },
    )


def matches(text: str, of: Message, redelivered: bool = False) -> bool:
    """Whether a selector takes a message."""
    return parse(text).matches(of, redelivered)


def truth(text: str, of: Message | None = None) -> bool | None:
    """What a selector says of a message: true, false or unknown."""
    of = of or message()
    taken, opposite = matches(text, of), matches(f"NOT ({text})", of)
    assert not (taken and opposite)
    return True if taken else False if opposite else None
