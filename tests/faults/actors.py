"""Clients that publish, consume, commit, purge and delete at random, each in a thread with a seed of its own.

An actor opens a session, works for a while, ends the session in good order or by dropping it, and begins anew; a broker
that is killed meanwhile is waited for. What it did and saw is in the history.
"""

from __future__ import annotations

import random
import threading
import time
from typing import Final

import attrs

from tests.faults.client import Address, Gone
from tests.faults.history import Complaint, History, Outcome
from tests.faults.session import Delivery, Session

# Octets of bodies; the large ones are rare, they are most of the traffic anyway.
SIZES: Final = (0, 1, 19, 20, 100, 100, 100, 1_000, 1_000, 1_000, 5_000, 5_000, 20_000, 102_400)
# One in so many settlements is followed by a mark, which proves that it is on disk.
MARK_EVERY: Final = 40


@attrs.frozen
class Route:
    """Where a publisher publishes to, and the queues that get it. Times are the longest, in ms; 0: none."""

    queues: tuple[str, ...]
    exchange: str = ""
    priorities: int = 0
    expiration: int = 0
    delay: int = 0


class Actor(threading.Thread):
    """The frame that all actors work in. `failure` is what one stumbled over itself, which is a bug of the test."""

    def __init__(self, name: str, address: Address, history: History, seed: str) -> None:
        super().__init__(name=name, daemon=True)
        self.address = address
        self.history = history
        self.rng = random.Random(f"{seed}/{name}")
        self.failure: BaseException | None = None
        self._finishing = threading.Event()
        self._until = 0.0

    def finish(self) -> None:
        """Ask it to come to an end."""
        self._finishing.set()

    def run(self) -> None:
        """Session after session."""
        try:
            while not self._finishing.is_set():
                if self.history.up:
                    self._attempt()
                else:
                    time.sleep(0.005)
        except BaseException as error:
            self.failure = error
            raise

    def work(self, session: Session) -> None:
        """What this actor does in a session while it `goes_on`."""
        raise NotImplementedError

    def goes_on(self) -> bool:
        """Whether the session has some time left."""
        return time.monotonic() < self._until and not self._finishing.is_set()

    def pause(self, longest: float) -> None:
        """Sleep at random for up to so many seconds."""
        time.sleep(self.rng.uniform(0, longest))

    def size(self) -> int:
        """Octets for a body."""
        return self.rng.choice(SIZES)

    def _attempt(self) -> None:
        life, session = self.history.life, None
        self._until = time.monotonic() + self.rng.uniform(0.2, 2.5)
        try:
            session = Session(self.address, self.name, self.history)
            self.work(session)
            if self.rng.random() < 0.5:
                session.close()
        except Gone as gone:
            if self.history.life == life:
                self.history.add(Complaint(session.name if session else self.name, f"{gone} {gone.said}".strip()))
                time.sleep(0.2)
        finally:
            if session:
                session.drop()


class Publisher(Actor):
    """Publishes to random routes, with confirms, and never has more than a window of messages unconfirmed."""

    def __init__(
        self,
        name: str,
        address: Address,
        history: History,
        seed: str,
        routes: tuple[Route, ...],
        sizes: tuple[int, ...] = SIZES,
    ) -> None:
        super().__init__(name, address, history, seed)
        self.routes = routes
        self.sizes = sizes

    def work(self, session: Session) -> None:
        session.confirm()
        window = self.rng.choice((1, 20, 200))
        while self.goes_on():
            route = self.rng.choice(self.routes)
            for _ in range(self.rng.randint(1, 20)):
                session.publish(
                    route.queues,
                    exchange=route.exchange,
                    size=self.rng.choice(self.sizes),
                    persistent=self.rng.random() < 0.93,
                    priority=self.rng.randint(0, route.priorities),
                    expiration=self.rng.randint(1, route.expiration) if route.expiration else 0,
                    delay=self.rng.randint(1, route.delay) if route.delay else 0,
                )
                session.wait_for_confirms(window - 1)
            session.listen(0)
            self.pause(0.02)
        if self.rng.random() < 0.7:
            session.wait_for_confirms()


