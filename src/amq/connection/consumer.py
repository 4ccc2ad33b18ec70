"""A consumer on a channel: turns messages into basic.deliver frames in its connection's outbox.

Most of a delivery repeats from message to message, so it is put together from pieces that are made once:

    start                          |tag, redelivered| middle                                        | body | end
    frame head, method, consumer   |                | address, end; header frame; body frame's head |      |

In a row of such deliveries the end of one and the start of the next are one piece.
"""

from struct import Struct
from typing import Final

from amq.clock import Clock
from amq.connection.ledger import Ledger, Subscriber
from amq.connection.outbox import Outbox, Piece
from amq.message import Message
from amq.queues.base import Origin, Queue
from amq.wire import methods, spec
from amq.wire.properties import shortstr
from amq.wire.tables import Table

# A consumer takes at most so many messages in one go, and about so many octets.
RUN: Final = 512
RUN_SIZE: Final = 1 << 16
UNLIMITED: Final = 1 << 60

_HEAD: Final = Struct(">BHI").pack
_TAG: Final = Struct(">QB").pack
_DELIVER: Final = spec.BASIC_DELIVER.to_bytes(4, "big")
END: Final = b"\xce"


def content_frames(channel: int, header: bytes, body: bytes, room: int) -> list[Piece]:
    """Header frame and body frames of a content; `room` is the largest payload of a frame, in octets."""
    pieces: list[Piece] = [_HEAD(spec.FRAME_HEADER, channel, len(header)), header, END]
    whole: Piece = body if len(body) <= room else memoryview(body)
    for start in range(0, len(body), room):
        part = whole[start : start + room]
        pieces += (_HEAD(spec.FRAME_BODY, channel, len(part)), part, END)
    return pieces


def origin(outbox: Outbox, channel: int) -> Origin:
    """A channel, for who traces messages."""
    client = outbox.client
    return Origin(client.name(), channel, client.user_name() or "")


