"""The player's commands as frames, and the broker's frames as the naive broker says them."""

from collections.abc import Iterator
from typing import Any

from amq.wire import methods, properties, spec, tables
from amq.wire.properties import shortstr
from amq.wire.tables import Table
from tests.model.records import Bond, Exchange, Queue, Sent

Item = tuple[object, ...]


def method(number: int, name: int, *arguments: object) -> bytes:
    """A method frame."""
    return methods.encode(number, name, list(arguments))


def encode(name: str, number: int, given: dict[str, Any]) -> bytes:
    """A command on a channel as its frames."""
    frame: bytes = ENCODERS[name](number, **given)
    return frame


def publish(number: int, exchange: bytes, sent: Sent, mandatory: bool) -> bytes:
    """basic.publish with content."""
    frame = method(number, spec.BASIC_PUBLISH, 0, exchange, sent.key, mandatory, False)
    header = content_header(sent)
    pieces = [frame, envelope(spec.FRAME_HEADER, number, header)]
    if sent.body:
        pieces.append(envelope(spec.FRAME_BODY, number, sent.body))
    return b"".join(pieces)


def content_header(sent: Sent) -> bytes:
    """The content header as a publisher writes it: with BCC."""
    headers: Table = dict(sent.headers)
    if sent.blind:
        headers["BCC"] = ("A", [("S", key) for key in sent.blind])
    changes: dict[int, bytes | None] = {}
    if headers:
        changes[properties.HEADERS] = tables.encode(headers)
    if sent.persistent:
        changes[properties.DELIVERY_MODE] = b"\x02"
    if sent.priority:
        changes[properties.PRIORITY] = bytes((sent.priority,))
    if sent.expiration is not None:
        changes[properties.EXPIRATION] = shortstr(b"%d" % sent.expiration)
    head = spec.CLASS_BASIC.to_bytes(2, "big") + bytes(2) + len(sent.body).to_bytes(8, "big")
    return properties.rewrite(head + bytes(2), changes)


def envelope(kind: int, number: int, payload: bytes) -> bytes:
    """Any frame."""
    return bytes((kind,)) + number.to_bytes(2, "big") + len(payload).to_bytes(4, "big") + payload + b"\xce"


def declare_queue(number: int, queue: Queue, table: Table) -> bytes:
    exclusive = queue.owner is not None
    flags = (False, queue.durable, exclusive, queue.auto_delete, False)
    return method(number, spec.QUEUE_DECLARE, 0, queue.name, *flags, table)


def declare_exchange(number: int, exchange: Exchange, table: Table) -> bytes:
    flags = (False, exchange.durable, exchange.auto_delete, exchange.internal, False)
    return method(number, spec.EXCHANGE_DECLARE, 0, exchange.name, exchange.kind, *flags, table)


def bind_queue(number: int, bond: Bond) -> bytes:
    return method(number, spec.QUEUE_BIND, 0, bond.destination, bond.source, bond.key, False, bond.arguments)


def unbind_queue(number: int, bond: Bond) -> bytes:
    return method(number, spec.QUEUE_UNBIND, 0, bond.destination, bond.source, bond.key, bond.arguments)


def bind_exchange(number: int, bond: Bond) -> bytes:
    return method(number, spec.EXCHANGE_BIND, 0, bond.destination, bond.source, bond.key, False, bond.arguments)


def unbind_exchange(number: int, bond: Bond) -> bytes:
    return method(number, spec.EXCHANGE_UNBIND, 0, bond.destination, bond.source, bond.key, False, bond.arguments)


def consume(number: int, queue: bytes, tag: bytes, no_ack: bool, exclusive: bool, priority: int) -> bytes:
    table: Table = {"x-priority": ("I", priority)} if priority else {}
    return method(number, spec.BASIC_CONSUME, 0, queue, tag, False, no_ack, exclusive, False, table)


ENCODERS: dict[str, Any] = {
    "open": lambda number: method(number, spec.CHANNEL_OPEN, b""),
    "close": lambda number: method(number, spec.CHANNEL_CLOSE, 200, b"", 0, 0),
    "close_ok": lambda number: method(number, spec.CHANNEL_CLOSE_OK),
    "publish": publish,
    "declare_queue": declare_queue,
    "look": lambda number, queue: method(number, spec.QUEUE_DECLARE, 0, queue, True, *[False] * 4, {}),
    "purge": lambda number, queue: method(number, spec.QUEUE_PURGE, 0, queue, False),
    "delete_q": lambda number, queue, if_unused, if_empty: method(
        number, spec.QUEUE_DELETE, 0, queue, if_unused, if_empty, False
    ),
    "declare_exchange": declare_exchange,
    "delete_x": lambda number, exchange, if_unused: method(number, spec.EXCHANGE_DELETE, 0, exchange, if_unused, False),
    "bind_queue": bind_queue,
    "unbind_queue": unbind_queue,
    "bind_exchange": bind_exchange,
    "unbind_exchange": unbind_exchange,
    "consume": consume,
    "cancel": lambda number, tag: method(number, spec.BASIC_CANCEL, tag, False),
    "get": lambda number, queue, no_ack: method(number, spec.BASIC_GET, 0, queue, no_ack),
    "ack": lambda number, tag, multiple: method(number, spec.BASIC_ACK, tag, multiple),
    "nack": lambda number, tag, multiple, requeue: method(number, spec.BASIC_NACK, tag, multiple, requeue),
    "reject": lambda number, tag, requeue: method(number, spec.BASIC_REJECT, tag, requeue),
    "recover": lambda number: method(number, spec.BASIC_RECOVER, True),
    "qos": lambda number, count, for_channel: method(number, spec.BASIC_QOS, 0, count, for_channel),
    "confirm_select": lambda number: method(number, spec.CONFIRM_SELECT, False),
    "tx_select": lambda number: method(number, spec.TX_SELECT),
    "commit": lambda number: method(number, spec.TX_COMMIT),
    "rollback": lambda number: method(number, spec.TX_ROLLBACK),
}

