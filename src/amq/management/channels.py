"""Channels: /api/channels, and those of one connection or one vhost."""

from collections.abc import Iterable, Mapping
from typing import Final

from amq.connection.channel import Channel
from amq.connection.connection import Connection
from amq.management.answers import Answer
from amq.management.call import Call
from amq.management.connection_json import (
    channel_json,
    channel_name,
    consumer_json,
    consumers_of,
    user_of,
    vhost_of,
)
from amq.management.endpoint import MANAGEMENT, Endpoint, Schema
from amq.management.entity_schemas import CHANNEL, LIST_QUERY, STATS_QUERY, page_of
from amq.management.errors import NotFound
from amq.management.listing import item_with, listing
from amq.management.turns import Turns
from amq.management.visible import check_own, connection_named, connection_of_name, listed_connections
from amq.management.windows import check_stats_enabled, windows

Found = tuple[Connection, Channel]


async def list_all(call: Call) -> Answer:
    """GET /channels."""
    turns = Turns()
    return await _listed(call, await listed_connections(call, turns), turns)


async def list_of_vhost(call: Call) -> Answer:
    """GET /vhosts/{vhost}/channels."""
    turns = Turns()
    return await _listed(call, await listed_connections(call, turns, call.vhost), turns)


async def list_of_connection(call: Call) -> Answer:
    """GET /connections/{connection}/channels."""
    return await _listed(call, [connection_named(call)], Turns())


async def _listed(call: Call, connections: Iterable[Connection], turns: Turns) -> Answer:
    check_stats_enabled(call)
    node = call.node
    ranges = windows(call)
    found = [
        (connection, channel)
        async for connection in turns.each(connections)
        for channel in sorted(connection.channels.values(), key=_place)
    ]
    return await listing(call, found, lambda each: channel_json(node, each[0], each[1], ranges), name=_name)


def _place(channel: Channel) -> str:
    # By the end of the name: "(10)" comes before "(2)".
    return f"{channel.number})"


def _name(found: Found) -> str:
    return channel_name(*found)


async def show(call: Call) -> Answer:
    """GET /channels/{channel}. Where messages come from and go to is not counted, as in RabbitMQ with its rates mode
    `basic`.
    """
    check_stats_enabled(call)
    connection, channel = channel_named(call)
    described = channel_json(call.node, connection, channel, windows(call))
    vhost = vhost_of(connection)
    described |= {"deliveries": [], "publishes": []}
    consumers = list(consumers_of(channel))
    return await item_with(
        call, described, "consumer_details", consumers, lambda each: consumer_json(call.node, vhost, each)
    )


def channel_named(call: Call) -> Found:
    """The channel that the path names. Raises NotFound and NotAuthorised."""
    name = call.path["channel"]
    connection = connection_of_name(call, name.rpartition(" (")[0])
    for channel in connection.channels.values():
        if channel_name(connection, channel) == name:
            check_own(call, user_of(connection))
            return connection, channel
    raise NotFound()


_LIST: Final[Mapping[int, Schema | str]] = {200: page_of(CHANNEL), 400: "figures were not wanted, and there is no more"}

TABLE: Final = (
    Endpoint("GET", "/channels", MANAGEMENT, list_all, "All channels", _LIST, query=LIST_QUERY),
    Endpoint(
        "GET", "/vhosts/{vhost}/channels", MANAGEMENT, list_of_vhost, "The channels of a vhost", _LIST, query=LIST_QUERY
    ),
    Endpoint(
        "GET",
        "/connections/{connection}/channels",
        MANAGEMENT,
        list_of_connection,
        "The channels of a connection",
        {**_LIST, 404: "there is no such connection"},
        query=LIST_QUERY,
    ),
    Endpoint(
        "GET",
        "/channels/{channel}",
        MANAGEMENT,
        show,
        "One channel with its consumers",
        {200: CHANNEL, 400: "figures were not wanted", 404: "there is no such channel"},
        query=STATS_QUERY,
    ),
)
