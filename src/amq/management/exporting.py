"""Definitions as RabbitMQ exports them: what exists, as JSON in pieces.

Left out: exclusive queues, transient queues whose names the broker has given, what every vhost comes with, and bindings
to what is left out. Of secrets there are hashes alone.
"""

from collections.abc import Iterator
from typing import Any, Final

from amq.broker import Broker
from amq.definitions.sections import IMPORTED
from amq.exchanges.base import Binding, Exchange
from amq.management.answers import encode
from amq.management.entities_json import table_json, text
from amq.management.parameters import global_json, parameter_json, parameters_of
from amq.management.permissions import permission_json, topic_permission_json
from amq.management.policies import policy_json
from amq.management.users import user_json
from amq.management.vhosts import metadata_json
from amq.queues.base import Queue
from amq.vhost.topology import RESERVED
from amq.vhost.vhost import Vhost

Item = dict[str, Any]
# Names that the broker gives to queues that are declared without one.
SERVER_NAMED: Final = b"amq.gen-"
# Global parameters that are nobody else's business.
OWN: Final = (IMPORTED,)


def pieces(broker: Broker, vhost: Vhost | None = None) -> Iterator[bytes]:
    """The JSON of everything, or of what is in one vhost, one thing after the other."""
    before = b"{"
    for name, value in _head(broker, vhost).items():
        yield before + encode(name) + b":" + encode(value)
        before = b","
    for section, items in _sections(broker, vhost):
        yield b"," + encode(section) + b":["
        before = b""
        for item in items:
            yield before + encode(item)
            before = b","
        yield b"]"
    yield b"}"


def _head(broker: Broker, vhost: Vhost | None) -> Item:
    version = broker.settings.product_version
    if vhost is not None:
        return {"rabbit_version": version}
    return {
        "rabbit_version": version,
        "rabbitmq_version": version,
        "product_name": broker.settings.product_name,
        "product_version": version,
    }


def _sections(broker: Broker, vhost: Vhost | None) -> Iterator[tuple[str, Iterator[Item]]]:
    """Sections with what is in them, in RabbitMQ's order."""
    vhosts = sorted(broker.vhosts.values(), key=lambda each: each.name) if vhost is None else [vhost]
    if vhost is None:
        yield "users", (user_json(user) for user in sorted(broker.users, key=lambda user: user.name))
        yield "vhosts", (_vhost(each) for each in vhosts)
        yield "permissions", _permissions(vhosts)
        yield "topic_permissions", _topic_permissions(vhosts)
    yield "parameters", (parameter_json(each, found) for each in vhosts for found in parameters_of(each))
    if vhost is None:
        found = sorted(broker.global_parameters.items())
        yield "global_parameters", (global_json(*one) for one in found if one[0] not in OWN)
    policies = ((each, policy) for each in vhosts for policy in each.policies.all())
    yield "policies", (policy_json(each, policy) for each, policy in policies)
    aside = () if vhost is None else ("vhost",)
    yield "queues", (_without(_queue(*one), aside) for one in _queues(vhosts))
    yield "exchanges", (_without(_exchange(*one), aside) for one in _exchanges(vhosts))
    yield "bindings", (_without(_binding(*one), aside) for one in _bindings(vhosts))


def _without(item: Item, aside: tuple[str, ...]) -> Item:
    for name in aside:
        del item[name]
    return item


def _vhost(vhost: Vhost) -> Item:
    described = metadata_json(vhost)
    return {"name": vhost.name, **described, "metadata": described}


def _permissions(vhosts: list[Vhost]) -> Iterator[Item]:
    return (permission_json(vhost, *one) for vhost in vhosts for one in vhost.permissions.all().items())


def _topic_permissions(vhosts: list[Vhost]) -> Iterator[Item]:
    return (topic_permission_json(vhost, *one) for vhost in vhosts for one in vhost.permissions.all_topics())


def _queues(vhosts: list[Vhost]) -> Iterator[tuple[Vhost, Queue]]:
    return ((vhost, queue) for vhost in vhosts for queue in list(vhost.queues.values()) if _exported(queue))


def _exchanges(vhosts: list[Vhost]) -> Iterator[tuple[Vhost, Exchange]]:
    return (
        (vhost, exchange) for vhost in vhosts for exchange in list(vhost.exchanges.values()) if _is_own(exchange.name)
    )


def _bindings(vhosts: list[Vhost]) -> Iterator[tuple[Vhost, Binding]]:
    """Those between what is exported or there anyway."""
    for vhost in vhosts:
        for exchange in list(vhost.exchanges.values()):
            for binding in list(exchange.bindings.values()):
                if not isinstance(binding.destination, Queue) or _exported(binding.destination):
                    yield vhost, binding


def _exported(queue: Queue) -> bool:
    return not queue.exclusive and (queue.durable or not queue.name.startswith(SERVER_NAMED))


def _is_own(exchange: bytes) -> bool:
    return bool(exchange) and not exchange.startswith(RESERVED)


def _queue(vhost: Vhost, queue: Queue) -> Item:
    return {
        "name": text(queue.name),
        "vhost": vhost.name,
        "durable": queue.durable,
        "auto_delete": queue.auto_delete,
        "arguments": table_json(queue.arguments),
    }


def _exchange(vhost: Vhost, exchange: Exchange) -> Item:
    return {
        "name": text(exchange.name),
        "vhost": vhost.name,
        "type": exchange.type_name,
        "durable": exchange.durable,
        "auto_delete": exchange.auto_delete,
        "internal": exchange.internal,
        "arguments": table_json(exchange.arguments),
    }


def _binding(vhost: Vhost, binding: Binding) -> Item:
    return {
        "source": text(binding.source.name),
        "vhost": vhost.name,
        "destination": text(binding.destination.name),
        "destination_type": "queue" if isinstance(binding.destination, Queue) else "exchange",
        "routing_key": text(binding.routing_key),
        "arguments": table_json(binding.arguments),
    }
