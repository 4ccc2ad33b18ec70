"""Everything at a glance: /overview."""

from typing import Any, Final

from amq.connection.connection import Connection
from amq.management import node_json
from amq.management.answers import Answer, ok
from amq.management.call import Call
from amq.management.endpoint import MANAGEMENT, MONITORING, Endpoint, Schema
from amq.management.entity_schemas import STATS_QUERY, TOTALS_QUERY
from amq.management.windows import stats_disabled, totals_enabled, windows
from amq.metrics import stats
from amq.metrics.ranges import Ranges
from amq.vhost.vhost import Vhost

# How far back samples go, in s, by how much they are of.
RETENTION: Final = {"global": [600, 3600, 28800, 86400], "basic": [600, 3600], "detailed": [600]}
OVERVIEW: Final[Schema] = {
    "type": "object",
    "properties": {
        "cluster_name": {"type": "string"},
        "rabbitmq_version": {"type": "string"},
        "message_stats": {"type": "object"},
        "queue_totals": {"type": "object"},
        "object_totals": {"type": "object", "additionalProperties": {"type": "integer"}},
        "node": {"type": "string"},
    },
    "required": ["management_version", "rates_mode", "exchange_types", "cluster_name", "object_totals"],
}


async def overview(call: Call) -> Answer:
    """Versions, totals, rates, listeners. Who has no more than the role of management sees the totals of its vhosts."""
    shown = about(call)
    monitoring = call.has_role(MONITORING)
    visible = None if monitoring else call.vhosts()
    if stats_disabled(call):
        among = list(call.node.broker.vhosts.values()) if visible is None else visible
        connections = {"connections": call.node.sampler.totals.connections} if monitoring else {}
        return ok(shown | {"node": call.node.name, "object_totals": {**entities(among), **connections}})
    shown |= totals(call, visible, windows(call))
    shown["statistics_db_event_queue"] = 0
    if monitoring:
        shown["node"] = call.node.name
        shown["listeners"] = node_json.listeners(call.node)
        shown["contexts"] = [
            {"ssl_opts": [], "node": call.node.name, **context}
            for context in node_json.contexts(call.node, call.node.broker.settings.management.path_prefix)
        ]
    return ok(shown)


def about(call: Call) -> dict[str, Any]:
    """What everybody may see."""
    settings = call.node.broker.settings
    return {
        "management_version": settings.product_version,
        "rates_mode": "basic",
        "sample_retention_policies": RETENTION,
        "exchange_types": node_json.exchange_types(),
        "product_version": settings.product_version,
        "product_name": settings.product_name,
        "rabbitmq_version": settings.product_version,
        "amq_version": node_json.own_version(),
        "cluster_name": call.node.broker.cluster_name(),
        "erlang_version": node_json.python_version(),
        "erlang_full_version": node_json.python_full_version(),
        "release_series_support_status": "supported",
        "disable_stats": stats_disabled(call),
        "default_queue_type": "classic",
        "is_op_policy_updating_enabled": True,
        "enable_queue_totals": totals_enabled(call),
    }


def totals(call: Call, vhosts: list[Vhost] | None, ranges: Ranges) -> dict[str, Any]:
    """What these vhosts come to; None: what everything does."""
    sampler = call.node.sampler
    message_stats = stats.message_stats(sampler, vhosts, ranges)
    if message_stats and vhosts is None:
        message_stats |= stats.disk(sampler, ranges)
    among = list(call.node.broker.vhosts.values()) if vhosts is None else vhosts
    return {
        "message_stats": message_stats,
        "churn_rates": stats.churn_rates(sampler, ranges),
        "queue_totals": stats.queue_totals(sampler, vhosts, ranges) if any(vhost.queues for vhost in among) else {},
        "object_totals": {**clients(call), **entities(among)},
    }


def clients(call: Call) -> dict[str, int]:
    """How many connections and channels there are, or the user has, who may not see those of others."""
    node = call.node
    if call.has_role(MONITORING):
        totals = node.sampler.totals
        return {"channels": totals.channels, "connections": totals.connections, "consumers": totals.consumers}
    mine = [
        client
        for client in node.broker.clients
        if isinstance(client, Connection) and client.session is not None and client.session.user.name == call.user.name
    ]
    return {"channels": sum(len(client.channels) for client in mine), "connections": len(mine)}


def entities(vhosts: list[Vhost]) -> dict[str, int]:
    """How many exchanges and queues there are in these vhosts."""
    return {
        "exchanges": sum(len(vhost.exchanges) for vhost in vhosts),
        "queues": sum(len(vhost.queues) for vhost in vhosts),
    }


TABLE: Final = (
    Endpoint(
        "GET",
        "/overview",
        MANAGEMENT,
        overview,
        "Versions, totals, rates and listeners",
        {200: OVERVIEW, 400: "a sample window that makes no sense"},
        query=(*STATS_QUERY, TOTALS_QUERY),
    ),
)
