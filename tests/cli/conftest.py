"""pika as the client of broker processes; whatever a test leaves open is closed after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pika
import pytest

from tests.harness.leftovers import closed_afterwards

SECONDS = 20

Connect = Callable[..., pika.BlockingConnection]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Opens connections to a port of 127.0.0.1, or of another host that is named."""
    with closed_afterwards() as opened:

        def connect(port: int, host: str = "127.0.0.1") -> pika.BlockingConnection:
            connection = pika.BlockingConnection(
                pika.ConnectionParameters(host, port, heartbeat=0, stack_timeout=SECONDS)
            )
            opened.append(connection)
            return connection

        yield connect
