"""Flower, the console of Celery: it asks the HTTP API how long the queues are."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import attrs
import httpx
import kombu
import pytest
from celery import Celery

from tests.clients.target import await_state
from tests.harness.process import BrokerProcess, free_port, wait_for_port

SECONDS = 30.0


@attrs.frozen
class Flower:
    """A Flower that runs, and the broker that it looks at."""

    url: str
    broker: BrokerProcess

    def lengths(self) -> dict[str, int]:
        """Messages in each queue, as Flower tells them."""
        answer = httpx.get(f"{self.url}/api/queues/length", timeout=SECONDS).raise_for_status().json()
        return {queue["name"]: queue["messages"] for queue in answer["active_queues"]}


@pytest.fixture(scope="module")
def flower(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flower]:
    """Flower in a process of its own."""
    folder: Path = tmp_path_factory.mktemp("flower")
    broker = BrokerProcess(folder, management=True)
    broker.start()
    port = free_port()
    with (folder / "flower.log").open("wb") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "celery", f"--broker=amqp://guest:guest@127.0.0.1:{broker.port}/%2F", "flower"),
                *("--address=127.0.0.1", f"--port={port}"),
                f"--broker_api=http://guest:guest@127.0.0.1:{broker.http_port}/api/",
            ],
            cwd=folder,
            env={**os.environ, "FLOWER_UNAUTHENTICATED_API": "true"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        assert wait_for_port("127.0.0.1", port, SECONDS), (folder / "flower.log").read_text()
        yield Flower(f"http://127.0.0.1:{port}", broker)
        assert "management API call failed" not in (folder / "flower.log").read_text()
    finally:
        process.kill()
        process.wait()
        broker.kill()
    assert "Traceback" not in broker.output()


def test_flower_tells_how_long_the_queues_are(flower: Flower) -> None:
    with Celery("sender", broker=f"amqp://guest:guest@{flower.broker.host}:{flower.broker.port}//") as app:
        for number in range(3):
            app.send_task("anything", args=(number,))
    kombu.pools.reset()
    await_state(lambda: flower.lengths() == {"celery": 3})
    page = httpx.get(f"{flower.url}/broker", timeout=SECONDS).raise_for_status().text
    cells = re.findall(r"<td[^>]*>(.*?)</td>", page.replace("\n", ""))
    assert [cell.strip() for cell in cells][:5] == ["celery", "3", "0", "3", "0"]
