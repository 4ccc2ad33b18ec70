"""A broker process with messages that wait in a delayed exchange, killed and stopped."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import amqp
import pytest

from tests.harness.process import BrokerProcess, running_broker

DELAY = 2.0
PATIENCE = 20.0
# The journal counts whole milliseconds.
CLOCKS = 0.005


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[BrokerProcess]:
    with running_broker(tmp_path, tmp_path / "data") as broker:
        yield broker


@contextmanager
def channel(broker: BrokerProcess) -> Iterator[Any]:
    """A channel in confirm mode; the connection is dropped at the end, whether its broker is there or not."""
    connection = amqp.Connection(f"{broker.host}:{broker.port}", confirm_publish=True, heartbeat=0)
    connection.connect()
    try:
        yield connection.channel()
    finally:
        connection.collect()


def declare(opened: Any) -> None:
    opened.exchange_declare(
        "later", "x-delayed-message", durable=True, auto_delete=False, arguments={"x-delayed-type": "direct"}
    )
    opened.queue_declare("q", durable=True, auto_delete=False)
    opened.queue_bind("q", "later", "k")


def publish(opened: Any, body: str, seconds: float) -> None:
    """Publish and see it confirmed."""
    headers = {"x-delay": int(seconds * 1000)}
    opened.basic_publish(amqp.Message(body, delivery_mode=2, application_headers=headers), "later", "k")


def arrived(opened: Any, count: int) -> list[tuple[str, bool]]:
    """The next messages that arrive, acknowledged: bodies, and whether they were redelivered."""
    found: list[tuple[str, bool]] = []
    deadline = time.monotonic() + PATIENCE
    while len(found) < count:
        assert time.monotonic() < deadline, found
        message = opened.basic_get("q")
        if message is None:
            time.sleep(0.02)
        else:
            opened.basic_ack(message.delivery_tag)
            found.append((message.body, message.delivery_info["redelivered"]))
    return found


@pytest.mark.parametrize("kill", [False, True])
def test_a_confirmed_message_arrives_once_after_its_delay_though_the_broker_ends_meanwhile(
    broker: BrokerProcess, kill: bool
) -> None:
    with channel(broker) as opened:
        declare(opened)
        began = time.time()
        publish(opened, "second", DELAY)
        publish(opened, "first", DELAY / 2)
    if kill:
        broker.kill()
    else:
        assert broker.stop() == 0
    broker.start()
    with channel(broker) as opened:
        # Neither had been delivered before.
        assert arrived(opened, 1) == [("first", False)]
        assert time.time() > began + DELAY / 2 - CLOCKS
        assert arrived(opened, 1) == [("second", False)]
        assert time.time() > began + DELAY - CLOCKS
        # When this is confirmed, the acknowledgements are on disk.
        publish(opened, "later", 0.1)
        broker.kill()
    broker.start()
    with channel(broker) as opened:
        assert [body for body, _ in arrived(opened, 1)] == ["later"]
        assert opened.basic_get("q") is None


def test_what_became_due_while_the_broker_was_away_arrives_in_order(broker: BrokerProcess) -> None:
    with channel(broker) as opened:
        declare(opened)
        for number in range(50):
            publish(opened, str(number), DELAY)
        broker.kill()
    time.sleep(DELAY)
    broker.start()
    with channel(broker) as opened:
        assert [body for body, _ in arrived(opened, 50)] == [str(number) for number in range(50)]
        assert opened.basic_get("q") is None
