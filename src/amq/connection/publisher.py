"""The publishing half of a channel: content assembled, checked, routed, enqueued, and confirmed.

Most messages of a client repeat the frames of the one before them but for the body, and come whole in one chunk.
`run` takes those as fast as bytes can be compared; everything else comes frame by frame (`assembly`), and `complete`
checks all that there is to check.
"""

from typing import Final

from amq.connection import content
from amq.connection.assembly import Assembly
from amq.connection.confirms import Confirms
from amq.connection.consumer import content_frames, origin
from amq.connection.lead import Lead
from amq.connection.reply_to import REPLY_PREFIX, ReplyQueue
from amq.connection.session import Session
from amq.connection.transaction import Publication, Transaction
from amq.errors import (
    ACCESS_REFUSED,
    FRAME_ERROR,
    NO_ROUTE,
    NOT_IMPLEMENTED,
    PRECONDITION_FAILED,
    ChannelFault,
    ConnectionFault,
)
from amq.message import Message
from amq.queues.base import Queue
from amq.tally import OCTETS, Tally, size_class
from amq.vhost import topology
from amq.vhost.placing import enqueue_all, place, record
from amq.vhost.vhost import Route
from amq.wire import methods, spec
from amq.wire import properties as props
from amq.wire.properties import Properties, PropertiesError

PUBLISH: Final = spec.BASIC_PUBLISH.to_bytes(4, "big")
# A user's cached routes in one vhost; beyond so many the cache starts anew.
MAX_ROUTES: Final = 4096
# The same for all queues in these routes together, roughly.
MAX_ROUTED: Final = 1 << 19


