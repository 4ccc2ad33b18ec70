"""Makes exchanges, queues and bindings of values, whether a document or the store has them."""

from amq.broker import Broker
from amq.definitions.document import BindingDefinition, ExchangeDefinition, QueueDefinition
from amq.destination import Destination
from amq.errors import NOT_FOUND, ChannelFault
from amq.exchanges.base import Exchange
from amq.vhost import topology
from amq.vhost.vhost import Vhost


def vhost_named(broker: Broker, name: str) -> Vhost:
    """The vhost of that name. Raises ChannelFault(404)."""
    vhost = broker.vhosts.get(name)
    if vhost is None:
        raise ChannelFault(NOT_FOUND, f"no vhost '{name}'")
    return vhost


def make_exchange(broker: Broker, given: ExchangeDefinition, waiting_id: int = 0) -> Exchange:
    """Make an exchange under a name that is free; `waiting_id` as in `topology.create_exchange`. Raises Fault."""
    vhost = vhost_named(broker, given.vhost)
    kind = topology.type_named(given.type_name)
    return topology.create_exchange(
        vhost, given.name, kind, given.durable, given.auto_delete, given.internal, given.arguments, waiting_id
    )


def make_queue(broker: Broker, given: QueueDefinition, queue_id: int = 0) -> None:
    """Make a queue under a name that is free; `queue_id` as in `topology.create_queue`. Raises Fault."""
    vhost = vhost_named(broker, given.vhost)
    topology.create_queue(vhost, given.name, given.durable, None, given.auto_delete, given.arguments, queue_id)


def make_binding(broker: Broker, given: BindingDefinition) -> None:
    """Make a binding; one that is there already stays as it is. Raises Fault."""
    vhost = vhost_named(broker, given.vhost)
    source = topology.exchange_named(vhost, given.source)
    destination: Destination
    if given.destination_type == "queue":
        destination = topology.queue_named(vhost, given.destination)
    else:
        destination = topology.exchange_named(vhost, given.destination)
    topology.bind(vhost, source, destination, given.routing_key, given.arguments)