class ChannelConsumer(Subscriber):
    """A subscription of a channel. `room_in_frame` is the largest payload of a frame, in octets."""

    __slots__ = (
        "outbox",
        "channel",
        "clock",
        "starved",
        "room_in_frame",
        "notify",
        "prefetch",
        "prefix",
        "address",
        "header",
        "start",
        "middle",
        "weight",
        "body_size",
    )

    def __init__(
        self,
        tag: bytes,
        no_ack: bool,
        exclusive: bool,
        priority: int,
        arguments: Table,
        queue: Queue,
        credit: int,
        ledger: Ledger,
        channel: int,
        clock: Clock,
        starved: "list[ChannelConsumer]",
        room_in_frame: int,
        notify: bool,
    ) -> None:
        super().__init__(tag, no_ack, exclusive, priority, arguments, queue, credit, ledger)
        self.outbox: Outbox = ledger.outbox
        self.channel = channel
        self.clock = clock
        # The connection's consumers that found the outbox full.
        self.starved = starved
        self.room_in_frame = room_in_frame
        # Whether the client wants to hear of a cancellation by the broker.
        self.notify = notify
        # The channel's when it began.
        self.prefetch: int = 0
        self.prefix: bytes = _DELIVER + shortstr(tag)
        # What `start` and `middle` were made for, and the octets of such a delivery.
        self.address: bytes = b""
        self.header: bytes = b""
        self.start: bytes = b""
        self.middle: bytes = b""
        self.weight: int = 0
        self.body_size: int = 0

    def room(self) -> int:
        if self.outbox.full():
            self.starved.append(self)
            return 0
        room = self.credit
        ledger = self.ledger
        if ledger.limit:
            free = ledger.limit - ledger.outstanding
            if free <= 0:
                # A consumer without acknowledgements takes none of the limit, but waits with the others.
                return 0
            if not self.no_ack:
                room = min(room, free)
        if room > RUN:
            room = RUN
        # By the size of the last delivery; the next ones may differ, so never more than a run.
        if room > 1 and room * self.weight > RUN_SIZE:
            room = max(1, RUN_SIZE // self.weight)
        return room

    def shape(self, message: Message) -> None:
        """Make the pieces that repeat, for messages like this one."""
        self.address = address = message.address
        self.header = header = message.header
        number = self.channel
        size = len(message.body)
        self.start = _HEAD(spec.FRAME_METHOD, number, len(self.prefix) + 9 + len(address)) + self.prefix
        middle = [address, END, _HEAD(spec.FRAME_HEADER, number, len(header)), header]
        if size:
            # The end of the header frame; without a body the end of the delivery stands for it.
            middle += (END, _HEAD(spec.FRAME_BODY, number, size))
        self.middle = b"".join(middle)
        self.body_size = size
        self.weight = len(self.start) + len(self.middle) + size + 10

    def deliver(self, queue: Queue, position: int, messages: list[Message], redelivered: bool) -> int:
        ledger = self.ledger
        tag = ledger.next_tag
        first = tag
        # From which delivery on all are of one shape, and the octets of the bodies of those before it.
        alike = tag
        octets = 0
        pieces = self.outbox.pieces
        unacked = ledger.unacked
        noted = not self.no_ack
        now = self.clock.now
        total = 0
        # What the messages of one shape in a row have in common; a piece ends one delivery and begins the next.
        header: bytes | None = None
        address = middle = between = b""
        for message in messages:
            if message.header is not header or message.address is not address:
                if tag != alike:
                    pieces[-1] = END
                    octets += (tag - alike) * self.body_size
                    total += (tag - alike) * self.weight
                    alike = tag
                header = message.header
                address = message.address
                if header is not self.header or address is not self.address:
                    if len(message.body) > self.room_in_frame:
                        total += self.put_split(message, tag, redelivered)
                        octets += len(message.body)
                        if noted:
                            unacked[tag] = (self, queue, position, message, now, tag)
                            position += 1
                        tag += 1
                        alike = tag
                        header = None
                        continue
                    self.shape(message)
                middle = self.middle
                between = END + self.start
                pieces.append(self.start)
            pieces += (_TAG(tag, redelivered), middle, message.body, between)
            if noted:
                unacked[tag] = (self, queue, position, message, now, tag)
                position += 1
            tag += 1
        if tag != alike:
            pieces[-1] = END
            octets += (tag - alike) * self.body_size
            total += (tag - alike) * self.weight
        ledger.next_tag = tag
        count = tag - first
        tally = ledger.tally
        if noted:
            self.credit -= count
            ledger.outstanding += count
            tally.delivered += count
            queue.tally.delivered += count
        else:
            tally.delivered_no_ack += count
            queue.tally.delivered_no_ack += count
        if redelivered:
            tally.redelivered += count
            queue.tally.redelivered += count
        if ledger.limit:
            # Who was served last is the last to be relieved.
            ledger.subscribers[self.tag] = ledger.subscribers.pop(self.tag)
        self.outbox.grow(total)
        tracer = queue.agenda.tracer
        if tracer is not None:
            tracer.delivered(origin(self.outbox, self.channel), queue, messages, redelivered)
        return octets

    def put_split(self, message: Message, tag: int, redelivered: bool) -> int:
        """Deliver a body of several frames; returns the octets added."""
        address = message.address
        pieces: list[Piece] = [
            _HEAD(spec.FRAME_METHOD, self.channel, len(self.prefix) + 9 + len(address)),
            self.prefix,
            _TAG(tag, redelivered),
            address,
            END,
            *content_frames(self.channel, message.header, message.body, self.room_in_frame),
        ]
        self.outbox.pieces += pieces
        # The next one is weighed anew, whatever came before this one.
        self.header = b""
        self.weight = self.body_size = len(message.body)
        return sum([len(piece) for piece in pieces])

    def cancelled(self) -> None:
        self.ledger.subscribers.pop(self.tag, None)
        if self.notify:
            self.outbox.put(methods.encode(self.channel, spec.BASIC_CANCEL, [self.tag, True]))
