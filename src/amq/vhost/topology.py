"""Make, compare and remove the entities of a vhost. Who may do so is not decided here."""

from hashlib import blake2b
from typing import Final

from amq.destination import Destination
from amq.errors import ACCESS_REFUSED, NOT_FOUND, PRECONDITION_FAILED, ChannelFault
from amq.exchanges import exchange_type
from amq.exchanges.base import Binding, Exchange
from amq.exchanges.default import Default
from amq.journal import change
from amq.journal.change import Change
from amq.queues import arguments as queue_arguments
from amq.queues.base import Queue
from amq.queues.classic import ClassicQueue
from amq.vhost import policy
from amq.vhost.dead_letter import routing_keys
from amq.vhost.expiry import watch_expiry
from amq.vhost.placing import place
from amq.vhost.vhost import Vhost
from amq.wire.tables import Field, Table, canonical, type_name

RESERVED: Final = b"amq."
# What RabbitMQ declares in every vhost: name, type, internal.
PREDECLARED: Final = (
    (b"amq.direct", b"direct", False),
    (b"amq.fanout", b"fanout", False),
    (b"amq.topic", b"topic", False),
    (b"amq.headers", b"headers", False),
    (b"amq.match", b"headers", False),
    (b"amq.rabbitmq.trace", b"topic", True),
)


def furnish(vhost: Vhost) -> None:
    """Put the exchanges into a new vhost that every vhost has."""
    vhost.exchanges[b""] = Default(vhost.queues)
    for name, kind, internal in PREDECLARED:
        create_exchange(vhost, name, type_named(kind), True, False, internal, {})


def type_named(name: bytes) -> type[Exchange]:
    """The exchange type of that name; raises ChannelFault(406)."""
    kind = exchange_type(name)
    if kind is None:
        raise ChannelFault(PRECONDITION_FAILED, f"unknown exchange type '{name.decode('utf-8', 'replace')}'")
    return kind


def check_name(kind: str, name: bytes) -> None:
    """Refuse a name that only the broker may give; raises ChannelFault(403)."""
    if name.startswith(RESERVED):
        shown = name.decode("utf-8", "replace")
        raise ChannelFault(ACCESS_REFUSED, f"{kind} name '{shown}' contains reserved prefix 'amq.*'")


def named_argument(vhost: Vhost, kind: str, name: bytes, arguments: Table, key: str) -> bytes | None:
    """The exchange that an argument names, or None without it; raises ChannelFault(406) unless it is a longstr."""
    field = arguments.get(key)
    if field is None:
        return None
    if field[0] != "S":
        raise ChannelFault(
            PRECONDITION_FAILED,
            f"invalid type '{type_name(field[0])}' for arg '{key}' in {vhost.named(kind, name)}",
        )
    assert isinstance(field[1], bytes)
    return field[1]


def create_exchange(
    vhost: Vhost,
    name: bytes,
    kind: type[Exchange],
    durable: bool,
    auto_delete: bool,
    internal: bool,
    arguments: Table,
    waiting_id: int = 0,
) -> Exchange:
    """A new exchange under a name that is free; `waiting_id` is what the journal has called the queue in which it keeps
    messages (0: nothing yet).

    Raises ChannelFault(406) for arguments its type refuses.
    """
    kind.check_arguments(arguments)
    exchange = kind(name, durable, auto_delete, internal, arguments)
    exchange.attend(vhost.agenda, waiting_id)
    vhost.exchanges[name] = exchange
    policy.apply(vhost, exchange)
    tell_exchange(vhost, exchange, False)
    vhost.changed()
    return exchange


def check_exchange_equivalent(
    vhost: Vhost,
    exchange: Exchange,
    kind: bytes,
    durable: bool,
    auto_delete: bool,
    internal: bool,
    arguments: Table,
) -> None:
    """Compare a redeclaration with what is there; raises ChannelFault(406)."""
    label = vhost.named("exchange", exchange.name)
    if kind != exchange.type_name.encode():
        raise _inequivalent("type", label, kind.decode("utf-8", "replace"), exchange.type_name)
    for name, new, current in (
        ("durable", durable, exchange.durable),
        ("auto_delete", auto_delete, exchange.auto_delete),
        ("internal", internal, exchange.internal),
    ):
        if new != current:
            raise _inequivalent(name, label, _bool(new), _bool(current))
    _compare_argument(label, "alternate-exchange", arguments, exchange.arguments)


