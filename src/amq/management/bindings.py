"""Bindings: /api/bindings, and all those between two ends."""

from collections.abc import Iterable, Iterator
from typing import Any, Final
from urllib.parse import quote_plus

import attrs

from amq.connection import entities
from amq.destination import Destination
from amq.exchanges.base import Binding, Exchange
from amq.management.answers import Answer, created, no_content, ok
from amq.management.call import Call
from amq.management.endpoint import MANAGEMENT, Endpoint
from amq.management.entities_json import arguments_in, exchange_octets, name_in, octets, table_json, text
from amq.management.entity_schemas import BINDING, DECLARED_BINDING, SORT_QUERY, array_of
from amq.management.errors import NotFound
from amq.management.listing import listing
from amq.management.properties_key import named, properties_key
from amq.management.reasons import defining
from amq.management.turns import Turns
from amq.management.visible import listed_vhosts
from amq.queues.base import Queue
from amq.vhost.vhost import Vhost

SORTS: Final = ("vhost", "source", "destination", "routing_key", "properties_key")


@attrs.frozen
class Bound:
    """A binding of a vhost, the ones that the default exchange has to every queue among them."""

    vhost: Vhost
    binding: Binding


def binding_json(bound: Bound) -> dict[str, Any]:
    """One binding."""
    binding = bound.binding
    return {
        "source": text(binding.source.name),
        "vhost": bound.vhost.name,
        "destination": text(binding.destination.name),
        "destination_type": "queue" if isinstance(binding.destination, Queue) else "exchange",
        "routing_key": text(binding.routing_key),
        "arguments": table_json(binding.arguments),
        "properties_key": properties_key(binding.routing_key, binding.arguments),
    }


# -- which there are --


def by_default(vhost: Vhost, queue: Queue) -> Bound:
    """What leads from the default exchange to a queue."""
    return Bound(vhost, Binding(vhost.exchanges[b""], queue, queue.name, {}))


def everything(vhost: Vhost) -> Iterator[Bound]:
    """Every binding of a vhost."""
    for queue in list(vhost.queues.values()):
        yield by_default(vhost, queue)
    for exchange in list(vhost.exchanges.values()):
        for binding in list(exchange.bindings.values()):
            yield Bound(vhost, binding)


def leaving(vhost: Vhost, exchange: Exchange) -> Iterator[Bound]:
    """The bindings from an exchange."""
    if not exchange.name:
        for queue in list(vhost.queues.values()):
            yield by_default(vhost, queue)
    for binding in list(exchange.bindings.values()):
        yield Bound(vhost, binding)


def arriving(vhost: Vhost, destination: Destination) -> Iterator[Bound]:
    """The bindings to a queue or an exchange."""
    if isinstance(destination, Queue):
        yield by_default(vhost, destination)
    for binding in list(vhost.incoming.get(destination, {}).values()):
        yield Bound(vhost, binding)


def between(vhost: Vhost, source: Exchange | None, destination: Destination | None) -> Iterator[Bound]:
    """The bindings between two ends, None for one that is not there."""
    if source is None or destination is None:
        return
    for bound in arriving(vhost, destination):
        if bound.binding.source is source:
            yield bound


# -- answers --


async def bindings_listed(call: Call, found: Iterable[Bound]) -> Answer:
    """A list of bindings."""
    return await listing(call, [bound async for bound in Turns().each(found)], binding_json, sorts=SORTS)


async def list_all(call: Call) -> Answer:
    """GET /bindings."""
    return await bindings_listed(call, (bound for vhost in listed_vhosts(call) for bound in everything(vhost)))


async def list_of_vhost(call: Call) -> Answer:
    """GET /bindings/{vhost}."""
    return await bindings_listed(call, everything(call.vhost))


