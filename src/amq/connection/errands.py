"""Methods that concern very many deliveries at once: done in slices, while their connection handles nothing more.

What a slice does to the next deliveries in order is what the method would do to them by itself; only what goes back to
its queues is held there until the last of it has come, or it would be handed out in a wrong order.
"""

from typing import Final

from amq.chores import SLICE, Chore
from amq.connection import ledger as deliveries
from amq.connection.ledger import Ledger, Subscriber
from amq.connection.session import Session
from amq.queues.base import Queue

# Deliveries that are settled in one go.
MANY: Final = SLICE


class Errand(Chore):
    """The rest of a method about the deliveries of a channel up to a tag. `answer` is said when it is `done`.

    It goes on when the connection has gone: what a client has said counts.
    """

    __slots__ = ("session", "ledger", "tag", "answer", "done")

    def __init__(self, session: Session, ledger: Ledger, tag: int) -> None:
        self.session = session
        self.ledger = ledger
        self.tag = tag
        self.answer: bytes = b""
        self.done: bool = False

    def start(self) -> None:
        """Have it done; the connection waits."""
        self.session.errand = self
        self.session.vhost.agenda.chores.add(self)

    def slice(self) -> bool:
        self.step(self.ledger.some(self.tag, SLICE))
        if self.ledger.lowest <= self.tag:
            return False
        self.last()
        self.done = True
        session = self.session
        if session.errand is self:
            session.errand = None
            if self.answer:
                session.outbox.put(self.answer)
            session.outbox.client.go_on()
        return True

    def step(self, taken: list[deliveries.Delivery]) -> None:
        """Do it to these deliveries."""
        raise NotImplementedError

    def last(self) -> None:
        """All of them have been seen to."""


class Acknowledging(Errand):
    """basic.ack."""

    __slots__ = ()

    def step(self, taken: list[deliveries.Delivery]) -> None:
        deliveries.settle(taken)
        self.ledger.release(taken)


class Rejecting(Errand):
    """basic.nack without requeue."""

    __slots__ = ()

    def step(self, taken: list[deliveries.Delivery]) -> None:
        deliveries.refuse(taken)
        self.ledger.tally.given_back += len(taken)
        self.ledger.release(taken)


class Returning(Errand):
    """basic.nack with requeue, basic.recover."""

    __slots__ = ("held", "credits")

    def __init__(self, session: Session, ledger: Ledger, tag: int) -> None:
        super().__init__(session, ledger, tag)
        # Queues that hand out nothing meanwhile, and how much room consumers have afterwards.
        self.held: dict[Queue, None] = {}
        self.credits: dict[Subscriber, int] = {}

    def step(self, taken: list[deliveries.Delivery]) -> None:
        held = self.held
        credits = self.credits
        for consumer, queue, _, _, _, _ in taken:
            if queue not in held:
                held[queue] = None
                queue.hold()
            if consumer is not None:
                credits[consumer] = credits.get(consumer, 0) + 1
        deliveries.put_back(taken)
        self.ledger.tally.given_back += len(taken)

    def last(self) -> None:
        for queue in self.held:
            queue.let_go()
        self.ledger.give_room(self.credits)


class Leaving(Returning):
    """The end of a channel: everything goes back, once an `errand` that is under way is through."""

    __slots__ = ("errand",)

    def __init__(self, session: Session, ledger: Ledger, errand: Errand | None) -> None:
        super().__init__(session, ledger, ledger.next_tag - 1)
        self.errand = errand

    def begin(self) -> None:
        """Have it done; what it finds in its first slice is held at once."""
        self.session.vhost.agenda.chores.begin(self)

    def await_end(self, answer: bytes) -> None:
        """Have the connection wait for it, and say that afterwards."""
        self.answer = answer
        self.session.errand = self

    def slice(self) -> bool:
        return (self.errand is None or self.errand.done) and super().slice()

    def last(self) -> None:
        for queue in self.held:
            queue.let_go()
