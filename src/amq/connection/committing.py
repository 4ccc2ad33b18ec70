"""tx.commit and tx.rollback: what a transaction has gathered takes effect, or never happened."""

from collections import deque

from amq.connection import ledger as deliveries
from amq.connection.channel import Channel
from amq.connection.ledger import Delivery
from amq.connection.transaction import Transaction
from amq.errors import CHANNEL_ERROR, PRECONDITION_FAILED, ChannelFault, ConnectionFault
from amq.queues.base import Queue
from amq.vhost import dead_letter
from amq.wire import spec


def commit(channel: Channel, transaction: Transaction) -> None:
    """Enqueue what was published, settle what was settled, and answer once all of it is safe.

    Raises ChannelFault(406) when a queue refused a message: the rest of the transaction has taken effect then.
    """
    channel.publisher.transaction = Transaction()
    accepted = True
    ticket = 0
    for publication in transaction.publications:
        queues = still_there(channel, publication.queues)
        taken, safe = channel.publisher.deliver(publication.message, queues, publication.mandatory)
        accepted = accepted and taken
        ticket = max(ticket, safe)
    deliveries.settle(transaction.acked)
    journal = channel.session.broker.journal
    if refuse(channel, transaction.rejected):
        ticket = journal.ticket
    # What is acknowledged must not be on disk without what is published.
    ticket = max(ticket, journal.bind_settled())
    deliveries.put_back(transaction.requeued)
    channel.tally.given_back += len(transaction.rejected) + len(transaction.requeued)
    channel.ledger.release(transaction.deliveries())
    if not accepted:
        raise ChannelFault(PRECONDITION_FAILED, "partial tx completion")
    if ticket > journal.durable:
        channel.commit_ticket = ticket
        await_durable(channel)
    else:
        channel.reply(spec.TX_COMMIT_OK, [])


def refuse(channel: Channel, rejected: list[Delivery]) -> bool:
    """Refuse deliveries for good, and route those of them that are dead letters now, however many: later they would
    not be bound to the rest of the transaction. Returns whether any of those stands in the journal.
    """
    vhost = channel.session.vhost
    agenda = vhost.agenda
    before, agenda.dead = agenda.dead, deque()
    deliveries.refuse(rejected)
    dead, agenda.dead = agenda.dead, before
    for queue, message, reason in dead:
        dead_letter.bury(vhost, queue, message, reason)
    return any(queue.keeps and message.lsn for queue, message, _ in dead)


def await_durable(channel: Channel) -> None:
    """Ask to be told when more tickets are durable."""
    session = channel.session
    session.broker.awaiting[session.outbox.client] = None


def check_not_committing(channel: Channel) -> None:
    """Raise ConnectionFault(504) while a commit is on its way: nothing but channel.close may come then."""
    if channel.commit_ticket:
        raise ConnectionFault(CHANNEL_ERROR, "unexpected command while processing 'tx.commit'")


def still_there(channel: Channel, queues: list[Queue]) -> list[Queue]:
    """Where a message goes that was routed when it was published: to the queues that bear the names now."""
    if not any(queue.deleted for queue in queues):
        return queues
    named = channel.session.vhost.queues
    found = [named.get(queue.name) if queue.deleted else queue for queue in queues]
    return [queue for queue in found if queue is not None]


def rollback(channel: Channel, transaction: Transaction) -> None:
    """Forget what was published; what was acknowledged is outstanding again."""
    channel.publisher.transaction = Transaction()
    channel.ledger.restore(transaction.deliveries())
    channel.reply(spec.TX_ROLLBACK_OK, [])


def committed(channel: Channel) -> None:
    """Answer a tx.commit whose records have become durable, or wait on."""
    if not channel.commit_ticket:
        return
    if channel.commit_ticket <= channel.session.broker.journal.durable:
        channel.commit_ticket = 0
        channel.reply(spec.TX_COMMIT_OK, [])
    else:
        await_durable(channel)
