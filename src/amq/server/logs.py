"""Where the log goes.

The core appends what happened to `broker.log` as (level, text): Python's numbers of levels and RabbitMQ's texts, which
operators search for. This hands them to Python's logging, so that an application around an embedded broker treats
them like its own. `amq serve` configures it.
"""

import logging
import sys
from pathlib import Path
from typing import Final

from amq.config.settings import Settings
from amq.metrics.log_line import LogControl, LogLine
from amq.server.errors import SettingError
from amq.server.log_file import LogFile
from amq.server.log_lines import CHANNEL, CONNECTION, FORMATTERS, LEVELS, QUEUE, category
from amq.server.log_tail import LogTail

LOGGER: Final = logging.getLogger("amq")
# Of the process: it outlives what is configured anew.
TAIL: Final = LogTail()


class Categories(logging.Filter):
    """Passes lines that their category's level lets through; `levels` are numbers by category."""

    def __init__(self, levels: dict[str, int]) -> None:
        super().__init__()
        self.levels = levels

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line counts."""
        return not self.levels or record.levelno >= self.levels.get(category(record.getMessage()), 0)


def configure(settings: Settings) -> None:
    """Send the process's log where these settings say. Raises SettingError for a file that cannot be opened."""
    wanted = settings.log
    outputs: list[tuple[logging.Handler, str, str | None]] = []
    if wanted.console:
        outputs.append((logging.StreamHandler(sys.stderr), wanted.console_format, wanted.console_level))
    if wanted.file is not None:
        outputs.append((_file(settings, wanted.file), wanted.file_format, wanted.file_level))
    given = {CONNECTION: wanted.connection_level, CHANNEL: wanted.channel_level, QUEUE: wanted.queue_level}
    categories = Categories({name: LEVELS[level] for name, level in given.items() if level is not None})
    handlers: list[logging.Handler] = [TAIL]
    TAIL.setLevel(LEVELS[settings.log_level])
    for handler, spelled, level in outputs:
        handler.setFormatter(FORMATTERS[spelled]())
        handler.setLevel(LEVELS[level or settings.log_level])
        handlers.append(handler)
    for handler in handlers:
        handler.filters[:] = [categories]
    _replace(handlers)
    LOGGER.setLevel(min(handler.level for handler in handlers))
    # Libraries tell all that they see while they are debugged: headers with passwords, for one.
    logging.getLogger().setLevel(logging.WARNING)
    # A log that nobody reads any more (a closed pipe) must not end up as tracebacks on the same pipe.
    logging.raiseExceptions = False


class Log(LogControl):
    """The log of the process, for who operates the broker from elsewhere."""

    def after(self, number: int) -> list[LogLine]:
        return TAIL.after(number)

    def rotate(self) -> int:
        return rotate()

    def set_level(self, level: str) -> None:
        for handler in logging.getLogger().handlers:
            handler.setLevel(LEVELS[level])
        LOGGER.setLevel(LEVELS[level])


def rotate() -> int:
    """Begin new log files at once; returns how many there are."""
    files = [handler for handler in logging.getLogger().handlers if isinstance(handler, LogFile)]
    for handler in files:
        handler.acquire()
        try:
            handler.doRollover()
        finally:
            handler.release()
    return len(files)


def publish(entries: list[tuple[int, str]]) -> None:
    """Log what the core noted, and empty the list."""
    for level, text in entries:
        LOGGER.log(level, "%s", text)
    entries.clear()


def _file(settings: Settings, name: str) -> LogFile:
    wanted = settings.log
    folder = Path(wanted.folder) if wanted.folder is not None else Path(settings.data or ".") / "log"
    try:
        return LogFile(folder / name, wanted.rotation_size, wanted.rotation_count, wanted.rotation_date)
    except OSError as error:
        raise SettingError(
            "log.file", "log.file", f"{folder / name} cannot be opened: {error.strerror or error}"
        ) from None


def _replace(handlers: list[logging.Handler]) -> None:
    root = logging.getLogger()
    before = list(root.handlers)
    for handler in handlers:
        if handler not in before:
            root.addHandler(handler)
    for handler in before:
        if handler not in handlers:
            root.removeHandler(handler)
            if not isinstance(handler, logging.StreamHandler) or isinstance(handler, logging.FileHandler):
                handler.close()
