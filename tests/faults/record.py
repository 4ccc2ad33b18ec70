"""A history put in order: each message's copies with what became of them, the lives of the broker, its transactions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

import attrs

from tests.faults.history import (
    Barrier,
    Complaint,
    Confirm,
    Consume,
    Declared,
    Deliver,
    Draining,
    Emptied,
    Ended,
    Fault,
    History,
    Opened,
    Publish,
    Seen,
    Settle,
    Transaction,
)


@attrs.define
class Copy:
    """A message in a queue: its deliveries and what was said about them, each with its number in the history."""

    queue: str
    message: str
    deliveries: list[tuple[int, Deliver]] = attrs.field(factory=list)
    settles: list[tuple[int, Settle]] = attrs.field(factory=list)


@attrs.define
class Steps:
    """A transaction: what it published and acknowledged, and how far it got."""

    life: int
    messages: list[str] = attrs.field(factory=list)
    settled: list[tuple[str, str]] = attrs.field(factory=list)
    sent: bool = False
    committed: bool = False
    rolled_back: bool = False


@attrs.define
class Emptying:
    """A purge or a deletion: when it was asked for and when it was said to be done."""

    connection: str
    how: str
    asked: int
    at: float
    done: int | None = None


class Record:
    """What the checks look things up in."""

    def __init__(self, history: History) -> None:
        self.publishes: Final[dict[str, tuple[int, Publish]]] = {}
        self.confirmed: Final[dict[str, int]] = {}
        self.refused: Final[set[str]] = set()
        self.copies: Final[dict[tuple[str, str], Copy]] = {}
        self.faults: Final[list[Fault]] = []
        self.life: Final[dict[str, int]] = {}
        self.ended: Final[dict[str, tuple[int, Ended]]] = {}
        self.barriers: Final[dict[str, list[Barrier]]] = defaultdict(list)
        self.consumers: Final[dict[str, set[str]]] = defaultdict(set)
        self.queues: Final[dict[str, Declared]] = {}
        self.emptied: Final[dict[str, list[Emptying]]] = defaultdict(list)
        self.transactions: Final[dict[str, Steps]] = {}
        self.seen: Final[list[Seen]] = []
        self.complaints: Final[list[Complaint]] = []
        self.draining: int | None = None
        # The longest time (s) that a message waited for its confirm: how busy machine and disk were.
        self.slowest = 0.0
        self.events: Final = len(history.events)
        for number, event in enumerate(history.events):
            self._take(number, event)

    def copy(self, queue: str, message: str) -> Copy:
        """The copy of this message in this queue; one of which nothing was seen where there is none."""
        return self.copies.get((queue, message)) or Copy(queue, message)

    def dead_letters(self, queue: str) -> str:
        """The queue that dead letters of this one reach; empty when there is none."""
        declared = self.queues.get(queue)
        return declared.dead_letter_to if declared else ""

    def reached(self, publish: Publish) -> set[str]:
        """Every queue that a message may show up in."""
        queues, waiting = set(), list(publish.queues)
        while waiting:
            queue = waiting.pop()
            if queue and queue not in queues:
                queues.add(queue)
                waiting.append(self.dead_letters(queue))
        return queues

    def kills(self, first: int, last: int) -> Iterator[Fault]:
        """The kills between two lives of the broker."""
        return (fault for fault in self.faults[first:last] if fault.kind == "kill")

    def fault_of(self, connection: str) -> Fault | None:
        """What ended the life of the broker that this connection was in."""
        life = self.life[connection]
        return self.faults[life] if life < len(self.faults) else None

    def was_sent(self, publish: Publish) -> bool:
        """Whether the broker may have the message: it is in no transaction, or in one whose commit was sent."""
        return not publish.tx or self.transactions[publish.tx].sent

    def was_promised(self, message: str) -> bool:
        """Whether the broker said that it has the message."""
        publish = self.publishes[message][1]
        return message in self.confirmed or bool(publish.tx and self.transactions[publish.tx].committed)

    def _take(self, number: int, event: object) -> None:
        match event:
            case Publish():
                self.publishes[event.message] = (number, event)
                if event.tx:
                    self._steps(event.tx, event.connection).messages.append(event.message)
            case Confirm(refused=False):
                self.confirmed[event.message] = number
                self.slowest = max(self.slowest, event.at - self.publishes[event.message][1].at)
            case Confirm():
                self.refused.add(event.message)
            case Deliver():
                self._copy(event.queue, event.message).deliveries.append((number, event))
            case Settle():
                self._copy(event.queue, event.message).settles.append((number, event))
                if event.tx:
                    self._steps(event.tx, event.connection).settled.append((event.queue, event.message))
            case Transaction():
                self._step(event)
            case _:
                self._take_rarer(number, event)

    def _take_rarer(self, number: int, event: object) -> None:
        match event:
            case Opened():
                self.life[event.connection] = event.life
            case Ended():
                self.ended[event.connection] = (number, event)
            case Barrier():
                self.barriers[event.connection].append(event)
            case Consume():
                self.consumers[event.queue].add(event.connection)
            case Declared():
                self.queues[event.queue] = event
            case Emptied():
                self._emptied(number, event)
            case Fault():
                self.faults.append(event)
            case Seen():
                self.seen.append(event)
            case Complaint():
                self.complaints.append(event)
            case Draining():
                self.draining = number

    def _copy(self, queue: str, message: str) -> Copy:
        return self.copies.setdefault((queue, message), Copy(queue, message))

    def _steps(self, tx: str, connection: str) -> Steps:
        return self.transactions.setdefault(tx, Steps(self.life[connection]))

    def _step(self, event: Transaction) -> None:
        steps = self.transactions[event.tx]
        steps.sent |= event.step == "commit"
        steps.committed |= event.step == "committed"
        steps.rolled_back |= event.step == "rolled back"

    def _emptied(self, number: int, event: Emptied) -> None:
        if event.ok:
            self.emptied[event.queue][-1].done = number
        else:
            self.emptied[event.queue].append(Emptying(event.connection, event.how, number, event.at))
