"""The log and its level over HTTP."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import pytest


def test_the_last_lines_have_a_number_level_and_category(api: httpx.Client) -> None:
    api.put("/amq/logs/level", json={"level": "info"})
    lines = api.get("/amq/logs").json()
    assert lines and lines == sorted(lines, key=lambda line: line["number"])
    assert set(lines[0]) == {"number", "time", "level", "category", "text"}
    last = lines[-1]["number"]
    assert api.get("/amq/logs", params={"after": last}).json() == []
    assert all(line["level"] != "info" for line in api.get("/amq/logs", params={"level": "warning"}).json())


def test_who_follows_the_log_hears_of_new_lines(api: httpx.Client) -> None:
    last = max([line["number"] for line in api.get("/amq/logs").json()], default=0)
    with api.stream("GET", "/amq/logs", params={"follow": "true", "after": last}, timeout=20) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        # A reload is logged, whatever comes of it.
        api.post("/amq/reload")
        for line in stream.iter_lines():
            if line.startswith("data:"):
                assert "configuration" in json.loads(line.removeprefix("data:"))["text"]
                break


@pytest.mark.parametrize(
    ("method", "path", "body", "reason"),
    [
        ("GET", "/amq/logs?level=loud", None, "'loud' is no level, allowed: debug, info"),
        ("GET", "/amq/logs?after=x", None, "after must be the number of a line, not 'x'"),
        ("PUT", "/amq/logs/level", {"level": "loud"}, "'loud' is no level"),
        ("PUT", "/amq/logs/level", {"level": 7}, "level must be one of debug, info"),
    ],
)
def test_what_cannot_be_is_told(api: httpx.Client, method: str, path: str, body: Any, reason: str) -> None:
    answer = api.request(method, path, json=body)
    assert (answer.status_code, answer.json()["error"]) == (400, "bad_request")
    assert reason in answer.json()["reason"]


def test_rotating_says_how_many_files_there_are(api: httpx.Client) -> None:
    assert api.post("/amq/logs/rotate").json() == {"files": 0}


@pytest.mark.parametrize(
    ("path", "body", "field", "limit"),
    [
        ("/amq/memory-high-watermark", {"absolute": "3GB"}, "mem_limit", 3_000_000_000),
        ("/amq/memory-high-watermark", {"absolute": 2**33}, "mem_limit", 2**33),
        ("/amq/disk-free-limit", {"absolute": 77_000_000}, "disk_free_limit", 77_000_000),
    ],
)
def test_thresholds_of_alarms_can_be_moved(
    api: httpx.Client, path: str, body: dict[str, Any], field: str, limit: int
) -> None:
    assert api.put(path, json=body).status_code == 204
    deadline = time.monotonic() + 20
    while api.get("/nodes").json()[0][field] != limit:
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.mark.parametrize("path", ["/amq/memory-high-watermark", "/amq/disk-free-limit"])
@pytest.mark.parametrize(
    "body", [{}, {"relative": "x"}, {"absolute": "much"}, {"absolute": -1}, {"relative": -0.5}, {"limit": 1}]
)
def test_thresholds_that_are_none_are_refused(api: httpx.Client, path: str, body: dict[str, Any]) -> None:
    answer = api.put(path, json=body)
    assert (answer.status_code, answer.json()["error"]) == (400, "bad_request")
