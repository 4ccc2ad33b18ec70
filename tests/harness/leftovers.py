"""pika connections that a test leaves open are closed after it."""

import contextlib
from collections.abc import Iterator

import pika


@contextlib.contextmanager
def closed_afterwards() -> Iterator[list[pika.BlockingConnection]]:
    """A list for connections; those in it are closed at the end of the block."""
    opened: list[pika.BlockingConnection] = []
    yield opened
    for connection in opened:
        # The broker may have closed it, or be gone; pika learns that here at the latest and closes its sockets.
        with contextlib.suppress(pika.exceptions.AMQPError):
            connection.close()
