"""Long work in slices of about a millisecond, so that messages go on meanwhile."""

import time
from typing import Final

import trio

SLICE: Final = 0.001  # seconds


class Slices:
    """One piece of work. `ends` is when its slice is over (`time.perf_counter`)."""

    __slots__ = ("ends",)

    def __init__(self) -> None:
        self.ends: float = time.perf_counter() + SLICE

    async def breathe(self) -> bool:
        """Let everybody else have a turn if the slice is over; whether it was, and another has begun."""
        if time.perf_counter() <= self.ends:
            return False
        await trio.lowlevel.checkpoint()
        self.ends = time.perf_counter() + SLICE
        return True
