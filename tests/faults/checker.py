"""All checks over one history, and how often everything happened in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

from tests.faults import deliveries, losses, settling
from tests.faults.history import History
from tests.faults.record import Copy, Record
from tests.faults.verdict import Rules, Verdict, Violation

Check = Callable[[Record, Rules], Iterator[Violation]]


def complaints(record: Record, rules: Rules) -> Iterator[Violation]:
    """Connections and channels that the broker closed for no fault of their client."""
    for complaint in record.complaints:
        yield Violation("complaint", f"{complaint.connection}: {complaint.text}")


def entities(record: Record, rules: Rules) -> Iterator[Violation]:
    """Durable queues and bindings that must be there and are not, or the other way round."""
    for seen in record.seen:
        if seen.expected is not None and seen.there is not seen.expected:
            yield Violation("entity is missing" if seen.expected else "entity came back", seen.entity)


CHECKS: Final[tuple[Check, ...]] = (
    losses.lost,
    losses.torn,
    deliveries.altered,
    deliveries.invented,
    deliveries.refused,
    deliveries.transient_returned,
    deliveries.duplicates,
    deliveries.flagged_for_nothing,
    deliveries.order,
    deliveries.order_of_drain,
    settling.came_back,
    settling.emptied_came_back,
    entities,
    complaints,
)


def check(history: History, rules: Rules | None = None) -> Verdict:
    """Hold a history against the promises."""
    rules = rules or Rules()
    record = Record(history)
    found = [violation for check in CHECKS for violation in check(record, rules)]
    held = tuple(violation for violation in found if violation.kind not in rules.forgiven)
    forgiven = tuple(violation for violation in found if violation.kind in rules.forgiven)
    return Verdict(held, forgiven, counts(record))


def counts(record: Record) -> Counter[str]:
    """How often everything happened that tells whether a run was worth anything."""
    counted: Counter[str] = Counter(fault.kind for fault in record.faults)
    counted["published"] = len(record.publishes)
    counted["confirmed"] = len(record.confirmed)
    counted["refused"] = len(record.refused)
    alone = [publish for _, publish in record.publishes.values() if not publish.tx]
    unknown = {publish.message for publish in alone} - record.confirmed.keys() - record.refused
    counted["unknown"] = len(unknown)
    for copy in record.copies.values():
        counted["delivered"] += len(copy.deliveries)
        counted["redelivered"] += max(len(copy.deliveries) - 1, 0)
        counted["unknown but there"] += bool(copy.deliveries) and copy.message in unknown
        counted["settled"] += len(copy.settles)
        counted["acks lost"] += _lost_acks(record, copy)
    for steps in record.transactions.values():
        known = "committed" if steps.committed else "rolled back" if steps.rolled_back else "unknown"
        counted[f"tx {known}"] += 1
    for emptyings in record.emptied.values():
        for emptying in emptyings:
            counted[emptying.how] += 1
    counted["entities seen"] = len(record.seen)
    return counted


def _lost_acks(record: Record, copy: Copy) -> int:
    """How many acknowledgements a crash undid, which is allowed for a moment."""
    undone = 0
    for number, settle in copy.settles:
        later = any(at > number for at, _ in copy.deliveries)
        undone += settle.outcome != "requeue" and later
    return undone
