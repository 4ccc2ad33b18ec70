"""What clients did and saw while a broker was killed under them, in the order in which it happened.

An event is written down before its request is sent and after its answer is heard, so an effect never stands before its
cause. Whether all this was right is the matter of the checker.
"""

from __future__ import annotations

import itertools
import json
import threading
import time
from pathlib import Path
from typing import Final, Literal

import attrs

Outcome = Literal["ack", "reject", "requeue"]


@attrs.frozen
class Event:
    """Something that happened; `at` is seconds on the monotonic clock."""

    at: float = attrs.field(factory=time.monotonic, kw_only=True)


@attrs.frozen
class Opened(Event):
    """A connection is about to be dialled, in the broker's life of that number (0 before the first fault)."""

    connection: str
    life: int


@attrs.frozen
class Publish(Event):
    """A message is about to be sent; `queues` are those that must get a copy, `tx` the transaction it is part of."""

    connection: str
    message: str
    queues: tuple[str, ...]
    tx: str = ""


@attrs.frozen
class Confirm(Event):
    """The broker confirmed the message, or refused it (`refused`)."""

    message: str
    refused: bool = False


@attrs.frozen
class Consume(Event):
    """The connection is about to ask for messages of the queue, by basic.consume or basic.get."""

    connection: str
    queue: str


@attrs.frozen
class Deliver(Event):
    """A message came out of a queue; `intact` tells whether body and properties are those that its name demands."""

    connection: str
    queue: str
    message: str
    redelivered: bool
    intact: bool = True


@attrs.frozen
class Settle(Event):
    """An acknowledgement, a reject without or one with requeue is about to be sent for one message."""

    connection: str
    queue: str
    message: str
    outcome: Outcome
    tx: str = ""


@attrs.frozen
class Barrier(Event):
    """What the connection had sent before event number `covers` was processed; on disk too where `durable`."""

    connection: str
    covers: int
    durable: bool


@attrs.frozen
class Ended(Event):
    """The connection is over, or about to be dropped by its client."""

    connection: str


@attrs.frozen
class Transaction(Event):
    """A step of a transaction: `commit` is about to be sent, `committed` and `rolled back` were heard."""

    tx: str
    step: Literal["commit", "committed", "rolled back"]


@attrs.frozen
class Declared(Event):
    """A durable queue is there, so said the broker. What else is known of it serves the checker.

    `ordered`: it never has two consumers at a time. `dead_letter_to`: the queue that its dead letters reach.
    `expires`: messages may go there by themselves. `priorities`: it has some.
    `indirect`: its messages have been elsewhere in the broker before, as dead letters have.
    """

    queue: str
    ordered: bool = False
    dead_letter_to: str = ""
    expires: bool = False
    priorities: bool = False
    indirect: bool = False


@attrs.frozen
class Emptied(Event):
    """A queue is about to be purged or deleted, or the broker said that this is done (`ok`)."""

    connection: str
    queue: str
    how: Literal["purge", "delete"]
    ok: bool = False


@attrs.frozen
class Seen(Event):
    """Whether a durable entity (`queue q`, `binding x -> q`) is there, and whether it must be; None: either will do."""

    entity: str
    there: bool
    expected: bool | None


@attrs.frozen
class Fault(Event):
    """The broker is about to be killed (SIGKILL) or stopped (SIGTERM): its life is over."""

    kind: Literal["kill", "stop"]


@attrs.frozen
class Draining(Event):
    """The load is over, the broker is well: what is in the queues from here on comes out without disturbance."""


@attrs.frozen
class Complaint(Event):
    """The broker closed a connection or a channel although nobody disturbed it."""

    connection: str
    text: str


class History:
    """The events of a run. Any thread may add to it.

    `life` is the number of faults so far, `up` whether the broker is there since the last. A connection belongs to one
    life: what is heard on it was said in that life, however late a busy machine lets its client read it.
    """

    def __init__(self) -> None:
        self.events: Final[list[Event]] = []
        self.life = 0
        self.up = True
        self._lock = threading.Lock()
        self._connections = itertools.count(1)

    def add(self, event: Event) -> int:
        """Write down an event; returns a number greater than its own and those of all before it."""
        self.events.append(event)
        return len(self.events)

    def fault(self, kind: Literal["kill", "stop"]) -> None:
        """Write down that this life of the broker ends."""
        with self._lock:
            self.add(Fault(kind))
            self.life += 1
            self.up = False

    def opened(self, actor: str) -> tuple[str, int]:
        """Write down a new connection; returns its name, which no other has, and the life that it belongs to."""
        with self._lock:
            name = f"{actor}.{next(self._connections)}"
            self.add(Opened(name, self.life))
            return name, self.life

    def save(self, path: Path) -> None:
        """Write one JSON object per event."""
        with path.open("w") as file:
            for number, event in enumerate(self.events):
                json.dump({"n": number, "event": type(event).__name__, **attrs.asdict(event)}, file)
                file.write("\n")
