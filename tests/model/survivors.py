"""What the naive broker has on disk, and what it makes of that when it starts again."""

from dataclasses import dataclass, replace
from math import inf

from tests.model.naive import PREDECLARED, Naive
from tests.model.records import Bond, Entry, Exchange, Queue


@dataclass(frozen=True)
class Survivors:
    """What is durable, and in durable queues what is persistent, as it was at one moment."""

    exchanges: list[Exchange]
    queues: list[Queue]
    bonds: list[Bond]


def survivors(naive: Naive) -> Survivors:
    """What would be left now. What is out for delivery, or was acknowledged in a transaction only, is still there."""
    assert not naive.dead, "what has died is somewhere else by now"
    exchanges = [exchange for exchange in naive.exchanges.values() if exchange.durable]
    queues = [queue for queue in naive.queues.values() if queue.durable]
    ends = {(False, exchange.name) for exchange in exchanges} | {(True, queue.name) for queue in queues}
    return Survivors(
        [replace(exchange, history=[], picked={}, changes=[]) for exchange in exchanges],
        [emptied(queue, [replace(entry) for entry in queue.entries if entry.kept]) for queue in queues],
        [bond for bond in naive.bonds if {(False, bond.source), (bond.to_queue, bond.destination)} <= ends],
    )


def emptied(queue: Queue, entries: list[Entry]) -> Queue:
    """A queue with these entries and nobody who uses it."""
    return replace(queue, entries=entries, places=0, subscriptions=[], line=[])


def revive(naive: Naive, left: Survivors, now: float, wall: float, crashed: bool) -> None:
    """The naive broker begins anew with what is left. After a crash everything may have been delivered before."""
    naive.now = now
    naive.wall = wall
    naive.heard.clear()
    naive.touched = []
    naive.late = False
    naive.exchanges = {exchange.name: replace(exchange) for exchange in left.exchanges}
    assert PREDECLARED.keys() <= naive.exchanges.keys()
    naive.bonds = list(left.bonds)
    naive.queues = {}
    for queue in left.queues:
        entries = [replace(entry, place=place, out=False) for place, entry in enumerate(queue.entries)]
        for entry in entries:
            entry.redelivered = entry.redelivered or crashed
            entry.deadline = continued(naive, queue, entry)
        naive.queues[queue.name] = there = emptied(queue, entries)
        there.places = len(entries)
        there.used_at = now


def continued(naive: Naive, queue: Queue, entry: Entry) -> float:
    """When a message expires that was published before: in whole ms since 1970, as the journal reckons."""
    lives = [ttl for ttl in (queue.ttl, entry.sent.expiration) if ttl is not None]
    if not lives:
        return inf
    return (entry.stamp + min(lives)) / 1000 - ((naive.now + naive.wall) - naive.now)
