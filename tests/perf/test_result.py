"""The result's document: complete, readable again, without a password; and few intervals however long a run goes."""

import json

import pytest

from amq.perf import result
from amq.perf.histogram import Histogram
from amq.perf.load import Load, Phase, address
from amq.perf.result import Interval, Result, ResultError, thinned


def latencies(*values: int) -> Histogram:
    histogram = Histogram()
    for us in values:
        histogram.add(us)
    return histogram


def some_result() -> Result:
    load = Load(
        addresses=(address("amqps://me:secret@[::1]:9999/a%2Fb"),),
        queues=("a", "b"),
        rates=(Phase(100, 5),),
        queue_arguments={"x-max-length": 5},
    )
    intervals = tuple(
        Interval(at=n + 1.0, seconds=1.0, published=10 * n, consumed=n, blocked=n == 1, confirm_latency=latencies(n))
        for n in range(3)
    )
    return Result(
        load=load,
        product="amq",
        version="1",
        started=1e9,
        seconds=3.0,
        publishing_seconds=2.0,
        consuming_seconds=3.0,
        published=30,
        consumed=3,
        consumer_latency=latencies(5, 500, 50_000),
        intervals=intervals,
        errors=("it broke",),
    )


def test_the_document_is_json_and_the_result_comes_out_of_it_again() -> None:
    made = some_result()
    read = Result.from_document(json.loads(json.dumps(made.document())))
    assert read.document() == made.document()
    assert read.intervals == made.intervals
    assert read.consumer_latency == made.consumer_latency
    assert read.load.rates == made.load.rates


def test_no_password_is_in_the_document() -> None:
    text = json.dumps(some_result().document())
    assert "secret" not in text
    assert "amqps://[::1]:9999/a%2Fb" in text


def test_rates_are_taken_over_the_time_in_which_something_went() -> None:
    made = some_result()
    assert made.rate("published") == 15
    assert made.rate("consumed") == 1
    assert made.document()["published_messages_per_second"] == 15


@pytest.mark.parametrize("wrong", [None, [], {}, {"schema": 99}, {"schema": 1}, {"schema": 1, "load": {"id": 5}}])
def test_what_is_no_result_is_refused(wrong: object) -> None:
    with pytest.raises(ResultError, match="no result of amq perf"):
        Result.from_document(wrong)


@pytest.mark.parametrize("count", [result.MOST_INTERVALS, result.MOST_INTERVALS + 1])
def test_too_many_intervals_are_put_together_in_pairs_and_nothing_is_lost(count: int) -> None:
    many = [Interval(at=n + 1.0, seconds=1.0, published=n, confirm_latency=latencies(n)) for n in range(count)]
    fewer = thinned(many)
    assert len(fewer) == (count + 1) // 2
    assert sum(each.published for each in fewer) == sum(range(count))
    assert sum(each.confirm_latency.count for each in fewer) == count
    assert sum(each.seconds for each in fewer) == fewer[-1].at == count


def test_few_intervals_stay_as_they_are() -> None:
    few = [Interval(at=1.0, seconds=1.0)]
    assert thinned(few) is few
