"""What `amq move` and `amq replay-dlq` have in common: many requests, one report."""

from collections.abc import Mapping
from typing import Any, Final

import attrs

from amq.cli.ask.broker import path
from amq.cli.ask.command import Session
from amq.cli.show.output import print_json
from amq.cli.show.progress import progress
from amq.cli.show.text import harmless

# Messages of one request: the broker does them in slices, but the operator wants to see it go on.
PART: Final = 5_000


@attrs.define
class Report:
    """What became of the messages. `moved` are those that would be, in a dry run."""

    dry_run: bool
    moved: int = 0
    left: int = 0
    scanned: int = 0
    routes: dict[tuple[str, str, tuple[str, ...]], int] = attrs.Factory(dict)
    problems: dict[str, int] = attrs.Factory(dict)

    def add(self, answer: Mapping[str, Any]) -> None:
        """Take an answer in."""
        self.moved += answer["moved"]
        self.left += answer["left"]
        self.scanned += answer["scanned"]
        for route in answer["routes"]:
            key = route["exchange"], route["routing_key"], tuple(route["queues"])
            self.routes[key] = self.routes.get(key, 0) + route["messages"]
        for problem in answer["problems"]:
            self.problems[problem["reason"]] = self.problems.get(problem["reason"], 0) + problem["messages"]

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "dry_run": self.dry_run,
            "moved": self.moved,
            "left": self.left,
            "scanned": self.scanned,
            "routes": [
                {"exchange": exchange, "routing_key": key, "queues": list(queues), "messages": messages}
                for (exchange, key, queues), messages in self.routes.items()
            ],
            "problems": [{"reason": reason, "messages": messages} for reason, messages in self.problems.items()],
        }


def transfer(
    session: Session, queue: str, verb: str, request: Mapping[str, Any], limit: int | None, dry_run: bool
) -> Report:
    """Ask for `verb` (move, replay) part by part, over the messages that wait there now."""
    waiting = session.broker.get(path("queues", session.in_vhost, queue), columns="messages_ready").get(
        "messages_ready", 0
    )
    where = path("amq", "queues", session.in_vhost, queue, verb)
    report = Report(dry_run)
    position: int | None = -1
    what = "looking at messages" if dry_run else "moving messages"
    with progress(what, waiting, quiet=session.out.quiet or waiting <= PART) as advance:
        # What is moved to the end of the same queue is not looked at again.
        while position is not None and report.scanned < waiting:
            wanted = PART if limit is None else min(PART, limit - report.moved)
            part = min(PART, waiting - report.scanned)
            answer = session.broker.post(
                where, {**request, "from": position, "scan": part, "limit": wanted, "dry_run": dry_run}
            )
            report.add(answer)
            advance(report.scanned)
            position = answer["next"]
            if limit is not None and report.moved >= limit:
                break
    return report


def show_report(session: Session, report: Report, shape: str) -> None:
    """Where the messages went, and which stayed and why."""
    if shape == "json":
        print_json(report.as_json())
        return
    would = "would be " if report.dry_run else ""
    session.out.say(f"{report.moved} message{'' if report.moved == 1 else 's'} {would}moved, {report.left} left")
    for (exchange, key, queues), messages in report.routes.items():
        target = ", ".join([f"'{name}'" for name in queues])
        session.out.say(f"  {messages} to {target} (exchange '{exchange}', routing key '{key}')")
    for reason, messages in report.problems.items():
        print(f"  {messages} left: {harmless(reason)}")
