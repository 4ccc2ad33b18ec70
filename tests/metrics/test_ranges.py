"""Sample windows as requests ask for them."""

import pytest

from amq.metrics.ranges import NO_RANGES, Range, Ranges, ranges_of


def test_each_kind_of_figure_has_its_window() -> None:
    query = {
        "lengths_age": "60",
        "lengths_incr": "5",
        "msg_rates_age": "600",
        "msg_rates_incr": "10",
        "data_rates_age": "1",
        "data_rates_incr": "1",
        "node_stats_age": "5",
        "node_stats_incr": "60",
    }
    assert ranges_of(query) == Ranges(Range(60, 5), Range(600, 10), Range(1, 1), Range(5, 60))


def test_an_age_without_an_increment_asks_for_nothing() -> None:
    assert ranges_of({"lengths_age": "60"}) == NO_RANGES
    assert ranges_of({"lengths_incr": "60", "columns": "name"}) == NO_RANGES
    assert ranges_of({}) == NO_RANGES


@pytest.mark.parametrize("text", ["", "x", "-5", "1.5", "0", " 5", "٣", "1e3", "9" * 30])
def test_what_is_no_number_of_seconds_is_refused_with_its_name(text: str) -> None:
    with pytest.raises(ValueError, match="msg_rates_incr must be a whole number of seconds"):
        ranges_of({"msg_rates_age": "60", "msg_rates_incr": text})


def test_more_samples_than_anybody_draws_are_refused() -> None:
    with pytest.raises(ValueError, match="lengths_age=86400 and lengths_incr=1 are 86401 samples, over 1000"):
        ranges_of({"lengths_age": "86400", "lengths_incr": "1"})


def test_moments_are_multiples_of_the_increment_with_the_latest_first() -> None:
    assert Range(15, 5).moments(1_700_000_003_999) == [
        1_700_000_000_000,
        1_699_999_995_000,
        1_699_999_990_000,
        1_699_999_985_000,
    ]
    assert Range(1, 5).moments(12_000) == [10_000]
