"""Where each value of the settings comes from, for those who find out later that one cannot be used.

`amq.config.load` records it: whether a key fits a certificate is known only when both are opened.
"""

from typing import Any

from amq.config.keys import KEYS, Key


class Origins:
    """Values with their origins, such as `FILE:LINE:COLUMN: KEY` or `environment AMQ_HEARTBEAT`."""

    def __init__(self) -> None:
        self._given: dict[str, dict[str, tuple[Any, str]]] = {}

    def put(self, key: Key, word: str, value: Any, origin: str) -> None:
        """Take a value's origin in place of that of an earlier one for the same key and word."""
        self._given.setdefault(key.name, {})[word] = (value, origin)

    def replace(self, other: "Origins") -> None:
        """Take over what another one knows."""
        self._given = other._given

    def drop(self, name: str) -> None:
        """Forget what was given for the key of this name."""
        self._given.pop(name, None)

    def of(self, field: str, value: Any = None) -> str | None:
        """The origin of a setting, of this one of its values if it has several; None when it was not given.

        `field` is that of Settings, with a dot before the part that a key is about: `tls.ciphers`.
        """
        found = None
        # In the order in which keys override each other.
        for key in KEYS:
            if key.field != field:
                continue
            for given, origin in self._given.get(key.name, {}).values():
                if value is None or given == value:
                    found = origin
        return found
