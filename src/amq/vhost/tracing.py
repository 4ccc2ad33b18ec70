"""What happens to messages, told while it happens: to the firehose and to whoever has tapped the vhost.

The firehose (RabbitMQ's name) is the exchange `amq.rabbitmq.trace`: while `vhost.tracing` is on, a copy of every
message is published to it when it comes in, with the key `publish.EXCHANGE`, and when it goes out, with
`deliver.QUEUE`. A tap hears of the same and of dead letters, without a queue. While there is neither, nothing of this
is on a message's way.
"""

from typing import Final

from amq.journal import change
from amq.journal.change import Change
from amq.message import Message, address
from amq.queues.base import Origin, Queue, Tracer
from amq.vhost.dead_letter import routing_keys
from amq.vhost.placing import place
from amq.vhost.vhost import Vhost
from amq.wire import properties as props
from amq.wire import tables
from amq.wire.properties import places
from amq.wire.tables import Field, Table

TRACE_EXCHANGE: Final = b"amq.rabbitmq.trace"

PUBLISHED: Final = "published"
DELIVERED: Final = "delivered"
DEAD_LETTERED: Final = "dead-lettered"

# How the firehose spells the properties that are texts.
_TEXTS: Final = {
    props.CONTENT_TYPE: "content_type",
    props.CONTENT_ENCODING: "content_encoding",
    props.CORRELATION_ID: "correlation_id",
    props.REPLY_TO: "reply_to",
    props.EXPIRATION: "expiration",
    props.MESSAGE_ID: "message_id",
    props.TYPE: "type",
    props.USER_ID: "user_id",
    props.APP_ID: "app_id",
    props.CLUSTER_ID: "cluster_id",
}


class Event:
    """Something that happened to a message.

    `what` is PUBLISHED, DELIVERED, DEAD_LETTERED (for `reason`), or what became of a delivery, as `Tracer.settled` is
    told. `queues` are those that it was routed to, or the one that it left. `origin` is whose channel did it; None for
    the broker itself, and for what became of a delivery.
    """

    __slots__ = ("what", "message", "queues", "origin", "redelivered", "reason")

    def __init__(
        self,
        what: str,
        message: Message,
        queues: list[bytes],
        origin: Origin | None,
        redelivered: bool = False,
        reason: str = "",
    ) -> None:
        self.what = what
        self.message = message
        self.queues = queues
        self.origin = origin
        self.redelivered = redelivered
        self.reason = reason


class Tap:
    """Hears of every event in a vhost. Must neither wait nor change anything."""

    __slots__ = ()

    def take(self, event: Event) -> None:
        """Something happened."""
        raise NotImplementedError


class Tracing(Tracer):
    """Tells the firehose and the taps of one vhost."""

    __slots__ = ("vhost", "taps")

    def __init__(self, vhost: Vhost) -> None:
        self.vhost = vhost
        self.taps: list[Tap] = []

    def published(self, origin: Origin, message: Message, queues: list[Queue]) -> None:
        if message.exchange() == TRACE_EXCHANGE:
            return
        names = [queue.name for queue in queues]
        self.tell(Event(PUBLISHED, message, names, origin))
        if self.vhost.tracing:
            headers = self.headers(origin, message)
            headers["routed_queues"] = ("A", [_text(name) for name in names])
            self.publish(b"publish." + message.exchange(), headers, message)

    def delivered(self, origin: Origin, queue: Queue, messages: list[Message], redelivered: bool) -> None:
        for message in messages:
            if message.exchange() == TRACE_EXCHANGE:
                continue
            self.tell(Event(DELIVERED, message, [queue.name], origin, redelivered))
            if self.vhost.tracing:
                headers = self.headers(origin, message)
                headers["redelivered"] = ("I", int(redelivered))
                self.publish(b"deliver." + queue.name, headers, message)

    def settled(self, queue: Queue, message: Message, how: str) -> None:
        if message.exchange() != TRACE_EXCHANGE:
            self.tell(Event(how, message, [queue.name], None))

    def dead_lettered(self, queue: Queue, message: Message, reason: str) -> None:
        self.tell(Event(DEAD_LETTERED, message, [queue.name], None, False, reason))

    def tell(self, event: Event) -> None:
        """Tell every tap."""
        for tap in self.taps:
            tap.take(event)

    def headers(self, origin: Origin, message: Message) -> Table:
        """What the firehose says of a message, in the names and types of RabbitMQ's."""
        return {
            "exchange_name": _text(message.exchange()),
            "routing_keys": ("A", [_text(key) for key in routing_keys(message)]),
            "properties": ("F", properties_of(message)),
            "node": _text(self.vhost.agenda.node.encode()),
            "vhost": _text(self.vhost.name.encode("utf-8", "surrogatepass")),
            "connection": _text(origin.connection.encode()),
            "channel": ("I", origin.channel),
            "user": _text(origin.user.encode("utf-8", "surrogatepass")),
        }

    def publish(self, key: bytes, headers: Table, traced: Message) -> None:
        """Publish to the firehose."""
        vhost = self.vhost
        exchange = vhost.exchanges.get(TRACE_EXCHANGE)
        if exchange is None or not exchange.bindings:
            return
        key = key[:255]
        bare = b"\x00\x3c\x00\x00" + len(traced.body).to_bytes(8, "big") + b"\x00\x00"
        header = props.rewrite(bare, {props.HEADERS: tables.encode(headers)})
        message = Message(address(TRACE_EXCHANGE, key), header, traced.body, props.read(header))
        place(vhost.agenda.journal, message, vhost.route(exchange, [key], message).queues)
        message.properties.forget()


def properties_of(message: Message) -> Table:
    """All properties of a message as a table, by name; those that it does not have are left out."""
    header = message.header
    found: Table = {}
    for flag, (start, stop) in places(header, header[12] << 8 | header[13]).items():
        if flag in _TEXTS:
            found[_TEXTS[flag]] = ("S", header[start + 1 : stop])
        elif flag == props.HEADERS:
            found["headers"] = ("F", message.properties.headers())
        elif flag == props.TIMESTAMP:
            found["timestamp"] = ("l", int.from_bytes(header[start:stop], "big", signed=True))
        else:
            found["delivery_mode" if flag == props.DELIVERY_MODE else "priority"] = ("I", header[start])
    return found


def switch(vhost: Vhost, on: bool) -> None:
    """Turn a vhost's firehose on or off."""
    if vhost.tracing != on:
        vhost.tracing = on
        vhost.agenda.journal.define(Change(change.VHOST, vhost.name, (), vhost, False))
    _arrange(vhost, _tracing_of(vhost))


def tap(vhost: Vhost, listener: Tap) -> None:
    """Let somebody hear of what happens to messages, until `untap`."""
    tracing = _tracing_of(vhost)
    tracing.taps.append(listener)
    _arrange(vhost, tracing)


def untap(vhost: Vhost, listener: Tap) -> None:
    """Leave somebody alone again; who never tapped is no error."""
    tracing = _tracing_of(vhost)
    if listener in tracing.taps:
        tracing.taps.remove(listener)
    _arrange(vhost, tracing)


def _tracing_of(vhost: Vhost) -> Tracing:
    tracer = vhost.agenda.tracer
    return tracer if isinstance(tracer, Tracing) else Tracing(vhost)


def _arrange(vhost: Vhost, tracing: Tracing) -> None:
    vhost.agenda.tracer = tracing if vhost.tracing or tracing.taps else None
    # Routes that publishers remember lead past the tracer.
    vhost.changed()


def _text(octets: bytes) -> Field:
    return "S", octets
