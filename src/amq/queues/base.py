"""What every queue type can do, what it asks of a consumer, and what it leaves for its vhost to do."""

from collections import deque
from typing import Final

from amq.chores import Chores
from amq.clock import Clock, Timers
from amq.destination import Destination
from amq.journal.batch import Batch, Settled
from amq.journal.replay import Stretch
from amq.message import Message
from amq.queues.emptying import Emptying
from amq.tally import Churn, Tally
from amq.wire.tables import Table

# Timers are never withdrawn: one that is due later looks again after so long (s), lest it hold on to what is gone.
LOOK_AGAIN: Final = 15.0

# Why a message left a queue other than by an acknowledgement; the names that x-death uses.
REJECTED: Final = "rejected"
EXPIRED: Final = "expired"
MAXLEN: Final = "maxlen"
DELIVERY_LIMIT: Final = "delivery_limit"
# What became of a delivery otherwise.
ACKNOWLEDGED: Final = "acknowledged"
REQUEUED: Final = "requeued"

# What queues share that have nothing of the kind of their own; neither is ever changed.
NO_ARGUMENTS: Final[Table] = {}
NOT_KEPT: Final = Settled(0)


class Consumer:
    """One subscription as its queue sees it. The connection layer implements it.

    `blocked` says that the queue took it off its list of those who can take messages; whoever makes room again
    hands it back with `queue.unblock`.
    """

    __slots__ = ("tag", "no_ack", "exclusive", "priority", "blocked", "arguments")

    def __init__(self, tag: bytes, no_ack: bool, exclusive: bool, priority: int, arguments: Table) -> None:
        self.tag = tag
        self.no_ack = no_ack
        self.exclusive = exclusive
        self.priority = priority
        self.arguments = arguments
        self.blocked: bool = False

    def room(self) -> int:
        """How many messages it can take now; 0: none."""
        raise NotImplementedError

    def deliver(self, queue: "Queue", position: int, messages: list[Message], redelivered: bool) -> int:
        """Take messages that stood at `position` and following: no waiting, no refusing.

        Returns the octets of their bodies together.
        """
        raise NotImplementedError

    def cancelled(self) -> None:
        """The queue is gone; nothing more will come."""
        raise NotImplementedError


class Origin:
    """Whose channel did something: its connection's name, its number, the user."""

    __slots__ = ("connection", "channel", "user")

    def __init__(self, connection: str, channel: int, user: str) -> None:
        self.connection = connection
        self.channel = channel
        self.user = user


class Tracer:
    """Is told what happens to messages. `amq.vhost.tracing` implements it."""

    __slots__ = ()

    def published(self, origin: Origin, message: Message, queues: "list[Queue]") -> None:
        """A message was published and routed."""
        raise NotImplementedError

    def delivered(self, origin: Origin, queue: "Queue", messages: list[Message], redelivered: bool) -> None:
        """Messages of a queue went to a consumer, or were got."""
        raise NotImplementedError

    def settled(self, queue: "Queue", message: Message, how: str) -> None:
        """A delivery of a queue was ACKNOWLEDGED (or needed no acknowledgement), REJECTED or REQUEUED."""
        raise NotImplementedError

    def dead_lettered(self, queue: "Queue", message: Message, reason: str) -> None:
        """A message left its queue for the dead-letter exchange."""
        raise NotImplementedError


