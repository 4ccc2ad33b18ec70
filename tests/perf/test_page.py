"""The report of loads as one file of HTML."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from amq.perf.charts import bars, charts, percentile_points
from amq.perf.load import Load, Phase, address
from amq.perf.page import names, page
from amq.perf.result import Result
from tests.perf.runs import histogram, interval, result

HOSTILE = """</style></title></svg><script>alert(1)</script><img src=x onerror=alert(1)>"'&\x00"""
VOID = {"meta"}


class Read(HTMLParser):
    """Elements in order, the text of each cell, and whether everything that was opened is closed."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self.open: list[str] = []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        elif tag in {"td", "th"}:
            self.rows[-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in {"td", "th"}:
            self.rows[-1][-1] += data

    def row(self, head: str) -> list[str]:
        [found] = [row[1:] for row in self.rows if row[0] == head]
        return found


def titles(*results: Result) -> list[str]:
    return [chart.title for chart in charts(list(zip(names(results), results, strict=True)))]


def test_a_run_shows_its_broker_its_rates_and_its_totals() -> None:
    read = Read(page([result()]))
    assert read.row("broker") == ["RabbitMQ 3.10.8"]
    assert read.row("published, messages/s") == ["100"] and read.row("consumed, messages/s") == ["90"]
    assert read.row("published") == ["300"] and read.row("consumed") == ["270"]
    assert read.row("held up by the broker (blocked)") == ["1 s"]


def test_latencies_are_shown_by_percentiles() -> None:
    latency = histogram(*[1000] * 990, *[20_000] * 9, 5_000_000)
    read = Read(page([result(consumer_latency=latency)]))
    assert [read.row(name)[0][:2] for name in ("least", "p50", "p99", "p99.9", "most")] == [
        "1 ",
        "1.",
        "1.",
        "20",
        "5 ",
    ]


def test_what_was_not_measured_is_not_shown() -> None:
    source = page([result()])
    assert "confirm" not in source.split("Options")[0]
    assert "What went wrong" not in source
    nothing = result(published=0, consumed=0, consumer_latency=histogram(), intervals=())
    assert "<svg" not in page([nothing])


def test_runs_stand_beside_each_other_with_their_ratio() -> None:
    first, second = result(Load(id="amq")), result(Load(id="rabbit"), published=150)
    read = Read(page([first, second]))
    assert read.row("published, messages/s") == ["100 (1.00 ×)", "50 (0.50 ×)"]
    assert titles(first, second)[:4] == [
        "Published over time",
        "Consumed over time",
        "Latency from publishing to consuming: median over time",
        "Latency from publishing to consuming: p99 over time",
    ]


def test_one_run_has_its_figures_together_in_a_chart() -> None:
    confirmed = result(confirmed=300, confirm_latency=histogram(50, 70))
    assert titles(confirmed) == [
        "Rates over time",
        "Latency from publishing to consuming, over time",
        "Latency from publishing to consuming: how often",
        "Latency from publishing to consuming: percentiles",
        "Latency from publishing to the confirmation, over time",
        "Latency from publishing to the confirmation: how often",
        "Latency from publishing to the confirmation: percentiles",
    ]


def test_runs_are_told_apart_by_the_shortest_that_differs() -> None:
    one, two = result(Load(id="one")), result(Load(id="two"))
    assert names([one, two]) == ["one", "two"]
    assert names([result(), result(product="amq", version="1")]) == ["RabbitMQ 3.10.8", "amq 1"]
    assert names([result(), result(), result(product="amq", version="1")]) == [
        "test on RabbitMQ 3.10.8, 1",
        "test on RabbitMQ 3.10.8, 2",
        "test on amq 1",
    ]


def test_what_was_asked_for_stands_above_the_defaults() -> None:
    load = Load(
        addresses=(address("amqp://me:secret@host/v"),),
        queues=tuple(f"q{number}" for number in range(30)),
        sizes=(Phase(16, 10), Phase(1024, 30)),
        queue_arguments={"x-max-length": 10},
        persistent=True,
    )
    source = page([result(load)])
    read = Read(source)
    assert read.row("addresses") == ["amqp://host:5672/v"] and "secret" not in source
    assert read.row("queues")[0].endswith("q9 and 20 more")
    assert read.row("sizes") == ["16 for 10 s, 1,024 for 30 s"]
    assert read.row("queue arguments") == ['{"x-max-length": 10}']
    asked, folded = source.split("<details>")
    assert "persistent" in asked and "persistent" not in folded and "requeue" in folded


def test_names_that_others_gave_are_text() -> None:
    load = Load(id=HOSTILE, queues=(HOSTILE,), exchange=HOSTILE, queue_arguments={HOSTILE: HOSTILE})
    hostile = result(load, product=HOSTILE, version=HOSTILE, errors=(HOSTILE,))
    for results in ([hostile], [hostile, result()], [hostile, hostile]):
        source = page(results)
        tags = {tag for tag, _ in Read(source).elements}
        assert not tags & {"script", "img"}
        assert not any(name.startswith("on") for _, attrs in Read(source).elements for name in attrs)
        assert "\x00" not in source


def test_a_product_with_an_endless_name_does_not_fill_the_report() -> None:
    assert page([result(product="x" * 100_000)]).count("x" * 200) == 0


def test_a_report_needs_nothing_from_elsewhere_and_its_policy_allows_nothing_else() -> None:
    source = page([result()])
    policy = next(
        attrs["content"] or ""
        for _, attrs in Read(source).elements
        if attrs.get("http-equiv") == "Content-Security-Policy"
    )
    [style] = re.findall(r"<style>(.*?)</style>", source, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    for _, attrs in Read(source).elements:
        assert not attrs.keys() & {"src", "href", "style", "xlink:href"}
    assert "url(" not in source and "@import" not in source


def test_ids_of_a_page_are_unlike_each_other() -> None:
    ids = [attrs["id"] for _, attrs in Read(page([result(), result()])).elements if "id" in attrs]
    assert len(ids) == len(set(ids)) > 4


def test_a_histogram_adds_up_to_all_messages() -> None:
    drawn = bars(histogram(*range(1, 1000), 1_000_000))
    assert sum(share or 0 for _, share in drawn) == pytest.approx(100)
    begins = [begin for begin, _ in drawn]
    assert begins == sorted(begins) and begins[0] < 1e-6 and begins[-1] > 1.0


def test_percentiles_rise_from_the_fastest_to_the_slowest() -> None:
    points = percentile_points(histogram(*[10] * 90, *[50] * 9, 5000))
    assert points == [(1.0, 10e-6), (pytest.approx(10), 50e-6), (pytest.approx(100), 5e-3), (100.0, 5e-3)]


def test_a_run_of_days_is_drawn_with_as_many_points_as_can_be_seen() -> None:
    days = result(intervals=tuple(interval(float(at)) for at in range(1, 1900)))
    assert all(len(series.points) <= 400 for chart in charts([("days", days)]) for series in chart.series)


def test_a_run_without_confirms_is_not_beside_those_that_have_them() -> None:
    confirmed = result(Load(id="with"), confirmed=300, confirm_latency=histogram(50))
    drawn = charts([("with", confirmed), ("without", result())])
    assert [[series.name for series in chart.series] for chart in drawn if chart.title.startswith("Confirmed")] == [
        ["with"]
    ]
