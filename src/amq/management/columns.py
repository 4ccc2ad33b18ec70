"""Fields of an answer: reached by dotted names, and picked by the `columns` parameter."""

from collections.abc import Mapping
from typing import Any

Item = dict[str, Any]


def dotted(item: Any, name: str, missing: Any = None) -> Any:
    """The field that a dotted name means: `message_stats.publish` is `publish` in `message_stats`."""
    for word in name.split("."):
        if not isinstance(item, dict) or word not in item:
            return missing
        item = item[word]
    return item


class Columns:
    """The columns that a query asks for; all when it does not."""

    __slots__ = ("_columns",)

    def __init__(self, query: Mapping[str, str]) -> None:
        asked = query.get("columns")
        self._columns = None if asked is None else [column.split(".") for column in asked.split(",")]

    def pick(self, item: Item) -> Item:
        """What was asked for of an item, nested as it was; what is not there is left out."""
        if self._columns is None:
            return item
        picked: Item = {}
        for words in self._columns:
            _copy(item, picked, words)
        return picked

    def pick_any(self, value: Any) -> Any:
        """The same for an answer that may be an item, a list of items or something else."""
        if self._columns is None:
            return value
        if isinstance(value, dict):
            return self.pick(value)
        if isinstance(value, list):
            return [self.pick(item) if isinstance(item, dict) else item for item in value]
        return value


def _copy(source: Item, target: Item, words: list[str]) -> None:
    for word in words[:-1]:
        inner = source.get(word)
        if not isinstance(inner, dict):
            return
        source = inner
        target = target.setdefault(word, {})
    if words[-1] in source:
        target[words[-1]] = source[words[-1]]
