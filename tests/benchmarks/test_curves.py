"""The cost curves: what is sent is what is meant, exponents are those of the data, and a short run works."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
NAMES = ("curve_load", "curve_kinds", "curve_report")


@pytest.fixture(scope="module")
def modules() -> Iterator[dict[str, ModuleType]]:
    """The benchmark's modules; they are scripts that find each other beside them."""
    before = set(sys.modules)
    sys.path.insert(0, str(BENCHMARKS))
    try:
        yield {name: __import__(name) for name in NAMES}
    finally:
        sys.path.remove(str(BENCHMARKS))
        for name in set(sys.modules) - before:
            if str(BENCHMARKS) in str(getattr(sys.modules[name], "__file__", "")):
                del sys.modules[name]


def curve(modules: dict[str, ModuleType], name: str, **columns: list[tuple[float, float]]) -> object:
    points: dict[float, dict[str, float]] = {}
    for quantity, column in columns.items():
        for x, value in column:
            points.setdefault(x, {"x": x})[quantity] = value
    kind = modules["curve_kinds"].KINDS[name]
    return modules["curve_report"].Curve(name, kind, {"amq": list(points.values())})


def test_an_exponent_is_the_power_with_which_a_cost_grows(modules: dict[str, ModuleType]) -> None:
    slope = modules["curve_report"].slope
    assert slope([(x, 5 * x**1.5) for x in (1, 10, 100, 1000)]) == pytest.approx(1.5)
    assert slope([(1, 7), (10, 7), (100, 7)]) == pytest.approx(0)
    assert slope([(1, 1)]) is None


def test_each_quantity_has_a_cost_of_its_own(modules: dict[str, ModuleType]) -> None:
    xs = [10.0**power for power in range(6)]
    per_message = curve(modules, "size", rate=[(x, 1e6 / x) for x in xs])
    assert per_message.exponent("amq", "rate") == pytest.approx(1)
    of_all = curve(modules, "backlog", rate=[(x, 1e5) for x in xs], drained=[(x, 1e5 / x) for x in xs])
    assert of_all.exponent("amq", "rate") == pytest.approx(1)
    assert of_all.exponent("amq", "drained") == pytest.approx(2)
    beside = curve(modules, "bindings", rate=[(x, 1e5) for x in xs], made=[(x, 1e4) for x in xs])
    assert beside.exponent("amq", "rate") == pytest.approx(0)
    assert beside.exponent("amq", "made") == pytest.approx(1)
    assert "no worse than linear" in beside.growth("amq", "made")
    assert "WORSE THAN LINEAR" in of_all.growth("amq", "drained")


def test_memory_counts_beyond_that_of_the_first_point(modules: dict[str, ModuleType]) -> None:
    growing = curve(modules, "bindings", memory=[(x, 5e7 + 300 * (x - 1)) for x in (1, 1e3, 1e5, 1e6, 1e7)])
    assert growing.exponent("amq", "memory") == pytest.approx(1, abs=0.01)
    flat = curve(modules, "bindings", memory=[(x, 5e7) for x in (1, 1e3, 1e6)])
    assert flat.exponent("amq", "memory") is None


@pytest.mark.parametrize(("keys", "channels", "count"), [(1, 1, 1000), (7, 1, 10_000), (1, 9, 10_000), (3, 5, 20)])
def test_keys_and_channels_are_used_equally_often(
    modules: dict[str, ModuleType], keys: int, channels: int, count: int
) -> None:
    load = modules["curve_load"]
    flow = load.Flow("q", count, keys=[f"k{number}" for number in range(keys)], channels=channels)
    made = load.blocks(flow)
    octets = b"".join(block for block, _ in made)
    assert sum(messages for _, messages in made) % max(keys, channels) == 0
    per_key = {octets.count(b"\2k%d\0" % number) for number in range(keys)}
    per_channel = {octets.count(b"\1\0%c\0\0\0" % number) for number in range(1, channels + 1)}
    assert max(per_key) - min(per_key) <= 1 and max(per_channel) - min(per_channel) <= 1


def test_a_long_body_is_cut_into_frames_of_the_negotiated_size(modules: dict[str, ModuleType]) -> None:
    load = modules["curve_load"]
    content = load._content(1, 300_000)
    assert len(content) == 22 + 300_000 + 3 * 8
    assert len(load._content(1, 0)) == 22


def test_a_short_run_leaves_numbers_and_plots(tmp_path: Path) -> None:
    command = [sys.executable, BENCHMARKS / "curves.py", "--quick", "--without-rabbitmq", "--folder", tmp_path]
    run = subprocess.run([*command, "--only", "backlog,channels,bindings"], capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    for name, quantities in {
        "backlog": {"rate", "memory"},
        "channels": {"rate", "made", "memory"},
        "bindings": {"rate", "made", "memory"},
    }.items():
        numbers = json.loads((tmp_path / f"curve-{name}.json").read_text())
        points = numbers["brokers"]["amq"]
        assert len(points) >= 2 and all(point.keys() == {"x", *quantities} for point in points)
        assert all(value > 0 for point in points for value in point.values())
        for quantity in quantities:
            ElementTree.parse(tmp_path / f"curve-{name}-{quantity}.svg")
    assert "amq" in run.stdout and "linear" in run.stdout
    plot = tmp_path / "curve-backlog-rate.svg"
    drawn = plot.read_text()
    plot.unlink()
    again = subprocess.run([*command, "--draw"], capture_output=True, text=True, timeout=60)
    assert again.returncode == 0 and plot.read_text() == drawn
