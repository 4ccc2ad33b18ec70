"""The exchange and queue classes of methods: declare, delete, bind, unbind, purge.

Each function takes a channel and a method's decoded arguments, in the order of `wire.methods`.
"""

from typing import Final

from amq.connection import admission
from amq.connection.channel import Channel
from amq.connection.reply_to import REPLY_PREFIX
from amq.connection.session import Session
from amq.errors import ACCESS_REFUSED, NOT_FOUND, PRECONDITION_FAILED, RESOURCE_LOCKED, ChannelFault
from amq.exchanges.base import Exchange
from amq.queues.base import Queue
from amq.vhost import topology
from amq.vhost.vhost import Vhost
from amq.wire import spec
from amq.wire.methods import Arguments
from amq.wire.properties import REPLY_TO_QUEUE
from amq.wire.tables import Table

_CR_LF: Final = b"\r\n"


def name_in(value: object) -> bytes:
    """A name as sent; line ends, which RabbitMQ strips, are stripped."""
    assert isinstance(value, bytes)
    return value.translate(None, _CR_LF)


def table_in(value: object) -> Table:
    """A decoded table argument."""
    assert isinstance(value, dict)
    return value


def queue_name(channel: Channel, value: object) -> bytes:
    """The queue that a name stands for: the empty one for the last that was declared on this channel."""
    name = name_in(value)
    if name:
        return name
    if channel.last_queue is None:
        raise ChannelFault(NOT_FOUND, "no previously declared queue")
    return channel.last_queue


def usable_queue(channel: Channel, name: bytes) -> Queue:
    """The queue of that name; raises ChannelFault 404, or 405 when it is another connection's own."""
    queue = topology.queue_named(channel.session.vhost, name)
    check_owner(channel, queue)
    return queue


def check_owner(channel: Channel, queue: Queue) -> None:
    """Raise ChannelFault(405) when a queue is exclusive to another connection."""
    if queue.owner is not None and queue.owner is not channel.session:
        raise locked(channel.session.vhost, queue)


def locked(vhost: Vhost, queue: Queue) -> ChannelFault:
    """The fault of touching another connection's exclusive queue."""
    return ChannelFault(
        RESOURCE_LOCKED,
        f"cannot obtain exclusive access to locked {vhost.named('queue', queue.name)}. "
        "It could be originally declared on another connection or the exclusive property value "
        "does not match that of the original declaration.",
    )


def check_not_default(*names: bytes) -> None:
    """Raise ChannelFault(403) when one of the exchange names is that of the default exchange."""
    if b"" in names:
        raise ChannelFault(ACCESS_REFUSED, "operation not permitted on the default exchange")


def defining(channel: Channel, *ends: Exchange | Queue | None) -> int:
    """The ticket that an answer about these has to wait for.

    0 when one of them is transient, as then nothing of it is stored. What is gone (None) may not be gone for good yet.
    """
    if all(end is None or end.durable for end in ends):
        return channel.session.broker.journal.defining
    return 0


# -- exchanges --


def exchange_declare(channel: Channel, arguments: Arguments) -> None:
    """exchange.declare."""
    _, raw, kind, passive, durable, auto_delete, internal, nowait, table = arguments
    name = name_in(raw)
    vhost = channel.session.vhost
    if passive:
        check_not_default(name)
        exchange = topology.exchange_named(vhost, name)
    else:
        exchange = declare_exchange(
            channel, name, name_in(kind), bool(durable), bool(auto_delete), bool(internal), table_in(table)
        )
    if not nowait:
        channel.answer(spec.EXCHANGE_DECLARE_OK, [], 0 if passive else defining(channel, exchange))


def declare_exchange(
    channel: Channel, name: bytes, kind: bytes, durable: bool, auto_delete: bool, internal: bool, arguments: Table
) -> Exchange:
    """Make an exchange, or check that the one that is there is what the client means."""
    vhost, access = channel.session.vhost, channel.session.access
    cls = topology.type_named(kind)
    check_not_default(name)
    access.configure("exchange", name)
    exchange = vhost.exchanges.get(name)
    if exchange is None:
        topology.check_name("exchange", name)
        alternate = topology.named_argument(vhost, "exchange", name, arguments, "alternate-exchange")
        if alternate is not None:
            access.read("exchange", name)
            access.write("exchange", alternate)
        admission.check_exchange(channel.session.broker, name)
        return topology.create_exchange(vhost, name, cls, durable, auto_delete, internal, arguments)
    topology.check_exchange_equivalent(vhost, exchange, kind, durable, auto_delete, internal, arguments)
    return exchange


