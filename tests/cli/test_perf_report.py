"""`amq perf-report`: files that `amq perf` wrote become one page, and others are refused in a sentence."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from amq.perf.load import Load
from amq.perf.result import Result
from tests.perf.runs import result


def amq(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "amq", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def written(folder: Path, name: str, document: Any) -> Path:
    file = folder / name
    file.write_text(json.dumps(document))
    return file


def test_results_stand_beside_each_other_in_one_page(tmp_path: Path) -> None:
    results: list[Result] = [result(Load(id="ours")), result(Load(id="theirs"), published=150)]
    files = [written(tmp_path, f"{each.load.id}.json", each.document()) for each in results]
    out = tmp_path / "out.html"
    run = amq("perf-report", *files, "--html", out)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    page = out.read_text()
    assert "Load test: ours, theirs" in page and "50 (0.50 ×)" in page
    assert amq("perf-report", *files).stdout == page


@pytest.mark.parametrize(
    "change",
    [
        {"schema": 7},
        {"published_messages": "many"},
        {"started_unix_seconds": None},
        {"started_unix_seconds": 1e300},
        {"seconds": "long"},
        {"intervals": [1]},
        {"load": {}},
        {"consumer_latency": {"buckets_us_messages": [["a", "b"]], "min_us": 0, "max_us": 0, "sum_us": 0}},
    ],
    ids=str,
)
def test_what_is_no_result_is_refused_in_a_sentence(change: dict[str, Any], tmp_path: Path) -> None:
    file = written(tmp_path, "bad.json", {**result().document(), **change})
    run = amq("perf-report", file)
    assert (run.returncode, run.stdout) == (65, "")
    assert str(file) in run.stderr and "Traceback" not in run.stderr


def test_files_that_cannot_be_read_or_written_are_named(tmp_path: Path) -> None:
    missing = tmp_path / "missing.json"
    assert amq("perf-report", missing).returncode == 65
    file = written(tmp_path, "good.json", result().document())
    run = amq("perf-report", file, "--html", tmp_path / "no" / "folder.html")
    assert run.returncode == 73 and "folder.html" in run.stderr
    assert amq("perf-report").returncode == 64
