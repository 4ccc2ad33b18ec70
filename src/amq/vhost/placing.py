"""Putting a message into its queues, and on record for those of them that outlive the broker."""

from amq.journal.batch import Batch
from amq.message import Message
from amq.queues.base import Queue


def enqueue_all(message: Message, queues: list[Queue]) -> list[Queue]:
    """Put a message into every queue; returns those that refused it."""
    return [queue for queue in queues if not queue.enqueue(message)]


def enqueue_counted(message: Message, queues: list[Queue]) -> list[Queue]:
    """The same for a single message, which is counted."""
    refusing = enqueue_all(message, queues)
    size = len(message.body)
    for queue in queues:
        if queue not in refusing:
            queue.took(1, size)
    return refusing


def place(journal: Batch, message: Message, queues: list[Queue]) -> tuple[bool, int]:
    """Put a message into every queue, recorded if it is persistent and one of the queues is durable.

    Returns whether all of them took it, and the ticket that makes it safe (0: it is).
    """
    if not (message.properties.persistent and journal.keeps and any(queue.keeps for queue in queues)):
        return not enqueue_counted(message, queues), 0
    kept = journal.keep(message)
    refusing = enqueue_counted(kept, queues)
    return not refusing, record(journal, kept, queues, refusing)


def place_instead(journal: Batch, onward: Message, queues: list[Queue], source: Queue, message: Message) -> None:
    """Put `onward` into every queue in the place of `message`, which has left `source`, as one change on the disk.

    After a crash it is either still where it was or already where it goes.
    """
    place(journal, onward, queues)
    if source.keeps and message.lsn:
        journal.settle_now(source.id, range(message.lsn, message.lsn + 1), len(message.body))


def record(journal: Batch, message: Message, queues: list[Queue], refusing: list[Queue]) -> int:
    """Hand a message with a number to the journal for the durable queues that took it; returns its ticket (0: none)."""
    ids = [queue.id for queue in queues if queue.keeps and queue not in refusing]
    if not ids:
        return 0
    return journal.run(message.lsn, [message.body], message.address, message.header, message.properties, ids)
