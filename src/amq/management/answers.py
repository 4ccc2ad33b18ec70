"""What a handler answers: a status with a JSON value, with octets, with nothing, or a stream of events."""

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Final

import attrs

JSON: Final = "application/json"
EVENT_STREAM: Final = "text/event-stream"


class Nothing:
    """The body of an answer that has none; None is JSON's null."""


NOTHING: Final = Nothing()


@attrs.frozen
class Answer:
    """One of `value` (JSON), `parts` (octets, ready to be sent) and `events` (a stream that does not end by itself)."""

    status: int
    value: Any = NOTHING
    parts: Sequence[bytes] | None = None
    events: AsyncGenerator[bytes, None] | None = None
    media_type: str = JSON
    headers: Mapping[str, str] = {}


def ok(value: Any, headers: Mapping[str, str] | None = None) -> Answer:
    """200 with a JSON value; for a GET, the `columns` that were asked for are picked from it."""
    return Answer(200, value, headers=headers or {})


def created(location: str | None = None) -> Answer:
    """201; `location` is where it is now, relative to the request's path or absolute."""
    return Answer(201, headers={} if location is None else {"location": location})


def no_content() -> Answer:
    """204."""
    return Answer(204)


def octets(parts: Sequence[bytes], media_type: str, headers: Mapping[str, str] | None = None) -> Answer:
    """200 with a body that is no JSON value, or one that was encoded already."""
    return Answer(200, parts=parts, media_type=media_type, headers=headers or {})


def stream(events: AsyncGenerator[bytes, None]) -> Answer:
    """200 with server-sent events (see `event`) until the client goes or the broker stops."""
    return Answer(200, events=events, media_type=EVENT_STREAM)


def event(data: Any, kind: str = "", number: int | None = None) -> bytes:
    """One server-sent event with JSON data; `kind` is its `event`, `number` its `id`."""
    lines = []
    if kind:
        lines.append(b"event: " + kind.encode())
    if number is not None:
        lines.append(b"id: %d" % number)
    lines.append(b"data: " + encode(data))
    return b"\n".join(lines) + b"\n\n"


def encode(value: Any) -> bytes:
    """JSON in UTF-8, without spaces. What cannot be said in UTF-8 (names are octets to AMQP) becomes `?`."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8", "replace")
