"""The consistent hash exchange: each message goes to one destination, messages with equal keys to the same one."""

from typing import ClassVar, Final
from zlib import crc32

from amq.destination import Destination
from amq.errors import PRECONDITION_FAILED, ChannelFault
from amq.exchanges.base import Binding, Exchange
from amq.exchanges.buckets import Buckets, scramble
from amq.message import Message
from amq.wire.erlang import binary, term
from amq.wire.tables import Field, Table, type_name

HEADER: Final = "hash-header"
PROPERTY: Final = "hash-property"
_PROPERTIES: Final = (b"correlation_id", b"message_id", b"timestamp")
# RabbitMQ's limit since 4.3. Without one, a single binding could ask for all the memory there is.
MAX_WEIGHT: Final = 10_000


class ConsistentHash(Exchange):
    """A binding's key is its weight: the share of messages that its destination gets, against the other weights.

    Hashed is the routing key, or the header that `hash-header` names, or the property that `hash-property` names.
    Of several bindings of one destination the oldest counts.
    """

    __slots__ = ("header", "property", "buckets", "owners", "owned", "claims")
    type_name: ClassVar[str] = "x-consistent-hash"

    def __init__(self, name: bytes, durable: bool, auto_delete: bool, internal: bool, arguments: Table) -> None:
        super().__init__(name, durable, auto_delete, internal, arguments)
        self.header: str | None = None
        if HEADER in arguments:
            self.header = arguments[HEADER][1].decode("utf-8", "surrogateescape")
        self.property: bytes = arguments[PROPERTY][1] if PROPERTY in arguments else b""
        self.buckets = Buckets()
        self.owners: dict[int, Destination] = {}
        self.owned: dict[Destination, list[int]] = {}
        # All bindings of each destination, the oldest first.
        self.claims: dict[Destination, list[Binding]] = {}

    @classmethod
    def check_arguments(cls, arguments: Table) -> None:
        """Refuse to hash on two things, or on a property that cannot be hashed.

        Raises ChannelFault(406).
        """
        for key in (HEADER, PROPERTY):
            field = arguments.get(key)
            if field is not None and field[0] != "S":
                # RabbitMQ ends the connection with 541 here, by accident.
                text = f"Invalid {key} field type {type_name(field[0])} (value {term(field)}); expected longstr"
                raise ChannelFault(PRECONDITION_FAILED, text)
        if PROPERTY not in arguments:
            return
        if HEADER in arguments:
            raise ChannelFault(PRECONDITION_FAILED, "hash-header and hash-property are mutually exclusive")
        name: bytes = arguments[PROPERTY][1]
        if name not in _PROPERTIES:
            text = "Unsupported property: " + name.decode("utf-8", "surrogateescape")
            raise ChannelFault(PRECONDITION_FAILED, text)

    def check_binding(self, routing_key: bytes, arguments: Table) -> None:
        """Refuse a key that is not a weight.

        Raises ChannelFault(406).
        """
        unsigned = routing_key[1:] if routing_key[:1] in (b"+", b"-") else routing_key
        if not unsigned.isdigit():
            text = f"The binding key must be an integer: {binary(routing_key)}"
        elif int(routing_key) < 1:
            text = "The binding key must be greater than 0"
        elif int(routing_key) > MAX_WEIGHT:
            text = f"The binding key must not exceed {MAX_WEIGHT}"
        else:
            return
        raise ChannelFault(PRECONDITION_FAILED, text)

    def add(self, binding: Binding) -> None:
        """Give the destination as many buckets as it weighs, unless it has some."""
        claims = self.claims.setdefault(binding.destination, [])
        claims.append(binding)
        if len(claims) == 1:
            self.grant(binding)

    def remove(self, binding: Binding) -> None:
        """Take the destination's buckets back; its next oldest binding, if there is one, gets it new ones."""
        claims = self.claims[binding.destination]
        in_effect = claims[0] is binding
        claims.remove(binding)
        if not in_effect:
            return
        for bucket in reversed(self.owned.pop(binding.destination)):
            self.buckets.remove(bucket)
            del self.owners[bucket]
        if claims:
            self.grant(claims[0])
        else:
            del self.claims[binding.destination]

    def grant(self, binding: Binding) -> None:
        """Give the binding's destination as many buckets as the binding weighs."""
        buckets = [self.buckets.add() for _ in range(int(binding.routing_key))]
        self.owned[binding.destination] = buckets
        for bucket in buckets:
            self.owners[bucket] = binding.destination

    def route(self, routing_key: bytes, message: Message, found: list[Destination]) -> None:
        """Append the one destination that owns the message's key."""
        if self.owners:
            # A checksum alone is no hash: keys that differ in their last octets only would stay neighbours.
            key = scramble(crc32(self.hashed(routing_key, message)), 0)
            found.append(self.owners[self.buckets.find(key)])

    def route_all(self, routing_keys: list[bytes], message: Message, found: list[Destination]) -> None:
        """Append one destination: the routing key is hashed, those of CC and BCC are not."""
        self.route(routing_keys[0], message, found)

    def hashed(self, routing_key: bytes, message: Message) -> bytes:
        """The octets to hash. What has no such header or property is hashed alike."""
        if self.header is not None:
            return octets(message.properties.headers().get(self.header))
        if not self.property:
            return routing_key
        if self.property == b"timestamp":
            timestamp = message.properties.timestamp
            return b"" if timestamp is None else b"%d" % timestamp
        if self.property == b"message_id":
            return message.properties.message_id or b""
        return message.properties.correlation_id or b""


def octets(field: Field | None) -> bytes:
    """A header's value as octets, the same ones in every process."""
    if field is None:
        return b""
    value = field[1]
    return value if isinstance(value, bytes) else repr(value).encode()