class Consumer(Actor):
    """Takes from one queue; acknowledges one by one, many at once or late, and gives some back.

    `alone`: it waits until the queue has no other consumer. `rejects`: the share of messages that become dead letters.
    `marks`: it publishes some, and is blocked with the publishers on a full disk.
    """

    def __init__(
        self,
        name: str,
        address: Address,
        history: History,
        seed: str,
        queue: str,
        *,
        alone: bool = False,
        rejects: float = 0.0,
        marks: bool = True,
    ) -> None:
        super().__init__(name, address, history, seed)
        self.queue = queue
        self.alone = alone
        self.rejects = rejects
        self.marks = marks

    def work(self, session: Session) -> None:
        while self.alone and self._others(session):
            time.sleep(0.01)
        if not self.goes_on():
            return
        style = self.rng.choice((self._single, self._single, self._multiple, self._late, self._requeue))
        session.consume(self.queue, self.rng.choice((1, 10, 100)))
        while self.goes_on():
            deliveries = session.listen(0.05)
            if deliveries:
                style(session, deliveries)
            self.pause(0.005)
        if self.rng.random() < 0.3 and session.outstanding:
            session.settle(list(session.outstanding.values())[-1], multiple=True)

    def _others(self, session: Session) -> bool:
        found = session.count(self.queue)
        return self.goes_on() and found is not None and found[1] > 0

    def _single(self, session: Session, deliveries: list[Delivery]) -> None:
        for delivery in deliveries:
            self._settle(session, delivery, "reject" if self.rng.random() < self.rejects else "ack")

    def _multiple(self, session: Session, deliveries: list[Delivery]) -> None:
        self._settle(session, deliveries[-1], "reject" if self.rng.random() < self.rejects else "ack", multiple=True)

    def _late(self, session: Session, deliveries: list[Delivery]) -> None:
        """Keep what came for a while: half the time nothing is acknowledged."""
        if self.rng.random() < 0.5:
            self._multiple(session, deliveries)

    def _requeue(self, session: Session, deliveries: list[Delivery]) -> None:
        for delivery in deliveries:
            if self.rng.random() < 0.2:
                self._settle(session, delivery, "requeue")
            else:
                self._single(session, [delivery])

    def _settle(self, session: Session, delivery: Delivery, outcome: Outcome, *, multiple: bool = False) -> None:
        session.settle(delivery, outcome, multiple=multiple)
        if self.marks and self.rng.randrange(MARK_EVERY) == 0:
            session.mark()


class Getter(Actor):
    """Takes single messages with basic.get now and then, and leaves most of them."""

    def __init__(self, name: str, address: Address, history: History, seed: str, queue: str) -> None:
        super().__init__(name, address, history, seed)
        self.queue = queue

    def work(self, session: Session) -> None:
        while self.goes_on():
            delivery = session.get(self.queue)
            outcome = self.rng.choice((None, "ack", "ack", "requeue"))
            if delivery and outcome:
                session.settle(delivery, "requeue" if outcome == "requeue" else "ack")
            self.pause(0.05)


class Committer(Actor):
    """Publishes to several queues in transactions, and takes some of them back."""

    def __init__(self, name: str, address: Address, history: History, seed: str, queues: tuple[str, ...]) -> None:
        super().__init__(name, address, history, seed)
        self.queues = queues

    def work(self, session: Session) -> None:
        session.select_transactions()
        while self.goes_on():
            tx = f"{session.name}/{len(self.history.events)}"
            for _ in range(self.rng.randint(1, 8)):
                session.publish([self.rng.choice(self.queues)], size=self.size(), tx=tx)
            choice = self.rng.random()
            if choice < 0.85:
                session.commit(tx)
            elif choice < 0.97:
                session.rollback(tx)
            else:
                return
            self.pause(0.03)


class Mover(Actor):
    """Moves messages from one queue to another: publish and acknowledgement are one transaction."""

    def __init__(self, name: str, address: Address, history: History, seed: str, source: str, target: str) -> None:
        super().__init__(name, address, history, seed)
        self.source = source
        self.target = target

    def work(self, session: Session) -> None:
        session.select_transactions()
        session.consume(self.source, 20)
        while self.goes_on():
            deliveries = session.listen(0.05)
            while deliveries:
                some, deliveries = deliveries[:3], deliveries[3:]
                tx = f"{session.name}/{len(self.history.events)}"
                for delivery in some:
                    session.publish([self.target], size=self.size(), tx=tx)
                    session.settle(delivery, tx=tx)
                if self.rng.random() < 0.03:
                    session.rollback(tx)
                    return
                session.commit(tx)
            self.pause(0.02)


class Purger(Actor):
    """The only user of a queue: fills it, takes a little, purges it."""

    def __init__(self, name: str, address: Address, history: History, seed: str, queue: str) -> None:
        super().__init__(name, address, history, seed)
        self.queue = queue

    def work(self, session: Session) -> None:
        session.confirm()
        while self.goes_on():
            for _ in range(self.rng.randint(1, 15)):
                session.publish([self.queue], size=self.size())
            session.wait_for_confirms()
            for _ in range(self.rng.randint(0, 3)):
                delivery = session.get(self.queue)
                if delivery:
                    session.settle(delivery)
            if self.rng.random() < 0.6:
                session.purge(self.queue)
            self.pause(0.1)
