"""Messages in queues, put there by the core, for tests of what the HTTP API makes of them."""

from __future__ import annotations

from typing import Any

from amq.management.node import Node
from amq.message import Message
from amq.queues.looking import look
from amq.queues.stored import StoredQueue
from amq.vhost import topology
from amq.vhost.placing import place
from amq.vhost.vhost import Vhost
from amq.wire.tables import Table
from tests.lang.selectors import message


def queue(node: Node, name: str, arguments: Table | None = None, durable: bool = True) -> StoredQueue:
    """A queue in vhost `/`, made by the core."""
    found = topology.create_queue(vhost(node), name.encode(), durable, None, False, arguments or {})
    assert isinstance(found, StoredQueue)
    return found


def vhost(node: Node) -> Vhost:
    """Vhost `/`."""
    return node.broker.vhosts["/"]


def put(node: Node, into: StoredQueue, body: str | bytes = "", **properties: Any) -> Message:
    """Put a message into a queue, as if it had been published to the default exchange."""
    octets = body.encode() if isinstance(body, str) else body
    made = message(octets, routing_key=into.name, **properties)
    ttl = properties.get("expiration")
    if ttl is not None:
        made.properties.ttl = int(ttl)
    node.work(lambda: place(node.broker.journal, made, [into]))
    return made


def bodies(of: StoredQueue) -> list[str]:
    """What waits in a queue, in the order in which it would be delivered."""
    return [seen.message.body.decode() for seen in look(of, -1, 10_000).seen]
