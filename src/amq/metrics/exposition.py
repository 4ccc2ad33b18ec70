"""Figures in Prometheus' text format.

What there are few series of goes through prometheus_client. A series per queue, channel and connection does not: that
library puts a whole answer together in one go, which takes a second for ten thousand queues. Those lines are written
here, in slices.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Final

import attrs
from prometheus_client import generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from amq.metrics.families import CLUSTER, GROUPS, Figure
from amq.metrics.node_figures import alarms, global_counters, identity, journal, memory_figures, process, totals
from amq.metrics.objects import Labels, Source, protocols
from amq.metrics.slices import Slices
from amq.metrics.values import READERS, lasting

PREFIX: Final = "rabbitmq_"
DETAILED: Final = "rabbitmq_detailed_"
CLUSTER_PREFIX: Final = "rabbitmq_cluster_"
# The same figures as another group has, or too many of them where there is no series per object.
ONLY_DETAILED: Final = frozenset({"queue_consumer_count"})
ONLY_PER_OBJECT: Final = frozenset({"auth_attempt_detailed_metrics"})
# Figures that mean nothing when they are summed up.
NEVER_SUMMED: Final = frozenset({"queue_head_message_timestamp", "stream_segments"})
# Lines that are put together without a pause.
AT_ONCE: Final = 1000
_ESCAPED: Final = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})

Parts = AsyncIterator[bytes]


@attrs.frozen
class Gathered(Collector):
    """Metrics that were put together beforehand."""

    metrics: Sequence[Metric]

    def collect(self) -> Iterable[Metric]:
        """The metrics."""
        return self.metrics


async def aggregated(source: Source) -> Parts:
    """/metrics: one series for all objects of a kind."""
    yield generate_latest(Gathered(alarms(source)))
    for group, figures in GROUPS.items():
        if group not in ONLY_DETAILED and group not in ONLY_PER_OBJECT:
            yield generate_latest(Gathered(await _together(source, group, figures)))
    for metrics in (totals(source), global_counters(source), journal(source), process(source)):
        yield generate_latest(Gathered(metrics))
    yield generate_latest(Gathered(identity(source, "aggregated")))


async def per_object(source: Source) -> Parts:
    """/metrics/per-object: series of their own for each queue, exchange, channel and connection."""
    yield generate_latest(Gathered(alarms(source)))
    for group in GROUPS:
        if group not in ONLY_DETAILED:
            async for part in _apart(source, group, PREFIX, None):
                yield part
    for metrics in (totals(source), global_counters(source), journal(source), process(source)):
        yield generate_latest(Gathered(metrics))
    yield generate_latest(Gathered(identity(source, "per-object")))


async def detailed(source: Source, families: Iterable[str], vhosts: frozenset[str] | None) -> Parts:
    """/metrics/detailed: those groups that are asked for, of objects in those vhosts."""
    wanted = set(families)
    if "queue_metrics" in wanted:
        wanted.discard("queue_consumer_count")
    for groups, prefix in ((GROUPS, DETAILED), (CLUSTER, CLUSTER_PREFIX)):
        for group in groups:
            if group in wanted:
                async for part in _apart(source, group, prefix, vhosts):
                    yield part
    yield generate_latest(Gathered(identity(source, "detailed")))


async def memory_breakdown(source: Source) -> Parts:
    """/metrics/memory-breakdown: what the memory is used for."""
    yield generate_latest(Gathered(await memory_figures(source)))
    yield generate_latest(Gathered(identity(source, "memory-breakdown")))


async def _together(source: Source, group: str, figures: Sequence[Figure]) -> list[Metric]:
    """A group summed up, but for what has labels that are few."""
    metrics = [metric(figure, PREFIX) for figure in figures]
    known = [lasting(source, figure.name) for figure in figures]
    if None not in known or group not in READERS:
        add(metrics, (), known)
        return metrics
    sums = await _sums(source, group, [None if figure.name in NEVER_SUMMED else 0 for figure in figures])
    for labels, summed in sums.items():
        add(metrics, labels, [later if total is None else total for total, later in zip(known, summed, strict=True)])
    return metrics


async def _sums(source: Source, group: str, nothing: list[int | None]) -> dict[Labels, list[float | None]]:
    objects, read = READERS[group]
    # Of protocols there are few; of queues there may be many.
    few = objects is protocols
    sums: dict[Labels, list[float | None]] = {} if few else {(): list(nothing)}
    slices = Slices()
    for labels, found in objects(source, None):
        into = sums.setdefault(labels if few else (), list(nothing))
        for place, value in enumerate(read(source, found)):
            before = into[place]
            if value is not None and before is not None:
                into[place] = before + value
        await slices.breathe()
    return sums


async def _apart(source: Source, group: str, prefix: str, vhosts: frozenset[str] | None) -> Parts:
    """A group with the series of each object."""
    figures = GROUPS.get(group) or CLUSTER[group]
    lines: list[list[str]] = [[] for _ in figures]
    names = [prefix + figure.name for figure in figures]
    if group in READERS:
        objects, read = READERS[group]
        slices = Slices()
        for labels, found in objects(source, vhosts):
            written = written_labels(labels)
            for place, value in enumerate(read(source, found)):
                if value is not None:
                    lines[place].append(f"{names[place]}{written} {value}\n")
            await slices.breathe()
    for name, figure, written_lines in zip(names, figures, lines, strict=True):
        yield f"# HELP {name} {figure.help}\n# TYPE {name} {figure.kind}\n".encode()
        for start in range(0, len(written_lines), AT_ONCE):
            yield "".join(written_lines[start : start + AT_ONCE]).encode("utf-8", "replace")
        # To free them all together would take as long as to write them.
        written_lines.clear()


def metric(figure: Figure, prefix: str) -> Metric:
    """A figure without a sample yet."""
    return Metric(prefix + figure.name.removesuffix("_total"), figure.help, figure.kind)


def add(metrics: Sequence[Metric], labels: Labels, values: Iterable[float | None]) -> None:
    """A sample for each metric that has a value."""
    for each, value in zip(metrics, values, strict=True):
        if value is not None:
            name = f"{each.name}_total" if each.type == "counter" else each.name
            each.add_sample(name, dict(labels), value)


def written_labels(labels: Labels) -> str:
    """Labels as they stand behind a name."""
    if not labels:
        return ""
    return "{" + ",".join([f'{name}="{text.translate(_ESCAPED)}"' for name, text in labels]) + "}"
