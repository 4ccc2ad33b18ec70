"""The figures for Prometheus of a node, and who may see them."""

from collections.abc import Mapping

from amq.management.authentication import authenticate
from amq.management.errors import ApiError
from amq.management.node import Node
from amq.management.roles import MONITORING, has_role
from amq.metrics.objects import Source
from amq.metrics.prometheus import Exposition


def figures_of(node: Node) -> Exposition:
    """The application that serves them, as the node is configured."""
    settings = node.broker.settings.prometheus
    source = Source(node.sampler, node.facts, node.name, node.started, node.journal)

    async def admit(headers: Mapping[str, str], address: str) -> bool:
        try:
            user = await authenticate(node, "GET", headers, address)
        except ApiError:
            return False
        return has_role(user.tags, MONITORING)

    return Exposition(
        source,
        settings.path,
        settings.return_per_object_metrics,
        admit if settings.authentication_enabled else None,
    )
