"""What two brokers must agree on, and the rules of order that hold across a channel's streams."""

from math import inf
from typing import Any

from amq.message import Message
from amq.queues.backlog import Fifo
from amq.queues.classic import ClassicQueue
from amq.queues.priority import LEVELS, Prioritized
from amq.queues.span import KeptSpan, PagedSpan, Span, unpacked
from tests.model.frames import Item
from tests.model.real import Real

Heard = list[tuple[int, int, Item]]
CONFIRMS = ("ack", "nack")
DELIVERIES = ("deliver", "get-ok")


def streams(heard: Heard) -> dict[tuple[int, int, str], list[Item]]:
    """Deliveries in their order, and everything else but confirms in its order, for each channel.

    While a commit waits for the disk, what is said about consumers of a queue that is deleted may wait for that, too.
    """
    found: dict[tuple[int, int, str], list[Item]] = {}
    for client, number, item in heard:
        if item[0] not in CONFIRMS:
            kind = "deliveries" if item[0] in DELIVERIES else "commits" if item[0] == "commit-ok" else "rest"
            found.setdefault((client, number, kind), []).append(item)
    return found


class Owed:
    """Confirms that are due. The broker may let a message wait for records of those published with it, no longer."""

    def __init__(self) -> None:
        self.items: dict[tuple[int, int], set[Item]] = {}

    def compare(self, heard: Heard, expected: Heard, all_durable: bool) -> None:
        """What was heard must be due; with every record durable, all that is due must have been heard."""
        for client, number, item in expected:
            if item[0] in CONFIRMS:
                self.items.setdefault((client, number), set()).add(item)
        for client, number, item in heard:
            due = self.items.setdefault((client, number), set())
            if item[0] in CONFIRMS:
                assert item in due, f"{item} is not due on channel {number} of client {client}"
                due.remove(item)
            elif item[0] in ("close", "close-ok", "open-ok"):
                due.clear()
        assert not all_durable or not any(self.items.values()), f"still owed: {self.items}"

    def forget(self, client: int) -> None:
        """A client is gone."""
        self.items = {key: due for key, due in self.items.items() if key[0] != client}


def check_rules(heard: Heard) -> None:
    """Within what was heard in one step, channel by channel."""
    for channel in {(client, number) for client, number, _ in heard}:
        words = [item for client, number, item in heard if (client, number) == channel]
        for index, item in enumerate(words):
            before, after = words[:index], words[index + 1 :]
            if item[0] in CONFIRMS:
                assert not any(later[0] == "return" for later in after), "a message is returned before it is confirmed"
            elif item[0] == "consume-ok":
                assert not any(delivered(earlier, item[1]) for earlier in before), "consume-ok comes before deliveries"
            elif item[0] in ("cancel", "cancel-ok"):
                assert not any(delivered(later, item[1]) for later in after), "a cancelled consumer gets nothing"
            elif item[0] in ("close", "close-ok"):
                assert not after, f"after the end of the channel came {after}"


def delivered(item: Item, tag: object) -> bool:
    return item[0] == "deliver" and item[1] == tag


def contents(real: Real) -> dict[bytes, object]:
    """What queues hold: the ready in order, how many are out, the consumers in order."""
    return {name: content(real, queue) for name, queue in real.vhost.queues.items() if isinstance(queue, ClassicQueue)}


def content(real: Real, queue: ClassicQueue) -> object:
    ready = [(shown(message), back, queue.deadlines.get(at, inf)) for at, message, back in waiting(real, queue)]
    return (ready, queue.unacked, [consumer.tag for consumer in queue.consumers.all])


def waiting(real: Real, queue: ClassicQueue) -> list[tuple[int, Any, bool]]:
    """Position, message and whether it was delivered before, of all that wait, in order."""
    backlog = queue.backlog
    if isinstance(backlog, Fifo):
        return fifo(real, backlog)
    assert isinstance(backlog, Prioritized)
    found = []
    for number in sorted(backlog.levels, reverse=True):
        found += [(at * LEVELS + number, message, back) for at, message, back in fifo(real, backlog.levels[number])]
    return found


def fifo(real: Real, backlog: Fifo) -> list[tuple[int, Any, bool]]:
    """The same of one level, those that are not in memory included."""
    back = [(at, message, True) for at, message in sorted(backlog.returned, key=lambda pair: pair[0])]
    waiting = list(backlog.ready)
    for span in backlog.cold:
        waiting += real.cold(span.lsns) if isinstance(span, KeptSpan) else paged(span)
    if backlog.tail is not backlog.ready:
        waiting += backlog.tail
    delivered = backlog.delivered
    return back + [(at, message, 0 < message.lsn <= delivered) for at, message in enumerate(waiting, backlog.head)]


def paged(span: Span) -> list[Message]:
    """Messages on a page."""
    assert isinstance(span, PagedSpan)
    assert span.page.pieces is not None
    return unpacked(b"".join(span.page.pieces))


def shown(message: Any) -> Item:
    """A message as a client would be shown it."""
    read = message.properties
    return (
        message.exchange(),
        message.routing_key(),
        dict(read.headers()),
        read.priority,
        read.expiration,
        read.persistent,
        message.body,
    )
