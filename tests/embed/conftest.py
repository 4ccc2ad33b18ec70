"""pika as the client of embedded brokers; whatever a test leaves open is closed after it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import pika
import pytest

from amq.embed import ThreadedBroker

SECONDS = 20

Connect = Callable[[ThreadedBroker], pika.BlockingConnection]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Opens connections to a broker's vhost."""
    opened: list[pika.BlockingConnection] = []

    def connect(broker: ThreadedBroker) -> pika.BlockingConnection:
        connection = pika.BlockingConnection(
            pika.URLParameters(f"{broker.url}?heartbeat=0&blocked_connection_timeout={SECONDS}")
        )
        opened.append(connection)
        return connection

    yield connect
    for connection in opened:
        # The broker may have closed it, or be gone; pika learns that here at the latest and closes its sockets.
        with contextlib.suppress(pika.exceptions.AMQPError):
            connection.close()
