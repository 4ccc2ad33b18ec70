"""What the objects of a vhost come to together, in the columns of VHOST, and what consumers hold."""

from itertools import islice
from typing import Final

from amq.connection.channel import Channel
from amq.metrics import columns
from amq.metrics.history import Row
from amq.queues.base import Queue
from amq.queues.classic import ClassicQueue
from amq.vhost.vhost import Vhost

# So many unacknowledged deliveries of a channel are weighed; the others are taken to be like them.
WEIGHED: Final = 1000
# Where the messages' counts begin in VHOST, and those of consuming among them.
_COUNTS: Final = columns.LENGTHS + columns.MOVED


class Sums:
    """One vhost's row in the making. It begins with `before`, the last round's.

    Counters never go back: who goes while a round is under way may be missed by it, and is counted by the next one.
    """

    __slots__ = ("before", "sums")

    def __init__(self, before: Row = columns.VHOST.zeros, gone: Row = columns.VHOST.zeros[_COUNTS:]) -> None:
        self.before = before
        self.sums: list[int] = [0] * columns.LENGTHS
        self.sums += before[columns.LENGTHS : _COUNTS]
        self.sums += gone

    def add_connection(self, row: Row, last: Row) -> None:
        """What a connection has moved since the last round, when its row was `last`."""
        sums = self.sums
        sums[2] += row[0] - last[0]
        sums[3] += row[1] - last[1]
        sums[4] += row[2] - last[2]
        sums[5] += row[3] - last[3]

    def add_routed(self, count: int) -> None:
        """What an exchange has handed to queues since the last round."""
        self.sums[6] += count

    def add_channel(self, row: Row) -> None:
        """What a channel has published, and where it found nothing."""
        sums = self.sums
        sums[7] += row[1]
        sums[8] += row[2]
        sums[9] += row[3]
        sums[10] += row[4]
        sums[15] += row[9]

    def add_queue(self, row: Row) -> None:
        """What a queue holds, and what it has handed out."""
        sums = self.sums
        ready, unacked, _, delivered, delivered_no_ack, got, got_no_ack, _, redelivered, given_back = row
        sums[0] += ready
        sums[1] += unacked
        sums[11] += delivered
        sums[12] += delivered_no_ack
        sums[13] += got
        sums[14] += got_no_ack
        sums[16] += redelivered
        sums[17] += delivered + got - given_back - unacked

    def add(self, row: Row) -> None:
        """A whole row of VHOST."""
        self.sums = [mine + its for mine, its in zip(self.sums, row, strict=True)]

    def row(self) -> Row:
        """The vhost's row."""
        counts = zip(self.sums[columns.LENGTHS :], self.before[columns.LENGTHS :], strict=True)
        return (*self.sums[: columns.LENGTHS], *[max(now, before) for now, before in counts])


def sums_of(vhost: Vhost, before: Row) -> Sums:
    """The row of a vhost in the making, before any of its objects was looked at."""
    return Sums(before, columns.gone_row(vhost.agenda.tally))


def weigh(channel: Channel, weights: dict[Queue, tuple[int, int]] | None) -> dict[Queue, tuple[int, int]]:
    """Enter the first of a channel's unacknowledged deliveries, and the octets of their bodies, by queue."""
    weights = weights or {}
    for _, queue, _, message, _, _ in islice(channel.ledger.unacked.values(), WEIGHED):
        count, octets = weights.get(queue, (0, 0))
        weights[queue] = count + 1, octets + len(message.body)
    return weights


def unconfirmed(channel: Channel) -> int:
    """Messages whose publisher waits for a confirm."""
    confirms = channel.publisher.confirms
    return 0 if confirms is None else confirms.published - confirms.confirmed


def could_deliver(queue: Queue) -> bool:
    """Whether a consumer could take a message from the queue at once, as far as the queue knows."""
    return not isinstance(queue, ClassicQueue) or bool(queue.consumers.rings)