WORDS = {
    spec.CHANNEL_OPEN_OK: "open-ok",
    spec.CHANNEL_CLOSE_OK: "close-ok",
    spec.EXCHANGE_DECLARE_OK: "exchange-declare-ok",
    spec.EXCHANGE_DELETE_OK: "exchange-delete-ok",
    spec.EXCHANGE_BIND_OK: "exchange-bind-ok",
    spec.EXCHANGE_UNBIND_OK: "exchange-unbind-ok",
    spec.QUEUE_DECLARE_OK: "declare-ok",
    spec.QUEUE_BIND_OK: "bind-ok",
    spec.QUEUE_UNBIND_OK: "unbind-ok",
    spec.QUEUE_PURGE_OK: "purge-ok",
    spec.QUEUE_DELETE_OK: "delete-ok",
    spec.BASIC_QOS_OK: "qos-ok",
    spec.BASIC_CONSUME_OK: "consume-ok",
    spec.BASIC_CANCEL_OK: "cancel-ok",
    spec.BASIC_RECOVER_OK: "recover-ok",
    spec.CONFIRM_SELECT_OK: "select-ok",
    spec.TX_SELECT_OK: "tx-select-ok",
    spec.TX_COMMIT_OK: "commit-ok",
    spec.TX_ROLLBACK_OK: "rollback-ok",
}


def decode(data: bytes) -> Iterator[tuple[int, Item]]:
    """What a client hears: channel number and item. Confirms come as they are, with `multiple`."""
    pending: dict[int, tuple[int, list[Any], bytes]] = {}
    pos = 0
    while pos < len(data):
        kind, number, size = data[pos], int.from_bytes(data[pos + 1 : pos + 3], "big"), data[pos + 3 : pos + 7]
        payload = data[pos + 7 : pos + 7 + int.from_bytes(size, "big")]
        pos += 8 + len(payload)
        assert data[pos - 1] == spec.FRAME_END
        if kind == spec.FRAME_METHOD:
            assert number not in pending, "a method within a content"
            name = int.from_bytes(payload[:4], "big")
            arguments: list[Any] = methods.decode(name, payload)
            if name in (spec.BASIC_DELIVER, spec.BASIC_GET_OK, spec.BASIC_RETURN):
                pending[number] = (name, arguments, b"")
            else:
                yield number, said(name, arguments)
            continue
        name, arguments, header = pending.pop(number)
        if kind == spec.FRAME_HEADER:
            header = payload
        if kind == spec.FRAME_HEADER and int.from_bytes(header[4:12], "big"):
            pending[number] = (name, arguments, header)
        else:
            yield number, carried(name, arguments, header, payload if kind == spec.FRAME_BODY else b"")
    assert not pending, "a content without end"


def said(name: int, arguments: list[Any]) -> Item:
    """A method without content."""
    if name == spec.CHANNEL_CLOSE:
        return ("close", arguments[0], arguments[1].decode().partition(" - ")[2])
    if name == spec.BASIC_CANCEL:
        return ("cancel", arguments[0])
    if name == spec.BASIC_GET_EMPTY:
        return ("get-empty",)
    if name in (spec.BASIC_ACK, spec.BASIC_NACK):
        return ("ack" if name == spec.BASIC_ACK else "nack", arguments[0], arguments[1])
    if name == spec.CHANNEL_OPEN_OK:
        return ("open-ok",)
    return (WORDS[name], *arguments)


def carried(name: int, arguments: list[Any], header: bytes, body: bytes) -> Item:
    """A method with content."""
    assert len(body) == int.from_bytes(header[4:12], "big")
    read = properties.read(header)
    content = (dict(read.headers()), read.priority, read.expiration, read.persistent, body)
    if name == spec.BASIC_DELIVER:
        tag, number, redelivered, exchange, key = arguments
        return ("deliver", tag, number, redelivered, exchange, key, *content)
    if name == spec.BASIC_GET_OK:
        number, redelivered, exchange, key, left = arguments
        return ("get-ok", number, redelivered, left, exchange, key, *content)
    code, text, exchange, key = arguments
    assert (code, text) == (312, b"NO_ROUTE")
    return ("return", exchange, key, *content)
