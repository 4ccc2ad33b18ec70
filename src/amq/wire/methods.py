"""Methods: the payload of a method frame to a list of arguments, and back.

Each method's arguments are described by one letter each, in order:

    o octet   h short (16 bits)   l long (32 bits)   q longlong (64 bits)
    s shortstr (bytes)   S longstr (bytes)   T table   b bit (consecutive bits share an octet)

The frequent methods (publish, deliver, ack) have ways of their own where they are handled; this is for all the rest.
"""

from typing import Final

from amq.wire import spec, tables
from amq.wire.tables import TableError

Arguments = list[object]

SIGNATURES: Final[dict[int, str]] = {
    spec.CONNECTION_START: "ooTSS",
    spec.CONNECTION_START_OK: "TsSs",
    spec.CONNECTION_SECURE: "S",
    spec.CONNECTION_SECURE_OK: "S",
    spec.CONNECTION_TUNE: "hlh",
    spec.CONNECTION_TUNE_OK: "hlh",
    spec.CONNECTION_OPEN: "ssb",
    spec.CONNECTION_OPEN_OK: "s",
    spec.CONNECTION_CLOSE: "hshh",
    spec.CONNECTION_CLOSE_OK: "",
    spec.CONNECTION_BLOCKED: "s",
    spec.CONNECTION_UNBLOCKED: "",
    spec.CONNECTION_UPDATE_SECRET: "Ss",
    spec.CONNECTION_UPDATE_SECRET_OK: "",
    spec.CHANNEL_OPEN: "s",
    spec.CHANNEL_OPEN_OK: "S",
    spec.CHANNEL_FLOW: "b",
    spec.CHANNEL_FLOW_OK: "b",
    spec.CHANNEL_CLOSE: "hshh",
    spec.CHANNEL_CLOSE_OK: "",
    spec.ACCESS_REQUEST: "sbbbbb",
    spec.ACCESS_REQUEST_OK: "h",
    spec.EXCHANGE_DECLARE: "hssbbbbbT",
    spec.EXCHANGE_DECLARE_OK: "",
    spec.EXCHANGE_DELETE: "hsbb",
    spec.EXCHANGE_DELETE_OK: "",
    spec.EXCHANGE_BIND: "hsssbT",
    spec.EXCHANGE_BIND_OK: "",
    spec.EXCHANGE_UNBIND: "hsssbT",
    spec.EXCHANGE_UNBIND_OK: "",
    spec.QUEUE_DECLARE: "hsbbbbbT",
    spec.QUEUE_DECLARE_OK: "sll",
    spec.QUEUE_BIND: "hsssbT",
    spec.QUEUE_BIND_OK: "",
    spec.QUEUE_PURGE: "hsb",
    spec.QUEUE_PURGE_OK: "l",
    spec.QUEUE_DELETE: "hsbbb",
    spec.QUEUE_DELETE_OK: "l",
    spec.QUEUE_UNBIND: "hsssT",
    spec.QUEUE_UNBIND_OK: "",
    spec.BASIC_QOS: "lhb",
    spec.BASIC_QOS_OK: "",
    spec.BASIC_CONSUME: "hssbbbbT",
    spec.BASIC_CONSUME_OK: "s",
    spec.BASIC_CANCEL: "sb",
    spec.BASIC_CANCEL_OK: "s",
    spec.BASIC_PUBLISH: "hssbb",
    spec.BASIC_RETURN: "hsss",
    spec.BASIC_DELIVER: "sqbss",
    spec.BASIC_GET: "hsb",
    spec.BASIC_GET_OK: "qbssl",
    spec.BASIC_GET_EMPTY: "s",
    spec.BASIC_ACK: "qb",
    spec.BASIC_REJECT: "qb",
    spec.BASIC_RECOVER_ASYNC: "b",
    spec.BASIC_RECOVER: "b",
    spec.BASIC_RECOVER_OK: "",
    spec.BASIC_NACK: "qbb",
    spec.CONFIRM_SELECT: "b",
    spec.CONFIRM_SELECT_OK: "",
    spec.TX_SELECT: "",
    spec.TX_SELECT_OK: "",
    spec.TX_COMMIT: "",
    spec.TX_COMMIT_OK: "",
    spec.TX_ROLLBACK: "",
    spec.TX_ROLLBACK_OK: "",
}

_SIZES: Final[dict[str, int]] = {"o": 1, "h": 2, "l": 4, "q": 8}


class MethodError(ValueError):
    """The octets are not the arguments of that method."""


class TextError(MethodError):
    """A short string that is to be text is no UTF-8."""


def decode(method: int, payload: bytes) -> Arguments:
    """The arguments in a method frame's payload, whose first four octets are the method itself.

    `method` must be in SIGNATURES. Raises MethodError unless the payload is used up exactly, TextError
    for names that are no UTF-8.
    """
    arguments: Arguments = []
    pos: int = 4
    bit: int = 0
    for kind in SIGNATURES[method]:
        if kind == "b":
            if bit == 0:
                pos += 1
                _within(pos, payload)
            arguments.append(bool(payload[pos - 1] >> bit & 1))
            bit = (bit + 1) & 7
            continue
        bit = 0
        if kind == "T":
            try:
                table, pos = tables.decode(payload, pos)
            except TableError as error:
                raise MethodError(str(error)) from None
            arguments.append(table)
        elif kind == "s" or kind == "S":
            start = pos + (1 if kind == "s" else 4)
            _within(start, payload)
            pos = start + int.from_bytes(payload[pos:start], "big")
            _within(pos, payload)
            value = payload[start:pos]
            # RabbitMQ looks at every short string but those of basic.publish.
            if kind == "s" and not value.isascii() and method != spec.BASIC_PUBLISH:
                _text(value)
            arguments.append(value)
        else:
            start = pos
            pos += _SIZES[kind]
            _within(pos, payload)
            arguments.append(int.from_bytes(payload[start:pos], "big"))
    if pos != len(payload):
        raise MethodError(f"{len(payload) - pos} octets after the last argument")
    return arguments


def _text(value: bytes) -> None:
    try:
        value.decode()
    except UnicodeDecodeError:
        raise TextError("Malformed UTF-8 in shortstr") from None


def _within(pos: int, payload: bytes) -> None:
    if pos > len(payload):
        raise MethodError("an argument reaches past the end of the frame")


def encode(channel: int, method: int, arguments: Arguments) -> bytes:
    """A whole method frame."""
    pieces: list[bytes] = []
    bits: int = 0
    count: int = 0
    for kind, value in zip(SIGNATURES[method], arguments, strict=True):
        if kind == "b":
            bits |= bool(value) << count
            count += 1
            continue
        if count:
            pieces.append(bytes((bits,)))
            bits = count = 0
        pieces.append(_piece(kind, value))
    if count:
        pieces.append(bytes((bits,)))
    body = b"".join(pieces)
    return b"\x01%b%b%b%b\xce" % (
        channel.to_bytes(2, "big"),
        (len(body) + 4).to_bytes(4, "big"),
        method.to_bytes(4, "big"),
        body,
    )


def _piece(kind: str, value: object) -> bytes:
    if isinstance(value, int):
        return value.to_bytes(_SIZES[kind], "big")
    if isinstance(value, dict):
        return tables.encode(value)
    assert isinstance(value, bytes)
    if kind == "s":
        return bytes((len(value),)) + value
    return len(value).to_bytes(4, "big") + value
