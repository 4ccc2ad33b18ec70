"""What some properties of a published message ask of the broker: expiry, direct reply-to, CC and BCC."""

from typing import Final

from amq.connection.reply_to import ReplyQueue
from amq.errors import PRECONDITION_FAILED, ChannelFault
from amq.queues.arguments import MAX_MS
from amq.wire import properties as props
from amq.wire import tables
from amq.wire.properties import Properties, shortstr
from amq.wire.tables import Table, type_name

_DIGITS: Final = frozenset(b"0123456789")


def time_to_live(expiration: bytes) -> int:
    """The expiration property in ms; raises ChannelFault(406) with the term that RabbitMQ prints."""
    signed = expiration[:1] in (b"-", b"+")
    stop = 1 if signed else 0
    while stop < len(expiration) and expiration[stop] in _DIGITS:
        stop += 1
    if stop == (1 if signed else 0):
        raise _bad_expiration(expiration, "no_integer")
    if stop < len(expiration):
        raise _bad_expiration(expiration, f'{{leftover_string,"{expiration[stop:].decode("utf-8", "replace")}"}}')
    value = int(expiration)
    if value < 0:
        raise _bad_expiration(expiration, f"{{value_negative,{value}}}")
    if value > MAX_MS:
        raise _bad_expiration(expiration, f"{{value_too_large,{value}}}")
    return value


def special(
    header: bytes, properties: Properties, keys: list[bytes], reply_queue: ReplyQueue | None
) -> tuple[bytes, list[bytes], list[bytes]]:
    """The header as consumers shall see it, all routing keys, and those of BCC.

    Raises ChannelFault(406).
    """
    changes: dict[int, bytes | None] = {}
    if properties.reply_to == props.REPLY_TO_QUEUE and reply_queue is not None:
        changes[props.REPLY_TO] = shortstr(reply_queue.name)
    if properties.expiration is not None:
        # As the number it is: "+60" reaches consumers as "60".
        changes[props.EXPIRATION] = shortstr(b"%d" % properties.ttl)
    headers = properties.headers()
    blind = _extra_keys(headers, "BCC")
    keys = keys + _extra_keys(headers, "CC") + blind
    if "BCC" in headers:
        shown = {name: field for name, field in headers.items() if name != "BCC"}
        changes[props.HEADERS] = tables.encode(shown)
    if changes:
        header = props.rewrite(header, changes)
    return header, keys, blind


def _extra_keys(headers: Table, name: str) -> list[bytes]:
    field = headers.get(name)
    if field is None:
        return []
    if field[0] != "A":
        raise _bad_header(name, field[0])
    return [value for kind, value in field[1] if kind == "S"]


def _bad_header(name: str, kind: str) -> ChannelFault:
    return ChannelFault(
        PRECONDITION_FAILED, f'invalid message: {{unacceptable_type_in_header,"{name}",{type_name(kind)}}}'
    )


def _bad_expiration(expiration: bytes, term: str) -> ChannelFault:
    return ChannelFault(PRECONDITION_FAILED, f"invalid expiration '{expiration.decode('utf-8', 'replace')}': {term}")
