"""The order of a list: `sort` names a field, `sort_reverse=true` turns it round."""

from collections.abc import Callable, Mapping, Sequence
from heapq import merge
from itertools import chain
from typing import Any, Final, TypeVar

from amq.management.columns import Item, dotted
from amq.management.turns import Turns

T = TypeVar("T")

# Items that are sorted in one go: less than a slice of time.
RUN: Final = 250
# Items of two sorted runs that are merged in one go: it is done in no time.
MERGED_AT_ONCE: Final = 1000


class Order:
    """By the field that a query names, then by those that the list is sorted by anyway."""

    __slots__ = ("asked", "reverse", "_fields")

    def __init__(self, query: Mapping[str, str], sorts: Sequence[str]) -> None:
        # The field that the query names, empty when it names none.
        self.asked = field = query.get("sort", "")
        self.reverse = query.get("sort_reverse") == "true"
        self._fields = [field, *sorts] if field else list(sorts)

    def key(self, item: Item) -> tuple[Any, ...]:
        """What an item is sorted by. Flat: of tuples in tuples the garbage collector never lets go."""
        key: list[Any] = []
        for field in self._fields:
            key += _rank(dotted(item, field, 0))
        return tuple(key)

    async def numbers(self, keyed: list[tuple[Any, int]], turns: Turns) -> list[int]:
        """The numbers that go with the keys, in the order of these."""
        ordered = [number for _, number in await merged(keyed, turns)]
        if self.reverse:
            ordered.reverse()
        return ordered

    async def sort_by(self, items: list[T], value: Callable[[T], Any], turns: Turns) -> list[T]:
        """Items that are in the order of the list already, by the value of the field that the query names."""
        keyed = [(_rank(value(item)), number) async for number, item in turns.each(enumerate(items))]
        return [items[number] for number in await self.numbers(keyed, turns)]


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


async def in_order(entities: Mapping[bytes, T], turns: Turns) -> list[T]:
    """Entities by their names, those left out that have gone in the meantime."""
    names: list[bytes] = await merged(list(entities), turns)
    return [entity async for name in turns.each(names) if (entity := entities.get(name)) is not None]


async def merged(keys: list[Any], turns: Turns) -> list[Any]:
    """Sorted in slices: runs first, which are then merged two by two."""
    runs = [sorted(keys[start : start + RUN]) async for start in turns.each(range(0, len(keys), RUN))]
    while len(runs) > 1:
        pairs = [runs[start : start + 2] for start in range(0, len(runs), 2)]
        runs = [await _merge(pair, turns) async for pair in turns.each(pairs)]
    return runs[0] if runs else []


async def _merge(pair: list[list[Any]], turns: Turns) -> list[Any]:
    if sum(map(len, pair)) <= MERGED_AT_ONCE:
        return sorted(chain(*pair))
    return [item async for item in turns.each(merge(*pair))]
