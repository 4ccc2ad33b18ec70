"""Operating the process: its log, its configuration, its thresholds."""

from collections.abc import AsyncGenerator
from typing import Any, Final

import attrs
import trio

from amq.config import values
from amq.config.log import LOG_LEVELS
from amq.config.reloaded import ReloadRefused
from amq.config.settings import DiskFreeLimit, MemoryWatermark
from amq.management.answers import Answer, event, no_content, ok, stream
from amq.management.call import Call
from amq.management.endpoint import ADMINISTRATOR, MONITORING, Endpoint, Parameter, Schema
from amq.management.entity_schemas import WHOLE, record
from amq.management.errors import ApiError, BadRequest
from amq.metrics.log_line import LogLine

# How often somebody who follows the log is told of new lines, in s.
INTERVAL: Final = 0.25
# Lines that are told at once.
MOST: Final = 500
LEVEL: Final[Schema] = {"type": "string", "enum": list(LOG_LEVELS)}
LINES: Final[Schema] = {
    # With `follow` they come as events.
    "x-events": True,
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


async def set_memory_high_watermark(call: Call) -> Answer:
    """Move the threshold of the memory alarm."""
    given = call.json()
    _known(given)
    try:
        watermark = MemoryWatermark(_share(given, 0.4), _octets(given, None))
    except ValueError as error:
        raise BadRequest(str(error)) from None
    call.node.thresholds.set_memory_high_watermark(watermark)
    return no_content()


async def set_disk_free_limit(call: Call) -> Answer:
    """Move the threshold of the disk alarm."""
    given = call.json()
    _known(given)
    try:
        limit = DiskFreeLimit(_octets(given, 0), _share(given, None))
    except ValueError as error:
        raise BadRequest(str(error)) from None
    call.node.thresholds.set_disk_free_limit(limit)
    return no_content()


def _known(given: dict[str, Any]) -> None:
    if set(given) not in ({"relative"}, {"absolute"}):
        raise BadRequest("give either relative (a share of the machine's memory) or absolute (bytes, or text as 2GB)")


def _share(given: dict[str, Any], default: float | None) -> Any:
    share = given.get("relative", default)
    if share is not None and (isinstance(share, bool) or not isinstance(share, int | float)):
        raise BadRequest(f"relative must be a number, not {share!r}")
    return share


def _octets(given: dict[str, Any], default: int | None) -> Any:
    octets = given.get("absolute", default)
    if isinstance(octets, str):
        try:
            return values.memory(octets)
        except ValueError as error:
            raise BadRequest(f"absolute: {error}") from None
    if octets is not None and (isinstance(octets, bool) or not isinstance(octets, int)):
        raise BadRequest(f"absolute must be a number of bytes or a text such as 2GB, not {octets!r}")
    return octets


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


THRESHOLD: Final[Schema] = {
    "type": "object",
    "properties": {"relative": {"type": "number"}, "absolute": {"type": ["integer", "string"]}},
    "minProperties": 1,
    "maxProperties": 1,
}

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
        {200: record("files", files=WHOLE), 503: "The new file cannot be made"},
    ),
    Endpoint(
        "PUT",
        "/amq/logs/level",
        ADMINISTRATOR,
        set_level,
        "Log from another level on, until the configuration is read again",
        {204: "It is so", 400: "No level"},
        body=record("level", level=LEVEL),
    ),
    Endpoint(
        "PUT",
        "/amq/memory-high-watermark",
        ADMINISTRATOR,
        set_memory_high_watermark,
        "Move the threshold of the memory alarm, until the configuration is read again",
        {204: "It is so", 400: "No share and no amount"},
        body=THRESHOLD,
    ),
    Endpoint(
        "PUT",
        "/amq/disk-free-limit",
        ADMINISTRATOR,
        set_disk_free_limit,
        "Move the threshold of the disk alarm, until the configuration is read again",
        {204: "It is so", 400: "No share and no amount"},
        body=THRESHOLD,
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
