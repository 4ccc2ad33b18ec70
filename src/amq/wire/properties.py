"""Content headers: read the few properties that the broker acts on, and write a header anew where one must change.

The payload of a content header frame:

    0        2        4              12      14
    +--------+--------+--------------+-------+--------------------------------
    | class  | weight | body size    | flags | the properties that flags name
    +--------+--------+--------------+-------+--------------------------------

Flags go from the highest bit down, in the order of the fields of Properties. A header is kept as the publisher
sent it and repeated to consumers unread.
"""

from struct import Struct
from typing import Final

from amq.wire import tables
from amq.wire.tables import Table, TableError

CONTENT_TYPE: Final = 0x8000
CONTENT_ENCODING: Final = 0x4000
HEADERS: Final = 0x2000
DELIVERY_MODE: Final = 0x1000
PRIORITY: Final = 0x0800
CORRELATION_ID: Final = 0x0400
REPLY_TO: Final = 0x0200
EXPIRATION: Final = 0x0100
MESSAGE_ID: Final = 0x0080
TIMESTAMP: Final = 0x0040
TYPE: Final = 0x0020
USER_ID: Final = 0x0010
APP_ID: Final = 0x0008
CLUSTER_ID: Final = 0x0004

# Bits 1 and 0: no property of basic stands there; bit 0 would announce a further flags word.
_UNDEFINED: Final = 0x0003
# Publishing must look at these before it may route; nearly all messages carry none of them.
_WATCHED: Final = HEADERS | REPLY_TO | EXPIRATION | USER_ID

_TIMESTAMP: Final = Struct(">Q")
_HEAD: Final = Struct(">HHQ")

REPLY_TO_QUEUE: Final = b"amq.rabbitmq.reply-to"


class PropertiesError(ValueError):
    """The octets are not a content header of class basic."""


class Properties:
    """What the broker reads of a message's properties.

    `special` is True when publishing has to look closer: an expiration, a user-id, a direct reply-to, CC or BCC.
    `priority` is 0 to 255; `expiration` the text as sent, `ttl` the same in ms once publishing has checked it (-1:
    none); `timestamp` in seconds since 1970.
    """

    __slots__ = (
        "persistent",
        "priority",
        "special",
        "expiration",
        "ttl",
        "reply_to",
        "user_id",
        "correlation_id",
        "message_id",
        "timestamp",
        "blind",
        "_source",
        "_at",
        "_headers",
    )

    def __init__(self) -> None:
        self.persistent: bool = False
        self.priority: int = 0
        self.special: bool = False
        self.expiration: bytes | None = None
        self.ttl: int = -1
        self.reply_to: bytes | None = None
        self.user_id: bytes | None = None
        self.correlation_id: bytes | None = None
        self.message_id: bytes | None = None
        self.timestamp: int | None = None
        # Routing keys of BCC, which delivery must not show.
        self.blind: list[bytes] | None = None
        # The content header, and where in it the table begins (0: there is none).
        self._source: bytes = b""
        self._at: int = 0
        self._headers: Table | None = None

    def headers(self) -> Table:
        """The headers table, decoded on first use; empty when there is none."""
        decoded = self._headers
        if decoded is None:
            decoded = tables.decode(self._source, self._at)[0] if self._at else {}
            self._headers = decoded
        return decoded

    def forget(self) -> None:
        """Keep the headers as octets only: decoded they take up to fifty times as much while the message waits."""
        if self._at:
            self._headers = None


_TRANSIENT: Final = Properties()
_PERSISTENT: Final = Properties()
_PERSISTENT.persistent = True


