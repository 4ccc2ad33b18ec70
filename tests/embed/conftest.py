"""pika as the client of embedded brokers; whatever a test leaves open is closed after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pika
import pytest

from amq.embed import ThreadedBroker
from tests.harness.leftovers import closed_afterwards

SECONDS = 20

Connect = Callable[[ThreadedBroker], pika.BlockingConnection]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Opens connections to a broker's vhost."""
    with closed_afterwards() as opened:

        def connect(broker: ThreadedBroker) -> pika.BlockingConnection:
            connection = pika.BlockingConnection(
                pika.URLParameters(f"{broker.url}?heartbeat=0&blocked_connection_timeout={SECONDS}")
            )
            opened.append(connection)
            return connection

        yield connect
