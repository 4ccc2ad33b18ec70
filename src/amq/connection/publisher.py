"""The publishing half of a channel: content assembled, checked, routed, enqueued, and confirmed.

Most messages of a client repeat the frames of the one before them but for the body, and come whole in one chunk.
`run` takes those as fast as bytes can be compared; everything else goes frame by frame through `on_method`,
`on_header` and `on_body`, which check all that there is to check.
"""

from struct import Struct
from typing import Final

from amq.connection import content
from amq.connection.confirms import Confirms
from amq.connection.consumer import content_frames
from amq.connection.reply_to import REPLY_PREFIX, ReplyQueue
from amq.connection.session import Session
from amq.connection.transaction import Publication, Transaction
from amq.destination import Destination
from amq.errors import (
    ACCESS_REFUSED,
    FRAME_ERROR,
    NO_ROUTE,
    NOT_IMPLEMENTED,
    PRECONDITION_FAILED,
    UNEXPECTED_FRAME,
    ChannelFault,
    ConnectionFault,
)
from amq.journal.batch import Batch
from amq.message import Message
from amq.queues.base import Queue
from amq.vhost import topology
from amq.vhost.vhost import Route
from amq.wire import methods, spec
from amq.wire import properties as props
from amq.wire.methods import MethodError
from amq.wire.properties import Properties, PropertiesError

_unpack_head: Final = Struct(">BHI").unpack_from
_pack_head: Final = Struct(">BHI").pack
_CLASS_BASIC: Final = b"\x00\x3c\x00\x00"

# A user's cached routes in one vhost; beyond so many the cache starts anew.
MAX_ROUTES: Final = 4096
# The same for all queues in these routes together, roughly.
MAX_ROUTED: Final = 1 << 19


