"""What became of reading the configuration again."""

import attrs


class ReloadRefused(Exception):
    """The configuration cannot be used, so nothing has changed; the text is one line that says where and why."""


@attrs.frozen
class Outcome:
    """What a reload has `changed`, what differs but `needs_restart`, and the configuration's `warnings`."""

    changed: list[str]
    needs_restart: list[str]
    warnings: list[str]
