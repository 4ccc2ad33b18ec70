"""The histogram: exact ends, percentiles within 1/32, bounded memory."""

import random

from amq.perf.histogram import LONGEST, Histogram, bucket


def test_a_bucket_ends_at_most_a_thirty_second_above_what_is_counted_in_it() -> None:
    edges = {1 << power for power in range(42)}
    for us in {each + offset for each in edges for offset in (-1, 0, 1)} | {12_345, 999_999}:
        assert us <= bucket(us) <= us + us / 32


def test_buckets_are_few_whatever_is_counted() -> None:
    edges = {bucket(us) for power in range(42) for us in range(1 << power, 2 << power, max(1, (1 << power) >> 6))}
    assert len(edges) <= 42 * 32


def test_the_upper_edge_of_a_bucket_belongs_to_it() -> None:
    assert all(bucket(bucket(us)) == bucket(us) for us in range(10_000))


def test_percentiles_are_never_too_small_and_at_most_a_thirty_second_too_large() -> None:
    dice = random.Random(5)
    values = sorted(int(dice.expovariate(1e-4)) for _ in range(5000))
    histogram = Histogram()
    for us in values:
        histogram.add(us)
    for share in (0.01, 0.5, 0.75, 0.95, 0.99, 0.999, 1.0):
        exact = values[max(0, -(-int(share * 5000 * 1000) // 1000) - 1)]
        assert exact <= histogram.percentile(share) <= exact * 33 / 32 + 1


def test_count_sum_and_ends_are_exact() -> None:
    histogram = Histogram()
    histogram.add(1001, 3)
    histogram.add(77_777)
    assert (histogram.count, histogram.total, histogram.min, histogram.max) == (4, 80_780, 1001, 77_777)
    assert histogram.mean == 20_195
    assert histogram.percentile(1) == 77_777


def test_nothing_counted_is_all_zeros() -> None:
    histogram = Histogram()
    assert (histogram.percentile(0.5), histogram.mean, histogram.buckets()) == (0, 0.0, [])


def test_what_is_out_of_range_counts_as_the_nearest_end() -> None:
    histogram = Histogram()
    histogram.add(-5)
    histogram.add(LONGEST * 4)
    assert (histogram.min, histogram.max, histogram.count) == (0, LONGEST, 2)


def test_merging_is_the_same_as_counting_into_one() -> None:
    dice = random.Random(7)
    parts = [Histogram() for _ in range(4)]
    whole = Histogram()
    for _ in range(3000):
        us, count = dice.randrange(1 << dice.randrange(1, 40)), dice.randrange(1, 9)
        dice.choice(parts[:3]).add(us, count)
        whole.add(us, count)
    merged = Histogram()
    for part in parts:
        merged.merge(part)
    assert merged == whole
    assert merged != parts[0]


def test_it_is_the_same_again_from_its_buckets() -> None:
    histogram = Histogram()
    for us in (0, 63, 64, 65, 1000, 10**9):
        histogram.add(us, us + 1)
    again = Histogram.of(histogram.buckets(), histogram.min, histogram.max, histogram.total)
    assert again == histogram
