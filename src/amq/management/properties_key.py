"""RabbitMQ's names for the bindings between two ends: `key`, `key~hash` with arguments, `~` for neither.

The key is written as in a form of a web page: a space is `+`, all but letters, digits, `.`, `-` and `_` is `%XX`.
"""

from base64 import urlsafe_b64encode
from collections.abc import Iterable
from urllib.parse import quote_plus, unquote_to_bytes

from amq.exchanges.base import Binding
from amq.management.erlang_hash import table_hash
from amq.wire.tables import Table


def properties_key(routing_key: bytes, arguments: Table) -> str:
    """The name of a binding among those between its source and its destination."""
    quoted = quote_plus(routing_key).replace("~", "%7E")
    if arguments:
        return f"{quoted}~{arguments_hash(arguments)}"
    return quoted or "~"


def arguments_hash(arguments: Table) -> str:
    """Six characters (base64url) that stand for the arguments of a binding."""
    return urlsafe_b64encode(table_hash(arguments).to_bytes(4, "big")).rstrip(b"=").decode()


def named(bindings: Iterable[Binding], name: str) -> Binding | None:
    """The binding of that name, or None."""
    quoted, _, hashed = name.partition("~")
    routing_key = unquote_to_bytes(quoted.replace("+", "%20").encode("utf-8", "surrogateescape"))
    for binding in bindings:
        if binding.routing_key != routing_key:
            continue
        if (arguments_hash(binding.arguments) if binding.arguments else "") == hashed:
            return binding
    return None
