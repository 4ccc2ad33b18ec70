"""The recent history exchange: a fanout that hands its last messages to whatever is bound next."""

from collections import deque
from typing import ClassVar, Final

from amq.destination import Destination
from amq.errors import PRECONDITION_FAILED, ChannelFault
from amq.exchanges.base import Binding
from amq.exchanges.fanout import Fanout
from amq.message import Message
from amq.wire.erlang import term
from amq.wire.tables import Table

LENGTH: Final = "x-recent-history-length"
NO_STORE: Final = "x-recent-history-no-store"
DEFAULT_LENGTH: Final = 20
# Signed types only, as RabbitMQ has it.
_LENGTH_TYPES: Final = "bsIlL"


class RecentHistory(Fanout):
    """Remembers `x-recent-history-length` messages (20), but for those with `x-recent-history-no-store: true`."""

    __slots__ = ("history",)
    type_name: ClassVar[str] = "x-recent-history"
    by_key: ClassVar[bool] = False

    def __init__(self, name: bytes, durable: bool, auto_delete: bool, internal: bool, arguments: Table) -> None:
        super().__init__(name, durable, auto_delete, internal, arguments)
        length = arguments.get(LENGTH)
        self.history: deque[Message] = deque(maxlen=DEFAULT_LENGTH if length is None else length[1])

    @classmethod
    def check_arguments(cls, arguments: Table) -> None:
        """Refuse a length that is not a positive integer.

        Raises ChannelFault(406).
        """
        length = arguments.get(LENGTH)
        if length is not None and (length[0] not in _LENGTH_TYPES or length[1] < 1):
            raise ChannelFault(
                PRECONDITION_FAILED, f"Invalid argument {term(length)}, '{LENGTH}' must be a positive integer"
            )

    def bind(self, binding: Binding) -> list[Message]:
        """Take up a binding; returns the remembered messages, oldest first."""
        super().bind(binding)
        return list(self.history)

    def route(self, routing_key: bytes, message: Message, found: list[Destination]) -> None:
        """Remember the message and append every destination."""
        if message.properties.headers().get(NO_STORE) != ("t", True):
            self.history.append(message)
        super().route(routing_key, message, found)

    def route_all(self, routing_keys: list[bytes], message: Message, found: list[Destination]) -> None:
        """Remember the message once, however many keys there are, and append every destination."""
        self.route(routing_keys[0], message, found)
