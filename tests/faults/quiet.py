"""One client at a time, for tests of a single fault: what is in a queue, and in which state."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from tests.faults.client import Address
from tests.faults.history import Declared, Draining, History
from tests.faults.message import Name
from tests.faults.session import Session
from tests.faults.target import Target

PATIENCE: Final = 30.0


def eventually(condition: Callable[[], object], what: str) -> None:
    """Fail unless the condition comes true in 30 s."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


@contextmanager
def client(target: Target, history: History, actor: str = "client") -> Iterator[Session]:
    """A session for the block. At its end it is closed in good order if its broker is still there, dropped if not."""
    life = history.life
    opened = Session(target.address, actor, history)
    try:
        yield opened
        if history.life == life and not opened.over:
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


def restarted(
    target: Target, history: History, *sessions: Session, kill: bool, statuses: tuple[int, ...] = (0,)
) -> None:
    """End the broker in one way or the other, and start it again.

    When it is told to stop the sessions are dropped, and it must end with one of these statuses.
    """
    history.fault("kill" if kill else "stop")
    if kill:
        target.kill()
    else:
        target.terminate()
        for session in sessions:
            session.drop()
        status = target.wait()
        assert status in statuses, f"status {status} after SIGTERM:\n{target.output()[-4000:]}"
    target.start()
    history.up = True


def empty(address: Address, history: History, queue: str) -> None:
    """Consume and acknowledge all that a queue holds and will get back from nobody."""
    session = Session(address, f"drain-{queue}", history)
    session.consume(queue, 300)

    def take() -> bool:
        session.listen(0.02)
        if session.outstanding:
            session.settle(list(session.outstanding.values())[-1], multiple=True)
            return False
        return session.count(queue) == (0, 1) and not session.listen(0)

    eventually(take, f"{queue} does not become empty")
    session.close()
    session.drop()


def drained(target: Target, history: History, *queues: str) -> None:
    """Take all that is left, as the end of the history."""
    history.add(Draining())
    for queue in queues:
        empty(target.address, history, queue)