class Agenda:
    """What is left to do once a chunk of a client's input is through, for all of a vhost.

    `touched`: queues that may have something to deliver. `dead`: messages that left their queue for its dead-letter
    exchange, with the reason. `released`: messages that have waited long enough, each with the exchange that goes on
    routing it. Lists rather than calls: a queue knows nothing above itself. `late`: there are too many of
    them for one go, and a timer will have the next ones looked after. `tally` counts for the channels and queues that
    are gone. `tracer` is there while somebody traces the vhost's messages; `node` is the name of this node.
    """

    __slots__ = (
        "tracer",
        "node",
        "clock",
        "timers",
        "journal",
        "touched",
        "dead",
        "late",
        "released",
        "tally",
        "churn",
        "log",
        "chores",
    )

    def __init__(
        self,
        clock: Clock,
        timers: Timers,
        journal: Batch | None = None,
        churn: Churn | None = None,
        log: list[tuple[int, str]] | None = None,
        node: str = "",
        chores: Chores | None = None,
    ) -> None:
        self.tracer: Tracer | None = None
        self.node = node
        self.tally = Tally()
        # The broker's.
        self.churn = churn or Churn()
        self.chores = chores or Chores(clock, timers)
        self.log: list[tuple[int, str]] = [] if log is None else log
        self.clock = clock
        self.timers = timers
        self.journal = journal or Batch(keeps=False)
        self.touched: list[Queue] = []
        self.dead: deque[tuple[Queue, Message, str]] = deque()
        self.late: bool = False
        self.released: deque[tuple[Destination, Message]] = deque()


