"""Operating the process: its log, its configuration, its thresholds."""

from collections.abc import AsyncGenerator
from typing import Any, Final

import attrs
import trio

from amq.config.log import LOG_LEVELS
from amq.config.reloaded import ReloadRefused
from amq.management.answers import Answer, event, no_content, ok, stream
from amq.management.call import Call
from amq.management.endpoint import ADMINISTRATOR, MONITORING, Endpoint, Parameter, Schema
from amq.management.errors import ApiError, BadRequest
from amq.metrics.log_line import LogLine

# How often somebody who follows the log is told of new lines, in s.
INTERVAL: Final = 0.25
# Lines that are told at once.
MOST: Final = 500
LEVEL: Final[Schema] = {"type": "string", "enum": list(LOG_LEVELS)}
LINES: Final[Schema] = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "number": {"type": "integer"},
            "time": {"type": "number", "description": "seconds since 1970"},
            "level": {"type": "string"},
            "category": {"type": "string"},
            "text": {"type": "string"},
        },
    },
}
OUTCOME: Final[Schema] = {
    "type": "object",
    "properties": {
        key: {"type": "array", "items": {"type": "string"}} for key in ("changed", "needs_restart", "warnings")
    },
}


async def get_logs(call: Call) -> Answer:
    """The last lines, or with `follow` those and all that come."""
    least = LOG_LEVELS.index(_level(call.query.get("level", "debug")))
    after = _number(call.query.get("after", "0"))
    if call.query.get("follow") == "true":
        return stream(_follow(call, after, least))
    return ok([attrs.asdict(line) for line in call.node.log.after(after) if _counts(line, least)])


async def _follow(call: Call, after: int, least: int) -> AsyncGenerator[bytes, None]:
    while True:
        lines = call.node.log.after(after)[:MOST]
        for line in lines:
            after = line.number
            if _counts(line, least):
                yield event(attrs.asdict(line), number=line.number)
        if not lines:
            await trio.sleep(INTERVAL)


async def rotate(call: Call) -> Answer:
    """Begin new log files."""
    try:
        return ok({"files": call.node.log.rotate()})
    except OSError as error:
        raise ApiError(503, "log_rotation_failed", str(error)) from None


async def set_level(call: Call) -> Answer:
    """Log from another level on."""
    level = call.json().get("level")
    if not isinstance(level, str):
        raise BadRequest(f"level must be one of {', '.join(LOG_LEVELS)}")
    call.node.log.set_level(_level(level))
    return no_content()


async def reload(call: Call) -> Answer:
    """What SIGHUP does."""
    try:
        return ok(attrs.asdict(await call.node.reload()))
    except ReloadRefused as refused:
        raise BadRequest(str(refused)) from None


def _counts(line: LogLine, least: int) -> bool:
    return line.level in LOG_LEVELS and LOG_LEVELS.index(line.level) >= least


def _level(word: str) -> str:
    if word not in LOG_LEVELS:
        raise BadRequest(f"{word!r} is no level, allowed: {', '.join(LOG_LEVELS)}")
    return word


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise BadRequest(f"after must be the number of a line, not {text!r}")
    return int(text)


def _limits(**properties: Any) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties)}


TABLE: Final[tuple[Endpoint, ...]] = (
    Endpoint(
        "GET",
        "/amq/logs",
        MONITORING,
        get_logs,
        "The last lines of the log",
        {200: LINES, 400: "A level or a number that is none"},
        query=(
            Parameter("level", "Least important lines that are wanted", LEVEL),
            Parameter("after", "Only lines behind this number", {"type": "integer", "minimum": 0}),
            Parameter("follow", "true: server-sent events, these lines and all that come", {"type": "boolean"}),
        ),
    ),
    Endpoint(
        "POST",
        "/amq/logs/rotate",
        ADMINISTRATOR,
        rotate,
        "Begin new log files",
        {200: _limits(files={"type": "integer"}), 503: "The new file cannot be made"},
    ),
    Endpoint(
        "PUT",
        "/amq/logs/level",
        ADMINISTRATOR,
        set_level,
        "Log from another level on, until the configuration is read again",
        {204: "It is so", 400: "No level"},
        body=_limits(level=LEVEL),
    ),
    Endpoint(
        "POST",
        "/amq/reload",
        ADMINISTRATOR,
        reload,
        "Read the configuration again, and take over what can change without a restart",
        {200: OUTCOME, 400: "The configuration cannot be used; nothing has changed"},
    ),
)
