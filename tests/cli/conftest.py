"""pika as the client of broker processes; whatever a test leaves open is closed after it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import pika
import pytest

SECONDS = 20

Connect = Callable[..., pika.BlockingConnection]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Opens connections to a port of 127.0.0.1, or of another host that is named."""
    opened: list[pika.BlockingConnection] = []

    def connect(port: int, host: str = "127.0.0.1") -> pika.BlockingConnection:
        connection = pika.BlockingConnection(pika.ConnectionParameters(host, port, heartbeat=0, stack_timeout=SECONDS))
        opened.append(connection)
        return connection

    yield connect
    for connection in opened:
        # The broker may have closed it, or be gone; pika learns that here at the latest and closes its sockets.
        with contextlib.suppress(pika.exceptions.AMQPError):
            connection.close()
