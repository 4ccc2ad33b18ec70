"""From an exchange to queues: bindings between exchanges, alternate exchanges, each queue once."""

from amq.destination import Destination
from amq.exchanges.base import Exchange
from amq.message import Message
from amq.queues.base import Queue


class Routing:
    """Where a message goes: `queues`, each once. `by_key`: the same keys lead there until the topology changes."""

    __slots__ = ("queues", "by_key")

    def __init__(self, queues: list[Queue], by_key: bool) -> None:
        self.queues = queues
        self.by_key = by_key


def route(exchanges: dict[bytes, Exchange], first: Exchange, routing_keys: list[bytes], message: Message) -> Routing:
    """Follow a message from `first`. `routing_keys`: its routing key, then those of CC and BCC.

    A work list, not recursion: bindings between exchanges and alternate exchanges may form loops. Each exchange on
    the way that finds no destination, under none of the keys, falls to its own alternate; a destination that is
    an exchange counts as found, wherever it leads in the end.
    """
    queues: list[Queue] = []
    by_key: bool = True
    seen: set[Destination] = {first}
    pending: list[Destination] = [first]
    for target in pending:
        if isinstance(target, Exchange):
            by_key = by_key and target.by_key
            found: list[Destination] = []
            target.route_all(routing_keys, message, found)
            if not found and target.alternate:
                alternate = exchanges.get(target.alternate)
                if alternate is not None:
                    found.append(alternate)
            for destination in found:
                if destination not in seen:
                    seen.add(destination)
                    pending.append(destination)
        elif isinstance(target, Queue):
            queues.append(target)
    return Routing(queues, by_key)
