"""Checks of what must have come out: every message that the broker promised to keep, and transactions as a whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from tests.faults.history import Publish
from tests.faults.message import Name
from tests.faults.record import Record, Steps
from tests.faults.verdict import Rules, Violation


def lost(record: Record, rules: Rules) -> Iterator[Violation]:
    """Promised messages that never came out (`lost`), or came out, stayed with nobody and never again (`vanished`).

    Where in the publisher's messages the loss is, says much about its cause: the first ones (prefix), the last ones
    (postfix) or some in between. A history without a drain tells nothing about losses.
    """
    if record.draining is None:
        return
    heard = _heard(record)
    for message, (number, publish) in record.publishes.items():
        if not record.was_promised(message) or not _is_kept(record, publish):
            continue
        for queue in publish.queues:
            if _is_done_with(record, queue, message, number):
                continue
            if _was_delivered(record, queue, message):
                yield Violation("vanished", f"{message} in {queue}: delivered, not acknowledged, gone")
            else:
                where = _position(heard.get((queue, Name.parse(message).publisher), []), message)
                yield Violation(f"lost ({where})", f"{message} in {queue}, published as {number}")


def torn(record: Record, rules: Rules) -> Iterator[Violation]:
    """Transactions of unknown outcome that were carried out in part: after the crash, all or nothing must be there."""
    for tx, steps in record.transactions.items():
        if steps.committed or steps.rolled_back or not steps.sent or record.draining is None:
            continue
        there, missing = _published(record, steps)
        back, gone = _acknowledged(record, steps)
        if there and missing:
            yield Violation("torn transaction", f"{tx}: {there} there, {missing} not")
        if there and back:
            yield Violation("torn transaction", f"{tx}: {there} there, but {back} not acknowledged")
        if missing and not there and gone:
            yield Violation("torn transaction", f"{tx}: {missing} not there, but {gone} acknowledged")


def _is_kept(record: Record, publish: Publish) -> bool:
    """Whether nothing that happened since excuses the loss of the message."""
    return Name.parse(publish.message).persistent or record.life[publish.connection] == len(record.faults)


def _is_done_with(record: Record, queue: str, message: str, published: int) -> bool:
    """Whether the copy went the way of all messages: acknowledged at last, there or where its dead letter went."""
    if any(emptying.asked > published for emptying in record.emptied.get(queue, ())):
        return True
    settles = [settle for _, settle in record.copy(queue, message).settles]
    if any(s.outcome == "ack" and (not s.tx or record.transactions[s.tx].sent) for s in settles):
        return True
    declared = record.queues.get(queue)
    left = any(settle.outcome == "reject" for settle in settles) or bool(declared and declared.expires)
    target = record.dead_letters(queue)
    return left and (not target or _is_done_with(record, target, message, published))


def _was_delivered(record: Record, queue: str, message: str) -> bool:
    """Whether the copy was seen, there or where its dead letter went."""
    while queue:
        if record.copy(queue, message).deliveries:
            return True
        queue = record.dead_letters(queue)
    return False


def _heard(record: Record) -> dict[tuple[str, str], list[int]]:
    """The counters of what came out of each queue from each publisher, wherever its dead letters went."""
    heard: dict[tuple[str, str], list[int]] = defaultdict(list)
    for message, (_, publish) in record.publishes.items():
        name = Name.parse(message)
        for queue in publish.queues:
            if _was_delivered(record, queue, message):
                heard[queue, name.publisher].append(name.counter)
    return heard


def _position(heard: list[int], message: str) -> str:
    """Where a lost message stands among those of its publisher that came out."""
    counter = Name.parse(message).counter
    if not heard:
        return "whole"
    if counter < min(heard):
        return "prefix"
    return "postfix" if counter > max(heard) else "middle"


def _published(record: Record, steps: Steps) -> tuple[list[str], list[str]]:
    """The copies that a transaction published, as far as they must be there or not after its crash: those and those.

    A copy that was delivered and settled before the crash may be done with, and tells nothing.
    """
    there, missing = [], []
    for message in steps.messages:
        for queue in record.publishes[message][1].queues:
            copy = record.copy(queue, message)
            if any(record.life[delivery.connection] > steps.life for _, delivery in copy.deliveries):
                there.append(f"{message} in {queue}")
            elif not any(record.life[settle.connection] == steps.life for _, settle in copy.settles):
                missing.append(f"{message} in {queue}")
    return there, missing


def _acknowledged(record: Record, steps: Steps) -> tuple[list[str], list[str]]:
    """What a transaction acknowledged: copies that came back after its crash, and those that did not."""
    back, gone = [], []
    for queue, message in steps.settled:
        deliveries = record.copy(queue, message).deliveries
        if any(record.life[delivery.connection] > steps.life for _, delivery in deliveries):
            back.append(f"{message} in {queue}")
        elif record.was_promised(message) and Name.parse(message).persistent:
            gone.append(f"{message} in {queue}")
    return back, gone
