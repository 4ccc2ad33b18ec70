"""Checks of single deliveries: nothing invented or altered, flagged as it must be, in order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from tests.faults.history import Deliver, Publish
from tests.faults.message import Name
from tests.faults.record import Copy, Record
from tests.faults.verdict import Rules, Violation


def altered(record: Record, rules: Rules) -> Iterator[Violation]:
    """Messages whose body or properties are not those that were published."""
    for copy in record.copies.values():
        for number, delivery in copy.deliveries:
            if not delivery.intact:
                yield Violation("altered", f"{copy.message} from {copy.queue}, delivery {number}")


def invented(record: Record, rules: Rules) -> Iterator[Violation]:
    """Messages that nobody published, or not there, or that a transaction took back."""
    for copy in record.copies.values():
        if not copy.deliveries:
            continue
        found = record.publishes.get(copy.message)
        where = f"{copy.message} from {copy.queue}, delivery {copy.deliveries[0][0]}"
        if found is None:
            yield Violation("invented", where)
        elif copy.queue not in record.reached(found[1]):
            names = {queue.partition("#")[0] for queue in found[1].queues}
            back = copy.queue.partition("#")[0] in names
            yield Violation("back in a new queue of that name" if back else "in the wrong queue", where)
        elif not record.was_sent(found[1]) or _was_rolled_back(record, found[1]):
            yield Violation("never committed", where)


def refused(record: Record, rules: Rules) -> Iterator[Violation]:
    """Messages that the only queue they were for had refused."""
    for message in record.refused:
        publish = record.publishes[message][1]
        for queue in publish.queues if len(publish.queues) == 1 else ():
            for number, _ in record.copy(queue, message).deliveries:
                yield Violation("refused and delivered", f"{message} from {queue}, delivery {number}")


def transient_returned(record: Record, rules: Rules) -> Iterator[Violation]:
    """Transient messages that outlived a restart."""
    for copy in record.copies.values():
        found = record.publishes.get(copy.message)
        if found is None or Name.parse(copy.message).persistent:
            continue
        for number, delivery in copy.deliveries:
            if record.life[delivery.connection] > record.life[found[1].connection]:
                yield Violation("transient after a restart", f"{copy.message} from {copy.queue}, delivery {number}")


def duplicates(record: Record, rules: Rules) -> Iterator[Violation]:
    """Second deliveries that nothing explains, or that are not flagged as such."""
    for copy in record.copies.values():
        for (before, first), (number, second) in zip(copy.deliveries, copy.deliveries[1:], strict=False):
            where = f"{copy.message} from {copy.queue}, deliveries {before} and {number}"
            if not _explained(record, copy, before, first, number, second):
                yield Violation("duplicate without a cause", where)
            elif not second.redelivered and not _may_be_new(record, copy, first, second):
                yield Violation("redelivery without its flag", where)


def flagged_for_nothing(record: Record, rules: Rules) -> Iterator[Violation]:
    """First deliveries that say `redelivered` although nobody can have had the message before.

    A consumer that went may have had it on its way, even one that went a moment before the publish: the broker learns
    of it later. After a kill the broker cannot know and may say so of all.
    """
    for copy in record.copies.values():
        if not copy.deliveries or not copy.deliveries[0][1].redelivered or copy.message not in record.publishes:
            continue
        publish = record.publishes[copy.message][1]
        number, delivery = copy.deliveries[0]
        first, last = record.life[publish.connection], record.life[delivery.connection]
        consumers = record.consumers[copy.queue] - {delivery.connection}
        since = publish.at - rules.margin - record.slowest
        gone = any(_went_between(record, consumer, since, number, first, last) for consumer in consumers)
        if not gone and not any(record.kills(first, last)):
            yield Violation("flagged without a cause", f"{copy.message} from {copy.queue}, delivery {number}")


def order(record: Record, rules: Rules) -> Iterator[Violation]:
    """First deliveries out of the order of their publisher, in queues with never more than one consumer."""
    firsts: list[tuple[int, Copy]] = []
    for copy in record.copies.values():
        declared = record.queues.get(copy.queue)
        if declared and declared.ordered and copy.deliveries and copy.message in record.publishes:
            firsts.append((copy.deliveries[0][0], copy))
    yield from _out_of_order("out of order", firsts)


def order_of_drain(record: Record, rules: Rules) -> Iterator[Violation]:
    """What a single consumer found at the end must be in order in each queue; higher priorities first."""
    drained: list[tuple[int, Copy]] = []
    for copy in record.copies.values():
        declared = record.queues.get(copy.queue)
        if record.draining is None or not declared or not (declared.ordered or declared.priorities):
            continue
        drained += [(number, copy) for number, _ in copy.deliveries if number > record.draining]
    drained = [(number, copy) for number, copy in drained if copy.message in record.publishes]
    yield from _out_of_order("drained out of order", drained)
    lowest: dict[str, int] = {}
    for number, copy in sorted(drained, key=lambda entry: entry[0]):
        priority = Name.parse(copy.message).priority
        if record.queues[copy.queue].priorities and priority > lowest.get(copy.queue, priority):
            yield Violation("priority", f"{copy.message} from {copy.queue}, delivery {number}")
        lowest[copy.queue] = min(priority, lowest.get(copy.queue, priority))


def _out_of_order(kind: str, deliveries: list[tuple[int, Copy]]) -> Iterator[Violation]:
    """Deliveries with a counter that is lower than one before, of one publisher and priority in one queue."""
    highest: dict[tuple[str, str, int], int] = defaultdict(int)
    for number, copy in sorted(deliveries, key=lambda entry: entry[0]):
        name = Name.parse(copy.message)
        key = copy.queue, name.publisher, name.priority
        if name.counter <= highest[key]:
            yield Violation(kind, f"{copy.message} from {copy.queue}, delivery {number}, after {highest[key]}")
        highest[key] = max(highest[key], name.counter)


def _was_rolled_back(record: Record, publish: Publish) -> bool:
    return bool(publish.tx) and record.transactions[publish.tx].rolled_back


def _explained(record: Record, copy: Copy, before: int, first: Deliver, number: int, second: Deliver) -> bool:
    """Whether the first delivery came to nothing: its consumer or broker went, or it was given back."""
    if record.life[first.connection] != record.life[second.connection]:
        return True
    ended = record.ended.get(first.connection)
    if ended is not None and ended[0] < number:
        return True
    return any(before < at < number and settle.outcome == "requeue" for at, settle in copy.settles)


def _may_be_new(record: Record, copy: Copy, first: Deliver, second: Deliver) -> bool:
    """Whether a crash undid that the message came to this queue, after its delivery, so that it came a second time."""
    declared = record.queues.get(copy.queue)
    targets = {each.dead_letter_to for each in record.queues.values()}
    elsewhere = copy.queue in targets or (declared is not None and declared.indirect)
    return elsewhere and any(record.kills(record.life[first.connection], record.life[second.connection]))


def _went_between(record: Record, consumer: str, since: float, delivered: int, first: int, last: int) -> bool:
    """Whether a consumer went after that time and before the delivery."""
    ended = record.ended.get(consumer)
    return first <= record.life[consumer] < last or (ended is not None and ended[0] < delivered and ended[1].at > since)
