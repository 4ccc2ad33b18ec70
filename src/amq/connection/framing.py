"""The faults of frames that are none, or not those that are due, in RabbitMQ's words."""

from typing import Final

from amq.errors import FRAME_ERROR, UNEXPECTED_FRAME, ConnectionFault
from amq.wire import erlang, spec

# Erlang's printer breaks a term that would pass this column.
_COLUMNS: Final = 80


def octets(payload: bytes) -> str:
    """Octets as Erlang prints a binary: `<<1,2,3>>`; of long ones the first 16, and said so."""
    return f"{'first 16' if len(payload) > 16 else 'all'} octets = {erlang.binary(payload[:16])}"


def too_large(kind: int, size: int, frame_max: int) -> ConnectionFault:
    """A payload that exceeds what was negotiated."""
    return ConnectionFault(
        FRAME_ERROR,
        f"type {kind}, all octets = <<>>: {{frame_too_large,{size},{frame_max - spec.ENVELOPE}}}",
        blamed=False,
    )


def bad_end(kind: int, payload: bytes, mark: int) -> ConnectionFault:
    """Another octet where the end mark should be."""
    head = f"type {kind}, {octets(payload)}: "
    term = f"{{invalid_frame_end_marker,{mark}}}"
    if len(head) + len(term) > _COLUMNS:
        term = f"{{invalid_frame_end_marker,\n{' ' * (len(head) + 1)}{mark}}}"
    return ConnectionFault(FRAME_ERROR, head + term, blamed=False)


def check_shape(kind: int, payload: bytes) -> None:
    """Raise ConnectionFault(501) unless a frame has a known type and the shape that goes with it."""
    if kind == spec.FRAME_METHOD:
        known = len(payload) >= 4
    elif kind == spec.FRAME_HEADER:
        known = len(payload) >= 12
    elif kind == spec.FRAME_HEARTBEAT:
        known = not payload
    else:
        known = kind == spec.FRAME_BODY
    if not known:
        raise unknown(kind, payload)


def unknown(kind: int, payload: bytes) -> ConnectionFault:
    """A frame of no known type, or too short for the one it has."""
    return ConnectionFault(FRAME_ERROR, f"type {kind}, {octets(payload)}: unknown_frame", blamed=False)


def unexpected(kind: int, payload: bytes) -> ConnectionFault:
    """A frame where its type has no business: content on channel 0, a heartbeat on another."""
    return ConnectionFault(UNEXPECTED_FRAME, f"type {kind}, {octets(payload)}", blamed=False)


def no_method() -> ConnectionFault:
    """Content where no method announced it."""
    return ConnectionFault(UNEXPECTED_FRAME, "expected method frame, got non method frame instead", blamed=False)


def no_header() -> ConnectionFault:
    """Something else where the content header is due."""
    return ConnectionFault(
        UNEXPECTED_FRAME, "expected content header for class 60, got non content header frame instead"
    )


def no_body() -> ConnectionFault:
    """Something else where a content body is due."""
    return ConnectionFault(UNEXPECTED_FRAME, "expected content body, got non content body frame instead")


def undecodable(payload: bytes) -> ConnectionFault:
    """A method whose arguments are not what they should be; `payload` with the method's own four octets."""
    return ConnectionFault(FRAME_ERROR, f"cannot decode {erlang.binary(payload[4:])}")
