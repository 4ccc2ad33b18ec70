"""Finish what a chunk of input, or a moment that has come, has set off in a vhost."""

from typing import Final

from amq.clock import Timed
from amq.exchanges.base import Exchange
from amq.message import Message
from amq.queues.base import Agenda
from amq.vhost import dead_letter, topology
from amq.vhost.placing import place_instead
from amq.vhost.vhost import Vhost

# Messages that are routed anew in one go: dead letters, and those that an exchange has delayed. A million of them may
# be due at once, and queues that dead-letter to each other can multiply a message without end: everybody else gets a
# turn in between.
PER_GO: Final = 100


class Resume(Timed):
    """Lets the next of the dead and the released be looked after."""

    __slots__ = ("agenda",)

    def __init__(self, agenda: Agenda) -> None:
        self.agenda = agenda

    def due(self, now: float) -> None:
        self.agenda.late = False


def settle(vhost: Vhost) -> None:
    """Deliveries, what is to be routed anew (see PER_GO), and queues that expired."""
    agenda = vhost.agenda
    left = PER_GO
    while agenda.touched or ((agenda.dead or agenda.released) and not agenda.late):
        if agenda.touched:
            touched = agenda.touched
            agenda.touched = []
            for queue in touched:
                queue.dispatch()
        while (agenda.dead or agenda.released) and not agenda.late:
            route_next(vhost)
            left -= 1
            if not left:
                agenda.late = True
                agenda.timers.add(agenda.clock.now, Resume(agenda))
    while vhost.expired:
        topology.delete_queue(vhost, vhost.expired.pop())


def route_next(vhost: Vhost) -> None:
    """Route one of the released, or of the dead when there is none."""
    agenda = vhost.agenda
    if agenda.released:
        exchange, message = agenda.released.popleft()
        assert isinstance(exchange, Exchange), "the queues' layer cannot name it"
        send_on(vhost, exchange, message)
    else:
        queue, message, reason = agenda.dead.popleft()
        dead_letter.bury(vhost, queue, message, reason)


def send_on(vhost: Vhost, exchange: Exchange, message: Message) -> None:
    """Route a message that an exchange has kept for a while, unless the exchange has gone, and the message with it."""
    if exchange.deleted:
        return
    onward = exchange.onward(message)
    keys = dead_letter.routing_keys(onward) + (onward.properties.blind or [])
    queues = vhost.route(exchange, keys, onward).queues
    onward.properties.forget()
    assert exchange.waiting is not None, "it has kept the message"
    place_instead(vhost.agenda.journal, onward, queues, exchange.waiting, message)
