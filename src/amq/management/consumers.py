"""Consumers: /api/consumers."""

from collections.abc import Mapping
from typing import Final

from amq.management.answers import Answer
from amq.management.call import Call
from amq.management.connection_json import consumer_json, consumers_of, vhost_of
from amq.management.endpoint import MANAGEMENT, Endpoint, Schema
from amq.management.entity_schemas import CONSUMER, SORT_QUERY, array_of
from amq.management.errors import NotFound
from amq.management.listing import listing
from amq.management.turns import Turns
from amq.management.visible import listed_connections
from amq.management.windows import check_stats_enabled
from amq.vhost.vhost import Vhost


async def list_all(call: Call) -> Answer:
    """GET /consumers."""
    return await _listed(call, None)


async def list_of_vhost(call: Call) -> Answer:
    """GET /consumers/{vhost}. Who is not a monitoring user sees the own ones, wherever they are."""
    vhost = call.node.broker.vhosts.get(call.path["vhost"])
    if vhost is None:
        raise NotFound()
    return await _listed(call, vhost)


async def _listed(call: Call, vhost: Vhost | None) -> Answer:
    check_stats_enabled(call)
    turns = Turns()
    found = [
        (vhost_of(connection), consumer)
        async for connection in turns.each(await listed_connections(call, turns, vhost))
        for channel in list(connection.channels.values())
        for consumer in consumers_of(channel)
    ]
    return await listing(call, found, lambda each: consumer_json(call.node, each[0], each[1]))


_LIST: Final[Mapping[int, Schema | str]] = {
    200: array_of(CONSUMER),
    400: "figures were not wanted, and there is no more",
}

TABLE: Final = (
    Endpoint("GET", "/consumers", MANAGEMENT, list_all, "All consumers", _LIST, query=SORT_QUERY),
    Endpoint(
        "GET",
        "/consumers/{vhost}",
        MANAGEMENT,
        list_of_vhost,
        "The consumers of a vhost's queues",
        {**_LIST, 404: "there is no such vhost"},
        query=SORT_QUERY,
        vhost=False,
    ),
)
