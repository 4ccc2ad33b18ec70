"""Where the broker's log goes, what of it, and how its lines look."""

import re
from typing import Final

import attrs

from amq.config.fields import about, free, one_of, whole

LOG_LEVELS: Final = ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency", "none")
FORMATS: Final = ("plaintext", "logfmt", "json")
# RabbitMQ's spelling of moments that come again: `$D0` daily at midnight, `$W0D12` Sundays at noon, `$M1D0` on the
# first of the month at midnight, `$H30` half past every hour.
ROTATION: Final = re.compile(r"\$(H[0-5]?[0-9]|(W[0-6]|M(?:[1-9]|[12][0-9]|3[01]))?D(?:[01]?[0-9]|2[0-3]))")


def _level(meaning: str) -> str | None:
    """A field for a level, or None where another one counts."""

    def check(_instance: object, _attribute: "attrs.Attribute[str | None]", value: str | None) -> None:
        if value is not None and value not in LOG_LEVELS:
            raise ValueError(f"{value!r} is not known")

    field: str | None = attrs.field(default=None, validator=check, metadata=about(", ".join(LOG_LEVELS), meaning))
    return field


@attrs.frozen(kw_only=True)
class LogSettings:
    """Outputs and levels. A line goes to an output that takes its level, if its category does."""

    console: bool = free(True, "true or false", "Whether the log goes to standard error.")
    console_level: str | None = _level("Least important lines there (log.level).")
    console_format: str = one_of("plaintext", FORMATS, "How lines look there.")
    file: str | None = free(None, "name of a file, or false", "A file that the log goes to, besides.")
    folder: str | None = free(None, "path of a folder", "Where that file is: without it, `log` in the data folder.")
    file_level: str | None = _level("Least important lines in the file (log.level).")
    file_format: str = one_of("plaintext", FORMATS, "How lines look in the file.")
    rotation_size: int = whole(
        0, 0, 1 << 40, "bytes, or a number with a unit such as 10MB", "Begin a new file at this size; 0: never."
    )
    rotation_count: int = whole(0, 0, 10_000, "files", "How many old files are kept.")
    rotation_date: str | None = attrs.field(
        default=None,
        metadata=about("$D0, $W0D12, $M1D0, $H30 and the like", "When to begin a new file, in RabbitMQ's spelling."),
    )
    connection_level: str | None = _level("Least important lines about connections.")
    channel_level: str | None = _level("Least important lines about channels.")
    queue_level: str | None = _level("Least important lines about queues.")

    @rotation_date.validator
    def _check_date(self, _attribute: "attrs.Attribute[str | None]", value: str | None) -> None:
        if value is not None and not ROTATION.fullmatch(value):
            raise ValueError(f"{value!r} is no moment that comes again")
