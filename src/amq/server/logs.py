"""Log lines on stderr.

The core appends what happened to `broker.log` as (level, text): Python's numbers of levels and RabbitMQ's texts, which
operators search for. This hands them to Python's logging, so that an application around an embedded broker treats
them like its own.
"""

import logging
import sys
import time
from typing import Final

LOGGER: Final = logging.getLogger("amq")

# RabbitMQ's levels; those that Python lacks stand between and above its own.
LEVELS: Final = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "notice": logging.INFO + 5,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
    "alert": logging.CRITICAL + 10,
    "emergency": logging.CRITICAL + 20,
    "none": logging.CRITICAL + 30,
}
NAMES: Final = {number: name for name, number in LEVELS.items()}


class Lines(logging.Formatter):
    """`2026-11-20 07:29:03.123456+00:00 [info] text`, as RabbitMQ 3.13 writes it; further lines are indented."""

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        moment = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(record.created))
        micros = int(record.created % 1 * 1_000_000)
        level = NAMES.get(record.levelno, record.levelname.lower())
        return f"{moment}.{micros:06}+00:00 [{level}] " + text.replace("\n", "\n    ")


def configure(level: str) -> None:
    """Send the process's log to stderr from this level on (a word of LEVELS)."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines())
    logging.basicConfig(level=LEVELS[level], handlers=[handler], force=True)
    # A log that nobody reads any more (a closed pipe) must not end up as tracebacks on the same pipe.
    logging.raiseExceptions = False


def publish(entries: list[tuple[int, str]]) -> None:
    """Log what the core noted, and empty the list."""
    for level, text in entries:
        LOGGER.log(level, "%s", text)
    entries.clear()
