"""What of the broker a user gets to see: vhosts, connections, and what belongs to them."""

from amq.connection.connection import Connection
from amq.management.call import Call
from amq.management.connection_json import name_of, opened, user_of, vhost_of
from amq.management.endpoint import ADMINISTRATOR, MONITORING
from amq.management.errors import NotAuthorised, NotFound
from amq.management.ordering import merged
from amq.management.turns import Turns
from amq.vhost.vhost import Vhost


def listed_vhosts(call: Call) -> list[Vhost]:
    """The vhosts whose queues, exchanges and bindings the user may list, by name: for administrators all of them."""
    vhosts = call.node.broker.vhosts.values()
    everything = call.has_role(ADMINISTRATOR)
    return sorted([vhost for vhost in vhosts if everything or call.may_enter(vhost)], key=lambda vhost: vhost.name)


async def listed_connections(call: Call, turns: Turns, vhost: Vhost | None = None) -> list[Connection]:
    """The connections that the user may list, by name: monitoring users see all, others their own."""
    everybody = call.has_role(MONITORING)
    found = [
        connection
        async for connection in turns.each(opened(call.node.broker))
        if (everybody or user_of(connection) == call.user.name) and vhost in (None, vhost_of(connection))
    ]
    keys = [
        (vhost_of(connection).name, name_of(connection), number)
        async for number, connection in turns.each(enumerate(found))
    ]
    return [found[number] for _, _, number in await merged(keys, turns)]


def connection_named(call: Call, changing: bool = False) -> Connection:
    """The connection that the path names. Raises NotFound, or NotAuthorised when it is not the user's own and the user
    may not look at, or with `changing` close, that of others.
    """
    connection = connection_of_name(call, call.path["connection"])
    check_own(call, user_of(connection), changing)
    return connection


def connection_of_name(call: Call, name: str) -> Connection:
    """The connection of that name. Raises NotFound."""
    # Ports tell connections apart sooner than names.
    port = name.partition(" -> ")[0].rpartition(":")[2]
    for connection in opened(call.node.broker):
        if str(connection.peer.port) == port and name_of(connection) == name:
            return connection
    raise NotFound()


def check_own(call: Call, owner: str, changing: bool = False) -> None:
    """Raise NotAuthorised where something belongs to somebody else and the user has no business with it."""
    role = ADMINISTRATOR if changing else MONITORING
    if owner != call.user.name and not call.has_role(role):
        raise NotAuthorised("User not authorised to access object")
