"""Values as RabbitMQ's tools print them: in a table, as JSON, and as Erlang terms."""

from typing import Any
from zlib import crc32


class Atom(str):
    """A name that Erlang has without quotes."""

    __slots__ = ()


class Version(Atom):
    """Numbers of a protocol's version, {0,9,1}."""

    __slots__ = ()


class Tags(list[str]):
    """A list of names."""

    __slots__ = ()


class Arguments(dict[str, Any]):
    """An AMQP table: arguments, client properties."""

    __slots__ = ()


def pid(node: str, name: str) -> Atom:
    """In the place of an Erlang process: something without spaces that scripts can hand back, always the same.

    `name` says whose it is, as `connection 127.0.0.1:1 -> 127.0.0.1:5672`.
    """
    return Atom(f"<{node}.1.{crc32(name.encode())}.0>")


def text(value: Any) -> str:
    """In a cell of a table."""
    if value is None:
        return ""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Tags):
        return f"[{', '.join(value)}]"
    if isinstance(value, Arguments | list):
        return _nested(value)
    return str(value)


def _nested(value: Any) -> str:
    if isinstance(value, dict):
        return "[" + ",".join([f"{{{_quoted(name)},{_nested(each)}}}" for name, each in value.items()]) + "]"
    if isinstance(value, list):
        return f"[{','.join([_nested(each) for each in value])}]"
    return _quoted(value) if isinstance(value, str) else text(value)


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def plain(value: Any) -> Any:
    """For JSON: tables with the types of their fields."""
    if value is None:
        return ""
    if isinstance(value, Arguments):
        return [[name, *_typed(each)] for name, each in value.items()]
    if isinstance(value, Version):
        return [int(number) for number in value.strip("{}").split(",")]
    return value


def _typed(value: Any) -> list[Any]:
    kind = _kind(value)
    if kind == "table":
        return [kind, [[name, *_typed(each)] for name, each in value.items()]]
    if kind == "array":
        return [kind, [_typed(each) for each in value]]
    return [kind, value]


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "signedint" if -(2**31) <= value < 2**31 else "long"
    if isinstance(value, float):
        return "double"
    if isinstance(value, dict):
        return "table"
    if isinstance(value, list):
        return "array"
    return "void" if value is None else "longstr"


def erlang(value: Any) -> str:
    """As an Erlang term."""
    if value is None:
        return "''"
    if isinstance(value, Atom):
        return str(value)
    if isinstance(value, str):
        return f"<<{_quoted(value)}>>"
    if isinstance(value, Tags):
        return f"[{','.join(value)}]"
    if isinstance(value, Arguments):
        return f"[{','.join([_field(name, each) for name, each in value.items()])}]"
    if isinstance(value, dict):
        return "[" + ",".join([f"{{{name},{erlang(each)}}}" for name, each in value.items()]) + "]"
    if isinstance(value, list):
        return f"[{','.join([erlang(each) for each in value])}]"
    return text(value)


def _field(name: str, value: Any) -> str:
    inner = Arguments(value) if isinstance(value, dict) else value
    return f"{{<<{_quoted(name)}>>,{_kind(value)},{erlang(inner)}}}"
