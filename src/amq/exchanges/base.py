"""What every exchange type can do, and what a binding is."""

from typing import ClassVar

from amq.destination import Destination
from amq.message import Message
from amq.queues.base import NO_ARGUMENTS, Agenda, Queue
from amq.wire.tables import Table, canonical

Identity = tuple[object, ...]


class Binding:
    """One binding: from a source exchange to a queue or an exchange, with a key and arguments.

    Two bindings with equal `identity` are the same binding.
    """

    __slots__ = ("source", "destination", "routing_key", "arguments", "identity")

    def __init__(self, source: "Exchange", destination: Destination, routing_key: bytes, arguments: Table) -> None:
        self.source = source
        self.destination = destination
        self.routing_key = routing_key
        # There may be a million, nearly all of them without arguments: those share what says so.
        self.arguments: Table = arguments or NO_ARGUMENTS
        self.identity: Identity = (source, destination, routing_key, canonical(arguments) if arguments else b"")


class Exchange(Destination):
    """Base of every exchange type.

    A type is one file with one subclass, entered in the registry of `amq.exchanges`; a plug-in enters its own.
    `type_name` is the type's name on the wire. `by_key` says that routing depends on the routing key and the
    bindings alone, so that a route may be cached; leave it False when a type looks at the message or keeps state.
    `waiting` is where it keeps messages before it routes them, None for nearly all types: a queue that nobody finds by
    name, which the journal keeps if the exchange is durable. `published_in` counts the messages that clients have
    published to it, `published_out` the queues that these went to, `unroutable` those of them that went nowhere, and
    `returned` those of the latter that went back to who published them.
    """

    __slots__ = (
        "durable",
        "auto_delete",
        "internal",
        "arguments",
        "alternate",
        "bindings",
        "deleted",
        "waiting",
        "published_in",
        "published_out",
        "unroutable",
        "returned",
        "policy",
        "operator_policy",
    )
    type_name: ClassVar[str] = ""
    by_key: ClassVar[bool] = False

    def __init__(self, name: bytes, durable: bool, auto_delete: bool, internal: bool, arguments: Table) -> None:
        super().__init__(name)
        self.durable = durable
        self.auto_delete = auto_delete
        self.internal = internal
        self.arguments = arguments
        self.alternate = alternate_name(arguments)
        # Every binding that leads away from here, by identity, in the order in which they were made.
        self.bindings: dict[Identity, Binding] = {}
        # True once it is gone.
        self.deleted: bool = False
        self.waiting: Queue | None = None
        self.published_in: int = 0
        self.published_out: int = 0
        self.unroutable: int = 0
        self.returned: int = 0
        # The `amq.vhost.policy.Policy` of each kind that counts for it; whoever makes policies sets them.
        self.policy: object = None
        self.operator_policy: object = None

    @classmethod
    def check_arguments(cls, arguments: Table) -> None:
        """Refuse declare arguments that this type cannot work with.

        Raises ChannelFault(406).
        """

    def attend(self, agenda: Agenda, waiting_id: int = 0) -> None:
        """Take part in a vhost's time and agenda; types that need neither leave it at that.

        `waiting_id` is what the journal has called `waiting` before (0: it is new).
        """

    def onward(self, message: Message) -> Message:
        """A message that has stood in `waiting` for long enough, as it goes on: a new one, without a number."""
        return Message(message.address, message.header, message.body, message.properties)

    def check_binding(self, routing_key: bytes, arguments: Table) -> None:
        """Refuse a binding that this type cannot work with.

        Raises ChannelFault(406).
        """

    def bind(self, binding: Binding) -> list[Message]:
        """Take up a new binding (its identity is not in `bindings` yet).

        Returns messages to hand to its destination at once: none, but for types that remember.
        """
        self.bindings[binding.identity] = binding
        self.add(binding)
        return []

    def unbind(self, binding: Binding) -> None:
        """Forget a binding that is in `bindings`."""
        del self.bindings[binding.identity]
        self.remove(binding)

    def add(self, binding: Binding) -> None:
        """Enter a binding into the type's own index."""
        raise NotImplementedError

    def remove(self, binding: Binding) -> None:
        """Take a binding out of the type's own index, leaving nothing behind."""
        raise NotImplementedError

    def route(self, routing_key: bytes, message: Message, found: list[Destination]) -> None:
        """Append each destination that the message reaches. Duplicates are the router's business."""
        raise NotImplementedError

    def route_all(self, routing_keys: list[bytes], message: Message, found: list[Destination]) -> None:
        """Append what the message reaches under its routing key, which is the first, and those of CC and BCC.

        A type that decides once per message, whatever its keys, overrides this.
        """
        for routing_key in routing_keys:
            self.route(routing_key, message, found)


def alternate_name(arguments: Table) -> bytes | None:
    """The name in the `alternate-exchange` argument, or None. Its type was checked when it was declared."""
    field = arguments.get("alternate-exchange")
    if field is None or not isinstance(field[1], bytes):
        return None
    return field[1]


def count_in(destinations: dict[Destination, int], destination: Destination) -> None:
    """One more binding leads to `destination`."""
    destinations[destination] = destinations.get(destination, 0) + 1


def count_out(destinations: dict[Destination, int], destination: Destination) -> None:
    """One binding less leads to `destination`, which goes with its last one."""
    left = destinations[destination] - 1
    if left:
        destinations[destination] = left
    else:
        del destinations[destination]
