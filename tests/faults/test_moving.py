"""A broker that is killed while messages are moved: each of them is in one place afterwards, whichever that is.

AMQ_FAULT_KILLS=50 pytest tests/faults/test_moving.py
"""

from __future__ import annotations

import os
import random
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pika
import pytest

from tests.harness.process import START_SECONDS, BrokerProcess, free_port, wait_for_port

KILLS = int(os.environ.get("AMQ_FAULT_KILLS", "4"))
MESSAGES = 1500
# Hardly a message stays in memory, and the journal begins and drops files all the time.
NARROW = "journal.segment_bytes = 1MiB\nbody_memory_limit = 100kB\n"


class Mover(threading.Thread):
    """Moves messages by one request after the other until the broker is gone; `moved` counts what was answered."""

    def __init__(self, port: int, source: str, path: str, body: dict[str, Any]) -> None:
        super().__init__()
        self.port = port
        self.path = f"/api/amq/queues/%2F/{source}/{path}"
        self.body = body
        self.moved = 0
        self.requests = 0

    def run(self) -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{self.port}", auth=("guest", "guest"), timeout=20) as client:
            at: int | None = -1
            try:
                while at is not None:
                    answer = client.post(self.path, json={**self.body, "from": at}).raise_for_status().json()
                    assert answer["left"] == 0, answer
                    self.moved += answer["moved"]
                    self.requests += 1
                    at = answer["next"]
            except httpx.TransportError:
                return


def contents(process: BrokerProcess, *queues: str) -> dict[str, list[str]]:
    """What stands in the queues, in order; it stays there."""
    found: dict[str, list[str]] = {}
    with httpx.Client(base_url=f"http://127.0.0.1:{process.http_port}", auth=("guest", "guest"), timeout=20) as client:
        for name in queues:
            found[name] = []
            at: int | None = -1
            while at is not None:
                answer = client.get(
                    f"/api/amq/queues/%2F/{name}/messages", params={"from": at, "limit": 1000, "truncate": 10}
                ).raise_for_status()
                found[name] += [each["properties"]["message_id"] for each in answer.json()["messages"]]
                at = answer.json()["next"]
    return found


def start(process: BrokerProcess) -> None:
    """Start the broker, and wait until its HTTP API answers."""
    process.start()
    assert wait_for_port(process.host, process.http_port, START_SECONDS)


@pytest.fixture
def process(tmp_path: Path) -> Any:
    configuration = tmp_path / "rabbitmq.conf"
    configuration.write_text(NARROW)
    # A port that the next life has, too.
    port = {"AMQ_MANAGEMENT__TCP__PORT": str(free_port())}
    options = ("--config", str(configuration))
    process = BrokerProcess(tmp_path, data=tmp_path / "data", management=True, options=options, environment=port)
    start(process)
    yield process
    process.kill()
    assert "Traceback" not in process.output()


def fill(process: BrokerProcess, rng: random.Random) -> list[str]:
    """Publish persistent messages to queue `left`, to stay."""
    ids = [f"m{number}" for number in range(MESSAGES)]
    with closing(pika.BlockingConnection(pika.URLParameters(process.url))) as connection:
        channel = connection.channel()
        for name in ("left", "right", "third"):
            channel.queue_declare(name, durable=True)
        channel.exchange_declare("both", "fanout", durable=True)
        channel.queue_bind("right", "both")
        channel.queue_bind("third", "both")
        channel.confirm_delivery()
        headers = {"x-death": [death("right")]}
        for each in ids:
            properties = pika.BasicProperties(message_id=each, delivery_mode=2, headers=headers)
            channel.basic_publish("", "left", b"x" * rng.randrange(1000), properties)
    return ids


def death(queue: str) -> dict[str, Any]:
    return {"queue": queue, "reason": "rejected", "count": 1, "exchange": "", "routing-keys": [queue]}


def killed_while_moving(process: BrokerProcess, rng: random.Random, path: str, body: dict[str, Any]) -> Mover:
    """Kill the broker after some requests and a random moment, and start it again."""
    mover = Mover(process.http_port, "left", path, {**body, "limit": rng.choice([20, 200])})
    mover.start()
    enough = rng.randrange(4)
    while mover.is_alive() and mover.requests < enough:
        time.sleep(0.001)
    time.sleep(rng.random() * 0.05)
    process.kill()
    mover.join()
    start(process)
    return mover


@pytest.mark.parametrize("seed", range(KILLS))
def test_a_message_that_is_moved_is_neither_lost_nor_doubled_by_a_kill(process: BrokerProcess, seed: int) -> None:
    rng = random.Random(seed)
    ids = fill(process, rng)
    path, body = rng.choice([("move", {"to": {"queue": "right"}}), ("replay", {}), ("replay", {"history": "strip"})])
    answered = 0
    for _ in range(3):
        answered += killed_while_moving(process, rng, path, body).moved
        found = contents(process, "left", "right")
        assert found["right"] + found["left"] == ids
        # What was answered was on disk.
        assert len(found["right"]) >= answered
        answered = len(found["right"])


def test_a_message_that_is_moved_to_several_queues_is_in_all_of_them_or_where_it_was(process: BrokerProcess) -> None:
    rng = random.Random(7)
    ids = fill(process, rng)
    for _ in range(3):
        killed_while_moving(process, rng, "move", {"to": {"exchange": "both"}})
        found = contents(process, "left", "right", "third")
        assert found["right"] == found["third"]
        assert found["right"] + found["left"] == ids
