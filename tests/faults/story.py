"""Histories made by hand: what a test of the checker tells it, in a few words per step."""

from __future__ import annotations

from typing import Literal

from tests.faults.checker import check
from tests.faults.history import (
    Barrier,
    Confirm,
    Consume,
    Declared,
    Deliver,
    Draining,
    Emptied,
    Ended,
    Event,
    Fault,
    History,
    Opened,
    Outcome,
    Publish,
    Settle,
    Transaction,
)
from tests.faults.message import Name
from tests.faults.verdict import Verdict

# Seconds between two steps that follow each other at once.
STEP = 0.001


class Story:
    """Tells a history. Messages are the counters of publisher `p`; connections are opened when they are first named."""

    def __init__(self) -> None:
        self.history = History()
        self.clock = 0.0
        self.known: set[str] = set()

    def name(self, counter: int, *, persistent: bool = True, priority: int = 0) -> str:
        """The full name of a message."""
        return str(Name("p", counter, 50, persistent, priority))

    def later(self, seconds: float) -> None:
        """Let time pass."""
        self.clock += seconds

    def queue(self, queue: str, **facts: object) -> None:
        """A declared queue."""
        self._add(Declared(queue, at=self._now(), **facts))  # type: ignore[arg-type]

    def publish(self, counter: int, *queues: str, confirmed: bool = True, by: str = "p", tx: str = "") -> str:
        """A persistent message, published to these queues (`q` when there are none) and confirmed."""
        self._open(by)
        message = self.name(counter)
        self._add(Publish(by, message, queues or ("q",), tx, at=self._now()))
        if confirmed and not tx:
            self._add(Confirm(message, at=self._now()))
        return message

    def consume(self, by: str, queue: str = "q") -> None:
        """A consumer."""
        self._open(by)
        self._add(Consume(by, queue, at=self._now()))

    def deliver(
        self, message: str | int, by: str = "c", queue: str = "q", *, again: bool = False, intact: bool = True
    ) -> None:
        """A delivery; `again` is its redelivered flag."""
        self._open(by)
        self._add(Deliver(by, queue, self._full(message), again, intact, at=self._now()))

    def settle(
        self, message: str | int, outcome: Outcome = "ack", by: str = "c", queue: str = "q", tx: str = ""
    ) -> None:
        """An acknowledgement, or another answer to a delivery."""
        self._add(Settle(by, queue, self._full(message), outcome, tx, at=self._now()))

    def take(self, message: str | int, by: str = "c", queue: str = "q", *, again: bool = False) -> None:
        """A delivery and its acknowledgement."""
        self.deliver(message, by, queue, again=again)
        self.settle(message, "ack", by, queue)

    def barrier(self, by: str = "c", *, durable: bool = False) -> None:
        """The broker answered, or confirmed, something that was sent after all that is told so far."""
        self._add(Barrier(by, len(self.history.events) + 1, durable, at=self._now()))

    def end(self, by: str = "c") -> None:
        """A connection that is dropped."""
        self._add(Ended(by, at=self._now()))
        self.known.discard(by)

    def kill(self) -> None:
        """The broker is killed and started again; all connections are new after that and bear a prime."""
        self._fault("kill")

    def stop(self) -> None:
        """The broker is stopped in good order and started again."""
        self._fault("stop")

    def commit(self, tx: str, *, answered: bool = True) -> None:
        """tx.commit, and its answer."""
        self._add(Transaction(tx, "commit", at=self._now()))
        if answered:
            self._add(Transaction(tx, "committed", at=self._now()))

    def rollback(self, tx: str) -> None:
        """tx.rollback with its answer."""
        self._add(Transaction(tx, "rolled back", at=self._now()))

    def empty(self, how: Literal["purge", "delete"], queue: str = "q", *, answered: bool = True) -> None:
        """queue.purge or queue.delete, and its answer."""
        self._open("p")
        self._add(Emptied("p", queue, how, at=self._now()))
        if answered:
            self._add(Emptied("p", queue, how, ok=True, at=self._now()))

    def drain(self) -> None:
        """The rest is what is found in the end."""
        self._add(Draining(at=self._now()))

    def verdict(self) -> Verdict:
        """What the checker says."""
        return check(self.history)

    def kinds(self) -> set[str]:
        """The kinds of violations that it sees."""
        return self.verdict().kinds()

    def add(self, event: Event) -> None:
        """Any other event."""
        self._add(event)

    def _full(self, message: str | int) -> str:
        return self.name(message) if isinstance(message, int) else message

    def _now(self) -> float:
        self.clock += STEP
        return self.clock

    def _open(self, connection: str) -> None:
        if connection not in self.known:
            self.known.add(connection)
            self._add(Opened(connection, self.history.life, at=self._now()))

    def _fault(self, kind: Literal["kill", "stop"]) -> None:
        self._add(Fault(kind, at=self._now()))
        self.history.life += 1

    def _add(self, event: Event) -> None:
        self.history.add(event)


def told(*queues: str, **facts: object) -> Story:
    """A story about these queues (`q` when none is named)."""
    story = Story()
    for queue in queues or ("q",):
        story.queue(queue, **facts)
    return story
