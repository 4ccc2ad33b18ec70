"""The default exchange: every queue is reached by its name, and no binding says so."""

from typing import ClassVar

from amq.destination import Destination
from amq.exchanges.base import Exchange
from amq.message import Message
from amq.queues.base import Queue


class Default(Exchange):
    """The exchange without a name. It shares its vhost's live dict of queues and is never bound.

    Clients are told that its type is direct; it stands in no registry, since nobody can declare another.
    """

    __slots__ = ("queues",)
    type_name: ClassVar[str] = "direct"
    by_key: ClassVar[bool] = True

    def __init__(self, queues: dict[bytes, Queue]) -> None:
        super().__init__(b"", True, False, False, {})
        self.queues = queues

    def route(self, routing_key: bytes, message: Message, found: list[Destination]) -> None:
        """Append the queue of that name."""
        queue = self.queues.get(routing_key)
        if queue is not None:
            found.append(queue)