def read(header: bytes) -> Properties:
    """Read the properties of a content header payload.

    Raises PropertiesError on anything that is not well-formed to the last octet.
    """
    if len(header) < 14:
        raise PropertiesError("a content header is shorter than 14 octets")
    flags = header[12] << 8 | header[13]
    # The two commonest headers by far: nothing, or a delivery mode alone.
    if flags == DELIVERY_MODE and len(header) == 15:
        return _PERSISTENT if header[14] == 2 else _TRANSIENT
    if flags == 0 and len(header) == 14:
        return _TRANSIENT
    if flags & _UNDEFINED:
        raise PropertiesError(f"property flags {flags:#06x} name properties that class basic does not have")
    properties = Properties()
    spans = places(header, flags)
    _fill(properties, header, spans)
    if flags & _WATCHED:
        _watch(properties)
    return properties


def places(header: bytes, flags: int) -> dict[int, tuple[int, int]]:
    """Where each present property stands, by its flag: first octet and the one after it."""
    spans: dict[int, tuple[int, int]] = {}
    pos: int = 14
    size: int = len(header)
    bit: int = CONTENT_TYPE
    while bit >= CLUSTER_ID:
        if flags & bit:
            start = pos
            if bit == HEADERS:
                pos += 4 + int.from_bytes(header[pos : pos + 4], "big")
            elif bit == TIMESTAMP:
                pos += 8
            elif bit == DELIVERY_MODE or bit == PRIORITY:
                pos += 1
            elif pos < size:
                pos += 1 + header[pos]
            else:
                pos = size + 1
            if pos > size:
                raise PropertiesError(f"the property of flag {bit:#06x} reaches past the end of the header")
            spans[bit] = (start, pos)
        bit >>= 1
    if pos != size:
        raise PropertiesError(f"{size - pos} octets after the last property")
    return spans


def _fill(properties: Properties, header: bytes, spans: dict[int, tuple[int, int]]) -> None:
    for bit, (start, stop) in spans.items():
        if bit == DELIVERY_MODE:
            properties.persistent = header[start] == 2
        elif bit == PRIORITY:
            properties.priority = header[start]
        elif bit == HEADERS:
            properties._source = header
            properties._at = start
            try:
                # Decoded at once: a header that cannot be read must fail its publisher, not its consumer.
                properties.headers()
            except TableError as error:
                raise PropertiesError(f"headers: {error}") from None
        elif bit == TIMESTAMP:
            properties.timestamp = int(_TIMESTAMP.unpack_from(header, start)[0])
        elif bit == EXPIRATION:
            properties.expiration = header[start + 1 : stop]
        elif bit == REPLY_TO:
            properties.reply_to = header[start + 1 : stop]
        elif bit == USER_ID:
            properties.user_id = header[start + 1 : stop]
        elif bit == CORRELATION_ID:
            properties.correlation_id = header[start + 1 : stop]
        elif bit == MESSAGE_ID:
            properties.message_id = header[start + 1 : stop]


def _watch(properties: Properties) -> None:
    headers = properties.headers()
    properties.special = (
        properties.expiration is not None
        or properties.user_id is not None
        or (properties.reply_to is not None and properties.reply_to.startswith(REPLY_TO_QUEUE))
        or "CC" in headers
        or "BCC" in headers
    )


def rewrite(header: bytes, changes: dict[int, bytes | None]) -> bytes:
    """The header with some properties replaced or, by None, removed.

    Keys are flags, values the property's octets on the wire (a shortstr with its length, a table with its length).
    """
    flags = header[12] << 8 | header[13]
    spans = places(header, flags)
    pieces: list[bytes] = []
    new_flags: int = 0
    bit: int = CONTENT_TYPE
    while bit >= CLUSTER_ID:
        piece: bytes | None = None
        if bit in changes:
            piece = changes[bit]
        elif bit in spans:
            start, stop = spans[bit]
            piece = header[start:stop]
        if piece is not None:
            new_flags |= bit
            pieces.append(piece)
        bit >>= 1
    return header[:12] + new_flags.to_bytes(2, "big") + b"".join(pieces)


def shortstr(value: bytes) -> bytes:
    """A short string on the wire; at most 255 octets."""
    return bytes((len(value),)) + value
