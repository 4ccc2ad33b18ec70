"""Exchanges: /api/exchanges, and the bindings at either side of one."""

from collections.abc import Iterable
from typing import Final

from amq.connection import entities
from amq.exchanges.base import Exchange
from amq.management.answers import Answer, created, no_content, ok
from amq.management.bindings import arriving, bindings_listed, leaving
from amq.management.call import Call
from amq.management.endpoint import MANAGEMENT, Endpoint, Parameter
from amq.management.entities_json import arguments_in, checked_name, exchange_octets, flag_in, name_in, text
from amq.management.entity_schemas import (
    BINDING,
    DECLARED_EXCHANGE,
    EXCHANGE,
    LIST_QUERY,
    SORT_QUERY,
    STATS_QUERY,
    array_of,
    page_of,
)
from amq.management.errors import NotFound
from amq.management.listing import listing
from amq.management.ordering import in_order
from amq.management.queue_json import exchange_json
from amq.management.reasons import defining
from amq.management.turns import Turns
from amq.management.visible import listed_vhosts
from amq.management.windows import stats_disabled, windows
from amq.metrics.ranges import Ranges
from amq.vhost.vhost import Vhost


def exchange_named(call: Call) -> Exchange:
    """The exchange that the path names. Raises NotFound."""
    exchange = call.vhost.exchanges.get(exchange_octets(call.path["exchange"]))
    if exchange is None:
        raise NotFound()
    return exchange


def wanted(call: Call, error: str = "bad_request") -> Ranges | None:
    """The sample windows of a request; None: no figures at all."""
    return None if stats_disabled(call) else windows(call, error)


async def list_all(call: Call) -> Answer:
    """GET /exchanges."""
    return await _listed(call, listed_vhosts(call))


async def list_of_vhost(call: Call) -> Answer:
    """GET /exchanges/{vhost}."""
    return await _listed(call, [call.vhost])


async def _listed(call: Call, vhosts: Iterable[Vhost]) -> Answer:
    ranges = wanted(call, "invalid_range_parameters")
    turns = Turns()
    return await listing(
        call,
        [(vhost, exchange) for vhost in vhosts for exchange in await in_order(vhost.exchanges, turns)],
        lambda found: exchange_json(call.node, found[0], found[1], ranges),
        name=lambda found: text(found[1].name),
    )


async def show(call: Call) -> Answer:
    """GET /exchanges/{vhost}/{exchange}. Where messages come from and go to is not counted, as in RabbitMQ with its
    rates mode `basic`.
    """
    ranges = wanted(call)
    described = exchange_json(call.node, call.vhost, exchange_named(call), ranges)
    if ranges is not None:
        described |= {"incoming": [], "outgoing": []}
    return ok(described)


async def put(call: Call) -> Answer:
    """PUT /exchanges/{vhost}/{exchange}."""
    body = call.json()
    vhost = call.vhost
    name = checked_name(exchange_octets(call.path["exchange"]), "exchange")
    flags = [flag_in(body, key) for key in ("passive", "durable", "auto_delete", "internal")]
    meant = [0, name, name_in(body, "type") or b"direct", *flags, True, arguments_in(body)]
    there = name in vhost.exchanges
    with defining():
        call.node.work(lambda: entities.exchange_declare(call.channel(vhost), meant))
    await call.node.safe()
    return no_content() if there else created()


async def delete(call: Call) -> Answer:
    """DELETE /exchanges/{vhost}/{exchange}."""
    vhost = call.vhost
    meant = [0, exchange_named(call).name, call.query.get("if-unused") == "true", True]
    with defining():
        call.node.work(lambda: entities.exchange_delete(call.channel(vhost), meant))
    await call.node.safe()
    return no_content()


async def bindings_from(call: Call) -> Answer:
    """GET /exchanges/{vhost}/{exchange}/bindings/source."""
    exchange = call.vhost.exchanges.get(exchange_octets(call.path["exchange"]))
    return await bindings_listed(call, leaving(call.vhost, exchange) if exchange is not None else ())


async def bindings_to(call: Call) -> Answer:
    """GET /exchanges/{vhost}/{exchange}/bindings/destination."""
    exchange = call.vhost.exchanges.get(exchange_octets(call.path["exchange"]))
    return await bindings_listed(call, arriving(call.vhost, exchange) if exchange is not None else ())


_ONE: Final = "/exchanges/{vhost}/{exchange}"
_LIST: Final = {200: page_of(EXCHANGE)}
_GONE: Final = "there is no such exchange"

TABLE: Final = (
    Endpoint("GET", "/exchanges", MANAGEMENT, list_all, "All exchanges", _LIST, query=LIST_QUERY),
    Endpoint(
        "GET", "/exchanges/{vhost}", MANAGEMENT, list_of_vhost, "The exchanges of a vhost", _LIST, query=LIST_QUERY
    ),
    Endpoint("GET", _ONE, MANAGEMENT, show, "One exchange", {200: EXCHANGE, 404: _GONE}, query=STATS_QUERY),
    Endpoint(
        "PUT",
        _ONE,
        MANAGEMENT,
        put,
        "Declare an exchange",
        {201: "declared", 204: "it was there already", 400: "it is there, but different, or cannot be so"},
        DECLARED_EXCHANGE,
    ),
    Endpoint(
        "DELETE",
        _ONE,
        MANAGEMENT,
        delete,
        "Delete an exchange",
        {204: "deleted", 400: "it is in use", 404: _GONE},
        query=(Parameter("if-unused", "`true`: only if nothing is bound to it"),),
    ),
    Endpoint(
        "GET",
        _ONE + "/bindings/source",
        MANAGEMENT,
        bindings_from,
        "The bindings from an exchange",
        {200: array_of(BINDING)},
        query=SORT_QUERY,
    ),
    Endpoint(
        "GET",
        _ONE + "/bindings/destination",
        MANAGEMENT,
        bindings_to,
        "The bindings to an exchange",
        {200: array_of(BINDING)},
        query=SORT_QUERY,
    ),
)
