"""Direct reply-to: answers go straight to the channel that asked, through no queue.

A channel that consumes from the pseudo queue `amq.rabbitmq.reply-to` gets a name of its own, which its requests
carry in reply-to; whoever publishes to that name through the default exchange is delivered to the channel at once.
"""

from typing import Final

from amq.connection.consumer import ChannelConsumer
from amq.message import Message
from amq.queues.base import Agenda, Queue
from amq.wire.properties import REPLY_TO_QUEUE

REPLY_PREFIX: Final = REPLY_TO_QUEUE + b"."
# Octets that may wait for a client to be given answers. No queue keeps them and no prefetch bounds them, so a client
# that does not read would otherwise fill the memory with them.
WAITING: Final = 1 << 24


class ReplyQueue(Queue):
    """Hands each message to its one consumer and keeps nothing; refuses them while too many wait for its client."""

    __slots__ = ("consumer",)

    def __init__(self, name: bytes, agenda: Agenda) -> None:
        super().__init__(name, False, None, False, {}, agenda)
        self.consumer: ChannelConsumer | None = None

    def enqueue(self, message: Message) -> bool:
        consumer = self.consumer
        if consumer is not None:
            if consumer.outbox.size >= WAITING:
                return False
            ledger = consumer.ledger
            tag = ledger.next_tag
            consumer.deliver(self, 0, [message], False)
            # As RabbitMQ numbers them: an answer bears the next tag but does not use it up.
            ledger.next_tag = tag
        return True

    def ready_count(self) -> int:
        return 0

    def consumer_count(self) -> int:
        return 0 if self.consumer is None else 1