def exchange_delete(channel: Channel, arguments: Arguments) -> None:
    """exchange.delete. One that is missing is deleted already."""
    _, raw, if_unused, nowait = arguments
    name = name_in(raw)
    vhost = channel.session.vhost
    check_not_default(name)
    if name.startswith(topology.RESERVED):
        raise ChannelFault(ACCESS_REFUSED, f"deletion of system {vhost.named('exchange', name)} not allowed")
    channel.session.access.configure("exchange", name)
    exchange = vhost.exchanges.get(name)
    if exchange is not None:
        if if_unused and exchange.bindings:
            raise ChannelFault(PRECONDITION_FAILED, f"{vhost.named('exchange', name)} in use")
        topology.delete_exchange(vhost, exchange)
    if not nowait:
        channel.answer(spec.EXCHANGE_DELETE_OK, [], defining(channel, exchange))


def exchange_bind(channel: Channel, arguments: Arguments) -> None:
    """exchange.bind."""
    destination, source, key, table, nowait = exchange_binding(channel, arguments)
    vhost = channel.session.vhost
    from_exchange, to_exchange = topology.exchange_named(vhost, source), topology.exchange_named(vhost, destination)
    topology.bind(vhost, from_exchange, to_exchange, key, table)
    if not nowait:
        channel.answer(spec.EXCHANGE_BIND_OK, [], defining(channel, from_exchange, to_exchange))


def exchange_unbind(channel: Channel, arguments: Arguments) -> None:
    """exchange.unbind. What is missing is unbound already."""
    destination, source, key, table, nowait = exchange_binding(channel, arguments)
    vhost = channel.session.vhost
    from_exchange, to_exchange = vhost.exchanges.get(source), vhost.exchanges.get(destination)
    if from_exchange is not None and to_exchange is not None:
        topology.unbind(vhost, from_exchange, to_exchange, key, table)
    if not nowait:
        channel.answer(spec.EXCHANGE_UNBIND_OK, [], defining(channel, from_exchange, to_exchange))


def exchange_binding(channel: Channel, arguments: Arguments) -> tuple[bytes, bytes, bytes, Table, bool]:
    """Destination, source, routing key, arguments and nowait, once the user may bind so."""
    _, destination, source, key, nowait, table = arguments
    to_name, from_name = name_in(destination), name_in(source)
    assert isinstance(key, bytes)
    check_not_default(to_name, from_name)
    channel.session.access.write("exchange", to_name)
    check_may_read(channel, from_name, key)
    return to_name, from_name, key, table_in(table), bool(nowait)


def check_may_read(channel: Channel, source: bytes, key: bytes) -> None:
    """Raise ChannelFault(403) unless the user may bind to an exchange with a key."""
    access = channel.session.access
    access.read("exchange", source)
    exchange = channel.session.vhost.exchanges.get(source)
    if exchange is not None and exchange.type_name == "topic":
        access.read_topic(source, key)


# -- queues --


def queue_declare(channel: Channel, arguments: Arguments) -> None:
    """queue.declare."""
    _, raw, passive, durable, exclusive, auto_delete, nowait, table = arguments
    name = name_in(raw)
    if name.startswith(REPLY_TO_QUEUE):
        declare_reply_queue(channel, name, bool(nowait))
        return
    if passive:
        queue = usable_queue(channel, name)
        queue.used_at = channel.session.broker.clock.now
        channel.session.broker.churn.queues_declared += 1
    else:
        queue = declare_queue(channel, name, bool(durable), bool(exclusive), bool(auto_delete), table_in(table))
    channel.last_queue = queue.name
    if not nowait:
        counts: list[object] = [queue.name, queue.ready_count(), queue.consumer_count()]
        channel.answer(spec.QUEUE_DECLARE_OK, counts, 0 if passive else defining(channel, queue))


def declare_reply_queue(channel: Channel, name: bytes, nowait: bool) -> None:
    """A direct reply-to name exists for as long as its consumer does; the general one always."""
    vhost = channel.session.vhost
    if name != REPLY_TO_QUEUE and not (name.startswith(REPLY_PREFIX) and name in vhost.replies):
        raise ChannelFault(NOT_FOUND, f"no {vhost.named('queue', name)}")
    channel.last_queue = name
    if not nowait:
        channel.reply(spec.QUEUE_DECLARE_OK, [name, 0, 1])


