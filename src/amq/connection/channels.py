"""The channels of a connection as they come and go: what is said on one that is not open, or is about to close."""

from amq.connection import admission, dispatch, framing
from amq.connection.channel import Channel
from amq.connection.control import Control
from amq.connection.timeouts import DeliveryWatch
from amq.errors import CHANNEL_ERROR, NOT_ALLOWED, ConnectionFault
from amq.vhost.settling import settle
from amq.wire import methods, spec


class Channels(Control):
    """A connection as far as it opens and closes channels."""

    __slots__ = ()

    def closing_channel(self, number: int, kind: int) -> None:
        """We said channel.close: everything is ignored until the answer."""
        if kind != spec.FRAME_METHOD:
            return
        if self.method == spec.CHANNEL_CLOSE:
            self.say(number, spec.CHANNEL_CLOSE_OK, [])
        elif self.method == spec.CHANNEL_CLOSE_OK:
            del self.channels[number]
            assert self.session is not None
            self.broker.occupancy.channel_closed(self.session.user.name)

    def unopened(self, number: int, kind: int, payload: bytes) -> None:
        """A frame on a channel that is not open: only channel.open is right."""
        if kind == spec.FRAME_METHOD:
            dispatch.arguments_of(self.method, payload)
            if self.method != spec.CHANNEL_OPEN:
                # The answer to a close that crossed ours is no mistake.
                if self.method == spec.CHANNEL_CLOSE_OK:
                    return
                raise ConnectionFault(CHANNEL_ERROR, "expected 'channel.open'")
            self.open_channel(number)
        elif kind == spec.FRAME_HEARTBEAT:
            raise framing.unexpected(kind, payload)
        else:
            raise framing.no_method()

    def open_channel(self, number: int) -> None:
        """channel.open."""
        assert self.session is not None
        most = self.handshake.channel_max
        if most and len(self.channels) >= most:
            raise ConnectionFault(
                NOT_ALLOWED,
                f"number of channels opened ({len(self.channels)}) has reached the negotiated channel_max ({most})",
                blamed=False,
            )
        user = self.session.user.name
        admission.check_channel(self.broker, user)
        self.broker.occupancy.channel_opened(user)
        self.channels[number] = Channel(number, self.session)
        self.broker.churn.channels_created += 1
        self.say(number, spec.CHANNEL_OPEN_OK, [b""])

    def close_channel(self, channel: Channel) -> None:
        """channel.close from the client."""
        channel.publisher.flush()
        self.confirming.pop(channel, None)
        leaving = channel.shut()
        settle(channel.session.vhost)
        del self.channels[channel.number]
        self.broker.occupancy.channel_closed(channel.session.user.name)
        if leaving is None:
            self.say(channel.number, spec.CHANNEL_CLOSE_OK, [])
        else:
            leaving.await_end(methods.encode(channel.number, spec.CHANNEL_CLOSE_OK, []))

    def watch(self, channel: Channel) -> None:
        """Look after deliveries that are not acknowledged, from the first consumer or get of a channel on."""
        channel.timed = True
        DeliveryWatch(self, channel, self.broker.settings.consumer_timeout).start(self.broker.clock.now)
