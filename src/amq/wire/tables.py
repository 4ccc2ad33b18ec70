"""Field tables: AMQP's typed dictionaries, in and out.

A field is a pair of its wire type (one character) and its value, because the type must survive: it is named in
error texts, compared by the headers exchange, and written again when a dead-lettered message's headers grow.

    type  name           value            type  name             value
    t     bool           bool             S     longstr          bytes
    b     byte           int, 8 bits      x     binary           bytes
    B     unsignedbyte   int, 8 bits      T     timestamp        int, seconds
    s     short          int, 16 bits     V     void             None
    u     unsignedshort  int, 16 bits     F     table            Table
    I     signedint      int, 32 bits     A     array            list of fields
    i     unsignedint    int, 32 bits     f     float            float, 32 bits
    l, L  long           int, 64 bits     d     double           float, 64 bits
                                          D     decimal          (scale, int)

These are RabbitMQ's types, which differ from the specification's errata: `s` is a short, `l` and `L` are both
signed 64-bit. Keys are text; octets that are not UTF-8 survive as surrogate escapes.
"""

from struct import Struct
from struct import error as StructError
from typing import Any, Final

Field = tuple[str, Any]
Table = dict[str, Field]

# Deeper nesting than this has no use and would exhaust the stack of whoever decodes it.
MAX_DEPTH: Final = 64

_NAMES: Final[dict[str, str]] = {
    "t": "bool",
    "b": "byte",
    "B": "unsignedbyte",
    "s": "short",
    "u": "unsignedshort",
    "I": "signedint",
    "i": "unsignedint",
    "l": "long",
    "L": "long",
    "f": "float",
    "d": "double",
    "D": "decimal",
    "S": "longstr",
    "x": "binary",
    "T": "timestamp",
    "V": "void",
    "F": "table",
    "A": "array",
}

INTEGERS: Final = frozenset("bBsuIilL")

_FIXED: Final[dict[str, Struct]] = {
    "t": Struct(">?"),
    "b": Struct(">b"),
    "B": Struct(">B"),
    "s": Struct(">h"),
    "u": Struct(">H"),
    "I": Struct(">i"),
    "i": Struct(">I"),
    "l": Struct(">q"),
    "L": Struct(">q"),
    "f": Struct(">f"),
    "d": Struct(">d"),
    "T": Struct(">Q"),
}
_DECIMAL: Final = Struct(">BI")


class TableError(ValueError):
    """The octets are not a field table; the text says what and where."""


def type_name(type_char: str) -> str:
    """RabbitMQ's name of a field type, as its error texts use it."""
    return _NAMES[type_char]


def decode(data: bytes, start: int) -> tuple[Table, int]:
    """Decode the table (with its length) at `start`; return it and the position after it.

    Raises TableError.
    """
    body, stop = _span(data, start)
    return _entries(data, body, stop, 0), stop


def decode_body(data: bytes) -> Table:
    """Decode a table without its length prefix, as AMQPLAIN responses carry it.

    Raises TableError.
    """
    return _entries(data, 0, len(data), 0)


def encode(table: Table) -> bytes:
    """The table on the wire, with its length."""
    pieces: list[bytes] = []
    for key, field in table.items():
        name = key.encode("utf-8", "surrogateescape")
        pieces.append(bytes((len(name),)))
        pieces.append(name)
        _put(field, pieces)
    body = b"".join(pieces)
    return len(body).to_bytes(4, "big") + body


def encode_field(field: Field) -> bytes:
    """One field value on the wire, its type first."""
    pieces: list[bytes] = []
    _put(field, pieces)
    return b"".join(pieces)


def canonical(table: Table) -> bytes:
    """The same octets for equal tables, whatever the order of their keys."""
    return encode(dict(sorted(table.items())))


def _span(data: bytes, start: int) -> tuple[int, int]:
    """Where the content of a length-prefixed value begins and ends."""
    body = start + 4
    stop = body + int.from_bytes(data[start:body], "big")
    if body > len(data) or stop > len(data):
        raise TableError(f"a length at octet {start} reaches past the end")
    return body, stop


def _entries(data: bytes, pos: int, stop: int, depth: int) -> Table:
    table: Table = {}
    while pos < stop:
        name_end = pos + 1 + data[pos]
        if name_end >= stop:
            raise TableError(f"a name at octet {pos} reaches past the end of its table")
        name = data[pos + 1 : name_end].decode("utf-8", "surrogateescape")
        field, pos = _field(data, name_end, stop, depth)
        # RabbitMQ keeps the first of several entries of one name; so does every look-up in it.
        table.setdefault(name, field)
    return table


def _field(data: bytes, pos: int, stop: int, depth: int) -> tuple[Field, int]:
    kind = chr(data[pos])
    pos += 1
    fixed = _FIXED.get(kind)
    if fixed is not None:
        after = pos + fixed.size
        if after > stop:
            raise TableError(f"a value at octet {pos} reaches past the end of its table")
        return (kind, fixed.unpack_from(data, pos)[0]), after
    if kind == "V":
        return (kind, None), pos
    if kind == "D":
        if pos + 5 > stop:
            raise TableError(f"a value at octet {pos} reaches past the end of its table")
        return (kind, _DECIMAL.unpack_from(data, pos)), pos + 5
    if kind not in _NAMES:
        raise TableError(f"unknown field type {kind!r} at octet {pos - 1}")
    body, after = _span(data, pos)
    if after > stop:
        raise TableError(f"a value at octet {pos} reaches past the end of its table")
    if kind == "S" or kind == "x":
        return (kind, data[body:after]), after
    if depth >= MAX_DEPTH:
        raise TableError(f"tables nested deeper than {MAX_DEPTH}")
    if kind == "F":
        return (kind, _entries(data, body, after, depth + 1)), after
    return (kind, _array(data, body, after, depth + 1)), after


def _array(data: bytes, pos: int, stop: int, depth: int) -> list[Field]:
    fields: list[Field] = []
    while pos < stop:
        field, pos = _field(data, pos, stop, depth)
        fields.append(field)
    return fields


def _put(field: Field, pieces: list[bytes]) -> None:
    kind, value = field
    pieces.append(kind.encode("latin-1"))
    fixed = _FIXED.get(kind)
    if fixed is not None:
        try:
            pieces.append(fixed.pack(value))
        except (StructError, ValueError, OverflowError) as error:
            # PyPy raises the latter two.
            raise TableError(f"{value!r} does not fit a {_NAMES[kind]}: {error}") from None
    elif kind == "S" or kind == "x":
        pieces.append(len(value).to_bytes(4, "big"))
        pieces.append(value)
    elif kind == "F":
        pieces.append(encode(value))
    elif kind == "A":
        body = b"".join([encode_field(item) for item in value])
        pieces.append(len(body).to_bytes(4, "big"))
        pieces.append(body)
    elif kind == "D":
        pieces.append(_DECIMAL.pack(*value))
