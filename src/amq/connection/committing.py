"""tx.commit and tx.rollback: what a transaction has gathered takes effect, or never happened."""

from amq.connection import ledger as deliveries
from amq.connection.channel import Channel
from amq.connection.transaction import Transaction
from amq.errors import PRECONDITION_FAILED, ChannelFault
from amq.wire import spec


def commit(channel: Channel, transaction: Transaction) -> None:
    """Enqueue what was published, settle what was settled, and answer once all of it is safe.

    Raises ChannelFault(406) when a queue refused a message: the rest of the transaction has taken effect then.
    """
    channel.publisher.transaction = Transaction()
    accepted = True
    ticket = 0
    for publication in transaction.publications:
        taken, safe = channel.publisher.deliver(publication.message, publication.queues, publication.mandatory)
        accepted = accepted and taken
        ticket = max(ticket, safe)
    deliveries.settle(transaction.acked)
    deliveries.refuse(transaction.rejected)
    deliveries.put_back(transaction.requeued)
    channel.ledger.release(transaction.deliveries())
    if not accepted:
        raise ChannelFault(PRECONDITION_FAILED, "partial tx completion")
    broker = channel.session.broker
    if ticket > broker.journal.durable:
        channel.commit_ticket = ticket
        broker.awaiting[channel.session.outbox.client] = None
    else:
        channel.reply(spec.TX_COMMIT_OK, [])


def rollback(channel: Channel, transaction: Transaction) -> None:
    """Forget what was published; what was acknowledged is outstanding again."""
    channel.publisher.transaction = Transaction()
    channel.ledger.restore(transaction.deliveries())
    channel.reply(spec.TX_ROLLBACK_OK, [])


def committed(channel: Channel) -> None:
    """Answer a tx.commit whose records have become durable."""
    if channel.commit_ticket and channel.commit_ticket <= channel.session.broker.journal.durable:
        channel.commit_ticket = 0
        channel.reply(spec.TX_COMMIT_OK, [])
