"""AMQP reply codes, and the two ways in which a client's mistake ends something.

Knows the numbers and names of the specification (section 1.1, "reply codes") and nothing about
frames; `connection/` turns a fault into `channel.close` or `connection.close` in one place.
"""

from typing import Final

REPLY_SUCCESS: Final = 200
NO_ROUTE: Final = 312
CONNECTION_FORCED: Final = 320
ACCESS_REFUSED: Final = 403
NOT_FOUND: Final = 404
RESOURCE_LOCKED: Final = 405
PRECONDITION_FAILED: Final = 406
FRAME_ERROR: Final = 501
SYNTAX_ERROR: Final = 502
COMMAND_INVALID: Final = 503
CHANNEL_ERROR: Final = 504
UNEXPECTED_FRAME: Final = 505
RESOURCE_ERROR: Final = 506
NOT_ALLOWED: Final = 530
NOT_IMPLEMENTED: Final = 540
INTERNAL_ERROR: Final = 541

REPLY_NAMES: Final[dict[int, str]] = {
    REPLY_SUCCESS: "REPLY_SUCCESS",
    NO_ROUTE: "NO_ROUTE",
    CONNECTION_FORCED: "CONNECTION_FORCED",
    ACCESS_REFUSED: "ACCESS_REFUSED",
    NOT_FOUND: "NOT_FOUND",
    RESOURCE_LOCKED: "RESOURCE_LOCKED",
    PRECONDITION_FAILED: "PRECONDITION_FAILED",
    FRAME_ERROR: "FRAME_ERROR",
    SYNTAX_ERROR: "SYNTAX_ERROR",
    COMMAND_INVALID: "COMMAND_INVALID",
    CHANNEL_ERROR: "CHANNEL_ERROR",
    UNEXPECTED_FRAME: "UNEXPECTED_FRAME",
    RESOURCE_ERROR: "RESOURCE_ERROR",
    NOT_ALLOWED: "NOT_ALLOWED",
    NOT_IMPLEMENTED: "NOT_IMPLEMENTED",
    INTERNAL_ERROR: "INTERNAL_ERROR",
}

# A reply-text is a shortstr: at most 255 octets.
MAX_TEXT: Final = 255


class Fault(Exception):
    """A client's mistake: `code` is the AMQP reply code, `text` the explanation without the code's name."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(code, text)
        self.code = code
        self.text = text

    def reply_text(self) -> bytes:
        """The reply-text on the wire, `NAME - explanation`, cut to 255 octets as RabbitMQ cuts it."""
        text = f"{REPLY_NAMES[self.code]} - {self.text}".encode("utf-8", "surrogateescape")
        if len(text) > MAX_TEXT:
            return text[: MAX_TEXT - 3] + b"..."
        return text


class ChannelFault(Fault):
    """Ends the channel it happened on (the specification's soft error)."""


class ConnectionFault(Fault):
    """Ends the connection it happened on (the specification's hard error).

    `blamed`: the close names the method in hand; not so when the fault was in the frame, before any method counted.
    """

    def __init__(self, code: int, text: str, blamed: bool = True) -> None:
        super().__init__(code, text)
        self.blamed = blamed
