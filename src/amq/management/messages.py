"""Publishing to an exchange and getting from a queue over HTTP: for trying things out, not for moving messages."""

import base64
import binascii
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import trio

from amq.connection import consuming, entities
from amq.connection.channel import Channel
from amq.connection.confirms import Confirms
from amq.management.answers import Answer, ok
from amq.management.call import Call
from amq.management.endpoint import MANAGEMENT, Endpoint
from amq.management.entities_json import checked_name, exchange_octets, integer_in, octets, octets_in, required
from amq.management.entity_schemas import GETTING, MESSAGE, PUBLICATION, ROUTED, array_of
from amq.management.errors import BadRequest, NotAuthorised, NotFound
from amq.management.properties_json import content_header
from amq.management.reasons import getting, publishing
from amq.management.shown_message import message_json
from amq.message import Message
from amq.queues.base import Queue
from amq.vhost.vhost import Vhost
from amq.wire import spec
from amq.wire.methods import encode as encode_method

# Messages that one answer holds: it is made, and what goes back goes back, in one go.
MOST_GOT: Final = 10_000
# Bodies that one answer holds end with the one that exceeds this, in octets.
MOST_OCTETS: Final = 1 << 26
# How often is looked whether a head is back in memory, in s.
HEAD_POLL: Final = 0.002
# What becomes of the messages: whether they need an acknowledgement, and whether they go back.
ACKMODES: Final = {
    "ack_requeue_true": (False, True),
    "reject_requeue_true": (False, True),
    "reject_requeue_false": (False, False),
    "ack_requeue_false": (True, False),
}


@contextmanager
def channel_of(call: Call, vhost: Vhost) -> Iterator[Channel]:
    """A channel that ends with the request; what it still holds goes back. Raises NotAuthorised."""
    if not call.may_enter(vhost):
        raise NotAuthorised()
    channel = call.channel(vhost)
    vhost.agenda.churn.channels_created += 1
    try:
        yield channel
    finally:
        call.node.work(channel.shut)


# -- publishing --


async def publish(call: Call) -> Answer:
    """POST /exchanges/{vhost}/{exchange}/publish: answered when the message is as safe as it will be."""
    vhost = call.vhost
    exchange = exchange_octets(call.path["exchange"])
    if exchange not in vhost.exchanges:
        raise NotFound("exchange_not_found", "not_found")
    body = call.json()
    required(body, "routing_key", "properties", "payload", "payload_encoding")
    key = body["routing_key"]
    if not isinstance(key, str):
        raise BadRequest(["not_string", "routing_key"])
    routing_key = checked_name(octets_in(key), "routing_key")
    payload = payload_in(body)
    header = content_header(body["properties"], len(payload))
    method = encode_method(0, spec.BASIC_PUBLISH, [0, exchange, routing_key, True, False])
    with channel_of(call, vhost) as channel:
        publisher = channel.publisher
        confirms = Confirms(0, channel.session.outbox, call.node.broker.journal, channel.tally)
        publisher.confirms = confirms

        def hand_in() -> None:
            publisher.on_method(method[7:-1])
            publisher.on_header(header)
            if payload:
                publisher.on_body(payload)

        with publishing():
            call.node.work(hand_in)
        refused = bool(confirms.refused)
        await call.node.safe()
        publisher.flush()
        routed = not channel.tally.returned
    if refused:
        raise BadRequest("rejected Unable to publish message. Check queue limits.")
    return ok({"routed": routed})


def payload_in(body: dict[str, Any]) -> bytes:
    """The body of the message that a request describes. Raises BadRequest."""
    payload, encoding = body["payload"], body["payload_encoding"]
    if not isinstance(payload, str):
        raise BadRequest("payload_not_string")
    if encoding == "string":
        return octets_in(payload)
    if encoding != "base64":
        raise BadRequest(["unsupported_encoding", encoding])
    try:
        return base64.b64decode(payload, validate=True)
    except (binascii.Error, ValueError):
        raise BadRequest(["not_base64", payload]) from None


# -- getting --


async def get(call: Call) -> Answer:
    """POST /queues/{vhost}/{queue}/get: MOST_GOT messages at most, however many are asked for."""
    vhost = call.vhost
    name = octets(call.path["queue"])
    if name not in vhost.queues:
        raise NotFound("queue_not_found", "not_found")
    body = call.json()
    required(body, "ackmode", "count", "encoding")
    count = integer_in(body, "count")
    encoding, truncate = encoding_in(body), truncation_in(body)
    if not isinstance(body["ackmode"], str) or body["ackmode"] not in ACKMODES:
        raise BadRequest(f"ackmode must be one of {', '.join(ACKMODES)}")
    no_ack, requeue = ACKMODES[body["ackmode"]]
    shown: list[dict[str, Any]] = []
    gathered = 0
    with channel_of(call, vhost) as channel:
        with getting():
            channel.session.access.read("queue", name)
            queue = entities.usable_queue(channel, name)
        for _ in range(min(count, MOST_GOT)):
            await trio.lowlevel.checkpoint()
            taken = await take(call, channel, queue, no_ack)
            if taken is None:
                break
            _, message, redelivered = taken
            described = message_json(message, redelivered, truncate, encoding)
            # RabbitMQ has it so.
            described["properties"] = described["properties"] or []
            shown.append(described | {"message_count": queue.ready_count()})
            gathered += min(len(message.body), truncate)
            if gathered > MOST_OCTETS:
                break
        if not requeue and not no_ack:
            call.node.work(lambda: consuming.give_back(channel, channel.ledger.take_all(), False))
    if not requeue:
        await call.node.safe()
    return ok(shown)


async def take(call: Call, channel: Channel, queue: Queue, no_ack: bool) -> tuple[int, Message, bool] | None:
    """The head of a queue, waited for while it is on disk alone; None when there is none."""
    while not queue.deleted:
        taken = call.node.work(lambda: consuming.take(channel, queue, no_ack))
        if taken is not None or not queue.cold_head():
            return taken
        await trio.sleep(HEAD_POLL)
    return None


def encoding_in(body: dict[str, Any]) -> str:
    """How a request wants to see bodies. Raises BadRequest."""
    encoding = body["encoding"]
    if encoding not in ("auto", "base64"):
        raise BadRequest("Unsupported encoding. Please use auto or base64.")
    return str(encoding)


def truncation_in(body: dict[str, Any]) -> int:
    """How many octets of a body a request wants to see. Raises BadRequest."""
    if "truncate" not in body:
        return MOST_OCTETS
    most = integer_in(body, "truncate")
    if most < 0:
        raise BadRequest(["not_integer", body["truncate"]])
    return most


TABLE: Final = (
    Endpoint(
        "POST",
        "/exchanges/{vhost}/{exchange}/publish",
        MANAGEMENT,
        publish,
        "Publish one message",
        {200: ROUTED, 400: "the message cannot be so, or a queue refused it", 404: "there is no such exchange"},
        PUBLICATION,
        large=True,
    ),
    Endpoint(
        "POST",
        "/queues/{vhost}/{queue}/get",
        MANAGEMENT,
        get,
        f"Get messages from a queue, {MOST_GOT} at most, and put them back or not",
        {200: array_of(MESSAGE), 400: "it is another connection's own", 404: "there is no such queue"},
        GETTING,
    ),
)