class Publisher:
    """One channel's publishing state. `arguments` is that of a basic.publish whose content is still coming."""

    __slots__ = (
        "session",
        "number",
        "routes",
        "version",
        "confirms",
        "transaction",
        "reply_queue",
        "arguments",
        "header",
        "need",
        "got",
        "parts",
        "lead",
        "lead_route",
        "lead_header",
        "lead_need",
        "lead_properties",
    )

    def __init__(self, session: Session, number: int) -> None:
        self.session = session
        self.number = number
        self.routes = session.vhost.routes_of(session.user.name)
        # Of the vhost's permissions when `routes` was last looked at.
        self.version: int = -1
        self.confirms: Confirms | None = None
        self.transaction: Transaction | None = None
        # The channel's own direct reply-to consumer.
        self.reply_queue: ReplyQueue | None = None
        self.arguments: bytes | None = None
        self.header: bytes | None = None
        self.need: int = 0
        self.got: int = 0
        self.parts: list[bytes] = []
        # The octets of the last whole message up to its body, and what they meant.
        self.lead: bytes = b""
        self.lead_route: Route | None = None
        self.lead_header: bytes = b""
        self.lead_need: int = 0
        self.lead_properties = Properties()

    # -- whole messages in a chunk --

    def run(self, buf: bytes, pos: int, stop: int, end: int) -> int:
        """Take whole messages, the first of which begins with the basic.publish frame from `pos` to its mark at `stop`.

        Returns the position of the first octet not taken; `pos` when the first message needs a closer look.
        """
        route = self.cached(buf[pos + 11 : stop])
        if route is None or self.transaction is not None:
            return pos
        queues = route.queues
        if queues is None or (route.mandatory and not queues):
            return pos
        start = pos
        lead = self.lead
        if route is not self.lead_route or not buf.startswith(lead, pos):
            if not self.learn(buf, pos, stop + 1, end, route):
                return pos
            lead = self.lead
        size = len(lead)
        need = self.lead_need
        address = route.address
        header = self.lead_header
        properties = self.lead_properties
        step = size + need + 1 if need else size
        count = 0
        only = queues[0] if len(queues) == 1 else None
        nobody: list[Queue] = []
        journal = self.session.broker.journal
        kept = journal.keeps and route.durable and properties.persistent
        ticket = 0
        confirms = self.confirms
        body = b""
        while True:
            after = pos + step
            if after > end:
                break
            if need:
                if buf[after - 1] != 0xCE:
                    break
                body = buf[pos + size : after - 1]
            message = Message(address, header, body, properties)
            pos = after
            count += 1
            if only is None:
                refusing = enqueue_all(message, queues)
            elif only.enqueue(message):
                refusing = nobody
            else:
                refusing = queues
            if kept:
                ticket = record(journal, message, queues, refusing) or ticket
            if refusing and confirms is not None:
                confirms.publish(count, ticket)
                confirms.refuse()
                count = 0
            if not buf.startswith(lead, pos):
                break
        if pos != start:
            self.session.has_published = True
            if queues:
                self.session.fed = queues[0]
            if confirms is not None:
                confirms.publish(count, ticket)
        return pos

    def learn(self, buf: bytes, pos: int, at: int, end: int, route: Route) -> bool:
        """Read the content header at `at` of the message at `pos`, for it and those that repeat it.

        False when the message is not whole or in any way special.
        """
        if end - at < 8:
            return False
        kind, number, size = _unpack_head(buf, at)
        stop = at + 7 + size
        room = self.session.room_in_frame
        if kind != spec.FRAME_HEADER or number != self.number or size > room or stop >= end or buf[stop] != 0xCE:
            return False
        header = buf[at + 7 : stop]
        need = int.from_bytes(header[4:12], "big")
        if header[:4] != _CLASS_BASIC or need > room or need > self.session.broker.settings.max_message_size:
            return False
        try:
            properties = props.read(header)
        except PropertiesError:
            return False
        if properties.special:
            return False
        body = stop + 1
        if need:
            if not buf.startswith(_pack_head(spec.FRAME_BODY, number, need), body):
                return False
            body += 7
        self.lead = buf[pos:body]
        self.lead_route = route
        self.lead_header = header
        self.lead_need = need
        self.lead_properties = properties
        return True

    def cached(self, arguments: bytes) -> Route | None:
        """What these arguments of basic.publish led to before, if nothing has changed since."""
        version = self.session.vhost.permissions.version
        if version != self.version:
            self.version = version
            self.routes.clear()
        return self.routes.get(arguments)

    # -- frame by frame --

    def on_method(self, payload: bytes) -> None:
        """basic.publish came; its content follows. Raises ConnectionFault(501) when it cannot be decoded."""
        arguments = payload[4:]
        if self.cached(arguments) is None:
            try:
                methods.decode(spec.BASIC_PUBLISH, payload)
            except MethodError as error:
                raise ConnectionFault(FRAME_ERROR, f"cannot decode method 60/40: {error}") from None
        self.arguments = arguments
        self.header = None

    def on_header(self, payload: bytes) -> None:
        """A content header frame came."""
        if self.arguments is None:
            raise ConnectionFault(UNEXPECTED_FRAME, "expected method frame, got non method frame instead")
        if self.header is not None:
            raise ConnectionFault(UNEXPECTED_FRAME, "expected content body, got non content body frame instead")
        if payload[2:4] != b"\x00\x00":
            raise ConnectionFault(
                UNEXPECTED_FRAME, "expected content header for class 60, got non content header frame instead"
            )
        kind = int.from_bytes(payload[:2], "big")
        if kind != spec.CLASS_BASIC:
            raise ConnectionFault(
                UNEXPECTED_FRAME, f"expected content header for class 60, got one for class {kind} instead"
            )
        self.need = int.from_bytes(payload[4:12], "big")
        self.check_size()
        # Content that never ends takes memory too.
        self.session.has_published = True
        self.header = payload
        self.got = 0
        if not self.need:
            self.complete()

    def check_size(self) -> None:
        """Refuse a body that is too large before any of it is kept; raises ChannelFault(406)."""
        most = self.session.broker.settings.max_message_size
        if self.need > most:
            self.arguments = None
            raise ChannelFault(
                PRECONDITION_FAILED, f"message size {self.need} is larger than configured max size {most}"
            )

    def on_body(self, payload: bytes) -> None:
        """A body frame came."""
        if self.arguments is None:
            raise ConnectionFault(UNEXPECTED_FRAME, "expected method frame, got non method frame instead")
        if self.header is None:
            raise ConnectionFault(
                UNEXPECTED_FRAME, "expected content header for class 60, got non content header frame instead"
            )
        if not payload:
            # Allowed, and no progress: nothing of it may be kept.
            return
        self.parts.append(payload)
        self.session.has_published = True
        self.got += len(payload)
        if self.got > self.need:
            raise ConnectionFault(FRAME_ERROR, f"content body of {self.got} octets is longer than its header says")
        if self.got == self.need:
            self.complete()

    def unfinished(self) -> None:
        """A method came where content should; raises ConnectionFault(505) if content is still due."""
        if self.arguments is None:
            return
        if self.header is None:
            raise ConnectionFault(
                UNEXPECTED_FRAME, "expected content header for class 60, got non content header frame instead"
            )
        raise ConnectionFault(UNEXPECTED_FRAME, "expected content body, got non content body frame instead")

    def complete(self) -> None:
        """The content is whole: check and route the message, and enqueue it unless a transaction keeps it."""
        arguments, header, parts = self.arguments, self.header, self.parts
        assert arguments is not None and header is not None
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        self.arguments = self.header = None
        self.parts = []
        self.session.has_published = True
        route = self.cached(arguments) or self.permitted(arguments)
        try:
            properties = props.read(header)
        except PropertiesError as error:
            raise ConnectionFault(FRAME_ERROR, f"content header cannot be decoded: {error}") from None
        keys = [route.routing_key]
        if properties.special:
            self.check_properties(properties)
            header, keys, blind = content.special(header, properties, keys, self.reply_queue)
            ttl = properties.ttl
            properties = props.read(header)
            properties.ttl = ttl
            properties.blind = blind
        message = Message(route.address, header, body, properties)
        queues = route.queues
        if queues is None or len(keys) > 1:
            queues = self.route(route, keys, message, arguments)
        if self.transaction is not None:
            self.transaction.publications.append(Publication(message, queues, route.mandatory))
        else:
            self.hand_over(message, queues, route.mandatory)

    def check_properties(self, properties: Properties) -> None:
        """What the sender may say of himself, and how long the message lives; raises ChannelFault(406)."""
        user = self.session.user
        claimed = properties.user_id
        if claimed is not None and claimed != user.name.encode() and not user.may_impersonate():
            raise ChannelFault(
                PRECONDITION_FAILED,
                f"user_id property set to '{claimed.decode('utf-8', 'replace')}' "
                f"but authenticated user was '{user.name}'",
            )
        if properties.expiration is not None:
            properties.ttl = content.time_to_live(properties.expiration)

    def permitted(self, arguments: bytes) -> Route:
        """Parse the arguments of basic.publish and check what the user may do. The result is not routed yet."""
        ticket_exchange_key = methods.decode(spec.BASIC_PUBLISH, b"\x00\x3c\x00\x28" + arguments)
        _, name, key, mandatory, immediate = ticket_exchange_key
        assert isinstance(name, bytes) and isinstance(key, bytes)
        if immediate:
            raise ConnectionFault(NOT_IMPLEMENTED, "immediate=true")
        vhost = self.session.vhost
        access = self.session.access
        access.write("exchange", name)
        exchange = topology.exchange_named(vhost, name)
        if exchange.internal:
            raise ChannelFault(ACCESS_REFUSED, f"cannot publish to internal {vhost.named('exchange', name)}")
        if exchange.type_name == "topic":
            access.write_topic(name, key)
        return Route(arguments[2:-1], exchange, key, bool(mandatory), None)

    def route(self, route: Route, keys: list[bytes], message: Message, arguments: bytes) -> list[Queue]:
        """The queues of a message; kept with the arguments when they will be the same the next time."""
        vhost = self.session.vhost
        exchange = route.exchange
        key = route.routing_key
        if not exchange.name and key.startswith(REPLY_PREFIX):
            reply = vhost.replies.get(key)
            return [] if reply is None else [reply]
        routing = vhost.route(exchange, keys, message)
        if routing.by_key and len(keys) == 1:
            self.remember(arguments, Route(route.address, exchange, key, route.mandatory, routing.queues))
        return routing.queues

    def remember(self, arguments: bytes, route: Route) -> None:
        """Cache a route."""
        many = len(route.queues or ()) * MAX_ROUTES // MAX_ROUTED
        if len(self.routes) >= MAX_ROUTES // (many or 1):
            self.routes.clear()
        self.routes[arguments] = route

    def hand_over(self, message: Message, queues: list[Queue], mandatory: bool) -> None:
        """Deliver a message and count it for the confirms."""
        accepted, ticket = self.deliver(message, queues, mandatory)
        confirms = self.confirms
        if confirms is not None:
            confirms.publish(1, ticket)
            if not accepted:
                confirms.refuse()

    def deliver(self, message: Message, queues: list[Queue], mandatory: bool) -> tuple[bool, int]:
        """Return the message if it must be, enqueue it, record it.

        Returns whether all queues took it, and the ticket that makes it safe (0: it is).
        """
        if mandatory and not queues:
            self.give_back(message)
        refusing = enqueue_all(message, queues)
        journal = self.session.broker.journal
        ticket = record(journal, message, queues, refusing) if journal.keeps and message.properties.persistent else 0
        return not refusing, ticket

    def give_back(self, message: Message) -> None:
        """basic.return: no queue for a mandatory message."""
        session = self.session
        arguments: list[object] = [NO_ROUTE, b"NO_ROUTE", message.exchange(), message.routing_key()]
        session.outbox.put(methods.encode(self.number, spec.BASIC_RETURN, arguments))
        for piece in content_frames(self.number, message.header, message.body, session.room_in_frame):
            session.outbox.put(piece)

    def flush(self) -> None:
        """Confirm what is safe; ask to be woken for the rest."""
        confirms = self.confirms
        if confirms is not None and confirms.waiting():
            confirms.flush()
            if confirms.pending:
                self.session.broker.awaiting[self.session.outbox.client] = None


def enqueue_all(message: Message, queues: list[Queue]) -> list[Queue]:
    """Put a message into every queue; returns those that refused it."""
    return [queue for queue in queues if not queue.enqueue(message)]


def record(journal: Batch, message: Message, queues: list[Queue], refusing: list[Queue]) -> int:
    """Hand a persistent message to the journal for the durable queues that took it; returns its ticket (0: none)."""
    durable: list[Destination] = [queue for queue in queues if queue.durable and queue not in refusing]
    return journal.publish(message, durable) if durable else 0
