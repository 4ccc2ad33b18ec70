"""AMQP's values as RabbitMQ's HTTP API spells them in JSON, and back.

    AMQP                      JSON
    integers, timestamp       number
    bool                      true, false
    longstr, binary           text; what is no UTF-8 as "Not UTF-8, base64 is: ..."
    float, double, decimal    number; what JSON has no number for as text
    void                      "undefined"
    table, array              object, list

The way back: whole numbers are longs, other numbers doubles, text is a longstr.
"""

from base64 import b64encode
from datetime import UTC, datetime
from math import isfinite
from typing import Any, Final

from amq.management.errors import BadRequest
from amq.wire.tables import MAX_DEPTH, Field, Table

LONGEST_NAME: Final = 255  # octets, as in a shortstr
# Octets of a field table: with a method, or with all other properties, it fits into a frame of 128 KiB.
MOST_TABLE: Final = (1 << 17) - (1 << 12)
_INT64: Final = range(-(2**63), 2**63)
# RabbitMQ's alias for the exchange whose name is empty, in paths.
DEFAULT_EXCHANGE: Final = "amq.default"


def text(octets: bytes) -> str:
    """A name or a routing key."""
    return octets.decode("utf-8", "surrogateescape")


def octets(text: str) -> bytes:
    """A name or a routing key from a path or a document; the reverse of `text`."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        # Half a surrogate pair, as JSON can escape one: no such name is there, but that is to be found out.
        return octets_in(text)


def exchange_octets(name: str) -> bytes:
    """The name of an exchange from a path."""
    return b"" if name == DEFAULT_EXCHANGE else octets(name)


def moment(wall: float) -> str:
    """A moment in s since 1970 as RFC 3339 with milliseconds: `2026-11-20T13:28:45.045+00:00`."""
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds")


def table_json(table: Table) -> dict[str, Any]:
    """A field table as an object."""
    return {name: field_json(field) for name, field in table.items()}


def field_json(field: Field) -> Any:
    """One value of a field table."""
    kind, value = field
    if kind in ("S", "x"):
        return safe_text(value)
    if kind == "F":
        return table_json(value)
    if kind == "A":
        return [field_json(item) for item in value]
    if kind in ("f", "d"):
        return value if isfinite(value) else str(value)
    if kind == "D":
        scale, digits = value
        return digits / 10**scale
    return "undefined" if kind == "V" else value


def safe_text(octets: bytes) -> str:
    """Octets that should be text."""
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return f"Not UTF-8, base64 is: {b64encode(octets).decode()}"


class _Room:
    """How many octets a table that is read may still take up as a field table."""

    __slots__ = ("left", "key")

    def __init__(self, key: str) -> None:
        self.left = MOST_TABLE
        self.key = key

    def take(self, octets: int) -> None:
        """Raises BadRequest when there is no more room."""
        self.left -= octets
        if self.left < 0:
            raise BadRequest(f"{self.key} may take up {MOST_TABLE} octets as a field table, and these take up more")


def arguments_in(body: dict[str, Any], key: str = "arguments") -> Table:
    """The field table under a key of a request; empty when it is not there. Raises BadRequest."""
    value = body.get(key)
    if value is None or value == []:
        return {}
    if not isinstance(value, dict):
        raise BadRequest(f"{key} must be an object")
    return _table(value, 0, _Room(key))


def _table(value: dict[str, Any], depth: int, room: _Room) -> Table:
    table: Table = {}
    for key, item in value.items():
        octets = octets_in(key)
        if len(octets) > LONGEST_NAME:
            raise BadRequest(f"a key of a table has more than {LONGEST_NAME} octets")
        room.take(1 + len(octets))
        # As a key that came over the wire.
        table[octets.decode("utf-8", "surrogateescape")] = _field(item, depth, room)
    return table


def _field(value: Any, depth: int, room: _Room) -> Field:
    if value is None:
        raise BadRequest("null_not_allowed")
    if isinstance(value, bool):
        room.take(2)
        return "t", value
    if isinstance(value, int):
        if value not in _INT64:
            raise BadRequest(f"{value} does not fit into 64 bits")
        room.take(9)
        return "l", value
    if isinstance(value, float):
        room.take(9)
        return "d", value
    if isinstance(value, str):
        octets = octets_in(value)
        room.take(5 + len(octets))
        return "S", octets
    if depth >= MAX_DEPTH:
        raise BadRequest(f"tables nested deeper than {MAX_DEPTH}")
    room.take(5)
    if isinstance(value, list):
        return "A", [_field(item, depth + 1, room) for item in value]
    return "F", _table(value, depth + 1, room)


def octets_in(text: str) -> bytes:
    """Text of a request. JSON can escape half a surrogate pair, which is no text, but no reason to fail either."""
    return text.encode("utf-8", "surrogatepass")


def name_in(body: dict[str, Any], key: str) -> bytes:
    """A name or routing key of a request; empty when it is not there or null. Raises BadRequest."""
    value = body.get(key)
    if value is None:
        return b""
    if not isinstance(value, str):
        raise BadRequest(["not_string", key])
    return checked_name(octets_in(value), key)


def checked_name(name: bytes, kind: str) -> bytes:
    """A name that fits into a frame. Raises BadRequest, in RabbitMQ's words where it has some."""
    if len(name) > LONGEST_NAME:
        raise BadRequest(f"{kind} should be less than {LONGEST_NAME} bytes, actually was {len(name)}\n")
    try:
        name.decode()
    except UnicodeDecodeError:
        # No frame may hold it.
        raise BadRequest(f"{kind} must be UTF-8") from None
    return name


def flag_in(body: dict[str, Any], key: str) -> bool:
    """true or false, as such or as text; False when it is not there. Raises BadRequest."""
    value = body.get(key, False)
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return bool(value == "true")
    raise BadRequest(["not_boolean", value])


def integer_in(body: dict[str, Any], key: str) -> int:
    """A whole number, as such or as text. Raises BadRequest."""
    value = body[key]
    if isinstance(value, float) and isfinite(value):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            pass
    raise BadRequest(["not_integer", value])


def required(body: dict[str, Any], *keys: str) -> None:
    """Raise BadRequest, naming every key that is missing as RabbitMQ does."""
    missing = [f"{{key_missing,{key}}}" for key in keys if key not in body]
    if not missing:
        return
    line = f"[{','.join(missing)}]"
    # As RabbitMQ breaks its lines.
    raise BadRequest(line if len(line) < 79 else "[" + ",\n ".join(missing) + "]")
