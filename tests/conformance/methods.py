"""The methods and basic properties of AMQP 0-9-1 with RabbitMQ's extensions, as one table.

A line is ``class.method class-id method-id`` and then ``field:type`` pairs in wire order. A type is
``o`` octet, ``h`` short, ``l`` long, ``q`` longlong, ``s`` shortstr, ``S`` longstr, ``T`` table or ``b`` bit.
"""

from typing import Any, NamedTuple

from tests.conformance.values import Reader, longstr, shortstr, table

TABLE = """
connection.start 10 10 version_major:o version_minor:o server_properties:T mechanisms:S locales:S
connection.start-ok 10 11 client_properties:T mechanism:s response:S locale:s
connection.secure 10 20 challenge:S
connection.secure-ok 10 21 response:S
connection.tune 10 30 channel_max:h frame_max:l heartbeat:h
connection.tune-ok 10 31 channel_max:h frame_max:l heartbeat:h
connection.open 10 40 virtual_host:s reserved_1:s reserved_2:b
connection.open-ok 10 41 known_hosts:s
connection.close 10 50 reply_code:h reply_text:s class_id:h method_id:h
connection.close-ok 10 51
connection.blocked 10 60 reason:s
connection.unblocked 10 61
connection.update-secret 10 70 new_secret:S reason:s
connection.update-secret-ok 10 71
channel.open 20 10 out_of_band:s
channel.open-ok 20 11 channel_id:S
channel.flow 20 20 active:b
channel.flow-ok 20 21 active:b
channel.close 20 40 reply_code:h reply_text:s class_id:h method_id:h
channel.close-ok 20 41
access.request 30 10 realm:s exclusive:b passive:b active:b write:b read:b
access.request-ok 30 11 ticket:h
exchange.declare 40 10 ticket:h exchange:s type:s passive:b durable:b auto_delete:b internal:b nowait:b arguments:T
exchange.declare-ok 40 11
exchange.delete 40 20 ticket:h exchange:s if_unused:b nowait:b
exchange.delete-ok 40 21
exchange.bind 40 30 ticket:h destination:s source:s routing_key:s nowait:b arguments:T
exchange.bind-ok 40 31
exchange.unbind 40 40 ticket:h destination:s source:s routing_key:s nowait:b arguments:T
exchange.unbind-ok 40 51
queue.declare 50 10 ticket:h queue:s passive:b durable:b exclusive:b auto_delete:b nowait:b arguments:T
queue.declare-ok 50 11 queue:s message_count:l consumer_count:l
queue.bind 50 20 ticket:h queue:s exchange:s routing_key:s nowait:b arguments:T
queue.bind-ok 50 21
queue.purge 50 30 ticket:h queue:s nowait:b
queue.purge-ok 50 31 message_count:l
queue.delete 50 40 ticket:h queue:s if_unused:b if_empty:b nowait:b
queue.delete-ok 50 41 message_count:l
queue.unbind 50 50 ticket:h queue:s exchange:s routing_key:s arguments:T
queue.unbind-ok 50 51
basic.qos 60 10 prefetch_size:l prefetch_count:h global:b
basic.qos-ok 60 11
basic.consume 60 20 ticket:h queue:s consumer_tag:s no_local:b no_ack:b exclusive:b nowait:b arguments:T
basic.consume-ok 60 21 consumer_tag:s
basic.cancel 60 30 consumer_tag:s nowait:b
basic.cancel-ok 60 31 consumer_tag:s
basic.publish 60 40 ticket:h exchange:s routing_key:s mandatory:b immediate:b
basic.return 60 50 reply_code:h reply_text:s exchange:s routing_key:s
basic.deliver 60 60 consumer_tag:s delivery_tag:q redelivered:b exchange:s routing_key:s
basic.get 60 70 ticket:h queue:s no_ack:b
basic.get-ok 60 71 delivery_tag:q redelivered:b exchange:s routing_key:s message_count:l
basic.get-empty 60 72 cluster_id:s
basic.ack 60 80 delivery_tag:q multiple:b
basic.reject 60 90 delivery_tag:q requeue:b
basic.recover-async 60 100 requeue:b
basic.recover 60 110 requeue:b
basic.recover-ok 60 111
basic.nack 60 120 delivery_tag:q multiple:b requeue:b
tx.select 90 10
tx.select-ok 90 11
tx.commit 90 20
tx.commit-ok 90 21
tx.rollback 90 30
tx.rollback-ok 90 31
confirm.select 85 10 nowait:b
confirm.select-ok 85 11
"""

