"""All endpoints: the tables of the modules that answer, one after the other."""

from typing import Final

from amq.management import (
    bindings,
    browse,
    channels,
    connections,
    consumers,
    definitions,
    exchanges,
    health,
    identity,
    limits,
    messages,
    moving,
    nodes,
    overview,
    parameters,
    permissions,
    policies,
    queues,
    replay,
    routes,
    users,
    vhosts,
)
from amq.management.endpoint import Endpoint

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    *identity.TABLE,
    *health.TABLE,
    *nodes.TABLE,
    *overview.TABLE,
    *exchanges.TABLE,
    *queues.TABLE,
    *bindings.TABLE,
    *connections.TABLE,
    *channels.TABLE,
    *consumers.TABLE,
    *messages.TABLE,
    *browse.TABLE,
    *moving.TABLE,
    *replay.TABLE,
    *routes.TABLE,
    *vhosts.TABLE,
    *users.TABLE,
    *permissions.TABLE,
    *policies.TABLE,
    *parameters.TABLE,
    *limits.TABLE,
    *definitions.TABLE,
)
