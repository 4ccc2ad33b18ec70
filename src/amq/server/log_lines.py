"""How lines of the log look: as RabbitMQ 3.13 writes them, as logfmt, or as JSON."""

import json
import logging
import os
import time
from typing import Final

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
CONNECTION: Final = "connection"
CHANNEL: Final = "channel"
QUEUE: Final = "queue"
DEFAULT: Final = "default"
# How lines begin that are not about the broker as a whole. They are RabbitMQ's, which operators search for.
_BEGINNINGS: Final = (
    ("Channel error on connection", CHANNEL),
    ("accepting AMQP connection", CONNECTION),
    ("closing AMQP connection", CONNECTION),
    ("connection ", CONNECTION),
    ("Closing all connections", CONNECTION),
    ("queue ", QUEUE),
)


def category(text: str) -> str:
    """What a line is about."""
    for beginning, found in _BEGINNINGS:
        if text.startswith(beginning):
            return found
    return DEFAULT


def level_name(number: int) -> str:
    """RabbitMQ's word for a level."""
    return NAMES.get(number, logging.getLevelName(number).lower())


def moment(seconds: float) -> str:
    """Seconds since 1970 as RabbitMQ's log writes them, in UTC."""
    micros = int(seconds % 1 * 1_000_000)
    return f"{time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime(seconds))}.{micros:06}+00:00"


class Lines(logging.Formatter):
    """`2026-11-20 07:29:03.123456+00:00 [info] text`; further lines are indented."""

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        return f"{moment(record.created)} [{level_name(record.levelno)}] " + text.replace("\n", "\n    ")


class Logfmt(logging.Formatter):
    """`time=... level=info domain=connection msg="..."`, one line whatever the text holds."""

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        when = moment(record.created).replace(" ", "T")
        domain = category(record.getMessage())
        # JSON's strings are logfmt's.
        shown = json.dumps(text, ensure_ascii=False)
        return f"time={when} level={level_name(record.levelno)} domain={domain} msg={shown}"


class Json(logging.Formatter):
    """One object per line, with RabbitMQ's keys."""

    def format(self, record: logging.LogRecord) -> str:
        domain = category(record.getMessage())
        return json.dumps(
            {
                "time": moment(record.created),
                "level": level_name(record.levelno),
                "msg": super().format(record),
                "domain": "rabbitmq" if domain == DEFAULT else f"rabbitmq.{domain}",
                "pid": os.getpid(),
            },
            ensure_ascii=False,
        )


FORMATTERS: Final[dict[str, type[logging.Formatter]]] = {"plaintext": Lines, "logfmt": Logfmt, "json": Json}
