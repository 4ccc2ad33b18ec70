"""Durable queues, bindings and exchanges that come and go: what a broker says is there must be there after a crash."""

from __future__ import annotations

from typing import Final

import attrs

from tests.faults.actors import Actor
from tests.faults.client import Address, Gone
from tests.faults.history import Declared, History, Seen
from tests.faults.session import Session

EXCHANGE: Final = "churn"
QUEUES: Final = 4


@attrs.define
class Life:
    """What is known of a queue name. None is what a crash left open; `number` counts the queues that had the name."""

    name: str
    number: int = 0
    there: bool | None = False
    bound: bool | None = False

    @property
    def queue(self) -> str:
        """The name of the present queue in the history: a queue that is declared anew is another one."""
        return f"{self.name}#{self.number}"


class Churner(Actor):
    """The only user of some queue names and of one exchange that comes and goes."""

    def __init__(self, name: str, address: Address, history: History, seed: str) -> None:
        super().__init__(name, address, history, seed)
        self.lives = [Life(f"{name}.{number}") for number in range(QUEUES)]
        self.exchange = f"{name}.exchange"
        self.exchange_there: bool | None = False

    def queues(self) -> list[str]:
        """The queues that are there at the end, to be drained."""
        return [life.queue for life in self.lives if life.there]

    def work(self, session: Session) -> None:
        session.confirm()
        self.look(session)
        while self.goes_on():
            self._step(session, self.rng.choice(self.lives))
            if self.rng.random() < 0.1:
                self._toggle_exchange(session)
            self.pause(0.05)

    def look(self, session: Session) -> None:
        """See what is there of what must be; what a crash left open is cleared away."""
        self._look_for_exchange(session)
        for life in self.lives:
            if life.there is not None and life.bound is not None:
                self._look_for_queue(session, life)
            else:
                life.there, life.bound = None, None
                session.delete(life.queue)
                life.there, life.bound = False, False

    def _look_for_queue(self, session: Session, life: Life) -> None:
        there = session.count(life.queue) is not None
        self.history.add(Seen(f"queue {life.queue}", there, life.there))
        if there:
            queues = [life.queue] if life.bound else []
            message = session.publish(queues, exchange=EXCHANGE, routing_key=life.name, mandatory=True)
            session.wait_for_confirms()
            bound = message not in session.returned
            self.history.add(Seen(f"binding {EXCHANGE} -> {life.queue}", bound, life.bound))

    def _look_for_exchange(self, session: Session) -> None:
        there = _exists(session, self.exchange)
        self.history.add(Seen(f"exchange {self.exchange}", there, self.exchange_there))
        self.exchange_there = there

    def _toggle_exchange(self, session: Session) -> None:
        there, self.exchange_there = bool(self.exchange_there), None
        if there:
            session.client.call(1, "exchange.delete", exchange=self.exchange)
        else:
            session.client.call(1, "exchange.declare", exchange=self.exchange, type="topic", durable=True)
        self.exchange_there = not there

    def _step(self, session: Session, life: Life) -> None:
        if not life.there:
            self._declare(session, life)
            return
        choice = self.rng.random()
        if choice < 0.15:
            life.there, life.bound = None, None
            session.delete(life.queue)
            life.there, life.bound = False, False
        elif choice < 0.4:
            self._toggle_binding(session, life)
        elif choice < 0.9:
            for _ in range(self.rng.randint(1, 5)):
                session.publish([life.queue], size=self.size())
            session.wait_for_confirms()
        else:
            delivery = session.get(life.queue)
            if delivery:
                session.settle(delivery)

    def _declare(self, session: Session, life: Life) -> None:
        life.there, life.number = None, life.number + 1
        session.client.call(1, "queue.declare", queue=life.name, durable=True)
        self.history.add(Declared(life.queue, ordered=True))
        life.there = True

    def _toggle_binding(self, session: Session, life: Life) -> None:
        bound, life.bound = bool(life.bound), None
        verb = "queue.unbind" if bound else "queue.bind"
        session.client.call(1, verb, queue=life.name, exchange=EXCHANGE, routing_key=life.name)
        life.bound = not bound


def _exists(session: Session, exchange: str) -> bool:
    """Whether there is such an exchange."""
    session.client.call(4, "channel.open")
    session.client.send(4, "exchange.declare", exchange=exchange, passive=True)
    try:
        session.client.answer(4, "exchange.declare-ok")
    except Gone as gone:
        if not gone.said.startswith("404 "):
            raise
        session.client.send(4, "channel.close-ok")
        return False
    session.client.call(4, "channel.close", reply_code=200)
    return True
