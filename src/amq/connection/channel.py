"""One channel: what belongs to it, and how it is taken down."""

from amq.connection import ledger as deliveries
from amq.connection.consumer import UNLIMITED, ChannelConsumer
from amq.connection.errands import MANY, Errand, Leaving
from amq.connection.ledger import Ledger
from amq.connection.publisher import Publisher
from amq.connection.session import Parked, Session
from amq.queues.base import Queue
from amq.queues.emptying import Emptying
from amq.tally import Tally
from amq.vhost import topology
from amq.wire import methods
from amq.wire.tables import Table


class Channel:
    """An open channel. `prefetch` is for consumers that start from now on (0: unlimited).

    `closing`: a channel.close was sent; everything but its answer is ignored. `commit_ticket`: a tx.commit waits
    for it (0: none does).
    """

    __slots__ = (
        "number",
        "session",
        "tally",
        "ledger",
        "publisher",
        "prefetch",
        "closing",
        "last_queue",
        "commit_ticket",
        "timed",
    )

    def __init__(self, number: int, session: Session) -> None:
        self.number = number
        self.session = session
        self.tally = Tally()
        self.ledger = Ledger(session.outbox, self.tally)
        self.publisher = Publisher(session, number, self.tally)
        self.prefetch: int = 0
        self.closing: bool = False
        # What an empty queue name stands for.
        self.last_queue: bytes | None = None
        self.commit_ticket: int = 0
        # True once a timer looks after deliveries that are never acknowledged.
        self.timed: bool = False

    def acked(self) -> int:
        """How many deliveries were acknowledged, ever."""
        return self.tally.settled(len(self.ledger.unacked))

    def reply(self, method: int, arguments: list[object]) -> None:
        """Send a method to the client."""
        self.session.outbox.put(methods.encode(self.number, method, arguments))

    def reply_after_errand(self, method: int) -> None:
        """The same once what this channel has begun is through."""
        errand = self.errand()
        if errand is None:
            self.reply(method, [])
        else:
            errand.answer = methods.encode(self.number, method, [])

    def answer(
        self,
        method: int,
        arguments: list[object],
        ticket: int,
        after: bytes = b"",
        work: Emptying | None = None,
    ) -> None:
        """Send a method, and the frames that come `after` it, to the client once `ticket` is durable (0: now), or, if
        there is one, `work` is done and durable.

        Until then the connection handles nothing more.
        """
        session = self.session
        parked = Parked(self.number, ticket, methods.encode(self.number, method, arguments) + after, work)
        if parked.waits(session.broker.journal.durable):
            session.park(parked)
        else:
            session.outbox.put(parked.octets)

    def add_consumer(
        self, queue: Queue, tag: bytes, no_ack: bool, exclusive: bool, priority: int, arguments: Table
    ) -> ChannelConsumer:
        """A new consumer in this channel's books; the queue does not know it yet."""
        session = self.session
        credit = UNLIMITED if no_ack or not self.prefetch else self.prefetch
        consumer = ChannelConsumer(
            tag,
            no_ack,
            exclusive,
            priority,
            arguments,
            queue,
            credit,
            self.ledger,
            self.number,
            session.broker.clock,
            session.starved,
            session.room_in_frame,
            session.notify_cancel,
        )
        consumer.prefetch = self.prefetch
        self.ledger.subscribers[tag] = consumer
        return consumer

    def cancel(self, tag: bytes) -> None:
        """Stop a consumer; what it has not acknowledged stays outstanding. An unknown tag is no mistake."""
        consumer = self.ledger.subscribers.pop(tag, None)
        if consumer is None:
            return
        publisher = self.publisher
        if publisher.reply_queue is not None and consumer.queue is publisher.reply_queue:
            self.forget_replies()
            return
        queue = consumer.queue
        queue.remove_consumer(consumer)
        if queue.auto_delete and not queue.consumer_count():
            topology.delete_queue(self.session.vhost, queue)

    def forget_replies(self) -> None:
        """End the direct reply-to consumer, if there is one."""
        publisher = self.publisher
        if publisher.reply_queue is not None:
            vhost = self.session.vhost
            publisher.reply_queue.consumer = None
            del vhost.replies[publisher.reply_queue.name]
            publisher.reply_queue = None
            vhost.changed()

    def errand(self) -> Errand | None:
        """What a method of this channel still has to do."""
        errand = self.session.errand
        return errand if isinstance(errand, Errand) and errand.ledger is self.ledger else None

    def shut(self) -> Leaving | None:
        """Take the channel down: consumers go, and what is unacknowledged returns to its queues. Returns what is left
        to do of that.
        """
        self.closing = True
        leaving = None
        agenda = self.session.vhost.agenda
        agenda.tally.add_publishing(self.tally)
        agenda.churn.channels_closed += 1
        self.commit_ticket = 0
        transaction = self.publisher.transaction
        # Before the consumers go: an auto-delete queue then takes its messages with it.
        errand = self.errand()
        if errand is not None or (transaction is None and self.ledger.many(0, MANY)):
            if errand is not None:
                # On a channel that is closed nothing more is said.
                errand.answer = b""
            if transaction is not None:
                # Those come back, too.
                self.ledger.restore(transaction.deliveries())
            leaving = Leaving(self.session, self.ledger, errand)
            leaving.begin()
        else:
            outstanding = self.ledger.take_all()
            if transaction is not None:
                outstanding += transaction.deliveries()
                outstanding.sort(key=tag_of)
            deliveries.put_back(outstanding)
        for tag in list(self.ledger.subscribers):
            self.cancel(tag)
        self.publisher.confirms = None
        self.publisher.transaction = None
        self.publisher.parts = []
        self.publisher.long = None
        return None if leaving is None or leaving.done else leaving


def tag_of(delivery: deliveries.Delivery) -> int:
    """The delivery tag."""
    return delivery[5]
