"""Finish what a chunk of input, or a moment that has come, has set off in a vhost."""

from amq.message import Message
from amq.queues.classic import ClassicQueue
from amq.vhost import dead_letter, topology
from amq.vhost.vhost import Vhost


def settle(vhost: Vhost) -> None:
    """Deliveries, the burial of what has left its queue for a dead-letter exchange, and queues that expired."""
    agenda = vhost.agenda
    while agenda.touched or agenda.dead:
        if agenda.touched:
            touched = agenda.touched
            agenda.touched = []
            for queue in touched:
                queue.dispatch()
        while agenda.dead:
            dead = agenda.dead.popleft()
            bury(vhost, dead[0], dead[1], dead[2])
    while vhost.expired:
        topology.delete_queue(vhost, vhost.expired.pop())


def bury(vhost: Vhost, queue: object, message: Message, reason: str) -> None:
    """Publish what a queue has left for its dead-letter exchange."""
    assert isinstance(queue, ClassicQueue)
    exchange = queue.options.dead_letter_exchange
    assert exchange is not None
    dead_letter.bury(vhost, queue, exchange, queue.options.dead_letter_routing_key, message, reason)
