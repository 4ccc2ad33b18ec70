"""What one object's counts were, for a while: all of them for some minutes, a few of them for longer.

A row is a moment and the counts at that moment. It is stored only when a count has changed, so that something idle
takes no room, and a value is that of the last row before the moment that is asked for.

    level 0   every row of the last minutes
    level 1   of what is older, the last row of every interval
    ...
"""

import sys
from array import array
from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

from amq.clock import NEVER

# How long a level reaches back and how far apart its rows are, both in ms; what RabbitMQ calls "basic" and "global".
Policy = tuple[tuple[int, int], ...]
BASIC: Final[Policy] = ((605_000, 0), (3_660_000, 60_000))
GLOBAL: Final[Policy] = ((605_000, 0), (3_660_000, 60_000), (29_400_000, 600_000), (88_200_000, 1_800_000))

Row = tuple[int, ...]


class History:
    """Rows of one object, every one as wide as the first. Moments are ms since 1970.

    `last` is the row that was stored last, at the moment `changed`; `before` is the one that was true until then.
    `seen` is the round in which somebody last looked at the object, and `due` when `forget` will have something to do
    although nothing was put.
    """

    __slots__ = ("last", "before", "changed", "seen", "due", "levels", "policy")

    def __init__(self, before: Row, policy: Policy) -> None:
        self.before = before
        self.last = before
        self.changed: int = 0
        self.seen: int = 0
        self.due: float = NEVER
        self.policy = policy
        # Those after the first come when there is something to put into them, which for most objects is never.
        self.levels: list[array[int]] = [array("q")]

    def put(self, now: int, row: Row, most: int) -> None:
        """It is `now`, and this is true from now on. Level 0 keeps `most` rows, however young they are."""
        self.before = self.last
        self.last = row
        self.changed = now
        rows = self.levels[0]
        rows.append(now)
        rows.extend(row)
        self.forget(now, most)

    def forget(self, now: int, most: int) -> None:
        """Pass on, or drop, what is older than a level reaches back; the last row stays whatever its age."""
        stride = len(self.last) + 1
        for number, rows in enumerate(self.levels):
            age, _ = self.policy[number]
            oldest = now - age
            longest = most * stride if number == 0 else sys.maxsize
            while len(rows) > stride and (rows[stride] <= oldest or len(rows) > longest):
                self._pass_on(number + 1, rows[:stride])
                del rows[:stride]
        rows = self.levels[0]
        self.due = rows[stride] + self.policy[0][0] if len(rows) > stride else NEVER

    def restart(self) -> None:
        """Forget everything but what is true now, as if it had always been."""
        self.levels = [array("q", (self.changed, *self.last))]
        self.before = self.last
        self.due = NEVER

    def octets(self) -> int:
        """Octets that its rows take."""
        return sum([len(rows) for rows in self.levels]) * 8

    def at(self, moments: Sequence[int]) -> list[Row]:
        """The rows that were true at these moments; zeros for those before the first one."""
        stride = len(self.last) + 1
        tables = [(rows, rows[::stride]) for rows in self.levels]
        return [self._row_at(tables, moment, stride) for moment in moments]

    def _row_at(self, tables: "list[tuple[array[int], array[int]]]", moment: int, stride: int) -> Row:
        for rows, times in tables:
            place = bisect_right(times, moment)
            if place:
                start = (place - 1) * stride
                return tuple(rows[start + 1 : start + stride])
        return (0,) * (stride - 1)

    def _pass_on(self, number: int, row: "array[int]") -> None:
        if number == len(self.policy):
            return
        if number == len(self.levels):
            self.levels.append(array("q"))
        rows = self.levels[number]
        interval = self.policy[number][1]
        # The newest row of an interval says what was true at its end.
        if rows and rows[-len(row)] // interval == row[0] // interval:
            rows[-len(row) :] = row
        else:
            rows.extend(row)
