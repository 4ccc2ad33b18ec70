"""Long work in slices, so that messages go on meanwhile."""

import time
from collections.abc import AsyncGenerator, Iterable
from typing import Final, TypeVar

import trio

T = TypeVar("T")

# How long is worked without giving others a turn, in s.
SLICE: Final = 0.001


class Turns:
    """Gives others a turn whenever a slice of time is over."""

    __slots__ = ("_until",)

    def __init__(self) -> None:
        self._until = time.perf_counter() + SLICE

    async def each(self, items: Iterable[T]) -> AsyncGenerator[T, None]:
        """The items one by one, with turns for others in between."""
        for item in items:
            yield item
            if time.perf_counter() >= self._until:
                await trio.lowlevel.checkpoint()
                self._until = time.perf_counter() + SLICE