def ends(call: Call) -> tuple[Exchange | None, Destination | None]:
    """The two ends that the path names, None for one that is not there. Raises NotFound for a type of destination that
    does not exist.
    """
    vhost = call.vhost
    source = vhost.exchanges.get(exchange_octets(call.path["source"]))
    name = call.path["destination"]
    if call.path["dtype"] == "q":
        return source, vhost.queues.get(octets(name))
    if call.path["dtype"] == "e":
        return source, vhost.exchanges.get(exchange_octets(name))
    raise NotFound()


async def list_between(call: Call) -> Answer:
    """GET /bindings/{vhost}/e/{source}/{dtype}/{destination}."""
    return await bindings_listed(call, between(call.vhost, *ends(call)))


async def bind(call: Call) -> Answer:
    """POST /bindings/{vhost}/e/{source}/{dtype}/{destination}."""
    # Whether the ends are there is for the core to say, but not what kinds of ends there are.
    ends(call)
    body = call.json()
    vhost = call.vhost
    key, arguments = name_in(body, "routing_key"), arguments_in(body)
    source = exchange_octets(call.path["source"])
    to_queue = call.path["dtype"] == "q"
    destination = octets(call.path["destination"]) if to_queue else exchange_octets(call.path["destination"])
    action = entities.queue_bind if to_queue else entities.exchange_bind
    with defining():
        call.node.work(lambda: action(call.channel(vhost), [0, destination, source, key, True, arguments]))
    await call.node.safe()
    return created(f"{quote_plus(octets(call.path['destination']))}/{quote_plus(properties_key(key, arguments))}")


def binding_named(call: Call) -> Bound:
    """The binding that the path names. Raises NotFound."""
    found = {bound.binding: bound for bound in between(call.vhost, *ends(call))}
    binding = named(found, call.path["props"])
    if binding is None:
        raise NotFound()
    return found[binding]


async def show(call: Call) -> Answer:
    """GET /bindings/{vhost}/e/{source}/{dtype}/{destination}/{props}."""
    return ok(binding_json(binding_named(call)))


async def unbind(call: Call) -> Answer:
    """DELETE /bindings/{vhost}/e/{source}/{dtype}/{destination}/{props}."""
    vhost = call.vhost
    binding = binding_named(call).binding
    source, destination = binding.source.name, binding.destination.name
    key, arguments = binding.routing_key, binding.arguments

    def undo() -> None:
        channel = call.channel(vhost)
        if isinstance(binding.destination, Queue):
            entities.queue_unbind(channel, [0, destination, source, key, arguments])
        else:
            entities.exchange_unbind(channel, [0, destination, source, key, True, arguments])

    with defining():
        call.node.work(undo)
    await call.node.safe()
    return no_content()


_PAIR: Final = "/bindings/{vhost}/e/{source}/{dtype}/{destination}"
_GONE: Final = "there is no such binding"

TABLE: Final = (
    Endpoint("GET", "/bindings", MANAGEMENT, list_all, "All bindings", {200: array_of(BINDING)}, query=SORT_QUERY),
    Endpoint(
        "GET",
        "/bindings/{vhost}",
        MANAGEMENT,
        list_of_vhost,
        "The bindings of a vhost",
        {200: array_of(BINDING)},
        query=SORT_QUERY,
    ),
    Endpoint(
        "GET",
        _PAIR,
        MANAGEMENT,
        list_between,
        "The bindings between an exchange and a queue (dtype `q`) or an exchange (`e`)",
        {200: array_of(BINDING)},
        query=SORT_QUERY,
    ),
    Endpoint(
        "POST",
        _PAIR,
        MANAGEMENT,
        bind,
        "Bind a queue (dtype `q`) or an exchange (`e`) to an exchange",
        {201: "bound; Location is where the binding is", 404: "one of the ends is not there"},
        DECLARED_BINDING,
    ),
    Endpoint("GET", _PAIR + "/{props}", MANAGEMENT, show, "One binding", {200: BINDING, 404: _GONE}),
    Endpoint("DELETE", _PAIR + "/{props}", MANAGEMENT, unbind, "Unbind", {204: "unbound", 404: _GONE}),
)
