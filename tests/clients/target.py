"""What a test knows about the server under test: where it is, which names are its own, and how to look at it.

The looking is done by an operator, a plain py-amqp channel beside the client that is tested.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import amqp
import attrs

from tests.harness.process import POLL_SECONDS


@attrs.frozen
class Address:
    """Where a server listens; guest/guest on vhost `/` is its user."""

    host: str
    port: int

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@{self.host}:{self.port}/%2F"


@contextmanager
def operator(address: Address) -> Iterator[amqp.Channel]:
    """A channel of someone who declares, looks and tidies up."""
    with amqp.Connection(f"{address.host}:{address.port}", heartbeat=0, connect_timeout=10) as connection:
        yield connection.channel()


def await_state(reached: Callable[[], bool]) -> None:
    """Look again and again, for 10 s at most, until the state is reached."""
    deadline = time.monotonic() + 10.0
    while not reached():
        assert time.monotonic() < deadline, "the expected state was never reached"
        time.sleep(POLL_SECONDS)


@attrs.define
class Names:
    """Hands out names of queues and exchanges that no other test uses."""

    address: Address
    prefix: str = attrs.field(factory=lambda: f"clients.{uuid.uuid4().hex[:12]}")
    taken: list[str] = attrs.field(factory=list)

    def __call__(self, purpose: str) -> str:
        name = f"{self.prefix}.{purpose}"
        self.taken.append(name)
        return name

    def delete_all(self) -> None:
        """Delete from the server what goes by a name that was handed out."""
        with operator(self.address) as channel:
            for name in self.taken:
                channel.queue_delete(name)
                channel.exchange_delete(name)
