"""A message as the HTTP API shows it where it waits or is held: RabbitMQ's fields for messages that were got."""

from base64 import b64encode
from hashlib import blake2b
from typing import Any, Final

from amq.management.entities_json import safe_text
from amq.management.entity_schemas import TEXT, TRUTH, WHOLE, record
from amq.management.errors import BadRequest
from amq.management.properties_json import properties_json
from amq.message import Message

AUTO: Final = "auto"
BASE64: Final = "base64"
# Of a body, octets that a fingerprint is made from: with header and address they tell messages apart well enough.
PRINTED: Final = 1 << 16

SHOWN: Final = {
    "payload_bytes": WHOLE,
    "redelivered": TRUTH,
    "exchange": TEXT,
    "routing_key": TEXT,
    "properties": {"type": ["object", "array"]},
    "payload": TEXT,
    "payload_encoding": {"enum": ["string", BASE64]},
}
STANDING: Final = record(
    "position fingerprint redelivered payload_bytes exchange routing_key properties payload payload_encoding",
    position=WHOLE,
    fingerprint=TEXT,
    **SHOWN,
)


def payload_json(body: bytes, truncate: int, encoding: str) -> tuple[str, str]:
    """The first `truncate` octets of a body, and how they are written: "string" or "base64".

    With "auto", text stays text; a character that the end would cut in two is left out.
    """
    part = body[:truncate]
    if encoding == AUTO:
        try:
            return part.decode(), "string"
        except UnicodeDecodeError as error:
            if len(part) < len(body) and error.reason == "unexpected end of data":
                return part[: error.start].decode(), "string"
    return b64encode(part).decode(), BASE64


def checked_encoding(encoding: str) -> str:
    """How payloads shall be written. Raises BadRequest."""
    if encoding not in (AUTO, BASE64):
        raise BadRequest(f"encoding must be 'auto' or 'base64', not {encoding!r}")
    return encoding


def message_json(message: Message, redelivered: bool, truncate: int, encoding: str) -> dict[str, Any]:
    """A message with at most `truncate` octets of its body."""
    payload, written = payload_json(message.body, truncate, encoding)
    return {
        "payload_bytes": len(message.body),
        "redelivered": redelivered,
        "exchange": safe_text(message.exchange()),
        "routing_key": safe_text(message.routing_key()),
        "properties": properties_json(message.header),
        "payload": payload,
        "payload_encoding": written,
    }


def message_id(message: Message) -> str | None:
    """The property that applications name messages by, if it has one."""
    octets = message.properties.message_id
    return None if octets is None else safe_text(octets)


def fingerprint(message: Message) -> str:
    """16 hexadecimal digits that another message hardly has, so that one can be named beyond doubt."""
    digest = blake2b(message.address, digest_size=8)
    digest.update(message.header)
    digest.update(message.body[:PRINTED])
    return digest.hexdigest()
