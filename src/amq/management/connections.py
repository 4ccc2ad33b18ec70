"""Connections: /api/connections, and those to one vhost."""

from typing import Final

from amq.connection.connection import Connection
from amq.management.answers import Answer, no_content, ok
from amq.management.call import Call
from amq.management.connection_json import connection_json, name_of, opened, tracked_json, user_of
from amq.management.endpoint import MANAGEMENT, Endpoint
from amq.management.entity_schemas import CONNECTION, LIST_QUERY, STATS_QUERY, page_of
from amq.management.listing import listing
from amq.management.turns import Turns
from amq.management.visible import check_own, connection_named, listed_connections
from amq.management.windows import stats_disabled, windows

UNEXPLAINED: Final = "Closed via management plugin"


async def list_all(call: Call) -> Answer:
    """GET /connections."""
    return await _listed(call, await listed_connections(call, Turns()), stats_disabled(call))


async def list_of_vhost(call: Call) -> Answer:
    """GET /vhosts/{vhost}/connections."""
    return await _listed(call, await listed_connections(call, Turns(), call.vhost), False)


async def list_of_user(call: Call) -> Answer:
    """GET /connections/username/{username}."""
    return await _listed(call, of_user(call, False), True)


async def _listed(call: Call, found: list[Connection], bare: bool) -> Answer:
    node = call.node
    if bare:
        return await listing(call, found, lambda connection: tracked_json(node, connection), name=name_of)
    ranges = windows(call)
    return await listing(call, found, lambda connection: connection_json(node, connection, ranges), name=name_of)


def of_user(call: Call, changing: bool) -> list[Connection]:
    """The connections of the user that the path names. Raises NotAuthorised."""
    name = call.path["username"]
    check_own(call, name, changing)
    return [connection for connection in opened(call.node.broker) if user_of(connection) == name]


async def show(call: Call) -> Answer:
    """GET /connections/{connection}."""
    connection = connection_named(call)
    if stats_disabled(call):
        return ok({"name": name_of(connection)})
    described = connection_json(call.node, connection, windows(call))
    # RabbitMQ's way of saying that there is no TLS: null in a list, and nothing here.
    return ok({name: "" if value is None else value for name, value in described.items()})


async def close(call: Call) -> Answer:
    """DELETE /connections/{connection}."""
    connection = connection_named(call, changing=True)
    _close(call, [connection])
    return no_content()


async def close_of_user(call: Call) -> Answer:
    """DELETE /connections/username/{username}."""
    _close(call, of_user(call, changing=True))
    return no_content()


def _close(call: Call, found: list[Connection]) -> None:
    reason = call.headers.get("x-reason", UNEXPLAINED)

    def work() -> None:
        for connection in found:
            connection.force_close(reason)

    call.node.work(work)


_GONE: Final = "there is no such connection"
_LIST: Final = {200: page_of(CONNECTION)}
_ONE: Final = "/connections/{connection}"
_OF_USER: Final = "/connections/username/{username}"

TABLE: Final = (
    Endpoint("GET", "/connections", MANAGEMENT, list_all, "All connections", _LIST, query=LIST_QUERY),
    Endpoint(
        "GET",
        "/vhosts/{vhost}/connections",
        MANAGEMENT,
        list_of_vhost,
        "The connections to a vhost",
        _LIST,
        query=LIST_QUERY,
    ),
    Endpoint("GET", _ONE, MANAGEMENT, show, "One connection", {200: CONNECTION, 404: _GONE}, query=STATS_QUERY),
    Endpoint(
        "DELETE",
        _ONE,
        MANAGEMENT,
        close,
        "Close a connection; the header X-Reason is told to the client",
        {204: "the client has been told", 404: _GONE},
    ),
    Endpoint("GET", _OF_USER, MANAGEMENT, list_of_user, "The connections of a user", _LIST, query=LIST_QUERY),
    Endpoint(
        "DELETE",
        _OF_USER,
        MANAGEMENT,
        close_of_user,
        "Close all connections of a user; the header X-Reason is told to the clients",
        {204: "the clients have been told"},
    ),
)
