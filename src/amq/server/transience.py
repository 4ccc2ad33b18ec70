"""What a broker forgets when it stops and starts again.

Queues live in memory so far; a broker that is embedded in a program can still be restarted as one with a journal
would be, because its core survives.
"""

from amq.broker import Broker
from amq.message import Message
from amq.queues.base import Queue
from amq.vhost import topology
from amq.vhost.settling import settle
from amq.vhost.vhost import Vhost


def forget_transient(broker: Broker) -> None:
    """Remove everything that is not durable. No client may be connected."""
    broker.chores.finish()
    for vhost in broker.vhosts.values():
        _forget_entities(vhost)
        for queue in vhost.queues.values():
            _forget_messages(queue)
        settle(vhost)


def _forget_entities(vhost: Vhost) -> None:
    for queue in list(vhost.queues.values()):
        if not queue.durable:
            topology.delete_queue(vhost, queue)
    for exchange in list(vhost.exchanges.values()):
        if not exchange.durable and exchange.name:
            topology.delete_exchange(vhost, exchange)


def _forget_messages(queue: Queue) -> None:
    kept: list[tuple[int, Message]] = []
    while (head := queue.get()) is not None:
        position, message, _ = head
        if message.properties.persistent:
            kept.append((position, message))
        else:
            queue.settle(position, message)
    queue.requeue(kept)
