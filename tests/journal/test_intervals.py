"""Sets of numbers as ranges, against sets of numbers."""

from array import array
from random import Random

from amq.journal.intervals import Intervals


def numbers(ranges: list[tuple[int, int]]) -> set[int]:
    return {number for start, stop in ranges for number in range(start, stop)}


def test_it_holds_what_was_added_and_says_which_part_of_a_range_that_is() -> None:
    for seed in range(200):
        random = Random(seed)
        intervals = Intervals()
        plain: set[int] = set()
        for _ in range(random.randrange(20)):
            start = random.randrange(60)
            stop = start + random.randint(1, 6)
            intervals.add(start, stop)
            plain |= set(range(start, stop))
            assert numbers(list(zip(intervals.starts, intervals.stops, strict=True))) == plain
            assert all(stop < start for stop, start in zip(intervals.stops, intervals.starts[1:], strict=False)), (
                "ranges that touch are one"
            )
        for _ in range(20):
            start = random.randrange(70)
            stop = start + random.randrange(20)
            within = set(range(start, stop))
            assert numbers(intervals.inside(start, stop)) == within & plain
            assert numbers(intervals.outside(start, stop)) == within - plain
            assert intervals.count(start, stop) == len(within & plain)
            assert intervals.has(start) == (start in plain)


def test_numbers_are_added_as_ranges_or_as_they_come() -> None:
    intervals = Intervals()
    intervals.add_all(array("Q", [5, 3, 4, 9]))
    intervals.add_all(range(6, 8))
    assert (intervals.starts, intervals.stops) == ([3, 9], [8, 10])


def test_numbers_in_a_row_take_no_more_room_than_one() -> None:
    intervals = Intervals()
    for number in range(10_000):
        intervals.add(number, number + 1)
    assert (intervals.starts, intervals.stops) == ([0], [10_000])
