"""Limits on what clients may open and declare: of the node, of a vhost, of a user.

A limit that is changed counts from the next opening or declaration on; what is there already stays. 0 lets nobody in.
Order and texts are RabbitMQ's.
"""

from collections.abc import Mapping
from typing import Final

from amq.broker import Broker
from amq.errors import NOT_ALLOWED, PRECONDITION_FAILED, ChannelFault, ConnectionFault
from amq.queues import arguments as queue_arguments
from amq.vhost.parameters import MAX_CONNECTIONS, MAX_QUEUES
from amq.vhost.vhost import Vhost
from amq.wire.tables import Table

MAX_CHANNELS: Final = "max-channels"


def check_connection(broker: Broker, name: str, user: str) -> Vhost:
    """The vhost of that name, if one more connection to it may be opened; raises ConnectionFault(530)."""
    occupancy = broker.occupancy
    most = broker.settings.limits.connections
    if most is not None and occupancy.connections >= most:
        raise ConnectionFault(NOT_ALLOWED, f"connection refused: node connection limit ({most}) is reached")
    vhost = broker.vhosts.get(name)
    if vhost is None:
        raise ConnectionFault(NOT_ALLOWED, f"vhost {name} not found")
    if _reached(vhost.limits, MAX_CONNECTIONS, occupancy.of_vhost.get(name, 0)):
        raise ConnectionFault(
            NOT_ALLOWED,
            f"access to vhost '{name}' refused for user '{user}': "
            f"connection limit ({vhost.limits[MAX_CONNECTIONS]}) is reached",
        )
    limits = limits_of(broker, user)
    if _reached(limits, MAX_CONNECTIONS, occupancy.of_user.get(user, 0)):
        raise ConnectionFault(
            NOT_ALLOWED,
            f"connection refused for user '{user}': user connection limit ({limits[MAX_CONNECTIONS]}) is reached",
        )
    return vhost


def check_channel(broker: Broker, user: str) -> None:
    """Refuse one more channel where there are enough; raises ConnectionFault(530)."""
    occupancy = broker.occupancy
    most = broker.settings.limits.channels
    if most is not None and occupancy.channels >= most:
        raise ConnectionFault(
            NOT_ALLOWED,
            f"number of channels opened on node '{broker.settings.node_name}' "
            f"has reached the maximum allowed limit of ({most})",
            blamed=False,
        )
    limits = limits_of(broker, user)
    if _reached(limits, MAX_CHANNELS, occupancy.channels_of_user.get(user, 0)):
        raise ConnectionFault(
            NOT_ALLOWED,
            f"number of channels opened for user '{user}' "
            f"has reached the maximum allowed user limit of ({limits[MAX_CHANNELS]})",
            blamed=False,
        )


def check_queue(broker: Broker, vhost: Vhost, name: bytes, arguments: Table) -> None:
    """Refuse one more queue where there are enough; raises ChannelFault(406), for bad arguments before that."""
    most = broker.settings.limits.queues
    crowded = most is not None and sum([len(each.queues) for each in broker.vhosts.values()]) >= most
    full = _reached(vhost.limits, MAX_QUEUES, len(vhost.queues))
    if not crowded and not full:
        return
    queue_arguments.parse(vhost.named("queue", name), arguments)
    where = f"in vhost '{vhost.name}' ({vhost.limits[MAX_QUEUES]})" if full else f"in cluster ({most})"
    raise ChannelFault(
        PRECONDITION_FAILED,
        f"cannot declare queue '{name.decode('utf-8', 'replace')}': queue limit {where} is reached",
    )


def check_exchange(broker: Broker, name: bytes) -> None:
    """Refuse one more exchange where there are enough; raises ChannelFault(406)."""
    most = broker.settings.limits.exchanges
    if most is not None and sum([len(each.exchanges) for each in broker.vhosts.values()]) >= most:
        shown = name.decode("utf-8", "replace")
        raise ChannelFault(
            PRECONDITION_FAILED, f"cannot declare exchange '{shown}': exchange limit of {most} is reached"
        )


def limits_of(broker: Broker, user: str) -> Mapping[str, int]:
    """A user's limits as they are now, whatever they were at its login."""
    found = broker.users.get(user)
    return {} if found is None else found.limits


def _reached(limits: Mapping[str, int], name: str, count: int) -> bool:
    most = limits.get(name, -1)
    return 0 <= most <= count
