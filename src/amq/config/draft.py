"""Settings in the making: values are put in by source, the later one wins, and then they become Settings.

Knows how several keys make one setting; reads no text.
"""

import re
from collections.abc import Iterable
from typing import Any, Final

from amq.config.keys import GROUPS, KEYS, PARTS, Key
from amq.config.origins import Origins
from amq.config.settings import Listener, Settings

_DIGITS: Final = re.compile(r"(\d+)")


class Draft:
    """What was given so far, by the key's name and the word in the place of its `$`.

    `origins` is told where each value comes from.
    """

    def __init__(self, origins: Origins) -> None:
        self._given: dict[str, dict[str, Any]] = {}
        self._origins = origins

    def put(self, key: Key, word: str, value: Any, origin: str) -> None:
        """Take a value in place of an earlier one for the same key and word."""
        self._given.setdefault(key.name, {})[word] = value
        self._origins.put(key, word, value, origin)

    def listen_only(self, key: Key, listeners: Iterable[tuple[Listener, str]]) -> None:
        """Take these, each with its origin, in place of all plain TCP listeners given so far.

        `key` is that of plain TCP listeners.
        """
        for name in ("listeners.tcp", key.name):
            self._given.pop(name, None)
            self._origins.drop(name)
        for number, (listener, origin) in enumerate(listeners):
            self.put(key, str(number), listener, origin)

    def settings(self) -> Settings:
        """The settings, with defaults for what was not given.

        Raises ValueError when values do not fit together.
        """
        fields: dict[str, Any] = {}
        parts: dict[str, dict[str, Any]] = {}
        for key in KEYS:
            if key.name not in self._given or key.field == "listeners" or key.field == "loopback_users":
                continue
            owner, _, part = key.field.partition(".")
            if owner in GROUPS:
                continue
            into = parts.setdefault(owner, {}) if part else fields
            into[part or owner] = self._gathered(key)
        for owner, values in parts.items():
            fields[owner] = PARTS[owner](**values)
        self._put_groups(fields)
        self._put_loopback_users(fields)
        self._put_listeners(fields)
        return Settings(**fields)

    def _gathered(self, key: Key) -> Any:
        given = self._given[key.name]
        if not key.many:
            return given[""]
        if key.field == "default_user_tags":
            return frozenset(word for word, wanted in given.items() if wanted)
        if key.field == "parameter_limits":
            return given
        return tuple(given[word] for word in sorted(given, key=_natural))

    def _put_groups(self, fields: dict[str, Any]) -> None:
        for group, kind in GROUPS.items():
            members: dict[str, dict[str, Any]] = {}
            for key in KEYS:
                owner, _, part = key.field.partition(".")
                for word, value in self._given.get(key.name, {}).items() if owner == group else ():
                    members.setdefault(word, {})[part] = value
            fields[group] = tuple(kind(name=word, **members[word]) for word in sorted(members, key=_natural))

    def _put_loopback_users(self, fields: dict[str, Any]) -> None:
        if "loopback_users" in self._given:
            fields["loopback_users"] = frozenset()
        elif "loopback_users.$user" in self._given:
            named = self._given["loopback_users.$user"]
            fields["loopback_users"] = frozenset(user for user, wanted in named.items() if wanted)

    def _put_listeners(self, fields: dict[str, Any]) -> None:
        plain = self._listeners("listeners.tcp", Settings().listeners)
        fields["listeners"] = (*plain, *self._listeners("listeners.ssl", ()))

    def _listeners(self, name: str, default: tuple[Listener, ...]) -> tuple[Listener, ...]:
        if name in self._given:
            return ()
        given = self._given.get(f"{name}.$name")
        if given is None:
            return default
        return tuple(given[word] for word in sorted(given, key=_natural))


def _natural(word: str) -> list[tuple[int, str]]:
    """Sorts `2` before `10`, as whoever numbers keys means it."""
    return [(int(piece), "") if piece.isdigit() else (-1, piece) for piece in _DIGITS.split(word)]
