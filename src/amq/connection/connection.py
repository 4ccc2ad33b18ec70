"""One client, without I/O: bytes in, bytes out.

    protocol header -> handshake -> running -> closing (we said connection.close) -> finished
                                            \\-> finished (the client said it)

`receive` finishes everything that a chunk asks for before it returns; what is to be said stands in `outbox`. Behind a
method whose answer has to wait for the disk the rest stays in `tail`, until `confirm` goes on with it.
"""

from struct import Struct
from typing import Final

from amq.auth.credentials import Refusal
from amq.auth.users import User
from amq.broker import INFO, Broker
from amq.connection import consuming, dispatch, framing
from amq.connection.channel import Channel
from amq.connection.channels import Channels
from amq.connection.committing import committed
from amq.connection.handshake import LoginRefused
from amq.connection.lifecycle import HEARTBEAT
from amq.connection.peer import Peer
from amq.connection.session import Parked, Session
from amq.errors import CHANNEL_ERROR, CONNECTION_FORCED, ChannelFault, ConnectionFault
from amq.queues.base import Queue
from amq.vhost.settling import settle
from amq.wire import spec
from amq.wire.tail import Tail

_unpack_head: Final = Struct(">BHI").unpack_from
_unpack_method: Final = Struct(">I").unpack_from
_unpack_ack: Final = Struct(">QB").unpack_from

# Ready messages from which on a publisher gives way to the consumers of its queue, however much it publishes at once.
LAG: Final = 500


