"""Octets of clients' frames, and the frames in a broker's octets. Shares no code with the broker."""

from struct import Struct
from typing import Any, Final

from tests.conformance import methods

PROTOCOL_HEADER: Final = b"AMQP\x00\x00\x09\x01"
METHOD: Final = 1
CONTENT_HEADER: Final = 2
BODY: Final = 3
HEARTBEAT: Final = 8
END: Final = 0xCE
CAPABILITIES: Final = ("authentication_failure_close", "basic.nack", "connection.blocked", "consumer_cancel_notify")

_HEAD: Final = Struct(">BHI")


class Nonsense(AssertionError):
    """The broker wrote octets that are no frames, or frames that are out of place."""


def frame(kind: int, channel: int, payload: bytes) -> bytes:
    """A whole frame."""
    return _HEAD.pack(kind, channel, len(payload)) + payload + bytes((END,))


def method(channel: int, name: str, **arguments: Any) -> bytes:
    """A method frame; arguments that are left out are zero, empty or false."""
    return frame(METHOD, channel, methods.encode(name, arguments))


def content(channel: int, body: bytes, part: int = 131_064, **properties: Any) -> list[bytes]:
    """Header frame and body frames of at most `part` octets."""
    frames = [frame(CONTENT_HEADER, channel, methods.encode_header(len(body), properties))]
    return frames + [frame(BODY, channel, body[at : at + part]) for at in range(0, len(body), part)]


def publish(channel: int, routing_key: str, body: bytes, exchange: str = "", **properties: Any) -> list[bytes]:
    """The frames of one message."""
    head = method(channel, "basic.publish", exchange=exchange, routing_key=routing_key)
    return [head, *content(channel, body, **properties)]


def handshake(heartbeat: int = 0, frame_max: int = 131_072, channel_max: int = 2047) -> list[bytes]:
    """The whole way in of user guest, with the capabilities that all clients announce."""
    capabilities = dict.fromkeys(CAPABILITIES, True)
    return [
        PROTOCOL_HEADER,
        method(
            0,
            "connection.start-ok",
            client_properties={"product": "fuzz", "capabilities": capabilities},
            mechanism="PLAIN",
            response="\0guest\0guest",
            locale="en_US",
        ),
        method(0, "connection.tune-ok", channel_max=channel_max, frame_max=frame_max, heartbeat=heartbeat),
        method(0, "connection.open", virtual_host="/"),
    ]


def split(octets: bytes) -> list[tuple[int, int, bytes]]:
    """Frames as type, channel and payload; raises Nonsense unless the octets are whole frames."""
    frames = []
    pos = 0
    while pos < len(octets):
        if len(octets) - pos < 8:
            raise Nonsense(f"{octets[pos:]!r} is no frame")
        kind, channel, size = _HEAD.unpack_from(octets, pos)
        stop = pos + 7 + size
        if kind not in (METHOD, CONTENT_HEADER, BODY, HEARTBEAT) or stop >= len(octets) or octets[stop] != END:
            raise Nonsense(f"{octets[pos : pos + 40]!r} is no frame")
        frames.append((kind, channel, octets[pos + 7 : stop]))
        pos = stop + 1
    return frames


def spoken(octets: bytes) -> list[tuple[int, methods.Method]]:
    """The methods among the frames, each with its channel; contents are left out."""
    return [(channel, methods.decode(payload)) for kind, channel, payload in split(octets) if kind == METHOD]
