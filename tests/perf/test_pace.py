"""Schedules: how many are due when, as plain arithmetic."""

from math import inf

import pytest

from amq.perf.load import Phase
from amq.perf.pace import LOOK, NO_LIMIT, Course, Pace


def sent(pace: Pace, moments: list[float]) -> list[int]:
    """How many go at each moment, when all that are due go."""
    counts = []
    for moment in moments:
        counts.append(pace.due(moment))
        pace.took(counts[-1])
    return counts


def test_a_steady_rate_is_smooth() -> None:
    counts = sent(Pace(Course(5000), 0.1), [n / 1000 for n in range(1001)])
    assert max(counts) <= 6
    assert abs(sum(counts) - 5000) <= 2


@pytest.mark.parametrize("rate", [3, 200, 7777])
def test_moments_that_come_late_do_not_change_the_average(rate: float) -> None:
    moments = [n * 0.0113 for n in range(1000)]
    assert abs(sum(sent(Pace(Course(rate), 0.1), moments)) - rate * moments[-1]) <= 2


def test_several_take_turns() -> None:
    paces = [Pace(Course(10), 0.1, place / 4) for place in range(4)]
    moments = [n * 0.005 for n in range(100)]
    together = [sum(counts) for counts in zip(*(sent(pace, moments) for pace in paces), strict=True)]
    assert max(together) == 1
    assert 19 <= sum(together) <= 21


def test_who_was_held_up_makes_up_for_a_part_of_it_only() -> None:
    pace = Pace(Course(1000), 0.1)
    assert sent(pace, [0, 10, 10.0015]) == [1, 101, 1]


def test_who_had_nothing_to_do_is_not_late() -> None:
    pace = Pace(Course(1000), 0.1)
    pace.due(10)
    pace.rest()
    assert pace.due(10) == 1


def test_it_says_how_late_the_first_is_that_is_due() -> None:
    pace = Pace(Course(100), 1e9)
    assert sent(pace, [0]) == [1]
    assert pace.due(2) == 200
    assert pace.late() == pytest.approx(1.99)
    pace.took(100)
    assert pace.late() == pytest.approx(0.99)
    assert pace.step(0.05) == 5
    assert pace.step(0.001) == 1


def test_no_rate_is_no_limit_and_a_rate_of_zero_a_pause() -> None:
    assert sent(Pace(Course(inf), 0.1), [0, 1]) == [NO_LIMIT, NO_LIMIT]
    pause = Pace(Course(0), 0.1)
    assert sent(pause, [0, 1, 2]) == [0, 0, 0]
    assert pause.wait() == LOOK


def test_the_wait_is_until_the_next_is_due() -> None:
    pace = Pace(Course(100), 0.1)
    pace.due(0)
    pace.took(1)
    assert pace.wait() == pytest.approx(0.01)
    pace.due(0.004)
    assert pace.wait() == pytest.approx(0.006)


def test_a_pause_leaves_nothing_to_make_up_for() -> None:
    pace = Pace(Course(0, [Phase(0, 0.25), Phase(1000, 0.25)]), 0.1)
    assert pace.due(0) == 0
    moment, count = 0.0, 0
    while moment < 0.5:
        moment += pace.wait() + 0.0001
        due = pace.due(moment)
        pace.took(due)
        count += due
    assert 245 <= count <= 252


def test_phases_follow_each_other_and_begin_again() -> None:
    course = Course(1, [Phase(10, 2), Phase(20, 1)])
    assert [course.at(seconds) for seconds in (0, 1.9, 2, 2.9, 3, 5, 300)] == [10, 10, 20, 20, 10, 20, 10]


def test_it_is_known_when_a_phase_ends() -> None:
    course = Course(1, [Phase(10, 2), Phase(20, 1)])
    assert [course.left(seconds) for seconds in (0, 1.5, 2, 2.5, 3)] == [2, 0.5, 1, 0.5, 2]
    assert Course(1).left(5) == inf


def test_without_phases_it_is_always_the_same() -> None:
    assert Course(7).at(1e9) == 7
