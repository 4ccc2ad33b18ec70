"""Microbenchmarks of the core: nanoseconds per message, per key or per record.

    make bench-micro                                            # all, about half a minute
    .venv/bin/pytest benchmarks/micro --assert=plain -k topic   # some

Each measures a piece of work on COUNT things at once, over and over, and shows the best and the middle time for one of
them. Without `--assert=plain` pytest rewrites the core's assertions, which then cost some nanoseconds more. Times
depend on the machine and on what else it does: to hold a change to what was before it, see tests/guard.
"""

from collections.abc import Callable, Iterator

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

ROUNDS = 100
WARM = 5

PerItem = Callable[..., None]
Row = tuple[str, float, float]
ROWS = pytest.StashKey[list[Row]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[ROWS] = []


@pytest.fixture
def per_item(benchmark: BenchmarkFixture, request: pytest.FixtureRequest) -> Iterator[PerItem]:
    """Measures `work`, which does something to `count` things; before each time `prepare` makes its arguments."""
    counts: list[int] = []

    def measure(
        work: Callable[..., object], count: int, prepare: Callable[[], tuple[object, ...]] | None = None
    ) -> None:
        counts.append(count)
        benchmark.extra_info["count"] = count
        setup = None if prepare is None else lambda: (prepare(), {})
        benchmark.pedantic(work, setup=setup, rounds=ROUNDS, warmup_rounds=WARM)

    yield measure
    if benchmark.stats is not None:
        best, middle = benchmark.stats.stats.min / counts[0] * 1e9, benchmark.stats.stats.median / counts[0] * 1e9
        benchmark.extra_info["ns"] = {"best": round(best, 1), "median": round(middle, 1)}
        request.config.stash[ROWS].append((request.node.nodeid.removeprefix("benchmarks/micro/"), best, middle))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    rows = config.stash[ROWS]
    if rows:
        terminalreporter.write_line(f"{'ns each':<86}{'best':>10}{'median':>10}")
    for name, best, middle in rows:
        terminalreporter.write_line(f"{name:<86}{best:>10,.0f}{middle:>10,.0f}")