class Publisher(Assembly):
    """One channel's publishing state."""

    __slots__ = ("tally", "sizes", "routes", "confirms", "transaction", "reply_queue", "lead")

    def __init__(self, session: Session, number: int, tally: Tally) -> None:
        super().__init__(session, number)
        self.tally = tally
        # The broker's.
        self.sizes: list[int] = session.broker.churn.sizes
        self.routes = session.vhost.routes_of(session.user.name)
        self.confirms: Confirms | None = None
        self.transaction: Transaction | None = None
        # The channel's own direct reply-to consumer.
        self.reply_queue: ReplyQueue | None = None
        self.lead = Lead()

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
        session = self.session
        lead = self.lead
        if route is not lead.route or not buf.startswith(lead.octets, pos):
            most = session.broker.settings.max_message_size
            if not lead.learn(buf, pos, stop + 1, end, route, self.number, session.room_in_frame, most):
                return pos
        need = lead.need
        journal = session.broker.journal
        kept = lead.properties.persistent and bool(route.ids)
        messages = lead.repeated(buf, pos, end, route.address, journal.next_lsn if kept else 0)
        total = len(messages)
        if not total:
            return pos
        ttl = lead.properties.ttl
        # A single message costs many queues more in two steps than in one.
        at_once = total > 1 or len(queues) <= 1
        for queue in queues:
            if not at_once or not queue.takes_all(ttl):
                at_once = False
                break
        if at_once:
            for queue in queues:
                queue.enqueue_all(messages)
            ticket = self.record_all(messages) if kept else 0
            count = total
        else:
            count, ticket = self.enqueue_each(messages, queues, kept)
        session.has_published = True
        if kept:
            session.has_recorded = True
        self.tally.published += total
        sizes = self.sizes
        sizes[lead.size_class] += total
        sizes[OCTETS] += total * need
        exchange = route.exchange
        exchange.published_in += total
        if queues:
            session.feed(queues[0], total)
            exchange.published_out += total * len(queues)
            for queue in queues:
                queue.took(total, total * need)
        else:
            self.tally.dropped += total
            exchange.unroutable += total
        if self.confirms is not None:
            self.confirms.publish(count, ticket)
        return pos + total * lead.step

    def enqueue_each(self, messages: list[Message], queues: list[Queue], kept: bool) -> tuple[int, int]:
        """Put messages of a run into their queues, each of which may refuse any of them, and record those to be `kept`.

        Returns how many of the last ones are still to be confirmed, and the ticket that makes them safe (0: they are).
        """
        journal = self.session.broker.journal
        confirms = self.confirms
        ticket = 0
        count = 0
        # Those that all queues took and that are not recorded yet.
        taken: list[Message] = []
        for message in messages:
            count += 1
            refusing = enqueue_all(message, queues)
            if not refusing:
                taken.append(message)
                continue
            for queue in refusing:
                queue.took(-1, -len(message.body))
            if kept:
                if taken:
                    ticket = self.record_all(taken)
                    taken = []
                journal.next_lsn = message.lsn + 1
                ticket = record(journal, message, queues, refusing) or ticket
            if confirms is not None:
                confirms.publish(count, ticket)
                confirms.refuse()
                count = 0
        if kept and taken:
            ticket = self.record_all(taken)
        return count, ticket

    def record_all(self, messages: list[Message]) -> int:
        """Record messages of a run that have numbers, one after the other; returns the ticket that makes them safe."""
        lead = self.lead
        route = lead.route
        assert route is not None
        journal = self.session.broker.journal
        first = messages[0].lsn
        journal.next_lsn = first + len(messages)
        bodies = [messages[0].body] if len(messages) == 1 else [message.body for message in messages]
        return journal.run(first, bodies, route.address, lead.header, lead.properties, route.ids)

    def cached(self, arguments: bytes) -> Route | None:
        """What these arguments of basic.publish led to before, if nothing has changed since."""
        vhost = self.session.vhost
        if vhost.permissions.version != vhost.routes_version:
            vhost.changed()
        return self.routes.get(arguments)

    def known(self, arguments: bytes) -> bool:
        return self.cached(arguments) is not None

    def complete(self) -> None:
        # Check and route the message, and enqueue it unless a transaction keeps it.
        arguments, header, body = self.taken()
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
        self.tally.published += 1
        self.sizes[size_class(len(body))] += 1
        self.sizes[OCTETS] += len(body)
        queues = route.queues
        if queues is None or len(keys) > 1:
            queues = self.route(route, keys, message, arguments)
        exchange = route.exchange
        exchange.published_in += 1
        if queues:
            exchange.published_out += len(queues)
        else:
            exchange.unroutable += 1
            if not route.mandatory:
                self.tally.dropped += 1
        tracer = self.session.vhost.agenda.tracer
        if tracer is not None:
            tracer.published(origin(self.session.outbox, self.number), message, queues)
        properties.forget()
        if self.transaction is not None:
            self.transaction.publications.append(Publication(message, queues, route.mandatory))
        else:
            self.hand_over(message, queues, route.mandatory)

    def check_properties(self, properties: Properties) -> None:
        """Whether answers can come, what the sender may say of himself, and how long the message lives.

        Raises ChannelFault(406).
        """
        if properties.reply_to == props.REPLY_TO_QUEUE and self.reply_queue is None:
            raise ChannelFault(PRECONDITION_FAILED, "fast reply consumer does not exist")
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
        _, name, key, mandatory, immediate = methods.decode(spec.BASIC_PUBLISH, PUBLISH + arguments)
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
        routing = vhost.route(exchange, keys, message)
        if not exchange.name and any(each.startswith(REPLY_PREFIX) for each in keys):
            replies = [vhost.replies[each] for each in dict.fromkeys(keys) if each in vhost.replies]
            return replies + routing.queues
        if routing.by_key and len(keys) == 1 and vhost.agenda.tracer is None:
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
            self.basic_return(message)
        accepted, ticket = place(self.session.broker.journal, message, queues)
        if queues:
            self.session.feed(queues[0], 1)
        if ticket:
            self.session.has_recorded = True
        return accepted, ticket

    def basic_return(self, message: Message) -> None:
        """basic.return: no queue for a mandatory message."""
        session = self.session
        self.tally.returned += 1
        exchange = session.vhost.exchanges.get(message.exchange())
        if exchange is not None:
            exchange.returned += 1
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
