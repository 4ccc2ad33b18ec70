"""JSON values as RabbitMQ's error texts show them: Erlang terms, as `~p` prints them on one line."""

from collections.abc import Mapping

from amq.wire import erlang


def shown(value: object) -> str:
    """A value of JSON as an Erlang term: text is a binary, an object is a map."""
    if isinstance(value, str):
        return erlang.binary(value.encode("utf-8", "surrogatepass"))
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, float):
        return erlang.term(("d", value))
    if isinstance(value, list | tuple):
        return "[" + ",".join([shown(item) for item in value]) + "]"
    if isinstance(value, Mapping):
        return "#{" + ",".join([f"{shown(key)} => {shown(value[key])}" for key in sorted(value)]) + "}"
    return str(value)


def pairs(fields: Mapping[str, object]) -> str:
    """Fields as a list of pairs, by name: `[{<<"a">>,1}]`."""
    return "[" + ",".join([f"{{{shown(key)},{shown(fields[key])}}}" for key in sorted(fields)]) + "]"
