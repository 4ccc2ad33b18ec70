"""Messages followed live, as server-sent events: what is published in a vhost, and what becomes of it.

Nobody waits for who follows: what a client does not take in time is dropped, and it is told how much that was.
"""

from collections import deque
from collections.abc import AsyncGenerator, Mapping
from typing import Any, Final

import attrs
import trio

from amq.destination import Destination
from amq.exchanges.base import Binding
from amq.exchanges.topic import Topic
from amq.lang.selector import Selector
from amq.management.answers import Answer, event, stream
from amq.management.call import Call
from amq.management.endpoint import ADMINISTRATOR, Endpoint, Parameter
from amq.management.entities_json import exchange_octets, moment, octets, text
from amq.management.errors import ApiError, BadRequest
from amq.management.message_query import number, selected
from amq.management.node import Node
from amq.management.shown_message import AUTO, checked_encoding, message_json
from amq.message import Message
from amq.vhost import tracing
from amq.vhost.tracing import DEAD_LETTERED, DELIVERED, Event, Tap, Tracing
from amq.vhost.vhost import Vhost

# Events that wait for a client, and how often they are sent, in s: together the most that a client gets.
BUFFERED: Final = 500
PAUSE: Final = 0.1
# How often is looked whether the vhost is still there, in s.
LOOK: Final = 1.0
# Who follows costs everybody a little.
MOST_TAPS: Final = 16
TRUNCATED: Final = 1_000  # octets
LONGEST_KEY: Final = 255  # octets


@attrs.frozen
class Filter:
    """Which events are told; None: whatever it is. `keys` is a pattern as a topic exchange takes it."""

    message_id: bytes | None = None
    keys: Topic | None = None
    queue: bytes | None = None
    exchange: bytes | None = None
    selector: Selector | None = None

    def takes(self, told: Event) -> bool:
        """Whether an event is one of them."""
        message = told.message
        if self.message_id is not None and message.properties.message_id != self.message_id:
            return False
        if self.queue is not None and self.queue not in told.queues:
            return False
        if self.exchange is not None and message.exchange() != self.exchange:
            return False
        if self.keys is not None and not fits(self.keys, message):
            return False
        return self.selector is None or self.selector.matches(message, told.redelivered)


def pattern(keys: str) -> Topic:
    """What takes routing keys as a topic exchange with a binding of that pattern does. Raises BadRequest."""
    key = octets(keys)
    if len(key) > LONGEST_KEY:
        raise BadRequest(f"routing_key has at most {LONGEST_KEY} octets, not {len(key)}")
    topic = Topic(b"", False, False, False, {})
    topic.bind(Binding(topic, Destination(b""), key, {}))
    return topic


def fits(keys: Topic, message: Message) -> bool:
    """Whether the pattern takes the message's routing key."""
    found: list[Destination] = []
    keys.route(message.routing_key(), message, found)
    return bool(found)


class Following(Tap):
    """One client's tap: what it has not been sent yet, and how much that was too much for it."""

    __slots__ = ("filter", "truncate", "encoding", "node", "waiting", "dropped", "news")

    def __init__(self, node: Node, of: Filter, truncate: int, encoding: str) -> None:
        self.node = node
        self.filter = of
        self.truncate = truncate
        self.encoding = encoding
        self.waiting: deque[bytes] = deque()
        self.dropped: int = 0
        self.news = trio.Event()

    def take(self, event: Event) -> None:
        if not self.filter.takes(event):
            return
        if len(self.waiting) >= BUFFERED:
            self.dropped += 1
            return
        self.waiting.append(self.told(event))
        self.news.set()

    def told(self, told: Event) -> bytes:
        """An event as the client gets it, made at once: the message may be large, and is not held for it."""
        described: dict[str, Any] = {
            "event": told.what,
            "time": moment(self.node.broker.clock.wall()),
            "queues": [text(queue) for queue in told.queues],
            **message_json(told.message, told.redelivered, self.truncate, self.encoding),
        }
        if told.what != DELIVERED:
            del described["redelivered"]
        if told.what == DEAD_LETTERED:
            described["reason"] = told.reason
        if told.origin is not None:
            origin = told.origin
            described |= {"connection": origin.connection, "channel": origin.channel, "user": origin.user}
        return event(described, told.what)

    def take_all(self) -> list[bytes]:
        """What the client is to be sent now."""
        found = list(self.waiting)
        self.waiting.clear()
        if self.dropped:
            found.append(event({"event": "dropped", "events": self.dropped}, "dropped"))
            self.dropped = 0
        self.news = trio.Event()
        return found


async def follow(call: Call) -> Answer:
    """GET /amq/trace/{vhost}."""
    vhost = call.vhost
    tracer = vhost.agenda.tracer
    if isinstance(tracer, Tracing) and len(tracer.taps) >= MOST_TAPS:
        raise ApiError(503, "too_many_traces", f"{MOST_TAPS} clients follow this vhost already, and more may not")
    truncate = number(call.query, "truncate", TRUNCATED, 0, 1 << 20)
    encoding = checked_encoding(call.query.get("encoding", AUTO))
    following = Following(call.node, await filter_in(call.query), truncate, encoding)
    return stream(events(call.node, vhost, following))


async def filter_in(query: Mapping[str, str]) -> Filter:
    """What the request wants to follow. Raises BadRequest."""
    given = {name: value for name, value in query.items() if value}
    return Filter(
        message_id=octets(given["message_id"]) if "message_id" in given else None,
        keys=pattern(given["routing_key"]) if "routing_key" in given else None,
        queue=octets(given["queue"]) if "queue" in given else None,
        exchange=exchange_octets(given["exchange"]) if "exchange" in given else None,
        selector=await selected(given["selector"]) if "selector" in given else None,
    )


async def events(node: Node, vhost: Vhost, following: Following) -> AsyncGenerator[bytes, None]:
    """What happens, until the client or the vhost goes."""
    tracing.tap(vhost, following)
    try:
        yield event({"event": "following", "vhost": vhost.name}, "following")
        while node.broker.vhosts.get(vhost.name) is vhost:
            with trio.move_on_after(LOOK):
                await following.news.wait()
            found = following.take_all()
            if found:
                yield b"".join(found)
                await trio.sleep(PAUSE)
    finally:
        tracing.untap(vhost, following)


TABLE: Final = (
    Endpoint(
        "GET",
        "/amq/trace/{vhost}",
        ADMINISTRATOR,
        follow,
        "Follow messages live, as server-sent events: published, delivered, acknowledged, dead-lettered, ...",
        {
            200: "a stream of events, until the client goes",
            400: "the selector or another parameter has a mistake",
            503: "too many follow already",
        },
        query=(
            Parameter("message_id", "only messages with this property"),
            Parameter("routing_key", "only messages with this key, or one of this pattern: * is a word, # any number"),
            Parameter("queue", "only what is routed to this queue, or leaves it"),
            Parameter("exchange", "only what was published to this exchange; `amq.default` for the default exchange"),
            Parameter("selector", "only messages that this selector takes"),
            Parameter("truncate", "octets of a payload that are shown", {"type": "integer", "minimum": 0}),
            Parameter("encoding", "`base64`, or `auto` for text as text", {"enum": [AUTO, "base64"]}),
        ),
    ),
)
