"""What a selector can ask of a message: its properties, headers, last death, address, and body as text or JSON.

Everything is read when it is asked for, from the octets that the message keeps: a selector costs what it looks at.
Nothing here changes a message or leaves anything decoded in it.
"""

import json
from typing import Any, Final

from amq.message import Message
from amq.wire import properties as props
from amq.wire import tables
from amq.wire.tables import Table

# `body` is the text of so many octets from the start of a body.
MAX_TEXT: Final = 1 << 18
# A longer body is not taken for JSON.
MAX_JSON: Final = 1 << 18
# Beyond this an integer in JSON is read as a float, which is as far as most of the world's JSON goes.
MAX_INTEGER: Final = 1 << 63

# The properties that are octets, by the names that selectors have for them.
TEXTS: Final[dict[str, int]] = {
    "content_type": props.CONTENT_TYPE,
    "content_encoding": props.CONTENT_ENCODING,
    "correlation_id": props.CORRELATION_ID,
    "reply_to": props.REPLY_TO,
    "expiration": props.EXPIRATION,
    "message_id": props.MESSAGE_ID,
    "type": props.TYPE,
    "user_id": props.USER_ID,
    "app_id": props.APP_ID,
    "cluster_id": props.CLUSTER_ID,
}
NUMBERS: Final[dict[str, int]] = {
    "delivery_mode": props.DELIVERY_MODE,
    "priority": props.PRIORITY,
    "timestamp": props.TIMESTAMP,
}

# Not read yet.
_UNREAD: Final = object()


class Subject:
    """The message that a selector looks at now, and what has been read of it."""

    __slots__ = ("message", "redelivered", "_spans", "_headers", "_text", "_json")

    def __init__(self) -> None:
        self.message = _NOTHING
        self.redelivered: bool = False
        self._spans: dict[int, tuple[int, int]] | None = None
        self._headers: Table | None = None
        self._text: str | None = None
        self._json: Any = _UNREAD

    def look_at(self, message: Message, redelivered: bool) -> None:
        """The next message. `redelivered`: it was delivered before."""
        self.message = message
        self.redelivered = redelivered

    def forget(self) -> None:
        """Keep nothing of the message."""
        self.message = _NOTHING
        self._spans = None
        self._headers = None
        self._text = None
        self._json = _UNREAD

    def octets(self, flag: int) -> bytes | None:
        """A property of that flag as it stands in the header; None: there is none."""
        header = self.message.header
        flags = header[12] << 8 | header[13]
        if not flags & flag:
            return None
        spans = self._spans
        if spans is None:
            spans = self._spans = props.places(header, flags)
        start, stop = spans[flag]
        return header[start:stop]

    def headers(self) -> Table | None:
        """The headers; None: there are none."""
        found = self._headers
        if found is None:
            octets = self.octets(props.HEADERS)
            if octets is None:
                return None
            found = self._headers = tables.decode(octets, 0)[0]
        return found

    def text(self) -> str:
        """The body as UTF-8; octets that are none stand for themselves, so that text around them is found."""
        found = self._text
        if found is None:
            body = self.message.body
            if len(body) > MAX_TEXT:
                body = body[:MAX_TEXT]
            found = self._text = body.decode("utf-8", "surrogateescape")
        return found

    def json(self) -> Any:
        """The body's value if it is JSON; None if it is not, or too long."""
        if self._json is _UNREAD:
            self._json = read_json(self.message.body)
        return self._json


_NOTHING: Final = Message(b"\0\0", bytes(14), b"", props.read(bytes(14)))


def read_json(body: bytes) -> Any:
    """The value that a body is, None if it is no JSON."""
    # A number, a string or `null` have no parts that a path could name.
    if len(body) > MAX_JSON or body.lstrip()[:1] not in (b"{", b"["):
        return None
    try:
        return json.loads(body, parse_constant=no_json)
    except (ValueError, RecursionError):
        return None


def no_json(constant: str) -> None:
    """NaN and Infinity, which Python takes for JSON. Raises ValueError."""
    raise ValueError(f"{constant} is no JSON")


def plain(field: tables.Field | None) -> Any:
    """A field of a table as a selector's value; a table or an array comes as it is, with fields in it."""
    if field is None:
        return None
    kind, value = field
    if kind == "S" or kind == "x":
        return value.decode("utf-8", "surrogateescape")
    if kind == "D":
        scale, unscaled = value
        return unscaled / 10**scale if scale else unscaled
    return value


def follow(value: Any, path: list[str | int]) -> Any:
    """What stands in a table at the end of a path of names and numbers (from 0); None: nothing."""
    for step in path:
        if isinstance(step, str):
            value = plain(value.get(step)) if type(value) is dict else None
        else:
            value = plain(value[step]) if type(value) is list and step < len(value) else None
        if value is None:
            return None
    return value


def follow_json(value: Any, path: list[str | int]) -> Any:
    """The same in a value that was JSON."""
    for step in path:
        if isinstance(step, str):
            value = value.get(step) if type(value) is dict else None
        else:
            value = value[step] if type(value) is list and step < len(value) else None
        if value is None:
            return None
    if type(value) is int and not -MAX_INTEGER <= value < MAX_INTEGER:
        return as_float(value)
    return value


def as_float(value: int) -> float | None:
    """A very large number; None when it is too large."""
    try:
        return float(value)
    except OverflowError:
        return None
