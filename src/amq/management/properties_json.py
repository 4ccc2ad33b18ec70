"""A message's properties as a JSON object with RabbitMQ's names, read from a content header, and back."""

from struct import Struct
from typing import Any, Final

from amq.management.entities_json import LONGEST_NAME, arguments_in, octets_in, safe_text, table_json
from amq.management.errors import BadRequest
from amq.wire import properties as props
from amq.wire import spec, tables

_HEAD: Final = Struct(">HHQH")
_TIMESTAMP: Final = Struct(">Q")
_OCTET: Final = range(256)
_TIMES: Final = range(1 << 64)

# In the order of their flags, which is that of their values.
FIELDS: Final = {
    "content_type": props.CONTENT_TYPE,
    "content_encoding": props.CONTENT_ENCODING,
    "headers": props.HEADERS,
    "delivery_mode": props.DELIVERY_MODE,
    "priority": props.PRIORITY,
    "correlation_id": props.CORRELATION_ID,
    "reply_to": props.REPLY_TO,
    "expiration": props.EXPIRATION,
    "message_id": props.MESSAGE_ID,
    "timestamp": props.TIMESTAMP,
    "type": props.TYPE,
    "user_id": props.USER_ID,
    "app_id": props.APP_ID,
    "cluster_id": props.CLUSTER_ID,
}
NUMBERS: Final = {"delivery_mode": _OCTET, "priority": _OCTET, "timestamp": _TIMES}


def properties_json(header: bytes) -> dict[str, Any]:
    """The properties in the payload of a content header frame."""
    shown: dict[str, Any] = {}
    places = props.places(header, header[12] << 8 | header[13])
    for name, flag in FIELDS.items():
        if flag in places:
            start, stop = places[flag]
            if name == "headers":
                shown[name] = table_json(tables.decode(header, start)[0])
            elif name in NUMBERS:
                shown[name] = int.from_bytes(header[start:stop], "big")
            else:
                shown[name] = safe_text(header[start + 1 : stop])
    return shown


def content_header(described: Any, size: int) -> bytes:
    """The payload of the header frame of a content of `size` octets. Unknown properties do not count.

    Raises BadRequest, in RabbitMQ's words.
    """
    # RabbitMQ shows properties that are not there as an empty list.
    if described == []:
        described = {}
    if not isinstance(described, dict):
        raise BadRequest("properties must be an object")
    flags = 0
    values = []
    for name, flag in FIELDS.items():
        if name in described:
            flags |= flag
            values.append(_value(name, described))
    return _HEAD.pack(spec.CLASS_BASIC, 0, size, flags) + b"".join(values)


def _value(name: str, described: dict[str, Any]) -> bytes:
    if name == "headers":
        return tables.encode(arguments_in(described, "headers"))
    value = described[name]
    if name in NUMBERS:
        return _number(name, value)
    if not isinstance(value, str):
        raise BadRequest(["not_string", name])
    octets = octets_in(value)
    if len(octets) > LONGEST_NAME:
        raise BadRequest(f"{name} has {len(octets)} octets, {LONGEST_NAME} are allowed")
    return props.shortstr(octets)


def _number(name: str, value: Any) -> bytes:
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadRequest(["not_int", name])
    if value not in NUMBERS[name]:
        if name == "delivery_mode":
            raise BadRequest(f"406 PRECONDITION_FAILED - invalid message: {{delivery_mode_unknown,{value}}}")
        raise BadRequest(f"{name} must be 0 to {NUMBERS[name][-1]}, not {value}")
    return _TIMESTAMP.pack(value) if name == "timestamp" else bytes((value,))
