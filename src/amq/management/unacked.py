"""Messages of a queue that were delivered and are not acknowledged yet: who holds what, and for how long."""

from typing import Any, Final

from amq.connection.channel import Channel
from amq.connection.connection import Connection
from amq.connection.ledger import Delivery
from amq.management.answers import JSON, Answer, encode, octets
from amq.management.call import Call
from amq.management.connection_json import channel_name, name_of, opened, user_of, vhost_of
from amq.management.entities_json import text
from amq.management.entity_schemas import TEXT, TRUTH, WHOLE, record
from amq.management.message_query import LISTED, MOST_LISTED, number, readable_queue
from amq.management.shown_message import AUTO, SHOWN, checked_encoding, message_json
from amq.management.turns import Turns

# Octets of a payload that the list shows.
TRUNCATED: Final = 1_000

HOLDING: Final = record(
    "position connection channel user consumer_tag delivery_tag held_for in_transaction payload_bytes properties",
    position=WHOLE,
    connection=TEXT,
    channel=TEXT,
    user=TEXT,
    consumer_tag={"type": ["string", "null"]},
    delivery_tag=WHOLE,
    held_for={"type": "number"},
    in_transaction=TRUTH,
    **SHOWN,
)

Holding = tuple[Connection, Channel, Delivery, bool]


async def unacked(call: Call) -> Answer:
    """Who holds messages of a queue, the longest first."""
    _, queue = readable_queue(call)
    limit = number(call.query, "limit", LISTED, 1, MOST_LISTED)
    truncate = number(call.query, "truncate", TRUNCATED, 0, 1 << 40)
    encoding = checked_encoding(call.query.get("encoding", AUTO))
    turns = Turns()
    found: list[Holding] = []
    for connection in opened(call.node.broker):
        if vhost_of(connection) is call.vhost:
            for channel in list(connection.channels.values()):
                for deliveries, settled in outstanding(channel):
                    its = [each async for each in turns.each(deliveries) if each[1] is queue]
                    found += [(connection, channel, each, settled) for each in its[:limit]]
    found.sort(key=_since)
    now = call.node.broker.clock.now
    shown = [encode(holding_json(each, now, truncate, encoding)) async for each in turns.each(found[:limit])]
    return octets([b'{"messages":[', b",".join(shown), b'],"messages_unacknowledged":%d}' % queue.unacked], JSON)


def outstanding(channel: Channel) -> list[tuple[list[Delivery], bool]]:
    """What a channel has not settled, and what it has but for the end of a transaction; each in order, or nearly."""
    transaction = channel.publisher.transaction
    settled = transaction.deliveries() if transaction is not None else []
    return [(list(channel.ledger.unacked.values()), False), (settled, True)]


def holding_json(holding: Holding, now: float, truncate: int, encoding: str) -> dict[str, Any]:
    """One delivery. `held_for` is in s; without a `consumer_tag` it was got, not consumed."""
    connection, channel, (consumer, _, position, message, since, tag), settled = holding
    shown = message_json(message, False, truncate, encoding)
    # What the consumer was told is not on record.
    del shown["redelivered"]
    return {
        "position": position,
        "connection": name_of(connection),
        "channel": channel_name(connection, channel),
        "user": user_of(connection),
        "consumer_tag": None if consumer is None else text(consumer.tag),
        "delivery_tag": tag,
        "held_for": round(max(0.0, now - since), 3),
        "in_transaction": settled,
        **shown,
    }


def _since(holding: Holding) -> float:
    return holding[2][4]
