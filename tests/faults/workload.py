"""The mixed load: queues of every kind, the actors that work on them, faults in between, and the drain at the end."""

from __future__ import annotations

from typing import Any, Final

from tests.faults.actors import Actor, Committer, Consumer, Getter, Mover, Publisher, Purger, Route
from tests.faults.churner import EXCHANGE, Churner
from tests.faults.client import PATIENCE, Address
from tests.faults.history import Declared, Draining, History
from tests.faults.quiet import eventually
from tests.faults.session import MARKS, Session

QUEUES: Final = (
    Declared(MARKS, ordered=True),
    Declared("plain.0", ordered=True),
    Declared("plain.1", ordered=True),
    Declared("shared"),
    Declared("fan.0", ordered=True),
    Declared("fan.1", ordered=True),
    Declared("fan.2", ordered=True),
    Declared("idle", ordered=True),
    Declared("priorities", priorities=True),
    Declared("dead.source", dead_letter_to="dead.target"),
    Declared("dead.target"),
    Declared("expiring.source", dead_letter_to="expiring.target", expires=True),
    Declared("expiring.target"),
    Declared("tx.0", ordered=True),
    Declared("tx.1", ordered=True),
    Declared("tx.2", ordered=True),
    Declared("move.source"),
    Declared("move.target", ordered=True),
    Declared("purged", ordered=True),
)
ARGUMENTS: Final[dict[str, dict[str, Any]]] = {
    "priorities": {"x-max-priority": 4},
    "dead.source": {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead.target"},
    "expiring.source": {
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": "expiring.target",
        "x-message-ttl": 300,
    },
}
FAN: Final = ("fan.0", "fan.1", "fan.2")
ROUTES: Final = (
    Route(("plain.0",)),
    Route(("plain.1",)),
    Route(("shared",)),
    Route(FAN, exchange="fan"),
    Route(("idle",)),
    Route(("priorities",), priorities=4),
    Route(("dead.source",)),
    Route(("expiring.source",), expiration=600),
    Route(("move.source",)),
)


def declare(address: Address, history: History) -> None:
    """Everything that is there from the beginning."""
    session = Session(address, "declare", history)
    for exchange, kind in (("fan", "fanout"), (EXCHANGE, "direct")):
        session.client.call(1, "exchange.declare", exchange=exchange, type=kind, durable=True)
    for declared in QUEUES:
        queue = declared.queue
        session.client.call(1, "queue.declare", queue=queue, durable=True, arguments=ARGUMENTS.get(queue, {}))
        history.add(declared)
    for queue in FAN:
        session.client.call(1, "queue.bind", queue=queue, exchange="fan")
    session.close()
    session.drop()


class Load:
    """The actors, from `start` to `finish`; `seed` decides what they do, as far as the broker lets them."""

    def __init__(self, address: Address, history: History, seed: str, *, publishers: int = 3) -> None:
        self.address = address
        self.history = history
        common = address, history, seed
        self.churner = Churner("churner", *common)
        self.actors: list[Actor] = [
            *(Publisher(f"publisher{number}", *common, routes=ROUTES) for number in range(publishers)),
            *(Consumer(f"consumer-{queue}", *common, queue, alone=True) for queue in ("plain.0", "plain.1", *FAN[:2])),
            *(Consumer(f"shared{number}", *common, "shared") for number in range(2)),
            Consumer("rejecter", *common, "dead.source", rejects=0.7),
            Consumer("undertaker", *common, "dead.target"),
            Consumer("late-one", *common, "expiring.target"),
            Getter("getter", *common, "priorities"),
            Committer("committer", *common, ("tx.0", "tx.1", "tx.2")),
            Mover("mover", *common, "move.source", "move.target"),
            Purger("purger", *common, "purged"),
            self.churner,
        ]

    def start(self) -> None:
        """Set all to work."""
        for actor in self.actors:
            actor.start()

    def finish(self) -> None:
        """Let all come to an end; raises what one of them stumbled over."""
        for actor in self.actors:
            actor.finish()
        for actor in self.actors:
            actor.join(3 * PATIENCE)
            assert not actor.is_alive(), f"{actor.name} does not end"
            if actor.failure is not None:
                raise actor.failure

    def drain(self) -> None:
        """Take everything out of all queues, when nobody else uses them."""
        drain(self.address, self.history, [*(declared.queue for declared in QUEUES), *self.churner.queues()])


def drain(address: Address, history: History, queues: list[str]) -> None:
    """Take everything out of these queues; dead letters come after those whose dead letters they are."""
    session = Session(address, "drain", history)
    for queue in queues:
        eventually(lambda queue=queue: _consumers(session, queue) == 0, f"{queue} keeps consumers")  # type: ignore[misc]
    if "expiring.source" in queues:
        eventually(lambda: session.count("expiring.source") == (0, 0), "what expires stays")
    history.add(Draining())
    for queue in queues:
        if session.count(queue) is not None:
            _empty(address, history, queue)
    session.close()
    session.drop()


def _empty(address: Address, history: History, queue: str) -> None:
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


def _consumers(session: Session, queue: str) -> int:
    found = session.count(queue)
    return found[1] if found else 0
