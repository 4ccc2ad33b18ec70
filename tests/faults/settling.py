"""Checks of what was acknowledged, rejected, purged or deleted: it must not come back once that was on disk.

An acknowledgement that was sent on connection C is *processed* when something that C sent later was answered, or when C
lived on for a margin of time. It is *durable* when, besides, something later of C that needs the disk was confirmed (a
mark, tx.commit), or the broker was stopped in good order, or was killed a margin of time after it. The margin is
`Rules.margin` seconds, and as long as the slowest confirm took.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.faults.history import Settle
from tests.faults.record import Copy, Emptying, Record
from tests.faults.verdict import Rules, Violation


def processed(record: Record, rules: Rules, number: int, settle: Settle) -> bool:
    """Whether the broker handled this acknowledgement for certain."""
    if settle.tx:
        return record.transactions[settle.tx].committed
    if any(barrier.covers > number for barrier in record.barriers[settle.connection]):
        return True
    ends = [ended[1].at for ended in [record.ended.get(settle.connection)] if ended]
    ends += [fault.at for fault in [record.fault_of(settle.connection)] if fault]
    return not ends or min(ends) - settle.at > rules.margin + record.slowest


def durable(record: Record, rules: Rules, number: int, settle: Settle) -> bool:
    """Whether this acknowledgement was on disk for certain when its life of the broker ended."""
    if settle.tx:
        return record.transactions[settle.tx].committed
    if any(barrier.durable and barrier.covers > number for barrier in record.barriers[settle.connection]):
        return True
    fault = record.fault_of(settle.connection)
    in_time = fault is None or fault.kind == "stop" or fault.at - settle.at > rules.margin + record.slowest
    return in_time and processed(record, rules, number, settle)


def came_back(record: Record, rules: Rules) -> Iterator[Violation]:
    """Deliveries of what had been acknowledged or rejected."""
    for copy in record.copies.values():
        for number, settle in copy.settles:
            if settle.outcome == "requeue":
                continue
            life = record.life[settle.connection]
            for later, delivery in copy.deliveries:
                if later < number:
                    continue
                crashed = record.life[delivery.connection] != life
                certain = durable if crashed else processed
                if certain(record, rules, number, settle):
                    kind = "came back after a crash" if crashed else "came back"
                    yield Violation(kind, f"{copy.message} from {copy.queue}, {settle.outcome} {number}, again {later}")


def emptied_came_back(record: Record, rules: Rules) -> Iterator[Violation]:
    """Deliveries of what had been purged, or had been in a deleted queue."""
    for copy in record.copies.values():
        publish = record.publishes.get(copy.message)
        for emptying in record.emptied.get(copy.queue, ()):
            if publish is None or emptying.done is None or not _was_ready(record, copy, emptying):
                continue
            again = [number for number, _ in copy.deliveries if number > emptying.done]
            if again:
                where = f"{copy.message} from {copy.queue}, delivery {again[0]}"
                yield Violation(f"{emptying.how} undone", f"{where}, {emptying.how}-ok {emptying.done}")


def _was_ready(record: Record, copy: Copy, emptying: Emptying) -> bool:
    """Whether the message was confirmed and with no consumer when its queue was emptied."""
    confirmed = record.confirmed.get(copy.message)
    handed_out = [number for number, _ in copy.deliveries if number < emptying.asked]
    return confirmed is not None and confirmed < emptying.asked and not handed_out
