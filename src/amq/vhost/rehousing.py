"""Messages that an operator moves out of the middle of a queue: to other queues, or to an exchange again.

A message is never lost and never in both: it leaves the one and enters the others in one go, and the records of both
are in one batch of the journal.
"""

from typing import Final

from amq.exchanges.base import Exchange
from amq.message import Message
from amq.queues.base import Queue
from amq.queues.classic import ClassicQueue
from amq.queues.limits import DROP_HEAD
from amq.queues.looking import take_out
from amq.queues.stored import StoredQueue
from amq.vhost.dead_letter import routing_keys
from amq.vhost.placing import place_instead
from amq.vhost.vhost import Vhost
from amq.wire import properties as props

# Why a message stays where it is.
UNROUTABLE: Final = "no queue would get it"
FULL: Final = "a queue that would get it is full"
CIRCULAR: Final = "it would come back to the queue that it is in"
GONE: Final = "it does not wait any more"


def addressed(message: Message, octets: bytes) -> Message:
    """The same message under another address (or its own): headers, properties and body stay what they are."""
    properties = message.properties
    if properties.expiration is not None and properties.ttl < 0:
        # One that was read from the disk does not know any more.
        blind = properties.blind
        properties = props.read(message.header)
        properties.ttl = int(properties.expiration or b"0")
        properties.blind = blind
        properties.forget()
    return Message(octets, message.header, message.body, properties)


def destinations(vhost: Vhost, exchange: Exchange, key: bytes | None, message: Message) -> list[Queue]:
    """Where an exchange would route a message: by that key alone, or by all that it was published with."""
    keys = [key] if key is not None else routing_keys(message) + (message.properties.blind or [])
    queues = vhost.route(exchange, keys, message).queues
    message.properties.forget()
    return queues


def obstacle(source: Queue, queues: list[Queue], message: Message) -> str | None:
    """Why a message cannot go from `source` to these queues; None when it can."""
    if not queues:
        return UNROUTABLE
    if source in queues:
        return CIRCULAR
    return FULL if any(is_full(queue, message) for queue in queues) else None


def is_full(queue: Queue, message: Message) -> bool:
    """Whether a queue would refuse a message."""
    if not isinstance(queue, ClassicQueue):
        return False
    limits = queue.limits
    return limits is not None and limits.overflow != DROP_HEAD and queue.overflows(message)


def rehouse(source: StoredQueue, position: int, message: Message, onward: Message, queues: list[Queue]) -> bool:
    """Take the message at a position out of its queue, and put it into others as `onward`; `obstacle` has seen none.

    False when it does not wait there any more, and then nothing has happened.
    """
    if not take_out(source, position, message):
        return False
    place_instead(source.agenda.journal, onward, queues, source, message)
    if source.deadlines:
        # Another head, perhaps.
        source.drop_expired()
    return True
