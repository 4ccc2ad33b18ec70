"""What all channels of an opened connection share."""

from typing import Final

from amq.auth.users import User
from amq.broker import Broker
from amq.chores import Chore
from amq.connection.consumer import ChannelConsumer
from amq.connection.outbox import Outbox
from amq.queues.base import Queue
from amq.queues.emptying import Emptying
from amq.vhost.vhost import Vhost
from amq.wire.spec import ENVELOPE

FEW: Final = 16


class Parked:
    """An answer on channel `number` that is sent, as `octets`, when `ticket` is durable, or the ticket of `work` once
    that is done.
    """

    __slots__ = ("number", "ticket", "octets", "work")

    def __init__(self, number: int, ticket: int, octets: bytes, work: Emptying | None = None) -> None:
        self.number = number
        self.ticket = ticket
        self.octets = octets
        self.work = work

    def waits(self, durable: int) -> bool:
        """Whether it cannot be sent yet, while everything up to that ticket is durable."""
        work = self.work
        if work is not None:
            return not work.done or work.ticket > durable
        return self.ticket > durable


class Session:
    """An opened connection as its channels see it, and the owner of its exclusive queues.

    `frame_max` was negotiated, in octets, 0 for no limit; `room_in_frame` is what of it is left for a payload.
    `notify_cancel`: the client wants to hear of consumers that the broker cancels. While an answer is `parked`, no
    frame is handled: what came after it waits in order.
    """

    __slots__ = (
        "broker",
        "vhost",
        "access",
        "user",
        "outbox",
        "room_in_frame",
        "notify_cancel",
        "starved",
        "exclusive",
        "crowded",
        "has_published",
        "has_recorded",
        "fed",
        "portion",
        "parked",
        "cold",
        "errand",
    )

    def __init__(
        self, broker: Broker, vhost: Vhost, user: User, outbox: Outbox, frame_max: int, notify_cancel: bool
    ) -> None:
        self.broker = broker
        self.vhost = vhost
        self.access = vhost.permissions.access(user.name)
        self.user = user
        self.outbox = outbox
        self.room_in_frame: int = (frame_max or 1 << 31) - ENVELOPE
        self.notify_cancel = notify_cancel
        # Consumers that found the outbox full; they go on when it was sent.
        self.starved: list[ChannelConsumer] = []
        self.exclusive: dict[Queue, None] = {}
        # How many of them are worth a look for deleted ones.
        self.crowded: int = FEW
        # Set by every publish, cleared by the connection: under an alarm, publishers are blocked.
        self.has_published: bool = False
        # The same for what goes to the journal, or may be too much for it: such publishers wait while it is behind.
        self.has_recorded: bool = False
        # A queue of the latest publishes.
        self.fed: Queue | None = None
        # How many messages that queue was fed since somebody last asked.
        self.portion: int = 0
        self.parked: Parked | None = None
        # A queue whose head is on its way into memory for a basic.get, which is handled again when it is there.
        self.cold: Queue | None = None
        # A method that takes a while: nothing is handled until it is through (`amq.connection.errands`).
        self.errand: Chore | None = None

    def await_head(self, queue: Queue) -> None:
        """Handle nothing until the head of that queue is in memory."""
        self.cold = queue
        self.broker.shivering[self.outbox.client] = None

    def park(self, parked: Parked) -> None:
        """Send this answer when its ticket is durable, and handle nothing until then."""
        self.parked = parked
        self.broker.awaiting[self.outbox.client] = None

    def take_back(self, count: int) -> bytes:
        """What was put into the outbox after its first `count` pieces, which is not said now."""
        outbox = self.outbox
        octets = b"".join(outbox.pieces[count:])
        del outbox.pieces[count:]
        outbox.size -= len(octets)
        outbox.total -= len(octets)
        return octets

    def feed(self, queue: Queue, count: int) -> None:
        """Messages were published to a queue (of several, the first stands for all)."""
        if queue is not self.fed:
            self.fed = queue
            self.portion = 0
        self.portion += count

    def own(self, queue: Queue) -> None:
        """Enter an exclusive queue; those that were deleted by themselves meanwhile leave now and then."""
        if len(self.exclusive) >= self.crowded:
            self.exclusive = {each: None for each in self.exclusive if not each.deleted}
            self.crowded = 2 * len(self.exclusive) + FEW
        self.exclusive[queue] = None