def delete_exchange(vhost: Vhost, exchange: Exchange) -> None:
    """Remove an exchange with its bindings in both directions, and what auto-deletes with them."""
    if vhost.exchanges.pop(exchange.name, None) is None:
        return
    exchange.deleted = True
    tell_exchange(vhost, exchange, True)
    if exchange.waiting is not None:
        _forget(vhost, exchange.waiting)
    for binding in list(exchange.bindings.values()):
        _disconnect(vhost, binding)
    _remove_incoming(vhost, exchange)
    vhost.changed()


def create_queue(
    vhost: Vhost,
    name: bytes,
    durable: bool,
    owner: object | None,
    auto_delete: bool,
    arguments: Table,
    queue_id: int = 0,
) -> Queue:
    """A new queue under a name that is free; `queue_id` is what the journal has called it before (0: it is new).

    Raises ChannelFault(406) for bad arguments, ConnectionFault(540) for types that do not exist here.
    """
    options = queue_arguments.parse(vhost.named("queue", name), arguments)
    # RabbitMQ keeps exclusive queues as transient, whatever they were declared as.
    kept = durable and owner is None
    queue = ClassicQueue(name, kept, owner, auto_delete, arguments, vhost.agenda, options, queue_id)
    vhost.queues[name] = queue
    vhost.agenda.churn.queues_created += 1
    _tell_queue(vhost, queue, False)
    watch_expiry(queue, vhost.expired)
    policy.apply(vhost, queue)
    vhost.changed()
    return queue


def check_queue_equivalent(vhost: Vhost, queue: Queue, durable: bool, auto_delete: bool, arguments: Table) -> None:
    """Compare a redeclaration with what is there; raises ChannelFault(406)."""
    label = vhost.named("queue", queue.name)
    if not queue.exclusive and durable != queue.durable:
        raise _inequivalent("durable", label, _bool(durable), _bool(queue.durable))
    if auto_delete != queue.auto_delete:
        raise _inequivalent("auto_delete", label, _bool(auto_delete), _bool(queue.auto_delete))
    for name in queue_arguments.COMPARED:
        _compare_argument(label, name, arguments, queue.arguments)


def delete_queue(vhost: Vhost, queue: Queue) -> int:
    """Remove a queue with its bindings and cancel its consumers; returns how many ready messages went with it."""
    if queue.deleted:
        return 0
    unlist(vhost, [queue])
    _tell_queue(vhost, queue, True)
    count = _forget(vhost, queue)
    vhost.agenda.churn.queues_deleted += 1
    vhost.agenda.tally.add_consuming(queue.tally, queue.acked())
    queue.cancel_consumers()
    _remove_incoming(vhost, queue)
    vhost.changed()
    return count


def unlist(vhost: Vhost, queues: list[Queue]) -> None:
    """Let nobody find queues by name any more: they are about to be deleted."""
    for queue in queues:
        if vhost.queues.get(queue.name) is queue:
            del vhost.queues[queue.name]
    vhost.changed()


def bind(vhost: Vhost, source: Exchange, destination: Destination, routing_key: bytes, arguments: Table) -> None:
    """Make a binding; one that is there already stays as it is. Raises ChannelFault(406)."""
    source.check_binding(routing_key, arguments)
    binding = Binding(source, destination, routing_key, arguments)
    if binding.identity in source.bindings:
        return
    remembered = source.bind(binding)
    vhost.incoming.setdefault(destination, {})[binding.identity] = binding
    _tell_binding(vhost, binding, False)
    vhost.changed()
    for message in remembered:
        if isinstance(destination, Queue):
            place(vhost.agenda.journal, message, [destination])
        elif isinstance(destination, Exchange):
            keys = routing_keys(message) + (message.properties.blind or [])
            place(vhost.agenda.journal, message, vhost.route(destination, keys, message).queues)


def is_bound(source: Exchange, destination: Destination, routing_key: bytes, arguments: Table) -> bool:
    """Whether there is such a binding."""
    return Binding(source, destination, routing_key, arguments).identity in source.bindings


def unbind(vhost: Vhost, source: Exchange, destination: Destination, routing_key: bytes, arguments: Table) -> None:
    """Remove a binding, and its source if that auto-deletes; nothing happens when there is no such binding."""
    binding = source.bindings.get(Binding(source, destination, routing_key, arguments).identity)
    if binding is None:
        return
    _disconnect(vhost, binding)
    _auto_delete(vhost, source)
    vhost.changed()


