"""A line of the log, as it is shown elsewhere."""

import attrs


@attrs.frozen
class LogLine:
    """A line: its number since the start (from 1 on), when it was (s since 1970), its level, category and text."""

    number: int
    time: float
    level: str
    category: str
    text: str


class LogControl:
    """The log of the process."""

    def after(self, number: int) -> list[LogLine]:
        """The lines behind that number (from 1 on), as far as they are remembered."""
        raise NotImplementedError

    def rotate(self) -> int:
        """Begin new log files; returns how many there are. Raises OSError."""
        raise NotImplementedError

    def set_level(self, level: str) -> None:
        """Log lines from this level on, everywhere, until the configuration is read again."""
        raise NotImplementedError