def declare_queue(
    channel: Channel, name: bytes, durable: bool, exclusive: bool, auto_delete: bool, arguments: Table
) -> Queue:
    """Make a queue, or check that the one that is there is what the client means."""
    session = channel.session
    vhost, access = session.vhost, session.access
    if "x-queue-type" not in arguments:
        arguments = with_default_type(session, durable, exclusive, auto_delete, arguments)
    if name:
        topology.check_name("queue", name)
    else:
        name = b"amq.gen-" + session.broker.unique_name()
    access.configure("queue", name)
    owner = session if exclusive else None
    queue = vhost.queues.get(name)
    if queue is not None:
        if queue.owner is not owner:
            raise locked(vhost, queue)
        topology.check_queue_equivalent(vhost, queue, durable, auto_delete, arguments)
        queue.used_at = session.broker.clock.now
        session.broker.churn.queues_declared += 1
        return queue
    dead_letters = topology.named_argument(vhost, "queue", name, arguments, "x-dead-letter-exchange")
    if dead_letters is not None:
        access.read("queue", name)
        access.write("exchange", dead_letters)
    admission.check_queue(session.broker, vhost, name, arguments)
    queue = topology.create_queue(vhost, name, durable, owner, auto_delete, arguments)
    session.broker.churn.queues_declared += 1
    if exclusive:
        session.own(queue)
    return queue


def with_default_type(session: Session, durable: bool, exclusive: bool, auto_delete: bool, arguments: Table) -> Table:
    """The arguments with the default type of the vhost or the node, where there is one that can be such a queue."""
    default = session.vhost.default_queue_type or session.broker.settings.limits.default_queue_type
    if default is None or (default != "classic" and (not durable or exclusive or auto_delete)):
        return arguments
    return {**arguments, "x-queue-type": ("S", default.encode())}


def queue_bind(channel: Channel, arguments: Arguments) -> None:
    """queue.bind."""
    _, raw, source, key, nowait, table = arguments
    name, from_name, routing_key = queue_binding(channel, raw, source, key)
    vhost = channel.session.vhost
    exchange = topology.exchange_named(vhost, from_name)
    queue = usable_queue(channel, name)
    topology.bind(vhost, exchange, queue, routing_key, table_in(table))
    if not nowait:
        channel.answer(spec.QUEUE_BIND_OK, [], defining(channel, exchange, queue))


def queue_unbind(channel: Channel, arguments: Arguments) -> None:
    """queue.unbind. What is missing is unbound already."""
    _, raw, source, key, table = arguments
    name, from_name, routing_key = queue_binding(channel, raw, source, key)
    vhost = channel.session.vhost
    exchange, queue = vhost.exchanges.get(from_name), vhost.queues.get(name)
    given = table_in(table)
    # RabbitMQ looks at the owner only when there is something to unbind.
    if exchange is not None and queue is not None and topology.is_bound(exchange, queue, routing_key, given):
        check_owner(channel, queue)
        topology.unbind(vhost, exchange, queue, routing_key, given)
    channel.answer(spec.QUEUE_UNBIND_OK, [], defining(channel, exchange, queue))


def queue_binding(channel: Channel, raw: object, source: object, key: object) -> tuple[bytes, bytes, bytes]:
    """Queue, source exchange and routing key, once the user may bind so."""
    name, from_name = queue_name(channel, raw), name_in(source)
    assert isinstance(key, bytes)
    if not raw and not key:
        key = name
    check_not_default(from_name)
    channel.session.access.write("queue", name)
    check_may_read(channel, from_name, key)
    return name, from_name, key


def queue_purge(channel: Channel, arguments: Arguments) -> None:
    """queue.purge."""
    _, raw, nowait = arguments
    name = queue_name(channel, raw)
    channel.session.access.read("queue", name)
    queue = usable_queue(channel, name)
    emptying = queue.emptied()
    if not nowait:
        channel.answer(spec.QUEUE_PURGE_OK, [emptying.count], 0, b"", emptying)


def queue_delete(channel: Channel, arguments: Arguments) -> None:
    """queue.delete. One that is missing is deleted already."""
    _, raw, if_unused, if_empty, nowait = arguments
    name = queue_name(channel, raw)
    vhost = channel.session.vhost
    channel.session.access.configure("queue", name)
    queue = vhost.queues.get(name)
    count = 0
    if queue is not None:
        check_owner(channel, queue)
        if if_unused and queue.consumer_count():
            raise ChannelFault(PRECONDITION_FAILED, f"{vhost.named('queue', name)} in use")
        if if_empty and queue.ready_count():
            raise ChannelFault(PRECONDITION_FAILED, f"{vhost.named('queue', name)} not empty")
        count = queue.ready_count()
    said = len(channel.session.outbox.pieces)
    if queue is not None:
        topology.delete_queue(vhost, queue)
        channel.session.exclusive.pop(queue, None)
    if not nowait:
        # Before the consumers of this connection hear of it.
        cancels = channel.session.take_back(said)
        channel.answer(spec.QUEUE_DELETE_OK, [count], defining(channel, queue), cancels)
