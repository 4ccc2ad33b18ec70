"""One client at a time, for tests of a single fault: what is in a queue, and in which state."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.faults.client import Address
from tests.faults.history import Declared, Draining, History
from tests.faults.message import Name
from tests.faults.session import Session
from tests.faults.target import Target


@contextmanager
def client(target: Target, history: History, actor: str = "client") -> Iterator[Session]:
    """A session for the block, closed in good order at its end, or dropped if the block fails."""
    opened = Session(target.address, actor, history)
    try:
        yield opened
        if not opened.over:
            opened.close()
    finally:
        opened.drop()


def declare(session: Session, queue: str, arguments: dict[str, Any] | None = None, **facts: Any) -> None:
    """A durable queue."""
    session.client.call(1, "queue.declare", queue=queue, durable=True, arguments=arguments or {})
    session.history.add(Declared(queue, **facts))


def fill(session: Session, queue: str, count: int, size: int = 100, **options: Any) -> list[str]:
    """Publish so many messages to a queue and see them confirmed; returns their names."""
    if 1 not in session.unconfirmed:
        session.confirm()
    messages = [session.publish([queue], size=size, **options) for _ in range(count)]
    session.wait_for_confirms()
    return messages


def taken(session: Session, queue: str) -> list[tuple[int, bool]]:
    """Get and acknowledge all that a queue holds: the messages' counters, and whether they said `redelivered`."""
    found = []
    while delivery := session.get(queue):
        session.settle(delivery)
        found.append((Name.parse(delivery.message).counter, delivery.redelivered))
    return found


def restarted(target: Target, history: History, *, kill: bool) -> None:
    """End the broker in one way or the other, and start it again."""
    history.fault("kill" if kill else "stop")
    if kill:
        target.kill()
    else:
        assert target.stop() == 0
    target.start()
    history.up = True


def drained(address: Address, history: History, *queues: str) -> None:
    """Take all that is left, as the end of the history."""
    session = Session(address, "drain", history)
    history.add(Draining())
    for queue in queues:
        taken(session, queue)
    session.close()
    session.drop()
