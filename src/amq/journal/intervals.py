"""Sets of numbers that mostly follow one another, in little memory."""

from bisect import bisect_left, bisect_right

from amq.journal.record import Lsns

# A range of numbers: its first one, and the one after its last.
Span = tuple[int, int]


class Intervals:
    """A set of whole numbers, kept as the ranges that it consists of."""

    __slots__ = ("starts", "stops")

    def __init__(self) -> None:
        # Ascending, and no range touches the next one.
        self.starts: list[int] = []
        self.stops: list[int] = []

    def add(self, start: int, stop: int) -> None:
        """Enter the numbers from `start` on up to, but not with, `stop`, of which some may be there; at least one."""
        starts = self.starts
        stops = self.stops
        if starts and starts[-1] <= start <= stops[-1]:
            stops[-1] = max(stops[-1], stop)
            return
        low = bisect_left(stops, start)
        high = bisect_right(starts, stop)
        if low < high:
            start = min(start, starts[low])
            stop = max(stop, stops[high - 1])
        starts[low:high] = [start]
        stops[low:high] = [stop]

    def add_all(self, numbers: Lsns) -> None:
        """Enter numbers, at least one."""
        if isinstance(numbers, range):
            self.add(numbers.start, numbers.stop)
            return
        for number in numbers:
            self.add(number, number + 1)

    def has(self, number: int) -> bool:
        """Whether a number is in the set."""
        at = bisect_right(self.stops, number)
        return at < len(self.starts) and self.starts[at] <= number

    def inside(self, start: int, stop: int) -> list[Span]:
        """The parts of a range that are in the set."""
        found: list[Span] = []
        at = bisect_right(self.stops, start)
        while at < len(self.starts) and self.starts[at] < stop:
            found.append((max(start, self.starts[at]), min(stop, self.stops[at])))
            at += 1
        return found

    def outside(self, start: int, stop: int) -> list[Span]:
        """The parts of a range that are not in the set."""
        found: list[Span] = []
        for first, after in self.inside(start, stop):
            if start < first:
                found.append((start, first))
            start = after
        if start < stop:
            found.append((start, stop))
        return found

    def count(self, start: int, stop: int) -> int:
        """How many numbers of a range are in the set."""
        return sum([after - first for first, after in self.inside(start, stop)])
