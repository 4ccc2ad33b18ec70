"""Loads: queues of every kind with the actors that work on them, and the drain at the end."""

from __future__ import annotations

from typing import Any, Final

from tests.faults.actors import Actor, Committer, Consumer, Getter, Mover, Publisher, Purger, Route
from tests.faults.churner import EXCHANGE, Churner
from tests.faults.client import PATIENCE, Address
from tests.faults.history import Declared, Draining, History
from tests.faults.quiet import empty, eventually
from tests.faults.session import MARKS, Session
from tests.faults.target import NAMED

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
    Declared("limited", ordered=True),
    Declared("dropping", dead_letter_to="dropped", expires=True),
    Declared("dropped"),
)
# RabbitMQ has such exchanges in a plugin only.
DELAYED: Final = (Declared("delayed", indirect=True),) if NAMED == "amq" else ()
PINNED: Final = (
    Declared(MARKS, ordered=True),
    Declared("pinned", ordered=True),
    Declared("sipped"),
    Declared("flow", ordered=True),
)
ARGUMENTS: Final[dict[str, dict[str, Any]]] = {
    "priorities": {"x-max-priority": 4},
    "dead.source": {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead.target"},
    "expiring.source": {
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": "expiring.target",
        "x-message-ttl": 300,
    },
    "flow": {"x-max-length": 500, "x-overflow": "reject-publish"},
    "limited": {"x-max-length": 20, "x-overflow": "reject-publish"},
    "dropping": {"x-max-length": 20, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dropped"},
}
FAN: Final = ("fan.0", "fan.1", "fan.2")
EXCHANGES: Final[tuple[tuple[str, str, dict[str, Any]], ...]] = (
    ("fan", "fanout", {}),
    (EXCHANGE, "direct", {}),
    *([("delayed", "x-delayed-message", {"x-delayed-type": "fanout"})] if DELAYED else []),
)
BINDINGS: Final = (*(("fan", queue) for queue in FAN), *(("delayed", declared.queue) for declared in DELAYED))
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
    Route(("limited",)),
    Route(("dropping",)),
    *([Route(("delayed",), exchange="delayed", delay=500)] if DELAYED else []),
)
# One message in twenty stays, and one stays for long.
PINNED_ROUTES: Final = (Route(("pinned",)), Route(("sipped",)), *[Route(("flow",))] * 18)


class Load:
    """Queues, and actors that work on them from `start` to `finish`."""

    def __init__(self, address: Address, history: History, queues: tuple[Declared, ...], actors: list[Actor]) -> None:
        self.address = address
        self.history = history
        self.queues = queues
        self.actors = actors

    def declare(self) -> None:
        """Make everything that is there from the beginning."""
        session = Session(self.address, "declare", self.history)
        for exchange, kind, arguments in EXCHANGES:
            fields = {"exchange": exchange, "type": kind, "durable": True, "arguments": arguments}
            session.client.call(1, "exchange.declare", **fields)
        for declared in self.queues:
            queue = declared.queue
            session.client.call(1, "queue.declare", queue=queue, durable=True, arguments=ARGUMENTS.get(queue, {}))
            self.history.add(declared)
        for exchange, queue in BINDINGS:
            if queue in [declared.queue for declared in self.queues]:
                session.client.call(1, "queue.bind", queue=queue, exchange=exchange)
        session.close()
        session.drop()

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
        queues = [declared.queue for declared in self.queues]
        for actor in self.actors:
            if isinstance(actor, Churner):
                queues += actor.queues()
        drain(self.address, self.history, queues)


def mixed(address: Address, history: History, seed: str) -> Load:
    """Everything that there is; the seed decides what the actors do, as far as the broker lets them."""
    common = address, history, seed
    actors: list[Actor] = [
        *(Publisher(f"publisher{number}", *common, routes=ROUTES) for number in range(3)),
        *(Consumer(f"consumer-{queue}", *common, queue, alone=True) for queue in ("plain.0", "plain.1", *FAN[:2])),
        *(Consumer(f"shared{number}", *common, "shared") for number in range(2)),
        Consumer("rejecter", *common, "dead.source", rejects=0.7),
        Consumer("undertaker", *common, "dead.target"),
        Consumer("late-one", *common, "expiring.target"),
        *(Getter(f"getter-{queue}", *common, queue) for queue in ("priorities", "limited", "dropping")),
        Committer("committer", *common, ("tx.0", "tx.1", "tx.2")),
        Mover("mover", *common, "move.source", "move.target"),
        Purger("purger", *common, "purged"),
        Churner("churner", *common),
    ]
    return Load(address, history, (*QUEUES, *DELAYED), actors)


def pinned(address: Address, history: History, seed: str) -> Load:
    """Much that goes at once and a little that stays, spread over the whole journal."""
    common = address, history, seed
    actors: list[Actor] = [
        *(Publisher(f"publisher{number}", *common, PINNED_ROUTES, sizes=(20_000,)) for number in range(3)),
        Consumer("consumer", *common, "flow", alone=True, marks=False),
        *(Getter(f"getter{number}", *common, "sipped") for number in range(2)),
    ]
    return Load(address, history, PINNED, actors)


def drain(address: Address, history: History, queues: list[str]) -> None:
    """Take everything out of these queues; dead letters come after those whose dead letters they are."""
    session = Session(address, "drain", history)
    for queue in queues:
        eventually(lambda queue=queue: _consumers(session, queue) == 0, f"{queue} keeps consumers")  # type: ignore[misc]
    if "expiring.source" in queues:
        eventually(lambda: session.count("expiring.source") == (0, 0), "what expires stays")
    if "delayed" in queues:
        # Delayed for longer than all the others, it comes last.
        session.confirm()
        session.publish(["delayed"], exchange="delayed", delay=800)
        session.wait_for_confirms()
        before = _ready(session, "delayed")
        eventually(lambda: _ready(session, "delayed") > before, "what is delayed stays")
    history.add(Draining())
    for queue in queues:
        if session.count(queue) is not None:
            empty(address, history, queue)
    session.close()
    session.drop()


def _ready(session: Session, queue: str) -> int:
    found = session.count(queue)
    return found[0] if found else 0


def _consumers(session: Session, queue: str) -> int:
    found = session.count(queue)
    return found[1] if found else 0
