"""The direct exchange: the routing key equals the binding key."""

from typing import ClassVar

from amq.destination import Destination
from amq.exchanges.base import Binding, Exchange, count_in, count_out
from amq.message import Message
from amq.wire.tables import Table


class Direct(Exchange):
    """One dict look-up per routing key."""

    __slots__ = ("by_routing_key",)
    type_name: ClassVar[str] = "direct"
    by_key: ClassVar[bool] = True

    def __init__(self, name: bytes, durable: bool, auto_delete: bool, internal: bool, arguments: Table) -> None:
        super().__init__(name, durable, auto_delete, internal, arguments)
        self.by_routing_key: dict[bytes, dict[Destination, int]] = {}

    def add(self, binding: Binding) -> None:
        """Enter the destination under the binding's key."""
        count_in(self.by_routing_key.setdefault(binding.routing_key, {}), binding.destination)

    def remove(self, binding: Binding) -> None:
        """Take the destination out, and the key with the last one under it."""
        destinations = self.by_routing_key[binding.routing_key]
        count_out(destinations, binding.destination)
        if not destinations:
            del self.by_routing_key[binding.routing_key]

    def route(self, routing_key: bytes, message: Message, found: list[Destination]) -> None:
        """Append what is bound with exactly this key."""
        destinations = self.by_routing_key.get(routing_key)
        if destinations is not None:
            found.extend(destinations)
