"""The fanout exchange: everything that is bound gets every message."""

from typing import ClassVar

from amq.destination import Destination
from amq.exchanges.base import Binding, Exchange, count_in, count_out
from amq.message import Message
from amq.wire.tables import Table


class Fanout(Exchange):
    """Keys of bindings and messages mean nothing here."""

    __slots__ = ("destinations",)
    type_name: ClassVar[str] = "fanout"
    by_key: ClassVar[bool] = True

    def __init__(self, name: bytes, durable: bool, auto_delete: bool, internal: bool, arguments: Table) -> None:
        super().__init__(name, durable, auto_delete, internal, arguments)
        self.destinations: dict[Destination, int] = {}

    def add(self, binding: Binding) -> None:
        """Enter the destination."""
        count_in(self.destinations, binding.destination)

    def remove(self, binding: Binding) -> None:
        """Take the destination out with its last binding."""
        count_out(self.destinations, binding.destination)

    def route(self, routing_key: bytes, message: Message, found: list[Destination]) -> None:
        """Append every destination."""
        found.extend(self.destinations)

    def route_all(self, routing_keys: list[bytes], message: Message, found: list[Destination]) -> None:
        """Append every destination, once for all keys."""
        found.extend(self.destinations)
