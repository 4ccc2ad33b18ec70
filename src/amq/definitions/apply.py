"""Makes a broker have what a document defines.

In RabbitMQ's order: users, vhosts, permissions, exchanges, queues, bindings. What exists already stays as it is,
but users and permissions are replaced. Names that only the broker may give are passed over.
"""

from collections.abc import Callable

from amq.broker import Broker
from amq.definitions.document import (
    BindingDefinition,
    Document,
    ExchangeDefinition,
    QueueDefinition,
    UserPermission,
    UserTopicPermission,
)
from amq.definitions.fields import DocumentError
from amq.destination import Destination
from amq.errors import Fault
from amq.vhost import topology
from amq.vhost.vhost import Vhost


def apply(document: Document, broker: Broker) -> list[str]:
    """Apply it; returns the document's warnings and those about what was passed over.

    Raises DocumentError at the first thing that cannot be: what stood before it has been applied.
    """
    warnings = list(document.warnings)
    for user in document.users:
        broker.users.put(user)
    for name in document.vhosts:
        broker.add_vhost(name)
    for permission in document.permissions:
        _set_permission(broker, permission)
    for topic_permission in document.topic_permissions:
        _set_topic_permission(broker, topic_permission)
    for exchange in document.exchanges:
        _declare_exchange(broker, exchange, warnings)
    for queue in document.queues:
        _declare_queue(broker, queue, warnings)
    for binding in document.bindings:
        _bind(broker, binding)
    return warnings


def _set_permission(broker: Broker, given: UserPermission) -> None:
    _require_user(broker, given.user, given.path)
    vhost = _vhost(broker, given.vhost, given.path)
    vhost.permissions.set(given.user, given.permission)


def _set_topic_permission(broker: Broker, given: UserTopicPermission) -> None:
    _require_user(broker, given.user, given.path)
    vhost = _vhost(broker, given.vhost, given.path)
    vhost.permissions.set_topic(given.user, given.permission)


def _declare_exchange(broker: Broker, given: ExchangeDefinition, warnings: list[str]) -> None:
    vhost = _vhost(broker, given.vhost, given.path)
    if _reserved(given.name) or not given.name:
        warnings.append(f"{given.path}: exchange '{given.name.decode()}' is not imported, its name is the broker's")
    elif given.name not in vhost.exchanges:
        _done(given.path, lambda: _create_exchange(vhost, given))


def _create_exchange(vhost: Vhost, given: ExchangeDefinition) -> None:
    kind = topology.type_named(given.type_name)
    topology.named_argument(vhost, "exchange", given.name, given.arguments, "alternate-exchange")
    topology.create_exchange(vhost, given.name, kind, given.durable, given.auto_delete, given.internal, given.arguments)


def _declare_queue(broker: Broker, given: QueueDefinition, warnings: list[str]) -> None:
    vhost = _vhost(broker, given.vhost, given.path)
    if _reserved(given.name):
        warnings.append(f"{given.path}: queue '{given.name.decode()}' is not imported, its name is the broker's")
    elif given.name not in vhost.queues:
        _done(given.path, lambda: _create_queue(vhost, given))


def _create_queue(vhost: Vhost, given: QueueDefinition) -> None:
    topology.named_argument(vhost, "queue", given.name, given.arguments, "x-dead-letter-exchange")
    topology.create_queue(vhost, given.name, given.durable, None, given.auto_delete, given.arguments)


def _bind(broker: Broker, given: BindingDefinition) -> None:
    vhost = _vhost(broker, given.vhost, given.path)
    _done(given.path, lambda: _create_binding(vhost, given))


def _create_binding(vhost: Vhost, given: BindingDefinition) -> None:
    if not given.source:
        raise DocumentError(given.path, "nothing can be bound to the default exchange")
    source = topology.exchange_named(vhost, given.source)
    destination: Destination
    if given.destination_type == "queue":
        destination = topology.queue_named(vhost, given.destination)
    else:
        destination = topology.exchange_named(vhost, given.destination)
    topology.bind(vhost, source, destination, given.routing_key, given.arguments)


def _done(path: str, action: Callable[[], None]) -> None:
    """Do it, with the broker's refusal as an error at this place of the document."""
    try:
        action()
    except Fault as fault:
        raise DocumentError(path, fault.text) from None


def _require_user(broker: Broker, name: str, path: str) -> None:
    if name not in broker.users:
        raise DocumentError(f"{path}.user", f"user '{name}' does not exist")


def _vhost(broker: Broker, name: str, path: str) -> Vhost:
    vhost = broker.vhosts.get(name)
    if vhost is None:
        raise DocumentError(f"{path}.vhost", f"vhost '{name}' does not exist")
    return vhost


def _reserved(name: bytes) -> bool:
    return name.startswith(topology.RESERVED)
