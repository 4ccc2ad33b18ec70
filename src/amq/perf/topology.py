"""The exchange and the queues of a load: declared and bound, or found as they are."""

import secrets
from typing import Final, cast

from amq.management.entities_json import arguments_in
from amq.perf.link import Channel, Link
from amq.perf.load import Load
from amq.wire import spec
from amq.wire.tables import Table

CHANNEL: Final = 1
# Types of which it is known how many copies a message has.
ONE_KEY: Final = "direct"
ALL: Final = "fanout"


def octets(text: str) -> bytes:
    """A name or key as AMQP has it."""
    return text.encode("utf-8", "surrogateescape")


class Topology:
    """Where messages go. `queues` are those that there are; without names in the load each consumer adds one."""

    def __init__(self, load: Load) -> None:
        self._load: Final = load
        self._arguments: Final[Table] = arguments_in({"arguments": load.queue_arguments})
        # Queues without a name of the load's share a routing key that nobody else has.
        self._shared: Final = octets(f"{load.id}-{secrets.token_hex(8)}"[-255:])
        self.queues: Final[list[bytes]] = [octets(name) for name in load.queues]

    async def declare(self, link: Link) -> None:
        """Exchange, queues and bindings. Raises Failure."""
        load = self._load
        await link.open(CHANNEL, Channel())
        passive = load.predeclared or load.exchange.startswith("amq.")
        if load.exchange:
            name, kind = octets(load.exchange), octets(load.exchange_type)
            asked = [0, name, kind, passive, False, False, False, False, cast("Table", {})]
            await link.ask(CHANNEL, spec.EXCHANGE_DECLARE, list(asked), spec.EXCHANGE_DECLARE_OK)
        for queue in self.queues:
            await self._declare(link, CHANNEL, queue)

    async def own_queue(self, link: Link, channel: int) -> bytes:
        """A queue that the broker names. Raises Failure."""
        name = await self._declare(link, channel, b"")
        self.queues.append(name)
        return name

    async def waiting(self, link: Link) -> int:
        """How many messages wait in all queues, not counting those that consumers have. Raises Failure."""
        count = 0
        for queue in self.queues:
            asked = [0, queue, True, False, False, False, False, cast("Table", {})]
            answer = await link.ask(CHANNEL, spec.QUEUE_DECLARE, list(asked), spec.QUEUE_DECLARE_OK)
            count += cast("int", answer[1])
        return count

    async def _declare(self, link: Link, channel: int, queue: bytes) -> bytes:
        load = self._load
        flags = [load.predeclared, load.durable, load.exclusive, load.auto_delete, False]
        asked = [0, queue, *flags, self._arguments]
        answer = await link.ask(channel, spec.QUEUE_DECLARE, list(asked), spec.QUEUE_DECLARE_OK)
        name = cast("bytes", answer[0])
        if load.exchange and not load.predeclared:
            bound = [0, name, octets(load.exchange), self.key(queue), False, cast("Table", {})]
            await link.ask(channel, spec.QUEUE_BIND, list(bound), spec.QUEUE_BIND_OK)
        return name

    def key(self, queue: bytes) -> bytes:
        """The routing key of what is for a queue (empty: those without a name of the load's)."""
        if self._load.exchange == "":
            return queue
        if self._load.routing_key is not None:
            return octets(self._load.routing_key)
        return queue if self._load.queues else self._shared

    def key_of(self, producer: int) -> bytes:
        """The routing key of the nth channel that publishes: queues take turns."""
        return self.key(self.queues[producer % len(self.queues)] if self.queues else b"")

    def queue_of(self, consumer: int) -> bytes:
        """The queue of the nth channel that consumes."""
        return self.queues[consumer % len(self.queues)]

    def copies(self) -> int | None:
        """How many queues get a message; None when only the broker knows."""
        load = self._load
        if load.predeclared or load.random_routing_key or (load.nack and load.requeue):
            return None
        if load.exchange == "":
            return 1
        if load.exchange_type == ALL:
            return len(self.queues)
        if load.exchange_type == ONE_KEY:
            return 1 if load.queues and load.routing_key is None else len(self.queues)
        return None
