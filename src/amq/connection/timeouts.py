"""Deliveries that a consumer keeps for too long (`consumer_timeout`)."""

from amq.broker import Client
from amq.clock import Timed
from amq.connection.channel import Channel
from amq.errors import PRECONDITION_FAILED, ChannelFault
from amq.queues.base import LOOK_AGAIN


class Overdue(Client):
    """What the watch asks of a connection."""

    __slots__ = ()

    def channel_overdue(self, channel: Channel, fault: ChannelFault) -> None:
        """Close a channel that holds a delivery for too long."""
        raise NotImplementedError


class DeliveryWatch(Timed):
    """Looks at a channel's oldest unacknowledged delivery when it would be `timeout` ms old."""

    __slots__ = ("client", "channel", "timeout")

    def __init__(self, client: Overdue, channel: Channel, timeout: int) -> None:
        self.client = client
        self.channel = channel
        self.timeout = timeout

    def due(self, now: float) -> None:
        channel = self.channel
        if channel.closing:
            return
        oldest = channel.ledger.oldest()
        since = now if oldest is None else oldest[4]
        deadline = since + self.timeout / 1000
        if deadline > now:
            channel.session.broker.timers.add(min(deadline, now + LOOK_AGAIN), self)
            return
        text = (
            f"delivery acknowledgement on channel {channel.number} timed out. "
            f"Timeout value used: {self.timeout} ms. "
            "This timeout value can be configured, see consumers doc guide to learn more"
        )
        self.client.channel_overdue(channel, ChannelFault(PRECONDITION_FAILED, text))
