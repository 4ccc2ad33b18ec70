"""Deliveries that a consumer keeps for too long (`consumer_timeout`)."""

from typing import Final

from amq.broker import Client
from amq.clock import NEVER, Timed
from amq.connection.channel import Channel
from amq.connection.ledger import Delivery
from amq.errors import PRECONDITION_FAILED, ChannelFault
from amq.queues.base import LOOK_AGAIN

# How many of a channel's deliveries are looked at for queues with timeouts of their own.
MOST_LOOKS: Final = 4096


class Overdue(Client):
    """What the watch asks of a connection."""

    __slots__ = ()

    def channel_overdue(self, channel: Channel, fault: ChannelFault) -> None:
        """Close a channel that holds a delivery for too long."""
        raise NotImplementedError


class DeliveryWatch(Timed):
    """Looks at a channel's unacknowledged deliveries when the oldest would be too old.

    How old that is (ms) say the broker's settings, None for never, or the policy of the queue that it came from.
    """

    __slots__ = ("client", "channel", "timeout")

    def __init__(self, client: Overdue, channel: Channel, timeout: int | None) -> None:
        self.client = client
        self.channel = channel
        self.timeout = timeout

    def start(self, now: float) -> None:
        """Look for the first time."""
        first = LOOK_AGAIN if self.timeout is None else min(self.timeout / 1000, LOOK_AGAIN)
        self.channel.session.broker.timers.add(now + first, self)

    def due(self, now: float) -> None:
        channel = self.channel
        if channel.closing:
            return
        deadline, timeout = self.earliest(now)
        if deadline > now:
            channel.session.broker.timers.add(min(deadline, now + LOOK_AGAIN), self)
            return
        text = (
            f"delivery acknowledgement on channel {channel.number} timed out. "
            f"Timeout value used: {timeout} ms. "
            "This timeout value can be configured, see consumers doc guide to learn more"
        )
        self.client.channel_overdue(channel, ChannelFault(PRECONDITION_FAILED, text))

    def earliest(self, now: float) -> tuple[float, int]:
        """When the first of the deliveries will be too old, and the timeout (ms) that says so.

        Without deliveries that is one that would go out now.
        """
        ledger = self.channel.ledger
        oldest = ledger.oldest()
        if oldest is None:
            return (NEVER, 0) if self.timeout is None else (now + self.timeout / 1000, self.timeout)
        earliest = _deadline(oldest, self.timeout)
        queues = {oldest[1]}
        # Deliveries go out in their order, so of each queue the first one found is the oldest.
        for tag in range(ledger.lowest + 1, min(ledger.next_tag, ledger.lowest + MOST_LOOKS)):
            delivery = ledger.unacked.get(tag)
            if delivery is not None and delivery[1] not in queues:
                queues.add(delivery[1])
                earliest = min(earliest, _deadline(delivery, self.timeout))
        return earliest


def _deadline(delivery: Delivery, timeout: int | None) -> tuple[float, int]:
    """When a delivery is too old, and the timeout (ms) that says so."""
    own = delivery[1].patience()
    if own < 0:
        if timeout is None:
            return NEVER, 0
        own = timeout
    return delivery[4] + own / 1000, own
