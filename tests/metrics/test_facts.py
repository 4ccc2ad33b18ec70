"""What is told of the process."""

import os
import resource
import shutil
import socket

import attrs

from amq.broker import Broker
from amq.config.settings import Settings
from amq.metrics import facts, stats
from amq.metrics.columns import NODE
from amq.metrics.facts import Facts, Process
from amq.metrics.journal import JournalStatistics
from amq.metrics.ranges import Range, Ranges
from tests.harness.machine import needs_proc
from tests.metrics.build import BEGAN, watched


def process(**options: object) -> Process:
    broker = Broker(Settings(), 0.0, BEGAN)
    known = {"resident": lambda: 1000, "mem_limit": lambda: 5000, "disk_free_limit": lambda: 60}
    return Process(broker, BEGAN, now=lambda: BEGAN + 1.5, **{**known, **options})  # type: ignore[arg-type]


def test_a_process_is_measured() -> None:
    measured = process().measure(tasks=12, runnable=3)
    assert (measured.mem_used, measured.mem_limit, measured.mem_at_start) == (1000, 5000, 1000)
    assert (measured.proc_used, measured.run_queue, measured.uptime) == (12, 3, 1500)
    assert measured.disk_free_limit == 60
    assert abs(measured.disk_free - shutil.disk_usage("/").free) < 1 << 30
    assert measured.fd_total == resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    assert measured.processors == os.cpu_count()
    assert measured.cpu_seconds > 0
    assert measured.sockets_used == 0
    assert 0 < measured.sockets_total < measured.fd_total


@needs_proc
def test_open_descriptors_are_counted() -> None:
    before = facts.descriptors()
    sockets = [socket.socket() for _ in range(20)]
    assert facts.descriptors() == before + 20
    for each in sockets:
        each.close()


def test_the_journals_work_is_told_in_rabbitmqs_terms() -> None:
    journal = JournalStatistics()
    journal.note(0.002, 10, 4096)
    journal.note(0.004, 5, 1000)
    measured = process(journal=journal).measure(0, 0)
    assert (measured.io_write_count, measured.io_write_bytes, measured.messages_written) == (2, 5096, 15)
    assert (measured.io_sync_count, measured.io_sync_avg_time) == (2, 3000)


def test_a_folder_that_is_gone_has_no_room() -> None:
    assert facts.free_space("/nowhere/at/all") == 0


def test_what_is_remembered_has_a_column() -> None:
    measured = process().measure(0, 0)
    assert len(measured.row()) == len(NODE.names)
    for name in ("mem_used", "fd_used", "sockets_used", "proc_used", "disk_free", "gc_num", "context_switches"):
        assert measured.row()[NODE.names.index(name)] == getattr(measured, name)


async def test_figures_of_the_node_have_their_samples_and_times_are_in_ms() -> None:
    seen = await watched()
    measured = process().measure(0, 0)
    uses = iter((100, 300))

    def measure(_tasks: int, _runnable: int) -> Facts:
        return attrs.evolve(measured, mem_used=next(uses), io_sync_avg_time=2500)

    seen.sampler.measure = measure
    await seen.after(5)
    await seen.after(5)
    shown = stats.node_stats(seen.sampler, Ranges(node_stats=Range(5, 5)))
    assert (shown["mem_used"], shown["mem_used_details"]["rate"]) == (300, 40.0)
    assert [each["sample"] for each in shown["mem_used_details"]["samples"]] == [300, 100]
    assert (shown["io_sync_avg_time"], shown["io_sync_avg_time_details"]["avg"]) == (2.5, 2.5)


async def test_before_the_first_round_the_node_has_figures_all_the_same() -> None:
    seen = await watched()
    assert stats.node_stats(seen.sampler)["mem_used"] == 0
    assert stats.nothing("io_seek_count", seen.sampler) == {
        "io_seek_count": 0,
        "io_seek_count_details": {"rate": 0.0},
    }
