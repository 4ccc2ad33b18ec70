"""Finish what a chunk of input, or a moment that has come, has set off in a vhost."""

from typing import Final

from amq.clock import Timed
from amq.exchanges.base import Exchange
from amq.message import Message
from amq.queues.base import Agenda
from amq.vhost import dead_letter, topology
from amq.vhost.vhost import Vhost

# Dead letters that are looked after in one go. A queue may lose a million messages at once, and queues that
# dead-letter to each other can multiply a message without end: everybody else gets a turn in between.
BURIALS: Final = 100


class Resume(Timed):
    """Lets the next of the dead be looked after."""

    __slots__ = ("agenda",)

    def __init__(self, agenda: Agenda) -> None:
        self.agenda = agenda

    def due(self, now: float) -> None:
        self.agenda.late = False


def settle(vhost: Vhost) -> None:
    """Deliveries, the burial of what has left its queue for a dead-letter exchange, and queues that expired."""
    agenda = vhost.agenda
    left = BURIALS
    while agenda.released:
        exchange, message = agenda.released.popleft()
        assert isinstance(exchange, Exchange)
        send_on(vhost, exchange, message)
    while agenda.touched or (agenda.dead and not agenda.late):
        if agenda.touched:
            touched = agenda.touched
            agenda.touched = []
            for queue in touched:
                queue.dispatch()
        while agenda.dead and not agenda.late:
            dead = agenda.dead.popleft()
            dead_letter.bury(vhost, dead[0], dead[1], dead[2])
            left -= 1
            if not left:
                agenda.late = True
                agenda.timers.add(agenda.clock.now, Resume(agenda))
    while vhost.expired:
        topology.delete_queue(vhost, vhost.expired.pop())


def send_on(vhost: Vhost, exchange: Exchange, message: Message) -> None:
    """Route a message that an exchange has kept for a while."""
    keys = dead_letter.routing_keys(message) + (message.properties.blind or [])
    for queue in vhost.route(exchange, keys, message).queues:
        queue.enqueue(message)
