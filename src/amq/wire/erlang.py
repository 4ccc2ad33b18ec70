"""Field values as RabbitMQ's error texts show them: Erlang terms, as `~p` prints them on one line."""

from typing import Final

from amq.wire.tables import Field, Table, type_name

_ESCAPES: Final[dict[str, str]] = {
    '"': '\\"',
    "\\": "\\\\",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    "\b": "\\b",
    "\f": "\\f",
    "\x1b": "\\e",
}


def term(field: Field) -> str:
    """The value of a field as an Erlang term."""
    kind, value = field
    if kind == "S" or kind == "x":
        return binary(value)
    if kind == "t":
        return "true" if value else "false"
    if kind == "V":
        return "undefined"
    if kind == "D":
        return f"{{{value[0]},{value[1]}}}"
    if kind == "f" or kind == "d":
        return _float(value)
    if kind == "A":
        return _array(value)
    if kind == "F":
        return _table(value)
    return str(value)


def binary(value: bytes) -> str:
    """A binary: quoted when it is printable text, octet by octet otherwise."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = "\0"
    if text and all(char in _ESCAPES or char.isprintable() for char in text):
        return '<<"' + "".join([_ESCAPES.get(char, char) for char in text]) + '">>'
    return "<<" + ",".join([str(octet) for octet in value]) + ">>"


def _float(value: float) -> str:
    text = repr(value)
    mantissa, _, exponent = text.partition("e")
    if not exponent:
        return text
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}e{int(exponent)}"


def _array(fields: list[Field]) -> str:
    return "[" + ",".join([f"{{{type_name(field[0])},{term(field)}}}" for field in fields]) + "]"


def _table(table: Table) -> str:
    return "[" + ",".join([_entry(key, field) for key, field in table.items()]) + "]"


def _entry(key: str, field: Field) -> str:
    name = binary(key.encode("utf-8", "surrogateescape"))
    return f"{{{name},{type_name(field[0])},{term(field)}}}"
