"""The last lines of the log, for whoever looks at it from elsewhere."""

import logging
from collections import deque
from typing import Final

from amq.metrics.log_line import LogLine
from amq.server.log_lines import category, level_name

# Lines and characters of one that are remembered.
KEPT: Final = 2000
LONGEST: Final = 4096


class LogTail(logging.Handler):
    """Remembers what was logged last. Lines come from any thread; reading them takes no lock."""

    def __init__(self, kept: int = KEPT) -> None:
        super().__init__()
        self._lines: deque[LogLine] = deque(maxlen=kept)
        self.count = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Remember a line."""
        text = record.getMessage()
        self.count += 1
        about = category(text)
        self._lines.append(LogLine(self.count, record.created, level_name(record.levelno), about, text[:LONGEST]))

    def after(self, number: int) -> list[LogLine]:
        """The lines behind that number, as far as they are remembered."""
        lines = list(self._lines)
        if not lines or lines[-1].number <= number:
            return []
        return lines[max(0, number + 1 - lines[0].number) :]