class Queue(Destination):
    """Base of every queue type.

    `owner` is the session that an exclusive queue belongs to (its own kind of object, only compared), `unacked`
    how many messages are out with consumers. `touched` is True while it stands in the agenda. `deleted` is True once
    it is gone: acknowledgements that come late then mean nothing. `taken` counts deliveries, ever; who waits for
    consumers to keep up watches it move. `used_at` is when it was last declared, got from or left by a consumer
    (monotonic seconds). `dead_letter_exchange` and `dead_letter_routing_key` are what it was declared with, or None.
    `size` is the octets of ready bodies.
    """

    __slots__ = (
        "durable",
        "exclusive",
        "auto_delete",
        "arguments",
        "owner",
        "agenda",
        "touched",
        "unacked",
        "deleted",
        "taken",
        "used_at",
        "id",
        "keeps",
        "settled",
        "dead_letter_exchange",
        "dead_letter_routing_key",
        "size",
        "tally",
        "policy",
        "operator_policy",
    )

    def __init__(
        self,
        name: bytes,
        durable: bool,
        owner: object | None,
        auto_delete: bool,
        arguments: Table,
        agenda: Agenda,
        queue_id: int = 0,
    ) -> None:
        super().__init__(name)
        self.durable = durable
        # What the journal calls it; 0 when it keeps nothing of this queue.
        self.keeps: bool = durable and agenda.journal.keeps
        self.id: int = (queue_id or agenda.journal.new_id()) if self.keeps else 0
        self.settled: Settled = Settled(self.id) if self.keeps else NOT_KEPT
        self.owner = owner
        self.exclusive: bool = owner is not None
        self.auto_delete = auto_delete
        self.arguments: Table = arguments or NO_ARGUMENTS
        self.agenda = agenda
        self.touched: bool = False
        self.unacked: int = 0
        self.deleted: bool = False
        self.taken: int = 0
        self.used_at: float = agenda.clock.now
        self.dead_letter_exchange: bytes | None = None
        self.dead_letter_routing_key: bytes | None = None
        self.size: int = 0
        self.tally = Tally()
        # The `amq.vhost.policy.Policy` of each kind that counts for it; whoever makes policies sets them.
        self.policy: object = None
        self.operator_policy: object = None

    def touch(self) -> None:
        """Ask to be dispatched at the end of the chunk."""
        if not self.touched:
            self.touched = True
            self.agenda.touched.append(self)

    def enqueue(self, message: Message) -> bool:
        """Take a message. False: refused, the publisher is to be told so. `took` counts it afterwards."""
        raise NotImplementedError

    def takes_all(self, ttl: int) -> bool:
        """Whether it takes any number of messages with this time to live (ms; -1: none) without a look at each."""
        return False

    def enqueue_all(self, messages: list[Message]) -> None:
        """Take messages of one time to live, where `takes_all` says so. `took` counts them afterwards."""
        raise NotImplementedError

    def took(self, count: int, octets: int) -> None:
        """So many messages were enqueued, with bodies of `octets` together; -1 takes one back that was refused."""
        self.tally.published += count

    def acked(self) -> int:
        """How many deliveries were acknowledged, ever."""
        return self.tally.settled(self.unacked)

    def dispatch(self) -> None:
        """Hand ready messages to consumers that can take them."""
        raise NotImplementedError

    def get(self) -> tuple[int, Message, bool] | None:
        """Take the head: its position, the message, whether it was delivered before. None: nothing ready, or
        `cold_head`.
        """
        raise NotImplementedError

    def cold_head(self) -> bool:
        """Whether the head has to be waited for: it is on its way into memory, or comes back, or those before it have
        expired and are dropped; the queue is touched when it is there.
        """
        return False

    def warmed(self) -> None:
        """Messages that were not in memory are back."""
        raise NotImplementedError

    def patience(self) -> int:
        """How long a delivery may stay unacknowledged, in ms; -1: as long as the broker's settings say."""
        return -1

    def timed(self) -> bool:
        """Whether `restore` wants to know when messages were published."""
        return False

    def restore(self, stretches: list[Stretch], delivered: dict[int, int] | None) -> None:
        """Take back what the journal says is alive here, in order, before anything else comes in.

        `delivered` is, by priority, the last LSN that had been delivered before a stop in good order; None: everything
        may have been.
        """
        raise NotImplementedError

    def delivered_bounds(self) -> list[tuple[int, int]]:
        """By priority, the last LSN that waits and was delivered before; for a stop in good order."""
        return []

    def page_out(self, keep: int, most: int) -> int:
        """Let go of messages in memory, but for the first `keep` of each priority, as far as they can be read back:
        about `most` of them at most. Returns how many.
        """
        return 0

    def in_memory(self) -> tuple[int, int]:
        """How many messages `page_out` might let go of, and roughly the octets of their bodies."""
        return 0, 0

    def settle(self, position: int, message: Message) -> None:
        """A delivered message is done with."""
        raise NotImplementedError

    def forget(self, message: Message) -> None:
        """A message that stands in the journal is gone from this queue for good."""
        raise NotImplementedError

    def reject(self, position: int, message: Message) -> None:
        """A delivered message is refused for good."""
        raise NotImplementedError

    def requeue(self, deliveries: list[tuple[int, Message]]) -> None:
        """Put delivered messages back to where they stood."""
        raise NotImplementedError

    def hold(self) -> None:
        """Hand out nothing until `let_go`: messages come back that belong in front, in slices."""

    def let_go(self) -> None:
        """Hand out messages again."""

    def purge(self) -> int:
        """Drop all ready messages; returns how many."""
        return self.emptied().count

    def emptied(self) -> Emptying:
        """Drop all ready messages, of which there may be millions: the queue is empty at once, and what that leaves to
        do is done in slices.
        """
        raise NotImplementedError

    def ready_count(self) -> int:
        """Messages that wait for a consumer."""
        raise NotImplementedError

    def admits(self, exclusive: bool) -> bool:
        """Whether one more consumer may come, as an exclusive one or not."""
        raise NotImplementedError

    def add_consumer(self, consumer: Consumer) -> None:
        """Let a consumer take part."""
        raise NotImplementedError

    def remove_consumer(self, consumer: Consumer) -> None:
        """A consumer is gone. What it holds unacknowledged stays with its channel."""
        raise NotImplementedError

    def cancel_consumers(self) -> None:
        """The queue is deleted: tell every consumer."""
        raise NotImplementedError

    def unblock(self, consumer: Consumer) -> None:
        """A consumer with `blocked` set can take messages again."""
        raise NotImplementedError

    def consumer_count(self) -> int:
        """Consumers, whether they can take something or not."""
        raise NotImplementedError