def exchange_named(vhost: Vhost, name: bytes) -> Exchange:
    """The exchange of that name; raises ChannelFault(404)."""
    exchange = vhost.exchanges.get(name)
    if exchange is None:
        raise ChannelFault(NOT_FOUND, f"no {vhost.named('exchange', name)}")
    return exchange


def queue_named(vhost: Vhost, name: bytes) -> Queue:
    """The queue of that name; raises ChannelFault(404)."""
    queue = vhost.queues.get(name)
    if queue is None:
        raise ChannelFault(NOT_FOUND, f"no {vhost.named('queue', name)}")
    return queue


def _forget(vhost: Vhost, queue: Queue) -> int:
    """A queue goes with all that is in it; returns how many ready messages that is."""
    queue.deleted = True
    count = queue.purge()
    if queue.keeps:
        vhost.agenda.journal.forget_queue(queue.id)
    return count


def _disconnect(vhost: Vhost, binding: Binding) -> None:
    """Take a binding out of both its ends."""
    binding.source.unbind(binding)
    _tell_binding(vhost, binding, True)
    incoming = vhost.incoming.get(binding.destination)
    if incoming is not None:
        incoming.pop(binding.identity, None)
        if not incoming:
            del vhost.incoming[binding.destination]


def _remove_incoming(vhost: Vhost, destination: Destination) -> None:
    sources: dict[Exchange, None] = {}
    for binding in list(vhost.incoming.get(destination, {}).values()):
        _disconnect(vhost, binding)
        sources[binding.source] = None
    for source in sources:
        _auto_delete(vhost, source)


def _auto_delete(vhost: Vhost, exchange: Exchange) -> None:
    if exchange.auto_delete and not exchange.bindings:
        delete_exchange(vhost, exchange)


# -- what the definition store is told: of what is durable, and of bindings between two durable ends --


def tell_exchange(vhost: Vhost, exchange: Exchange, gone: bool) -> None:
    """An exchange is new, gone, or to be stored as it is now."""
    # Every vhost comes with the exchanges of the reserved names.
    if exchange.durable and not exchange.name.startswith(RESERVED):
        _tell(vhost, change.EXCHANGE, (exchange.name,), exchange, gone)


def _tell_queue(vhost: Vhost, queue: Queue, gone: bool) -> None:
    if queue.durable:
        _tell(vhost, change.QUEUE, (queue.name,), queue, gone)


def _tell_binding(vhost: Vhost, binding: Binding, gone: bool) -> None:
    source, destination = binding.source, binding.destination
    if isinstance(destination, Queue):
        kind, durable = "queue", destination.durable
    elif isinstance(destination, Exchange):
        kind, durable = "exchange", destination.durable
    else:
        return
    if source.durable and durable:
        name = (source.name, kind, destination.name, binding.routing_key, _arguments_hash(binding))
        _tell(vhost, change.BINDING, name, binding, gone)


def _arguments_hash(binding: Binding) -> str:
    """Tells bindings apart that differ in nothing but their arguments; empty without any."""
    if not binding.arguments:
        return ""
    return blake2b(canonical(binding.arguments), digest_size=16).hexdigest()


def _tell(vhost: Vhost, kind: str, name: tuple[object, ...], entity: object, gone: bool) -> None:
    journal = vhost.agenda.journal
    if journal.keeps:
        journal.define(Change(kind, vhost.name, name, None if gone else entity, gone))


def _compare_argument(label: str, name: str, new: Table, current: Table) -> None:
    one: Field | None = new.get(name)
    other: Field | None = current.get(name)
    if not queue_arguments.equivalent(name, one, other):
        received = queue_arguments.shown(one, other)
        present = queue_arguments.shown(other, one)
        raise ChannelFault(
            PRECONDITION_FAILED, f"inequivalent arg '{name}' for {label}: received {received} but current is {present}"
        )


def _inequivalent(name: str, label: str, new: str, current: str) -> ChannelFault:
    return ChannelFault(
        PRECONDITION_FAILED, f"inequivalent arg '{name}' for {label}: received '{new}' but current is '{current}'"
    )


def _bool(value: bool) -> str:
    return "true" if value else "false"
