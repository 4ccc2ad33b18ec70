"""A broker's figures as Prometheus fetches them: asked over ASGI, read with prometheus_client's own parser."""

from collections.abc import Iterator

import httpx
from prometheus_client.parser import text_string_to_metric_families

from amq.metrics.facts import Process
from amq.metrics.journal import JournalStatistics
from amq.metrics.objects import Source
from amq.metrics.prometheus import Exposition
from tests.metrics.build import BEGAN, Watched

Series = dict[str, list[tuple[dict[str, str], float]]]


def exposition_of(seen: Watched, per_object: bool = False) -> Exposition:
    process = Process(seen.broker, BEGAN, lambda: 1 << 26, lambda: 1 << 30, lambda: 50_000_000, now=seen.clock)
    seen.sampler.measure = process.measure
    journal = JournalStatistics()
    journal.note(0.003, 10, 5000)
    source = Source(seen.sampler, lambda: process.measure(12, 1), "amq@here", BEGAN, journal)
    return Exposition(source, per_object=per_object)


def client_of(app: Exposition) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, client=("127.0.0.1", 50_000))
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")


async def fetch(app: Exposition, path: str) -> str:
    async with client_of(app) as client:
        answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return answer.text


async def scrape(app: Exposition, path: str = "/metrics") -> Series:
    """Samples by the name that queries use, each with its labels and its value."""
    return series(await fetch(app, path))


def series(text: str) -> Series:
    found: Series = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def types(text: str) -> Iterator[tuple[str, str]]:
    """Name and type of each figure that is announced."""
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            yield name, kind