class Connection(Channels):
    """The broker's side of one connection. `now` is monotonic time in s wherever it appears."""

    __slots__ = ("tail", "told_blocked", "lagging")

    def __init__(self, broker: Broker, peer: Peer, now: float) -> None:
        super().__init__(broker, peer, now)
        self.tail = Tail()
        self.told_blocked: bool = False
        # What it published has yet to reach the disk, and is too much to add to.
        self.lagging: bool = False

    # -- what the shell calls --

    def receive(self, data: bytes, now: float) -> bool:
        """Take a chunk of what the client sent; returns False when that changed nothing for anybody."""
        self.broker.clock.now = now
        self.last_heard = now
        self.listening = False
        self.received += len(data)
        self.received_count += 1
        if self.deaf or self.finished:
            return False
        if data == HEARTBEAT and self.session is not None and not self.tail.pieces:
            # All that most clients say for most of the time, and nothing to be done about it.
            self.beats += 1
            return False
        data = self.tail.join(data)
        if not data:
            return True
        if self.parked():
            self.tail.keep(data)
            return True
        pos = 0
        if not self.greeted:
            # Probes of load balancers connect, say nothing and are gone; the log is not to be full of them.
            if self.received_count == 1:
                self.broker.note(INFO, f"accepting AMQP connection {self.peer}")
            if len(data) < len(spec.PROTOCOL_HEADER):
                self.tail.pieces.append(data)
                return True
            pos = len(spec.PROTOCOL_HEADER)
            if not self.greet(data[:pos]):
                return True
        try:
            pos = self.frames(data, pos)
        except ConnectionFault as fault:
            self.fail(fault)
            pos = len(data)
        if not (self.deaf or self.finished):
            self.tail.keep(data[pos:])
        self.after_work()
        return True

    def wants_data(self) -> bool:
        """Whether the shell should read from the socket: not while the client has to wait or does not read itself.

        For who does not read, one chunk in every half heartbeat interval has to do.
        """
        return not self.unread() and (self.listening or not self.outbox.full())

    def unread(self) -> bool:
        # Once connection.close was said only its answer counts, and that must be heard.
        return not self.closing and (self.lagging or super().unread())

    def written(self, now: float) -> None:
        """The outbox has gone out: consumers that found it full go on."""
        self.sent_count += 1
        session = self.session
        if session is None or not session.starved:
            return
        self.broker.clock.now = now
        starved = session.starved[:]
        session.starved.clear()
        for consumer in starved:
            consumer.relieve()
        settle(session.vhost)

    def pressed(self) -> tuple[Queue, int] | None:
        """A queue that this client has just published to and whose consumers lag behind, and what they may lag by.

        That is as much as the client has published in one go: whoever sends single messages waits for single messages.
        """
        session = self.session
        if session is None or session.fed is None:
            return None
        queue = session.fed
        lag = min(session.portion, LAG)
        session.fed = None
        if queue.ready_count() > lag and queue.consumer_count():
            return queue, lag
        return None

    def lost(self, now: float) -> None:
        super().lost(now)
        self.tail.drop()

    # -- frames --

    def frames(self, buf: bytes, pos: int) -> int:
        """Handle every whole frame in `buf` from `pos` on; returns where the first incomplete one begins."""
        end = len(buf)
        channels = self.channels
        limit = self.frame_limit
        confirming = self.confirming
        alarms = self.broker.alarms
        while end - pos >= 7:
            kind, number, size = _unpack_head(buf, pos)
            if size > limit:
                raise framing.too_large(kind, size, limit)
            stop = pos + 7 + size
            if stop >= end:
                break
            if buf[stop] != 0xCE:
                raise framing.bad_end(kind, buf[pos + 7 : stop], buf[stop])
            channel = channels.get(number)
            if channel is None or channel.closing:
                self.other_frame(kind, number, buf[pos + 7 : stop])
                if self.deaf or self.finished:
                    return end
                limit = self.frame_limit
                pos = stop + 1
                if self.handshake.login is not None:
                    break
                continue
            publisher = channel.publisher
            if publisher.confirms is not None:
                confirming[channel] = None
            try:
                # What is too short for a method is found out where the content is.
                if kind == spec.FRAME_METHOD and size >= 4 and publisher.arguments is None:
                    (method,) = _unpack_method(buf, pos + 7)
                    if method == spec.BASIC_PUBLISH and not channel.commit_ticket:
                        if alarms:
                            # It waits, with all that came after it, until the alarm is over.
                            self.block()
                            return pos
                        after = publisher.run(buf, pos, stop, end)
                        if after != pos:
                            pos = after
                            continue
                        self.method = method
                        publisher.on_method(buf[pos + 7 : stop])
                    elif method == spec.BASIC_ACK and size == 13 and not channel.commit_ticket:
                        self.method = method
                        tag, bits = _unpack_ack(buf, pos + 11)
                        multiple = bits & 1 == 1
                        consuming.basic_ack(channel, tag, multiple)
                        if not multiple:
                            pos = stop + 1
                            if pos < end:
                                pos = consuming.more_acks(channel, buf, pos, end)
                            continue
                        if channel.session.errand is not None:
                            pos = stop + 1
                            break
                    else:
                        self.channel_method(channel, method, buf[pos + 7 : stop])
                        if channel.session.cold is not None:
                            # The frame stays, with all that came after it.
                            return pos
                        if channel.session.parked is not None or channel.session.errand is not None:
                            pos = stop + 1
                            break
                else:
                    self.content_frame(channel, kind, buf[pos + 7 : stop])
            except ChannelFault as fault:
                self.fail_channel(channel, fault)
            pos = stop + 1
        return pos

    def content_frame(self, channel: Channel, kind: int, payload: bytes) -> None:
        """A frame on an open channel that is part of a content, or should be."""
        framing.check_shape(kind, payload)
        publisher = channel.publisher
        self.method = spec.BASIC_PUBLISH
        if kind == spec.FRAME_BODY:
            publisher.on_body(payload)
        elif kind == spec.FRAME_HEADER:
            publisher.on_header(payload)
        elif kind == spec.FRAME_METHOD:
            publisher.unfinished()
        else:
            # A heartbeat belongs on channel 0 alone.
            raise framing.unexpected(kind, payload)

    def channel_method(self, channel: Channel, method: int, payload: bytes) -> None:
        """A method other than publish and ack on an open channel."""
        framing.check_shape(spec.FRAME_METHOD, payload)
        self.method = method
        session = channel.session
        # What was published before must have reached its consumers before anything else is looked at.
        if session.vhost.agenda.touched or session.vhost.agenda.dead:
            settle(session.vhost)
        if method == spec.CHANNEL_CLOSE:
            dispatch.arguments_of(method, payload)
            self.close_channel(channel)
        elif method == spec.CHANNEL_OPEN:
            raise ConnectionFault(CHANNEL_ERROR, "second 'channel.open' seen")
        else:
            dispatch.handle(channel, method, payload)
            if not channel.timed and method in (spec.BASIC_CONSUME, spec.BASIC_GET):
                self.watch(channel)

    def other_frame(self, kind: int, number: int, payload: bytes) -> None:
        """A frame that is not for an open channel."""
        framing.check_shape(kind, payload)
        self.method = int.from_bytes(payload[:4], "big") if kind == spec.FRAME_METHOD else 0
        if self.closing:
            if kind == spec.FRAME_METHOD and number == 0:
                self.last_words(self.method)
            return
        if number == 0:
            self.frame_on_zero(kind, payload)
        elif self.session is None:
            raise framing.unexpected(kind, payload)
        elif number in self.channels:
            self.closing_channel(number, kind)
        else:
            self.unopened(number, kind, payload)

    # -- what a chunk leaves to do --

    def after_work(self) -> None:
        """Deliver what was published, confirm it, and see whether an alarm stops this publisher."""
        session = self.session
        if session is None:
            return
        settle(session.vhost)
        if self.confirming:
            for channel in self.confirming:
                channel.publisher.flush()
            self.confirming.clear()
        if session.has_published:
            session.has_published = False
            if self.broker.alarms:
                self.block()
            # Who publishes nothing that is kept does not wait for what others have the disk write.
            if session.has_recorded and self.broker.journal.behind() and not self.lagging:
                self.lagging = True
                self.broker.lagging.append(self)
            session.has_recorded = False

    def confirm(self) -> None:
        for channel in self.channels.values():
            committed(channel)
            channel.publisher.flush()
        session = self.session
        if session is not None and session.parked is not None:
            self.unpark(session, session.parked)

    def login_decided(self, outcome: User | Refusal) -> None:
        if self.finished or self.deaf or self.handshake.login is None:
            return
        try:
            method, arguments = self.handshake.decided(outcome)
        except LoginRefused as refused:
            self.login_refused(refused)
        else:
            self.say(0, method, arguments)
        self.go_on()

    def head_arrived(self) -> None:
        session = self.session
        if session is None or session.cold is None or session.cold.cold_head():
            return
        session.cold = None
        self.broker.shivering.pop(self, None)
        self.go_on()

    def go_on(self) -> None:
        # The shell looks again whether to read, even where there is nothing to say.
        self.outbox.grow(0)
        self.receive(b"", self.broker.clock.now)

    def unpark(self, session: Session, parked: Parked) -> None:
        """Send the answer that waits, and go on with what came after it; or wait on."""
        if parked.waits(self.broker.journal.durable):
            session.park(parked)
            return
        session.parked = None
        channel = self.channels.get(parked.number)
        # It may have been closed from this side meanwhile.
        if channel is not None and not channel.closing:
            self.outbox.put(parked.octets)
        self.go_on()

    def force_close(self, reason: str, code: int = CONNECTION_FORCED) -> None:
        unread = self.unread()
        super().force_close(reason, code)
        if unread:
            # The client's own last words may be waiting already.
            self.receive(b"", self.broker.clock.now)

    def caught_up(self) -> None:
        self.lagging = False
        # The shell looks again whether to read.
        self.outbox.grow(0)

    def alarm_changed(self) -> None:
        if self.broker.alarms:
            return
        blocked, self.blocked = self.blocked, False
        # The shell looks again whether to read, even where there is nothing to say.
        self.outbox.grow(0)
        if self.told_blocked:
            self.told_blocked = False
            self.say(0, spec.CONNECTION_UNBLOCKED, [])
        if blocked:
            self.receive(b"", self.broker.clock.now)

    def block(self) -> None:
        """An alarm is set and this client publishes: read nothing more from it."""
        self.blocked = True
        if not self.told_blocked and self.handshake.can("connection.blocked"):
            self.told_blocked = True
            self.say(0, spec.CONNECTION_BLOCKED, [self.broker.alarm_reason().encode()])
