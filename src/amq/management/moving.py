"""Moving messages that wait in a queue to another queue, or to an exchange again."""

from functools import partial
from typing import Any, Final

from amq.connection.channel import Channel
from amq.connection.entities import usable_queue
from amq.exchanges.base import Exchange
from amq.management.answers import Answer
from amq.management.call import Call
from amq.management.endpoint import MANAGEMENT, Endpoint
from amq.management.entities_json import exchange_octets, octets_in
from amq.management.entity_schemas import TEXT, record
from amq.management.errors import BadRequest
from amq.management.message_query import MOST_SCANNED, chosen, flag, readable_queue
from amq.management.scanning import Scan
from amq.management.transfer import REPORT, REQUEST, Plan, Planner, Transfer
from amq.message import Message, address
from amq.queues.base import Queue
from amq.vhost import topology
from amq.vhost.rehousing import addressed, destinations

LONGEST_KEY: Final = 255  # octets


async def move(call: Call) -> Answer:
    """POST /amq/queues/{vhost}/{queue}/move."""
    body = call.json()
    channel, queue = readable_queue(call)
    planner = planner_in(channel, body)
    choice = await chosen(body, MOST_SCANNED, MOST_SCANNED)
    scan = Scan(call.node, queue, choice.start, choice.scan)
    return await Transfer(scan, choice, planner, flag(body, "dry_run")).run()


def planner_in(channel: Channel, body: dict[str, Any]) -> Planner:
    """Where the request wants messages to go, if the user may write there. Raises BadRequest and ChannelFault."""
    to = body.get("to")
    if not isinstance(to, dict) or ("queue" in to) == ("exchange" in to):
        raise BadRequest('to must be {"queue": NAME} or {"exchange": NAME, "routing_key": KEY}')
    session = channel.session
    if "queue" in to:
        name = octets_in(text_in(to, "queue"))
        session.access.write("queue", name)
        return partial(to_queue, usable_queue(channel, name))
    name = exchange_octets(text_in(to, "exchange"))
    key = None if to.get("routing_key") is None else octets_in(text_in(to, "routing_key"))
    if key is not None and len(key) > LONGEST_KEY:
        raise BadRequest(f"to.routing_key has at most {LONGEST_KEY} octets, not {len(key)}")
    session.access.write("exchange", name)
    exchange = topology.exchange_named(session.vhost, name)
    if exchange.internal:
        raise BadRequest(f"{session.vhost.named('exchange', name)} is internal: only exchanges publish to it")
    return partial(to_exchange, channel, exchange, key)


def text_in(to: dict[str, Any], name: str) -> str:
    """Text of the request's target. Raises BadRequest."""
    value = to[name]
    if not isinstance(value, str):
        raise BadRequest(f"to.{name} must be a string")
    return value


def to_queue(queue: Queue, message: Message) -> Plan:
    """Straight into a queue; the message keeps the address that it was published to."""
    return Plan(addressed(message, message.address), [] if queue.deleted else [queue])


def to_exchange(channel: Channel, exchange: Exchange, key: bytes | None, message: Message) -> Plan:
    """As if published anew, with that routing key or its own. Raises ChannelFault where the user may not do that."""
    name = exchange.name
    used = message.routing_key() if key is None else key
    onward = addressed(message, address(name, used))
    if exchange.deleted:
        return Plan(onward, [])
    if exchange.type_name == "topic":
        channel.session.access.write_topic(name, used)
    return Plan(onward, destinations(channel.session.vhost, exchange, key, message))


TABLE: Final = (
    Endpoint(
        "POST",
        "/amq/queues/{vhost}/{queue}/move",
        MANAGEMENT,
        move,
        "Move messages that wait in a queue to another queue or to an exchange",
        {
            200: REPORT,
            400: "the selector or another field has a mistake, or a queue is another connection's own",
            404: "there is no such queue or exchange",
            503: "the broker is low on memory or disk",
        },
        record(
            "to",
            to={
                "oneOf": [
                    record("queue", queue=TEXT),
                    record("exchange", exchange=TEXT, routing_key=TEXT),
                ]
            },
            **REQUEST,
        ),
    ),
)
