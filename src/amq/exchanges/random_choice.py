"""The random exchange: each message goes down one binding, picked at random."""

from typing import ClassVar, Final

from amq.destination import Destination
from amq.exchanges.base import Binding, Exchange, Identity
from amq.message import Message
from amq.wire.tables import Table

# Anything but zero. The hot core reads neither clock nor entropy; an even spread is all that is promised.
SEED: Final = 0x9E3779B97F4A7C15
_MASK: Final = 0xFFFFFFFFFFFFFFFF


class RandomChoice(Exchange):
    """All bindings weigh the same, whatever their keys: a queue that is bound twice is picked twice as often."""

    __slots__ = ("choices", "places", "state")
    type_name: ClassVar[str] = "x-random"

    def __init__(self, name: bytes, durable: bool, auto_delete: bool, internal: bool, arguments: Table) -> None:
        super().__init__(name, durable, auto_delete, internal, arguments)
        self.choices: list[Binding] = []
        # Where each binding stands in `choices`, by identity.
        self.places: dict[Identity, int] = {}
        self.state: int = SEED

    def add(self, binding: Binding) -> None:
        """Put the binding behind the others."""
        self.places[binding.identity] = len(self.choices)
        self.choices.append(binding)

    def remove(self, binding: Binding) -> None:
        """Fill the binding's place with the last one."""
        place = self.places.pop(binding.identity)
        last = self.choices.pop()
        if place < len(self.choices):
            self.choices[place] = last
            self.places[last.identity] = place

    def route(self, routing_key: bytes, message: Message, found: list[Destination]) -> None:
        """Append the destination of one binding."""
        if self.choices:
            found.append(self.choices[self.draw() % len(self.choices)].destination)

    def route_all(self, routing_keys: list[bytes], message: Message, found: list[Destination]) -> None:
        """Append one destination, however many keys there are."""
        self.route(routing_keys[0], message, found)

    def draw(self) -> int:
        """The next number of Marsaglia's xorshift64*, 32 bits: its upper half, which is the better one."""
        state = self.state
        state ^= state >> 12
        state ^= state << 25 & _MASK
        state ^= state >> 27
        self.state = state
        return (state * 0x2545F4914F6CDD1D & _MASK) >> 32
