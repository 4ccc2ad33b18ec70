"""The order of a list: `sort` names a field, `sort_reverse=true` turns it round."""

from collections.abc import Callable, Mapping, Sequence
from heapq import merge
from typing import Any, Final, TypeVar

from amq.management.columns import Item, dotted
from amq.management.turns import Turns

T = TypeVar("T")

# Items that are sorted in one go: less than a slice of time.
RUN: Final = 500


class Order:
    """By the field that a query names, then by those that the list is sorted by anyway."""

    __slots__ = ("asked", "reverse", "_fields")

    def __init__(self, query: Mapping[str, str], sorts: Sequence[str]) -> None:
        # The field that the query names, empty when it names none.
        self.asked = field = query.get("sort", "")
        self.reverse = query.get("sort_reverse") == "true"
        self._fields = [field, *sorts] if field else list(sorts)

    async def sort(self, items: list[Item], turns: Turns) -> list[Item]:
        """The items in this order."""
        return await self._sorted(items, self._key, turns)

    async def sort_by(self, items: list[T], value: Callable[[T], Any], turns: Turns) -> list[T]:
        """Items that are in the order of the list already, by the value of the field that the query names."""
        return await self._sorted(items, lambda item: _rank(value(item)), turns)

    async def _sorted(self, items: list[T], key: Callable[[T], Any], turns: Turns) -> list[T]:
        keyed = [(key(item), number) async for number, item in turns.each(enumerate(items))]
        ordered = [items[number] async for _, number in turns.each(await merged(keyed, turns))]
        if self.reverse:
            ordered.reverse()
        return ordered

    def _key(self, item: Item) -> tuple[Any, ...]:
        return tuple(_rank(dotted(item, field, 0)) for field in self._fields)


def _rank(value: Any) -> tuple[int, Any]:
    """A value that can be compared with any other, as RabbitMQ compares them: numbers, words, objects, lists, text."""
    if isinstance(value, bool):
        return 1, "true" if value else "false"
    if isinstance(value, int | float):
        return 0, value
    if value is None:
        return 1, "null"
    if isinstance(value, dict):
        return 2, len(value)
    if isinstance(value, list | tuple):
        return 3, [_rank(each) for each in value]
    return 4, str(value)


async def merged(keys: list[Any], turns: Turns) -> list[Any]:
    """Sorted in slices: runs first, which are then merged two by two."""
    runs = [sorted(keys[start : start + RUN]) async for start in turns.each(range(0, len(keys), RUN))]
    while len(runs) > 1:
        pairs = [runs[start : start + 2] for start in range(0, len(runs), 2)]
        runs = [[item async for item in turns.each(merge(*pair))] for pair in pairs]
    return runs[0] if runs else []