PROPERTIES = [  # from the highest flag bit down
    ("content_type", "s"),
    ("content_encoding", "s"),
    ("headers", "T"),
    ("delivery_mode", "o"),
    ("priority", "o"),
    ("correlation_id", "s"),
    ("reply_to", "s"),
    ("expiration", "s"),
    ("message_id", "s"),
    ("timestamp", "q"),
    ("type", "s"),
    ("user_id", "s"),
    ("app_id", "s"),
    ("cluster_id", "s"),
]
SIZES = {"o": 1, "h": 2, "l": 4, "q": 8}
FORMS = {"o": ">B", "h": ">H", "l": ">I", "q": ">Q"}
EMPTY = {"s": "", "S": "", "T": {}}


class Shape(NamedTuple):
    """One line of the table."""

    name: str
    ids: tuple[int, int]
    fields: list[tuple[str, str]]


class Method(NamedTuple):
    """A decoded method: its name, its fields, and its content where it carries one."""

    name: str
    fields: dict[str, Any]


def shape(line: str) -> Shape:
    """A line of the table taken apart."""
    name, class_id, method_id, *fields = line.split()
    pairs = [(field[:-2], field[-1]) for field in fields]
    return Shape(name, (int(class_id), int(method_id)), pairs)


BY_NAME = {line.split()[0]: shape(line) for line in TABLE.strip().splitlines()}
BY_IDS = {entry.ids: entry for entry in BY_NAME.values()}


def encode(name: str, arguments: dict[str, Any]) -> bytes:
    """The payload of a method frame; absent fields are zero, empty or false."""
    entry = BY_NAME[name]
    unknown = arguments.keys() - {field for field, _ in entry.fields}
    if unknown:
        raise TypeError(f"{name} has no {', '.join(sorted(unknown))}")
    out = [entry.ids[0].to_bytes(2, "big") + entry.ids[1].to_bytes(2, "big")]
    bits: list[bool] = []
    for field, kind in entry.fields:
        given = arguments.get(field, EMPTY.get(kind, 0))
        if kind == "b":
            bits.append(bool(given))
        else:
            out.append(packed(bits) + simple(kind, given))
            bits = []
    return b"".join(out) + packed(bits)


def packed(bits: list[bool]) -> bytes:
    """Consecutive bits share an octet, the first in the lowest place."""
    return bytes([sum(bit << place for place, bit in enumerate(bits))]) if bits else b""


def simple(kind: str, given: Any) -> bytes:
    """A field that is not a bit; bytes pass as they are where a table is malformed on purpose."""
    if kind in SIZES:
        return int(given).to_bytes(SIZES[kind], "big")
    if kind == "T":
        return given if isinstance(given, bytes) else table(given)
    return shortstr(given) if kind == "s" else longstr(given)


def decode(payload: bytes) -> Method:
    """A method frame's payload; every octet must be used."""
    reader = Reader(payload)
    entry = BY_IDS[(reader.number(">H"), reader.number(">H"))]
    fields: dict[str, Any] = {}
    bits: list[str] = []
    for field, kind in [*entry.fields, ("", "")]:
        if kind == "b":
            bits.append(field)
            continue
        if bits:
            octet = reader.number(">B")
            fields.update((name, bool(octet >> place & 1)) for place, name in enumerate(bits))
            bits = []
        if kind:
            fields[field] = read(reader, kind)
    if reader.at != len(payload):
        raise ValueError(f"{len(payload) - reader.at} octets too many in {entry.name}")
    return Method(entry.name, fields)


def read(reader: Reader, kind: str, typed: bool = False) -> Any:
    """A field that is not a bit."""
    if kind in FORMS:
        return reader.number(FORMS[kind])
    if kind == "s":
        return reader.shortstr()
    return reader.table(typed) if kind == "T" else reader.longstr()


def encode_header(size: int, properties: dict[str, Any], class_id: int = 60, weight: int = 0) -> bytes:
    """The payload of a content header frame."""
    flags, fields = 0, []
    for place, (name, kind) in enumerate(PROPERTIES):
        if name in properties:
            flags |= 1 << (15 - place)
            fields.append(simple(kind, properties[name]))
    if properties.keys() - {name for name, _ in PROPERTIES}:
        raise TypeError(f"no such property among {sorted(properties)}")
    head = class_id.to_bytes(2, "big") + weight.to_bytes(2, "big") + size.to_bytes(8, "big")
    return head + flags.to_bytes(2, "big") + b"".join(fields)


def decode_header(payload: bytes, typed: bool = False) -> tuple[int, dict[str, Any]]:
    """Body size and properties of a content header."""
    reader = Reader(payload)
    class_id, weight, size, flags = (reader.number(form) for form in (">H", ">H", ">Q", ">H"))
    if (class_id, weight) != (60, 0):
        raise ValueError(f"content header of class {class_id}, weight {weight}")
    present = [entry for place, entry in enumerate(PROPERTIES) if flags >> (15 - place) & 1]
    properties = {name: read(reader, kind, typed) for name, kind in present}
    if reader.at != len(payload):
        raise ValueError(f"{len(payload) - reader.at} octets too many in a content header")
    return size, properties
