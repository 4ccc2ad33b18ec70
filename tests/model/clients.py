"""What clients do on the channels of the naive broker: one method for each command of the player."""

from collections import deque

from amq.wire.tables import Table
from tests.model.naive import Choose, Naive, Pick
from tests.model.records import Bond, Chan, Delivery, Entry, Exchange, Queue, Refused, Sent, Subscription, Transaction
from tests.model.survivors import Survivors, revive, survivors

LOCKED = (
    "It could be originally declared on another connection or the exclusive property value "
    "does not match that of the original declaration."
)
# The methods that do not wait for what was published before them to arrive.
EAGER = ("publish", "ack")
EXCHANGE_CLASS, QUEUE_CLASS, BASIC_CLASS = 40, 50, 60


class Clients(Naive):
    """The naive broker and the channels of its clients, by client and number."""

    def __init__(self, now: float, wall: float, keeps: bool, choose: Choose, pick: Pick) -> None:
        super().__init__(now, wall, keeps, choose, pick)
        self.channels: dict[tuple[int, int], Chan] = {}
        self.saved = survivors(self)
        # What is on its way to the disk.
        self.flying: Survivors | None = None

    def do(self, name: str, client: int, number: int, arguments: dict[str, object]) -> None:
        """One command of a client on a channel."""
        if name == "open":
            self.channels[client, number] = Chan(client, number)
            self.tell(self.channels[client, number], "open-ok")
            return
        channel = self.channels[client, number]
        if channel.closing:
            if name == "close_ok":
                del self.channels[client, number]
            return
        if name not in EAGER:
            self.settle()
        try:
            getattr(self, name)(channel, **arguments)
        except Refused as refused:
            self.flush(channel)
            self.tell(channel, "close", refused.code, refused.text)
            self.shut(channel)

    def after_chunk(self, client: int) -> None:
        """All that came at once is done: serve the queues, confirm."""
        self.settle()
        for (owner, _), channel in self.channels.items():
            if owner == client:
                self.flush(channel)

    # -- connections and channels --

    def lose(self, client: int) -> None:
        """The connection is gone: channels in the order of their opening, then exclusive queues."""
        for key in [key for key in self.channels if key[0] == client]:
            if not self.channels[key].closing:
                self.shut(self.channels[key])
            del self.channels[key]
        for queue in [queue for queue in self.queues.values() if queue.owner == client]:
            self.delete_queue(queue)
        self.settle()

    def close(self, channel: Chan) -> None:
        self.flush(channel)
        self.shut(channel)
        self.settle()
        del self.channels[channel.client, channel.number]
        self.tell(channel, "close-ok")

    def shut(self, channel: Chan) -> None:
        """What is outstanding returns to its queues, and consumers go."""
        channel.closing = True
        held = sorted(channel.held(), key=lambda delivery: delivery.tag)
        channel.unacked = {}
        channel.transaction = None
        channel.unconfirmed = []
        channel.confirming = False
        self.put_back(held)
        for tag in list(channel.subscriptions):
            self.unsubscribe(channel, tag)

    def begin_write(self) -> None:
        """A batch is on its way to the disk."""
        self.catch_up()
        self.flying = survivors(self)
        self.ticket += 1
        self.loose = False

    def end_write(self) -> None:
        """The disk has it."""
        assert self.flying is not None
        self.saved, self.flying = self.flying, None
        self.durable = self.ticket - 1
        for channel in self.channels.values():
            if channel.commit_ticket and channel.commit_ticket <= self.durable:
                channel.commit_ticket = 0
                self.tell(channel, "commit-ok")
            self.flush(channel)

    def crash(self, now: float, wall: float, landed: bool) -> None:
        """All that is not on disk is gone; `landed`: what was on its way had got there. It is `now` when it starts."""
        if self.flying is not None and landed:
            self.saved = self.flying
        self.begin_again(now, wall, crashed=True)

    def stop(self, now: float, wall: float, clean: bool) -> None:
        """When nobody is left: all is written, and it is `now` when it starts again, sure of that if `clean`."""
        self.saved = survivors(self)
        self.begin_again(now, wall, crashed=not clean)

    def recovered(self, names: list[bytes]) -> None:
        """Queues find, in that order, what is too much or has expired."""
        for queue in [self.queues[name] for name in names]:
            self.drop_excess(queue)
            self.drop_expired(queue)
        self.catch_up()
        self.settle()

    def begin_again(self, now: float, wall: float, crashed: bool) -> None:
        self.channels = {}
        self.flying = None
        self.ticket, self.durable, self.asked, self.loose = 1, 0, 0, False
        revive(self, self.saved, now, wall, crashed)

    # -- publishing --

    def publish(self, channel: Chan, exchange: bytes, sent: Sent, mandatory: bool) -> None:
        there = self.exchange_named(exchange)
        if there.internal:
            raise Refused(403, f"cannot publish to internal exchange '{exchange.decode()}' in vhost '/'")
        queues = self.route(there, sent)
        if channel.transaction is not None:
            channel.transaction.published.append((sent, queues, mandatory))
            return
        accepted, ticket = self.hand_over(channel, sent, queues, mandatory)
        if channel.confirming:
            channel.sequence += 1
            channel.unconfirmed.append((channel.sequence, ticket, accepted))

    def hand_over(self, channel: Chan, sent: Sent, queues: list[Queue], mandatory: bool) -> tuple[bool, int]:
        """Whether all queues took it, and the ticket that it waits for."""
        if mandatory and not queues:
            self.tell(channel, "return", *sent.content())
        taking = [queue for queue in queues if self.enqueue(queue, sent)]
        accepted = len(taking) == len(queues)
        if self.keeps and sent.persistent and any(queue.durable for queue in taking):
            return accepted, self.await_disk()
        return accepted, 0

    def await_disk(self) -> int:
        """Somebody waits for the batch that is being filled; its ticket."""
        self.asked = self.ticket
        return self.ticket

    def flush(self, channel: Chan) -> None:
        """Confirm what is safe, and all before it is."""
        while channel.unconfirmed and channel.unconfirmed[0][1] <= self.durable:
            number, _, accepted = channel.unconfirmed.pop(0)
            self.tell(channel, "ack" if accepted else "nack", number)

    def confirm_select(self, channel: Chan) -> None:
        if channel.transaction is not None:
            raise Refused(406, "cannot switch from tx to confirm mode")
        channel.confirming = True
        self.tell(channel, "select-ok")

    def tx_select(self, channel: Chan) -> None:
        if channel.confirming:
            raise Refused(406, "cannot switch from confirm to tx mode")
        channel.transaction = channel.transaction or Transaction()
        self.tell(channel, "tx-select-ok")

    def commit(self, channel: Chan) -> None:
        transaction = self.running(channel)
        outcomes = [
            self.hand_over(channel, sent, self.named_now(queues), mandatory)
            for sent, queues, mandatory in transaction.published
        ]
        self.forget(transaction.acked)
        ticket = max([ticket for _, ticket in outcomes], default=0)
        if self.refuse_now(transaction.rejected):
            ticket = self.await_disk()
        if self.loose:
            # What is acknowledged is bound to what is published, whoever acknowledged it.
            self.loose = False
            ticket = self.await_disk()
        self.put_back(transaction.requeued)
        channel.transaction = Transaction()
        self.relieve(channel, transaction.settled())
        if not all(accepted for accepted, _ in outcomes):
            raise Refused(406, "partial tx completion")
        if ticket > self.durable:
            channel.commit_ticket = ticket
        else:
            self.tell(channel, "commit-ok")

    def named_now(self, queues: list[Queue]) -> list[Queue]:
        """The queues that bear the names of these, some of which may have been deleted."""
        return [self.queues[queue.name] for queue in queues if queue.name in self.queues]

    def rollback(self, channel: Chan) -> None:
        transaction = self.running(channel)
        channel.transaction = Transaction()
        for delivery in transaction.settled():
            channel.unacked[delivery.tag] = delivery
        self.tell(channel, "rollback-ok")

    def running(self, channel: Chan) -> Transaction:
        if channel.transaction is None:
            raise Refused(406, "channel is not transactional")
        return channel.transaction

    # -- consuming --

    def qos(self, channel: Chan, count: int, for_channel: bool) -> None:
        if for_channel:
            channel.limit = count
            self.relieve_all(channel)
        else:
            channel.prefetch = count
        self.tell(channel, "qos-ok")

    def consume(self, channel: Chan, queue: bytes, tag: bytes, no_ack: bool, exclusive: bool, priority: int) -> None:
        there = self.usable(channel, queue)
        others = there.subscriptions
        held = any(other.exclusive for other in others)
        if held or (exclusive and (others or there.single_active)):
            raise Refused(403, f"queue '{queue.decode()}' in vhost '/' in exclusive use")
        subscription = Subscription(tag, channel, there, no_ack, exclusive, priority, channel.prefetch)
        channel.subscriptions[tag] = subscription
        there.subscriptions.append(subscription)
        if not there.single_active or len(there.subscriptions) == 1:
            there.line.append(subscription)
        self.touch(there)
        self.tell(channel, "consume-ok", tag)

    def cancel(self, channel: Chan, tag: bytes) -> None:
        self.unsubscribe(channel, tag)
        self.tell(channel, "cancel-ok", tag)

    def unsubscribe(self, channel: Chan, tag: bytes) -> None:
        """A consumer goes; the next takes over as single active; an auto-delete queue goes with its last."""
        subscription = channel.subscriptions.pop(tag, None)
        if subscription is None:
            return
        queue = subscription.queue
        active = queue.subscriptions[0] is subscription
        queue.subscriptions.remove(subscription)
        if subscription in queue.line:
            queue.line.remove(subscription)
        if queue.single_active and active and queue.subscriptions:
            queue.line.append(queue.subscriptions[0])
        queue.used_at = self.now
        self.touch(queue)
        if queue.auto_delete and not queue.subscriptions:
            self.delete_queue(queue)

    def get(self, channel: Chan, queue: bytes, no_ack: bool) -> None:
        there = self.usable(channel, queue)
        there.used_at = self.now
        entry: Entry | None = there.head()
        if entry is None:
            self.tell(channel, "get-empty")
            return
        tag = self.take(channel, there, entry, None, no_ack)
        self.drop_expired(there)
        self.tell(channel, "get-ok", tag, entry.redelivered, len(there.ready()), *entry.sent.content())

    def ack(self, channel: Chan, tag: int, multiple: bool) -> None:
        taken = self.named_by(channel, tag, multiple)
        if channel.transaction is not None:
            channel.transaction.acked += taken
            return
        self.forget(taken)
        self.relieve(channel, taken)

    def nack(self, channel: Chan, tag: int, multiple: bool, requeue: bool) -> None:
        taken = self.named_by(channel, tag, multiple)
        if channel.transaction is not None:
            transaction = channel.transaction
            gathered = transaction.requeued if requeue else transaction.rejected
            gathered += taken
            return
        if requeue:
            self.put_back(taken)
        else:
            self.refuse(taken)
        self.relieve(channel, taken)

    def reject(self, channel: Chan, tag: int, requeue: bool) -> None:
        self.nack(channel, tag, False, requeue)

    def recover(self, channel: Chan) -> None:
        taken = [channel.unacked.pop(tag) for tag in sorted(channel.unacked)]
        self.put_back(taken)
        self.relieve(channel, taken)
        self.tell(channel, "recover-ok")

    def named_by(self, channel: Chan, tag: int, multiple: bool) -> list[Delivery]:
        """The deliveries that a tag names, no longer outstanding."""
        if multiple and tag == 0:
            tags = sorted(channel.unacked)
        elif tag not in channel.unacked:
            raise Refused(406, f"unknown delivery tag {tag}")
        else:
            tags = sorted(other for other in channel.unacked if other == tag or (multiple and other < tag))
        return [channel.unacked.pop(named) for named in tags]

    def forget(self, deliveries: list[Delivery]) -> None:
        """Messages are done with."""
        for delivery in deliveries:
            self.let_go(delivery.entry)
            if not delivery.queue.deleted:
                delivery.queue.entries.remove(delivery.entry)

    def refuse(self, deliveries: list[Delivery]) -> None:
        """Messages are rejected for good."""
        for delivery in deliveries:
            if not delivery.queue.deleted:
                delivery.queue.entries.remove(delivery.entry)
                self.bury(delivery.queue, delivery.entry, "rejected")

    def refuse_now(self, deliveries: list[Delivery]) -> bool:
        """The same, and those that are dead letters go on at once; whether any of those stands in the journal."""
        others, self.dead = self.dead, deque()
        self.refuse(deliveries)
        dead, self.dead = self.dead, others
        for queue, entry, reason in dead:
            self.pass_on(queue, entry, reason)
        return any(entry.kept for _, entry, _ in dead)

    def put_back(self, deliveries: list[Delivery]) -> None:
        """Messages return to their queues, each queue once."""
        for queue in dict.fromkeys(delivery.queue for delivery in deliveries):
            self.requeue(queue, [delivery.entry for delivery in deliveries if delivery.queue is queue])

    def relieve(self, channel: Chan, deliveries: list[Delivery]) -> None:
        """Consumers have credit again: those who had left the line join it at its end."""
        if channel.limit:
            self.relieve_all(channel)
            return
        for delivery in deliveries:
            subscription = delivery.subscription
            if subscription is not None and channel.subscriptions.get(subscription.tag) is subscription:
                self.rejoin(subscription)

    def relieve_all(self, channel: Chan) -> None:
        for subscription in list(channel.subscriptions.values()):
            self.rejoin(subscription)

    def rejoin(self, subscription: Subscription) -> None:
        queue = subscription.queue
        if subscription.waiting and subscription.room() > 0:
            subscription.waiting = False
            queue.line.append(subscription)
            self.touch(queue)

    # -- topology --

    def usable(self, channel: Chan, name: bytes) -> Queue:
        queue = self.queue_named(name)
        self.check_owner(channel, queue)
        return queue

    def check_owner(self, channel: Chan, queue: Queue) -> None:
        if queue.owner is not None and queue.owner != channel.client:
            shown = f"queue '{queue.name.decode()}' in vhost '/'"
            raise Refused(405, f"cannot obtain exclusive access to locked {shown}. {LOCKED}")

    def declare_exchange(self, channel: Chan, exchange: Exchange, table: Table) -> None:
        self.exchanges.setdefault(exchange.name, exchange)
        self.tell(channel, "exchange-declare-ok")

    def delete_x(self, channel: Chan, exchange: bytes, if_unused: bool) -> None:
        if exchange.startswith(b"amq."):
            raise Refused(403, f"deletion of system exchange '{exchange.decode()}' in vhost '/' not allowed")
        if exchange in self.exchanges:
            if if_unused and any(bond.source == exchange for bond in self.bonds):
                raise Refused(406, f"exchange '{exchange.decode()}' in vhost '/' in use")
            self.delete_exchange(exchange)
        self.tell(channel, "exchange-delete-ok")

    def declare_queue(self, channel: Chan, queue: Queue, table: Table) -> None:
        there = self.queues.get(queue.name)
        if there is None:
            queue.used_at = self.now
            self.queues[queue.name] = there = queue
        else:
            self.check_owner(channel, there)
            there.used_at = self.now
        self.tell(channel, "declare-ok", queue.name, len(there.ready()), len(there.subscriptions))

    def look(self, channel: Chan, queue: bytes) -> None:
        """A passive declare."""
        there = self.usable(channel, queue)
        there.used_at = self.now
        self.tell(channel, "declare-ok", queue, len(there.ready()), len(there.subscriptions))

    def bind_queue(self, channel: Chan, bond: Bond) -> None:
        self.exchange_named(bond.source)
        self.usable(channel, bond.destination)
        self.bind(bond)
        self.tell(channel, "bind-ok")

    def unbind_queue(self, channel: Chan, bond: Bond) -> None:
        queue = self.queues.get(bond.destination)
        if bond.source in self.exchanges and queue is not None:
            # Whoever owns it, unless there is something to unbind.
            if any(vars(bond) == vars(there) for there in self.bonds):
                self.check_owner(channel, queue)
            self.unbind(bond)
        self.tell(channel, "unbind-ok")

    def bind_exchange(self, channel: Chan, bond: Bond) -> None:
        self.exchange_named(bond.source)
        self.exchange_named(bond.destination)
        self.bind(bond)
        self.tell(channel, "exchange-bind-ok")

    def unbind_exchange(self, channel: Chan, bond: Bond) -> None:
        self.unbind(bond)
        self.tell(channel, "exchange-unbind-ok")

    def purge(self, channel: Chan, queue: bytes) -> None:
        there = self.usable(channel, queue)
        gone = there.ready()
        there.entries = [entry for entry in there.entries if entry.out]
        self.tell(channel, "purge-ok", len(gone))

    def delete_q(self, channel: Chan, queue: bytes, if_unused: bool, if_empty: bool) -> None:
        count = 0
        there = self.queues.get(queue)
        if there is not None:
            self.check_owner(channel, there)
            if if_unused and there.subscriptions:
                raise Refused(406, f"queue '{queue.decode()}' in vhost '/' in use")
            if if_empty and there.ready():
                raise Refused(406, f"queue '{queue.decode()}' in vhost '/' not empty")
            count = len(there.ready())
        self.tell(channel, "delete-ok", count)
        if there is not None:
            self.delete_queue(there)
