"""Sending dead-lettered messages back to where they came from."""

from typing import Any, Final

import attrs

from amq.connection.channel import Channel
from amq.connection.entities import usable_queue
from amq.management.answers import Answer
from amq.management.call import Call
from amq.management.endpoint import MANAGEMENT, Endpoint
from amq.management.entity_schemas import record
from amq.management.errors import BadRequest
from amq.management.message_query import MOST_SCANNED, chosen, flag, readable_queue
from amq.management.scanning import Scan
from amq.management.transfer import REPORT, REQUEST, Plan, Transfer
from amq.message import Message, address
from amq.vhost.rehousing import addressed
from amq.vhost.revival import Death, death_of, without_history

LONGEST_KEY: Final = 255  # octets

# What a request may ask for; the first is what happens unless it asks.
DEATHS: Final = ("last", "first")
TARGETS: Final = ("queue", "exchange")
HISTORIES: Final = ("keep", "strip")

NO_HISTORY: Final = "it has no x-death that says where it came from"


@attrs.frozen
class Revival:
    """How messages go back.

    `death`: which one is undone. `to`: straight to the queue that the message died in, or to the exchange that it had
    been published to, which may bring it to other queues as well. `history`: whether its headers go on telling of it.
    """

    channel: Channel
    death: str
    to: str
    history: str

    def plan(self, message: Message) -> Plan:
        """What becomes of a message. Raises ChannelFault where the user may not send it there, or cannot any more."""
        death = death_of(message, self.death == "first")
        if death is None or any(len(name) > LONGEST_KEY for name in (death.exchange, death.routing_keys[0])):
            return Plan(message, [], NO_HISTORY)
        alive = without_history(message) if self.history == "strip" else message
        onward = addressed(alive, address(death.exchange, death.routing_keys[0]))
        return self._to_queue(death, onward) if self.to == "queue" else self._to_exchange(death, onward)

    def _to_queue(self, death: Death, onward: Message) -> Plan:
        session = self.channel.session
        session.access.write("queue", death.queue)
        if death.queue not in session.vhost.queues:
            return Plan(onward, [], f"{session.vhost.named('queue', death.queue)} is gone")
        return Plan(onward, [usable_queue(self.channel, death.queue)])

    def _to_exchange(self, death: Death, onward: Message) -> Plan:
        session = self.channel.session
        vhost = session.vhost
        session.access.write("exchange", death.exchange)
        exchange = vhost.exchanges.get(death.exchange)
        if exchange is None:
            return Plan(onward, [], f"{vhost.named('exchange', death.exchange)} is gone")
        if exchange.internal:
            return Plan(onward, [], f"{vhost.named('exchange', death.exchange)} is internal")
        if exchange.type_name == "topic":
            session.access.write_topic(exchange.name, death.routing_keys[0])
        queues = vhost.route(exchange, death.routing_keys, onward).queues
        onward.properties.forget()
        return Plan(onward, queues)


async def replay(call: Call) -> Answer:
    """POST /amq/queues/{vhost}/{queue}/replay."""
    body = call.json()
    channel, queue = readable_queue(call)
    ways = [one_of(body, name, words) for name, words in (("death", DEATHS), ("to", TARGETS), ("history", HISTORIES))]
    choice = await chosen(body, MOST_SCANNED, MOST_SCANNED)
    scan = Scan(call.node, queue, choice.start, choice.scan)
    return await Transfer(scan, choice, Revival(channel, *ways).plan, flag(body, "dry_run")).run()


def one_of(body: dict[str, Any], name: str, words: tuple[str, ...]) -> str:
    """One of a few words; the first one when the request has none. Raises BadRequest."""
    value = body.get(name, words[0])
    if value not in words:
        raise BadRequest(f"{name} must be {' or '.join(repr(word) for word in words)}")
    return str(value)


TABLE: Final = (
    Endpoint(
        "POST",
        "/amq/queues/{vhost}/{queue}/replay",
        MANAGEMENT,
        replay,
        "Send dead-lettered messages back to where they came from",
        {
            200: REPORT,
            400: "the selector or another field has a mistake, or the queue is another connection's own",
            404: "there is no such queue",
            503: "the broker is low on memory or disk",
        },
        record(
            "",
            death={"enum": list(DEATHS)},
            to={"enum": list(TARGETS)},
            history={"enum": list(HISTORIES)},
            **REQUEST,
        ),
    ),
)
