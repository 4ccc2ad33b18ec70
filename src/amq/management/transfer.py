"""Messages on their way from the queue that they wait in to where a request wants them: the work of move and replay.

A message that cannot go stays where it is, and the answer says why.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import attrs

from amq.errors import Fault
from amq.management.answers import Answer, ok
from amq.management.endpoint import Schema
from amq.management.entities_json import text
from amq.management.entity_schemas import TEXT, TRUTH, WHOLE, array_of, record
from amq.management.errors import ApiError
from amq.management.message_query import MOST_SCANNED, Choice
from amq.management.node import Node
from amq.management.scanning import Scan
from amq.management.shown_message import fingerprint, message_id
from amq.message import Message
from amq.queues.base import Queue
from amq.queues.looking import Seen
from amq.vhost.rehousing import GONE, obstacle, rehouse

# What is moved goes to the disk in lumps of about so many octets: larger ones would hold others up when they are noted.
LUMP: Final = 1 << 17
# Of a dry run, messages that are told one by one; of everything, different routes and problems, and positions of one.
LISTED: Final = 100
GROUPS: Final = 100
POSITIONS: Final = 10

_NAMES: Final = array_of(TEXT)
_ROUTE: Final = record(
    "exchange routing_key queues messages", exchange=TEXT, routing_key=TEXT, queues=_NAMES, messages=WHOLE
)
_PROBLEM: Final = record("reason messages positions", reason=TEXT, messages=WHOLE, positions=array_of(WHOLE))
_PLANNED: Final = record(
    "position fingerprint message_id exchange routing_key queues problem",
    position=WHOLE,
    fingerprint=TEXT,
    message_id={"type": ["string", "null"]},
    exchange=TEXT,
    routing_key=TEXT,
    queues=_NAMES,
    problem={"type": ["string", "null"]},
)
REPORT: Final[Schema] = record(
    "dry_run moved left scanned next routes problems",
    dry_run=TRUTH,
    moved=WHOLE,
    left=WHOLE,
    scanned=WHOLE,
    next={"type": ["integer", "null"]},
    routes=array_of(_ROUTE),
    problems=array_of(_PROBLEM),
    messages=array_of(_PLANNED),
)
REQUEST: Final[Mapping[str, Schema]] = {
    "selector": TEXT,
    "message_id": TEXT,
    "from": {"type": "integer", "minimum": -1},
    "limit": {"type": "integer", "minimum": 1, "maximum": MOST_SCANNED},
    "scan": {"type": "integer", "minimum": 1, "maximum": MOST_SCANNED},
    "dry_run": TRUTH,
}


@attrs.frozen
class Plan:
    """What shall become of a message: as what it goes on, into which queues; or why it stays, if that is known yet."""

    onward: Message
    queues: list[Queue]
    problem: str | None = None


Planner = Callable[[Message], Plan]


@attrs.define(eq=False)
class Transfer:
    """One request: with `dry_run` nothing is moved, and `moved` counts what would be."""

    scan: Scan
    choice: Choice
    plan: Planner
    dry_run: bool
    moved: int = 0
    left: int = 0
    _routes: dict[tuple[str, str, tuple[str, ...]], int] = attrs.field(factory=dict, init=False)
    _problems: dict[str, list[int]] = attrs.field(factory=dict, init=False)
    _listed: list[dict[str, Any]] = attrs.field(factory=list, init=False)

    async def run(self) -> Answer:
        """Do it, and wait until it is on disk. Raises ApiError(503) while an alarm is set."""
        node = self.scan.node
        while part := await self.scan.part():
            if not self.dry_run:
                check_alarms(node)
            node.work(partial(self._go_through, part))
            if self.moved == self.choice.limit:
                break
            if node.broker.journal.work.size > LUMP:
                await node.safe()
        await node.safe()
        return ok(self._report())

    def _go_through(self, part: list[Seen]) -> None:
        for seen in part:
            self.scan.saw(seen)
            if self.choice.takes(seen):
                self._move(seen)
                if self.moved == self.choice.limit:
                    return

    def _move(self, seen: Seen) -> None:
        source = self.scan.queue
        try:
            plan = self.plan(seen.message)
        except Fault as fault:
            # What the user may not do with this message.
            plan = Plan(seen.message, [], fault.text)
        problem = plan.problem or obstacle(source, plan.queues, plan.onward)
        if problem is None and not self.dry_run:
            moved = rehouse(source, seen.position, seen.message, plan.onward, plan.queues)
            problem = None if moved else GONE
        self._count(seen, plan, problem)

    def _count(self, seen: Seen, plan: Plan, problem: str | None) -> None:
        exchange, key = text(plan.onward.exchange()), text(plan.onward.routing_key())
        names = sorted(text(queue.name) for queue in plan.queues)
        if problem is None:
            self.moved += 1
            route = (exchange, key, tuple(names))
            if route in self._routes or len(self._routes) < GROUPS:
                self._routes[route] = self._routes.get(route, 0) + 1
        else:
            self.left += 1
            if problem in self._problems or len(self._problems) < GROUPS:
                counted = self._problems.setdefault(problem, [0])
                counted[0] += 1
                if len(counted) <= POSITIONS:
                    counted.append(seen.position)
        if self.dry_run and len(self._listed) < LISTED:
            self._listed.append(
                {
                    "position": seen.position,
                    "fingerprint": fingerprint(seen.message),
                    "message_id": message_id(seen.message),
                    "exchange": exchange,
                    "routing_key": key,
                    "queues": names,
                    "problem": problem,
                }
            )

    def _report(self) -> dict[str, Any]:
        report: dict[str, Any] = {
            "dry_run": self.dry_run,
            "moved": self.moved,
            "left": self.left,
            "scanned": self.scan.scanned,
            "next": self.scan.next,
            "routes": [
                {"exchange": exchange, "routing_key": key, "queues": list(names), "messages": count}
                for (exchange, key, names), count in self._routes.items()
            ],
            "problems": [
                {"reason": reason, "messages": counted[0], "positions": counted[1:]}
                for reason, counted in self._problems.items()
            ],
        }
        if self.dry_run:
            report["messages"] = self._listed
        return report


def check_alarms(node: Node) -> None:
    """Raise ApiError(503) while publishers are blocked, for what is moved is written anew."""
    broker = node.broker
    if broker.alarms:
        raise ApiError(503, "resource_alarm", f"the broker is {broker.alarm_reason()}: nothing can be moved")
