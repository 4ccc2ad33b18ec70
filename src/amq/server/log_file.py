"""A log file that begins anew by size or by date, with older ones kept beside it: `amq.log`, `amq.log.1`, ..."""

import time
from logging import LogRecord
from logging.handlers import RotatingFileHandler
from pathlib import Path

from amq.config.log import ROTATION


class LogFile(RotatingFileHandler):
    """Appends to a file. A new one begins at `size` octets (0: never) and at the moments of `date` (None: never), in
    local time; `count` old ones are kept. Raises OSError when it cannot be opened.
    """

    def __init__(self, path: Path, size: int, count: int, date: str | None) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        super().__init__(path, maxBytes=size, backupCount=count, encoding="utf-8", errors="backslashreplace")
        self._date = date
        self._due = next_moment(date, time.time()) if date else None

    def shouldRollover(self, record: LogRecord) -> bool:
        """Whether a new file begins before this line."""
        if self._date is not None and self._due is not None and record.created >= self._due:
            self._due = next_moment(self._date, record.created)
            return True
        return bool(self.maxBytes) and bool(super().shouldRollover(record))

    def doRollover(self) -> None:
        """Begin a new file. Where no old ones are kept, the present one is emptied."""
        super().doRollover()
        if self.backupCount == 0 and self.stream is not None:
            self.stream.truncate(0)


def next_moment(date: str, after: float) -> float:
    """The first moment of `date` (RabbitMQ's spelling) after `after`, both in s since 1970; local time."""
    found = ROTATION.fullmatch(date)
    assert found is not None, "the settings have checked it"
    if found[1].startswith("H"):
        return _hourly(int(found[1][1:]), after)
    day, _, hour = found[1].partition("D")
    at = time.localtime(after)
    # Days that there are not (the 31st of April) come again in a later month.
    for ahead in range(400):
        start = time.mktime((at.tm_year, at.tm_mon, at.tm_mday + ahead, int(hour), 0, 0, 0, 0, -1))
        if start > after and _is_day(day, time.localtime(start)):
            return start
    raise AssertionError("every day comes again within a year")


def _hourly(minute: int, after: float) -> float:
    at = time.localtime(after)
    start = time.mktime((at.tm_year, at.tm_mon, at.tm_mday, at.tm_hour, minute, 0, 0, 0, -1))
    return start if start > after else start + 3600


def _is_day(day: str, at: time.struct_time) -> bool:
    """Whether it is the day of the week (`W0`, Sunday) or of the month (`M1`), or any."""
    if day.startswith("W"):
        return (at.tm_wday + 1) % 7 == int(day[1:])
    return not day or at.tm_mday == int(day[1:])
