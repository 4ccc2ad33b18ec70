"""What one object's counts were, for a while."""

from hypothesis import given
from hypothesis import strategies as st

from amq.metrics.history import BASIC, GLOBAL, History

MANY = 1 << 30
SECOND = 1000


def test_a_value_is_that_of_the_last_row_before_the_moment() -> None:
    history = History((0, 0), BASIC)
    history.put(10_000, (1, 5), MANY)
    history.put(30_000, (2, 5), MANY)
    assert history.at([31_000, 30_000, 29_999, 10_000, 9_999]) == [(2, 5), (2, 5), (1, 5), (1, 5), (0, 0)]
    assert (history.before, history.last, history.changed) == ((1, 5), (2, 5), 30_000)


def test_ten_minutes_are_kept_to_the_second_and_an_hour_to_the_minute() -> None:
    history = History((0,), BASIC)
    for second in range(0, 2 * 3600, 5):
        history.put(second * SECOND, (second,), MANY)
    last = 7195
    assert history.at([(last - 600) * SECOND, (last - 333) * SECOND]) == [(last - 600,), (6860,)]
    for past in (700, 1800, 3500):
        [(value,)] = history.at([(last - past) * SECOND])
        assert last - past - 60 <= value <= last - past
    assert len(history.levels[0]) == 2 * 122
    assert len(history.levels[1]) <= 2 * 63


def test_a_day_is_kept_of_what_is_wanted_for_a_day() -> None:
    history = History((0,), GLOBAL)
    for minute in range(3 * 24 * 60):
        history.put(minute * 60 * SECOND, (minute,), MANY)
    last = 3 * 24 * 60 - 1
    for past in (9 * 60, 23 * 60):
        [(value,)] = history.at([(last - past) * 60 * SECOND])
        assert last - past - 30 <= value <= last - past
    assert sum(len(level) for level in history.levels) // 2 < 12 + 63 + 51 + 52


def test_the_last_row_stays_whatever_its_age() -> None:
    history = History((0,), BASIC)
    history.put(0, (1,), MANY)
    history.put(5_000, (2,), MANY)
    later = 7 * 24 * 3600 * SECOND
    assert history.due == 5_000 + 605_000
    history.forget(later, MANY)
    assert history.due == float("inf")
    assert history.at([later]) == [(2,)]
    assert len(history.levels[0]) == 2


def test_with_little_room_the_young_rows_thin_out_early_and_the_latest_stay() -> None:
    history = History((0,), BASIC)
    for second in range(0, 300, 5):
        history.put(second * SECOND, (second,), 3)
    assert len(history.levels[0]) == 2 * 3
    assert history.at([295 * SECOND, 285 * SECOND, 130 * SECOND]) == [(295,), (285,), (115,)]


def test_a_history_that_starts_anew_knows_what_is_true_now() -> None:
    history = History((0,), GLOBAL)
    for minute in range(100):
        history.put(minute * 60 * SECOND, (minute,), MANY)
    history.restart()
    now = 99 * 60 * SECOND
    assert history.at([now + 5000, now, now - 1]) == [(99,), (99,), (0,)]
    assert (history.before, history.last) == ((99,), (99,))
    assert history.octets() == 16


@given(st.lists(st.tuples(st.integers(1, 40_000), st.integers(-(10**12), 10**12)), min_size=1, max_size=60))
def test_within_ten_minutes_history_is_exact(steps: list[tuple[int, int]]) -> None:
    history = History((0,), BASIC)
    now = 1_700_000_000_000
    said = []
    for pause, value in steps:
        now += pause
        said.append((now, value))
        history.put(now, (value,), MANY)
    moments = [moment for moment in range(now - 600_000, now, 7_000) if moment >= said[0][0]]
    assert history.at(moments) == [([value for when, value in said if when <= moment][-1],) for moment in moments]
